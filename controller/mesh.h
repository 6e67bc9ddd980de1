/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether pods are in the Istio mesh, and whether those that are take plaintext at a port:
 * by the rules that Istio publishes for its injector (which namespaces and pods its
 * webhooks select), its ambient mode, and PeerAuthentication (security.istio.io/v1).
 * What these rules leave open counts as open. Pure.
 */
#ifndef LLMD_CONTROLLER_MESH_H
#define LLMD_CONTROLLER_MESH_H

#include "base/json.h"

/* Where PeerAuthentications speak for the whole mesh: Istio's default. */
#define MESH_ROOT_NAMESPACE "istio-system"

/* Of a namespace's labels those that Istio goes by, comma separated. */
#define MESH_NAMESPACE_LABELS "istio-injection,istio.io/rev,istio.io/dataplane-mode"

enum mesh_place {
	MESH_OUTSIDE,
	MESH_INSIDE,
	MESH_UNCLEAR,
};

/* Where pods of that template are, in a namespace with those labels (NULL: none). */
enum mesh_place mesh_place(const cJSON *namespace_labels, const cJSON *template);

/* In which namespace pods would run, and what speaks about them. All borrowed. */
struct mesh_space {
	const char *name;
	const cJSON *labels;   /* of the namespace; may be NULL */
	const cJSON *policies; /* array: PeerAuthentications of it and of MESH_ROOT_NAMESPACE */
};

/*
 * The PeerAuthentication by which pods of that template refuse plaintext at `port`. NULL:
 * they take it, or that they refuse it is not certain. Borrowed from the policies.
 */
const cJSON *mesh_refuses_plaintext(const struct mesh_space *space, const cJSON *template,
				    long port);

#endif
