/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries rehearsals out: looks which nodes have the image, makes the pod, waits for its
 * end, reads its log if that is needed, and deletes it whatever happened. A pod that got
 * lost (the process was killed) ends by its own deadline; the next rehearsal in its
 * namespace deletes it. Bounded in number and time.
 */
#ifndef LLMD_CONTROLLER_REHEARSER_H
#define LLMD_CONTROLLER_REHEARSER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "controller/moment.h"
#include "inject/rehearsal.h"
#include "k8sclient/client.h"

struct rehearser;

/* `of` has image and component only. `ms`: how long it took, the pod's deletion not counted. */
typedef void (*rehearser_fn)(void *context, const char *namespace_name,
			     const struct rehearsal_of *of, const struct rehearsal *result,
			     uint64_t ms);

/* `now` for what is lost; all borrowed and outliving the rehearser. */
NODISCARD struct rehearser *rehearser_new(uv_loop_t *loop, struct client *client,
					  struct moment (*now)(void *context), rehearser_fn done,
					  void *context);
/* No callback comes any more; pods under way are left to their deadline. */
void rehearser_freep(struct rehearser **rehearser);

/* What is under way, for the whole process. */
enum { REHEARSER_MAX = 4 };
size_t rehearser_count(const struct rehearser *rehearser);

/*
 * Begins one; `of` is copied, its nodes are looked up here. False: as many as may are under
 * way. The same image and component of a namespace is not begun twice (true).
 */
bool rehearser_start(struct rehearser *rehearser, const char *namespace_name,
		     const struct rehearsal_of *of);

/* Ends all: pods are deleted, callbacks come with what is known by then. */
void rehearser_stop(struct rehearser *rehearser);

#endif
