/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image is already: nodes on which pods of it run, else nodes whose kubelet lists it
 * (the fifty largest, by default), and a server of it that could be asked. One list of the
 * namespace's pods, then one of the nodes. Rehearsal pods that were left behind are deleted on
 * the way.
 */
#ifndef LLMD_CONTROLLER_PLACES_H
#define LLMD_CONTROLLER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "inject/rehearsal.h"
#include "k8sclient/client.h"

struct places_search;

struct places {
	char *nodes[REHEARSAL_NODES]; /* NULL-ended when fewer; owned */
	bool on_nodes;                /* pods of the image run on them */
	struct served_at served;
	struct places_search *search; /* under way; or NULL */
};

/* Later, never from inside places_find. What could not be read is not there. */
typedef void (*places_fn)(void *context);

struct places_spec {
	struct client *client;
	const char *namespace_name;
	const struct rehearsal_of *of; /* image and component */
	bool read_nodes;
	int64_t now_us;
};

/* `places` is zeroed; it must stay where it is. All of the specification is copied but the client. */
void places_find(struct places *places, const struct places_spec *spec, places_fn done,
		 void *context);
/* No callback comes any more; what was found stays. */
void places_end(struct places *places);
void places_release(struct places *places);

#endif
