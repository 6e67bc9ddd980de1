/* SPDX-License-Identifier: Apache-2.0 */
/* Which NetworkPolicies keep spans from the collector. */
#include "inject/network_policy.h"

#include "base/alloc.h"
#include "test.h"

#define POLICY(NAME, SPEC) "{\"metadata\":{\"name\":\"" NAME "\"},\"spec\":{" SPEC "}}"
#define OUT                "\"podSelector\":{},\"policyTypes\":[\"Egress\"]"
#define ALL                "\"podSelector\":{}"
#define DNS                "\"egress\":[{\"ports\":[{\"port\":53,\"protocol\":\"UDP\"}]}]"
#define DENY               POLICY("deny", ALL ",\"policyTypes\":[\"Egress\"]")

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	CHECK_INT(json_parse(text, strlen(text), &tree, &err), STATUS_OK);
	return tree;
}

TEST(policies_in_the_way)
{
	static const struct {
		const char *row, *policies, *want; /* "" none */
	} rows[] = {
	    {"none", "", ""},
	    {"nothing out", DENY, "deny"},
	    {"DNS only", POLICY("dns", ALL "," DNS), "dns"},
	    {"no types, no egress rules: about what comes in",
	     POLICY("in", "\"podSelector\":{\"matchLabels\":{\"app\":\"server\"}}"), ""},
	    {"of other pods",
	     POLICY("x", "\"podSelector\":{\"matchLabels\":{\"app\":\"other\"}},"
			 "\"policyTypes\":[\"Egress\"]"),
	     ""},
	    {"one that allows is enough",
	     DENY "," POLICY("ok", OUT ",\"egress\":[{\"ports\":[{\"port\":4317}]}]"), ""},
	    {"another port", POLICY("p", OUT ",\"egress\":[{\"ports\":[{\"port\":443}]}]"), "p"},
	    {"a range",
	     POLICY("p", OUT ",\"egress\":[{\"ports\":[{\"port\":4000,\"endPort\":5000}]}]"), ""},
	    {"below a range",
	     POLICY("p", OUT ",\"egress\":[{\"ports\":[{\"port\":4318,\"endPort\":5000}]}]"), "p"},
	    {"UDP",
	     POLICY("p", OUT ",\"egress\":[{\"ports\":[{\"port\":4317,\"protocol\":\"UDP\"}]}]"),
	     "p"},
	    {"a port's name cannot be told",
	     POLICY("p", OUT ",\"egress\":[{\"ports\":[{\"port\":\"otlp\"}]}]"), ""},
	    {"everything out", POLICY("p", OUT ",\"egress\":[{}]"), ""},
	    {"to the collector",
	     POLICY("p", OUT ",\"egress\":[{\"to\":[{\"podSelector\":{\"matchLabels\":"
			     "{\"app\":\"otel-collector\"}}}]}]"),
	     ""},
	    {"to somebody else",
	     POLICY("p", OUT ",\"egress\":[{\"to\":[{\"podSelector\":{\"matchLabels\":"
			     "{\"app\":\"db\"}}}]}]"),
	     "p"},
	    {"to addresses: cannot be told",
	     POLICY("p", OUT ",\"egress\":[{\"to\":[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}]}]"),
	     ""},
	    {"to namespaces: cannot be told",
	     POLICY("p", OUT ",\"egress\":[{\"to\":[{\"namespaceSelector\":{}}]}]"), ""},
	    {"to pods elsewhere",
	     POLICY("p", OUT ",\"egress\":[{\"to\":[{\"namespaceSelector\":{},\"podSelector\":"
			     "{\"matchLabels\":{\"app\":\"db\"}}}]}]"),
	     "p"},
	    {"into the collector",
	     POLICY(
		 "c",
		 "\"podSelector\":{\"matchLabels\":{\"app\":\"otel-collector\"}},"
		 "\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"x\"}}}]}]"),
	     "c"},
	    {"into the collector from us",
	     POLICY("c",
		    "\"podSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\","
		    "\"values\":[\"otel-collector\"]}]},\"ingress\":[{\"from\":[{\"podSelector\":"
		    "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}]}}]}]"),
	     ""},
	    {"expressions that leave us out",
	     POLICY("p", "\"podSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":"
			 "\"NotIn\",\"values\":[\"server\"]}]},\"policyTypes\":[\"Egress\"]"),
	     ""},
	    {"expressions that mean us",
	     POLICY("p", "\"podSelector\":{\"matchExpressions\":[{\"key\":\"team\",\"operator\":"
			 "\"DoesNotExist\"}]},\"policyTypes\":[\"Egress\"]"),
	     "p"},
	    {"without types what comes in is meant, too", POLICY("p", ALL ",\"egress\":[{}]"), "p"},
	    {"nonsense",
	     "7,{},{\"spec\":{\"podSelector\":{\"matchLabels\":{\"app\":1}},\"policyTypes\":["
	     "\"Egress\"]}}",
	     ""},
	};
	CLEANUP(json_freep) cJSON *from = parse("{\"app\":\"server\"}");
	CLEANUP(json_freep) cJSON *to = parse("{\"app\":\"otel-collector\"}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text CLEANUP(str_freep) = xasprintf("[%s]", rows[i].policies);
		CLEANUP(json_freep) cJSON *policies = parse(text);
		const char *got = network_policy_in_the_way(policies, from, to, 4317);
		CHECK_STR_ROW(got == NULL ? "" : got, rows[i].want, rows[i].row);
	}
}
