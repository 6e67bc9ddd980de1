/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events (events.k8s.io/v1): which are sent, as what. An Event that repeats within six
 * minutes becomes a series of the first one; each object has a bucket of 25, refilled by
 * one in five minutes (client-go's figures, KUBERNETES §1.4). Pure: what is to be sent
 * comes out; act sends it and never waits for it.
 */
#ifndef LLMD_CONTROLLER_EVENTS_H
#define LLMD_CONTROLLER_EVENTS_H

#include <stdbool.h>

#include "controller/intent.h"
#include "controller/moment.h"

struct events;

/* `instance`: name of this process (a pod's name), at most 128 bytes are used. */
NODISCARD struct events *events_new(const char *instance);
void events_freep(struct events **events);

struct event_request {
	bool repeat;          /* PATCH of the series (merge patch) instead of POST */
	char *namespace_name; /* owned */
	char *name;           /* owned */
	cJSON *body;          /* owned */
};
void event_request_release(struct event_request *request);

/* False: this one is not sent (rate, or a repetition that was told just now). */
bool events_decide(struct events *events, const struct intent *intent, struct moment now,
		   struct event_request *ret_request);

#endif
