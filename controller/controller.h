/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator: watches → store → queue → gather → reconcile → act, over one libuv loop.
 * Everything here runs in the loop's thread.
 */
#ifndef LLMD_CONTROLLER_CONTROLLER_H
#define LLMD_CONTROLLER_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/log.h"
#include "base/metrics.h"
#include "controller/view.h"
#include "k8sclient/client.h"

struct controller;

struct controller_config {
	struct operator_options options; /* texts borrowed */
	const char *const *namespaces;   /* namespaced mode; NULL: the whole cluster */
	size_t namespace_count;
	const char *instance;  /* name of this process in Events */
	size_t max_concurrent; /* keys under way at a time, all namespaces together */
};

/* All borrowed and outliving the controller. Nothing is sent before controller_start. */
NODISCARD struct controller *controller_new(uv_loop_t *loop, struct client *client,
					    const struct log *log, struct metrics *metrics,
					    const struct controller_config *config);

/* Starts the watches; work begins when all lists are complete. */
void controller_start(struct controller *controller);

/* All lists are complete (/readyz). */
bool controller_is_ready(const struct controller *controller);

/* For people: what is still missing, and line by line what may not be read and why. */
void controller_explain(const struct controller *controller, struct buffer *out);

/* Brings gauges (store, watches, queue) up to date before they are read. */
void controller_measure(struct controller *controller);

/*
 * No new work from now on. `drained` is called once, when no list of writes is under way
 * any more (possibly at once).
 */
void controller_drain(struct controller *controller, void (*drained)(void *context), void *context);

/* Stops watches and timers; freed once the loop has closed its handles. */
void controller_close(struct controller *controller);

#endif
