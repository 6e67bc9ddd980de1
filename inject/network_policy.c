/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/network_policy.h"

#include <string.h>

#include "base/text.h"

/* Which end of the connection a policy speaks about. */
struct side {
	const char *type;  /* in spec.policyTypes */
	const char *rules; /* member of spec */
	const char *peers; /* member of a rule */
};

static const struct side egress = {"Egress", "egress", "to"};
static const struct side ingress = {"Ingress", "ingress", "from"};

static bool has_value(const cJSON *values, const char *label)
{
	const cJSON *value = NULL;
	cJSON_ArrayForEach(value, values)
	{
		if (label != NULL && cJSON_IsString(value) &&
		    strcmp(value->valuestring, label) == 0)
			return true;
	}
	return false;
}

static bool expression_holds(const cJSON *expression, const cJSON *labels)
{
	const char *key = json_str(expression, "key");
	const char *verb = json_str(expression, "operator");
	const cJSON *label = key == NULL ? NULL : json_member(labels, key);
	const char *text = label != NULL && cJSON_IsString(label) ? label->valuestring : NULL;
	const cJSON *values = json_member(expression, "values");
	if (text_equal(verb, "In"))
		return has_value(values, text);
	if (text_equal(verb, "NotIn"))
		return !has_value(values, text);
	if (text_equal(verb, "Exists"))
		return label != NULL;
	return text_equal(verb, "DoesNotExist") && label == NULL;
}

/* metav1.LabelSelector: an empty one selects everything. */
static bool selects(const cJSON *selector, const cJSON *labels)
{
	const cJSON *want = NULL;
	cJSON_ArrayForEach(want, json_member(selector, "matchLabels"))
	{
		const cJSON *have = json_member(labels, want->string);
		if (!cJSON_IsString(want) || !cJSON_IsString(have) ||
		    strcmp(want->valuestring, have->valuestring) != 0)
			return false;
	}
	cJSON_ArrayForEach(want, json_member(selector, "matchExpressions"))
	{
		if (!expression_holds(want, labels))
			return false;
	}
	return true;
}

/* Without policyTypes: Ingress always, Egress when it has egress rules. */
static bool is_about(const cJSON *policy, const struct side *side)
{
	const cJSON *types = json_get(policy, "spec.policyTypes");
	const cJSON *type = NULL;
	if (!cJSON_IsArray(types) || types->child == NULL)
		return side == &ingress || json_get(policy, "spec.egress") != NULL;
	cJSON_ArrayForEach(type, types)
	{
		if (cJSON_IsString(type) && strcmp(type->valuestring, side->type) == 0)
			return true;
	}
	return false;
}

static bool allows_port(const cJSON *rule, long port)
{
	const cJSON *ports = json_member(rule, "ports");
	const cJSON *row = NULL;
	if (!cJSON_IsArray(ports) || ports->child == NULL)
		return true;
	cJSON_ArrayForEach(row, ports)
	{
		const char *protocol = json_str(row, "protocol");
		const cJSON *number = json_member(row, "port");
		long first = json_int(row, "port", 0);
		long last = json_int(row, "endPort", first);
		if (protocol != NULL && strcmp(protocol, "TCP") != 0)
			continue;
		/* a name stands for a port of the other pod: that it is not ours cannot be told */
		if (number == NULL || cJSON_IsString(number) || (first <= port && port <= last))
			return true;
	}
	return false;
}

static bool allows_peer(const cJSON *rule, const struct side *side, const cJSON *peer_labels)
{
	const cJSON *peers = json_member(rule, side->peers);
	const cJSON *peer = NULL;
	if (!cJSON_IsArray(peers) || peers->child == NULL)
		return true;
	cJSON_ArrayForEach(peer, peers)
	{
		const cJSON *pods = json_member(peer, "podSelector");
		bool elsewhere = json_member(peer, "ipBlock") != NULL ||
				 json_member(peer, "namespaceSelector") != NULL;
		if ((elsewhere && pods == NULL) || selects(pods, peer_labels))
			return true;
	}
	return false;
}

static bool allows(const cJSON *policy, const struct side *side, const cJSON *peer_labels,
		   long port)
{
	const cJSON *rule = NULL;
	cJSON_ArrayForEach(rule, json_member(json_member(policy, "spec"), side->rules))
	{
		if (allows_port(rule, port) && allows_peer(rule, side, peer_labels))
			return true;
	}
	return false;
}

/* The first policy that speaks about the pods, when none of those that do allows it. */
static const char *in_the_way(const cJSON *policies, const struct side *side, const cJSON *pods,
			      const cJSON *peers, long port)
{
	const char *first = NULL;
	const cJSON *policy = NULL;
	cJSON_ArrayForEach(policy, policies)
	{
		if (!is_about(policy, side) || !selects(json_get(policy, "spec.podSelector"), pods))
			continue;
		if (allows(policy, side, peers, port))
			return NULL;
		if (first == NULL)
			first = json_str(policy, "metadata.name");
	}
	return first;
}

const char *network_policy_against_egress(const cJSON *policies, const cJSON *from, const cJSON *to,
					  long port)
{
	return in_the_way(policies, &egress, from, to, port);
}

const char *network_policy_in_the_way(const cJSON *policies, const cJSON *from, const cJSON *to,
				      long port)
{
	const char *name = in_the_way(policies, &egress, from, to, port);
	return name != NULL ? name : in_the_way(policies, &ingress, to, from, port);
}
