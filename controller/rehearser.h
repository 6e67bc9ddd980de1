/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries rehearsals out: looks which nodes have the image, makes the pod, waits for its
 * end, reads its log if that is needed, and deletes it whatever happened. Where no pod may be
 * made, or none could run, a server of that image that runs already is asked for its version
 * (docs/decisions/0270). A pod that got
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

/* `of` has image, component and settings only. `ms`: how long it took, the pod's deletion not counted. */
typedef void (*rehearser_fn)(void *context, const char *namespace_name,
			     const struct rehearsal_of *of, const struct rehearsal *result,
			     uint64_t ms);

struct rehearser_rights {
	bool make_pods;  /* else servers that run are asked for their version, and no more */
	bool read_nodes; /* to find those that have an image of which no pod runs */
	enum {
		REHEARSER_ASKS_NOBODY,
		REHEARSER_ASKS_PODS,  /* at their addresses, from inside the cluster */
		REHEARSER_ASKS_PROXY, /* through the API server's pods/proxy */
	} ask;
	const char *api_server; /* its host, which is never asked; or NULL */
};

/* `rights` is copied, its text borrowed; `now` for what is lost; all outlive the rehearser. */
NODISCARD struct rehearser *rehearser_new(uv_loop_t *loop, struct client *client,
					  const struct rehearser_rights *rights,
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
