/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the kinds that we know are served, and at which version (KUBERNETES §1.2).
 *
 * The decoders are pure. The poller asks GET /apis in the aggregated form (one request)
 * and, on servers that do not have it, GET /apis/GROUP/VERSION for each kind. With cluster
 * scope it asks again when a CustomResourceDefinition of one of the kinds changes
 * (a metadata-only watch); otherwise, or when that watch is refused, every 60 s.
 */
#ifndef LLMD_K8SCLIENT_DISCOVERY_H
#define LLMD_K8SCLIENT_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "k8sclient/client.h"

struct discovery;

struct discovery_kind {
	const char *group;    /* "apps"; the core group "" is always served */
	const char *plural;   /* "deployments" */
	const char *versions; /* those that we understand, best first: "v1,v1beta1" */
};

enum discovery_answer {
	DISCOVERY_UNKNOWN, /* the server cannot tell now (stale, error): what was known before holds */
	DISCOVERY_ABSENT,
	DISCOVERY_SERVED
};

struct discovery_state {
	enum discovery_answer answer;
	char version[32]; /* of DISCOVERY_SERVED */
};

/*
 * Reads the answer to GET /apis or GET /apis/GROUP/VERSION: APIGroupDiscoveryList (v2,
 * v2beta1), APIResourceList or APIGroupList. `states` has one element per kind and is
 * written for those kinds of which the document tells: all for a discovery list, those
 * of its group and version for a resource list (SERVED or ABSENT at that version).
 * An APIGroupList tells only ABSENT: the kinds whose group (at one of the versions) is
 * in it are left alone and have to be asked for one by one.
 */
enum discovery_document { DISCOVERY_AGGREGATED, DISCOVERY_RESOURCES, DISCOVERY_GROUPS };

NODISCARD enum status discovery_read(const char *text, size_t len,
				     const struct discovery_kind *kinds, size_t count,
				     struct discovery_state *states,
				     enum discovery_document *ret_document, struct error *err);

/* After the first complete round and whenever an answer or version has changed. `states` has one element per kind, borrowed. */
typedef void (*discovery_fn)(void *context, const struct discovery_state *states);

/* `kinds` is borrowed and outlives it. Callbacks come from the loop. */
struct discovery *discovery_start(struct client *client, const struct discovery_kind *kinds,
				  size_t count, bool cluster_scope, discovery_fn on_change,
				  void *context);

/* Asks now (a watch of ours got a 404, say). */
void discovery_kick(struct discovery *discovery);

/* No further callbacks. Before client_close. */
void discovery_stop(struct discovery *discovery);

#endif
