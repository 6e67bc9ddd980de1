/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that runs already and may be asked over HTTP what it tells to anybody
 * (docs/decisions/0270, 0280). Address, port and pod come of the pod as the API server has it. Pure.
 */
#ifndef LLMD_INJECT_SERVED_H
#define LLMD_INJECT_SERVED_H

#include <stdbool.h>

#include "base/json.h"
#include "inject/component.h"

struct served_at {
	char pod[254];
	char uid[64];     /* of the pod; "" unknown */
	char address[64]; /* of the pod; "": there is none to ask */
	unsigned port;
	char digest[80]; /* of the image that runs; "" unknown */
};

/*
 * Where that of a pod is to be asked whose container runs the image: Ready, not on the
 * node's network, at the port where its own HTTP probe asks.
 */
bool served_at_find(const cJSON *pod, const char *image, struct served_at *ret_served);

/* Whose requests would be traced, if callers let them. All borrowed. */
struct served_want {
	enum component component;
	const char *image;
	const char *endpoint;  /* to which it sends its spans */
	const cJSON *policies; /* array: NetworkPolicies of the namespace */
};

/*
 * The same, where the pod's own container sends to that endpoint (one from before the
 * injection does not), and no NetworkPolicy is in the way.
 */
bool served_counts(const cJSON *pod, const struct served_want *want, struct served_at *ret_served);

#endif
