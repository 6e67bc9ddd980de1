/* SPDX-License-Identifier: Apache-2.0 */
/* What the users of a client inside this folder may touch: watches. */
#ifndef LLMD_K8SCLIENT_CLIENT_INTERNAL_H
#define LLMD_K8SCLIENT_CLIENT_INTERNAL_H

#include <stdint.h>

#include "k8sclient/client.h"
#include "k8sclient/transport.h"

struct watch;

struct client {
	uv_loop_t *loop;
	const struct log *log;
	struct metrics *metrics;
	struct transport *transport;
	uv_timer_t timer; /* waits of retries, deadlines in the queue */
	bool transport_closed;
	bool timer_closed;
	struct request *requests; /* all, in the order of their coming */
	struct request *last;
	size_t count;
	size_t running;
	struct metric *retries;
	struct watch *watches;
};

/* Bits for jitter. */
uint64_t client_random(void);

/* The client goes away before the watch was stopped: no transport any more (watch.c). */
void watch_orphan(struct watch *watch);

#endif
