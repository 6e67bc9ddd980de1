/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether NetworkPolicies of a namespace keep one kind of its pods from a port of another.
 * Policies only add up: a pod that one selects may do what at least one of those that
 * select it allows (networking.k8s.io/v1). What cannot be told from labels, like address
 * blocks and other namespaces, counts as allowed. Pure.
 */
#ifndef LLMD_INJECT_NETWORK_POLICY_H
#define LLMD_INJECT_NETWORK_POLICY_H

#include "base/json.h"

/*
 * The name of a policy in the way of TCP from pods labelled `from` to `port` of pods
 * labelled `to`; NULL: none is. `policies`: an array of NetworkPolicies of their namespace.
 * Borrowed from them.
 */
const char *network_policy_in_the_way(const cJSON *policies, const cJSON *from, const cJSON *to,
				      long port);

/* The same of what goes out alone; `to` NULL: pods elsewhere, whose labels are not known. */
const char *network_policy_against_egress(const cJSON *policies, const cJSON *from, const cJSON *to,
					  long port);

#endif
