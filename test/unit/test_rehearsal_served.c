/* SPDX-License-Identifier: Apache-2.0 */
/* Which server that runs already is asked for its version, and what its answer tells. */
#include "inject/rehearsal.h"

#include "tree.h"

#define SERVER(IP, PROBE, READY)                                                                   \
	"{metadata: {name: p}, spec: {containers: [{name: x, image: other}, {name: c, image: i, "  \
	"ports: [{name: web, containerPort: 8200}], " PROBE "}]}, status: {podIP: '" IP            \
	"', containerStatuses: [{name: c, imageID: 'm/x@" SHA "', ready: " READY "}]}}"
#define SHA "sha256:0123456789012345678901234567890123456789012345678901234567890123"
#define GET "httpGet: {path: /health, port: 8000}"

TEST(which_server_is_asked_and_where)
{
	static const struct {
		const char *what, *pod;
		unsigned port; /* 0: it is not asked */
		enum component component;
	} rows[] = {
	    {"where its probe asks", SERVER("10.1.2.3", "readinessProbe: {" GET "}", "true"), 8000,
	     COMPONENT_VLLM},
	    {"by the port's name",
	     SERVER("fd00::1", "livenessProbe: {httpGet: {port: web}}", "true"), 8200,
	     COMPONENT_VLLM},
	    {"not before it is Ready", SERVER("10.1.2.3", "readinessProbe: {" GET "}", "false"), 0,
	     COMPONENT_VLLM},
	    {"no probe tells where", SERVER("10.1.2.3", "args: [x]", "true"), 0, COMPONENT_VLLM},
	    {"another host",
	     SERVER("10.1.2.3", "readinessProbe: {httpGet: {host: h, port: 80}}", "true"), 0,
	     COMPONENT_VLLM},
	    {"TLS",
	     SERVER("10.1.2.3", "startupProbe: {httpGet: {scheme: HTTPS, port: 80}}", "true"), 0,
	     COMPONENT_VLLM},
	    {"no such name", SERVER("10.1.2.3", "startupProbe: {httpGet: {port: w}}", "true"), 0,
	     COMPONENT_VLLM},
	    {"no such port", SERVER("10.1.2.3", "startupProbe: {httpGet: {port: 70000}}", "true"),
	     0, COMPONENT_VLLM},
	    {"SGLang's answer would hold its arguments",
	     SERVER("10.1.2.3", "readinessProbe: {" GET "}", "true"), 0, COMPONENT_SGLANG},
	    {"no address", "{metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}", 0,
	     COMPONENT_VLLM},
	    {"the node's address",
	     "{metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: c, image: i, "
	     "readinessProbe: {" GET "}}]}, status: {podIP: 10.0.0.1, containerStatuses: [{name: "
	     "c, ready: true}]}}",
	     0, COMPONENT_VLLM},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct served_at at = {.port = 0};
		struct rehearsal_of of = {.image = "i", .component = rows[i].component};
		cJSON *pod = tree_of(rows[i].pod);
		CHECK_INT_ROW(rehearsal_served_at(pod, &of, &at), rows[i].port != 0, rows[i].what);
		CHECK_INT_ROW(at.port, rows[i].port, rows[i].what);
		CHECK_STR_ROW(at.digest, rows[i].port == 0 ? "" : SHA, rows[i].what);
		json_freep(&pod);
	}
}

TEST(what_it_answers)
{
	static const struct {
		const char *body, *verdict, *version;
	} rows[] = {
	    {"{\"version\":\"0.16.0\"}", "Inconclusive", "0.16.0"},
	    {"{\"version\":\"0.23.1rc1.dev3+gabc\"}", "Inconclusive", "0.23.1rc1.dev3+gabc"},
	    {"{\"version\":\"0.10.1.1\"}", "RefusesFlag", "0.10.1.1"},
	    {"{\"version\":\"dev\"}", NULL, ""},
	    {"{\"version\":17}", NULL, ""},
	    {"{\"version\":\"0.16.0\\n\"}", NULL, ""},
	    {"{\"version\":\"0.16.0+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", NULL, ""},
	    {"{\"detail\":\"Not Found\"}", NULL, ""},
	    {"<html>", NULL, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct served_at at = {.digest = SHA};
		struct rehearsal told = {.version = ""};
		bool any = rehearsal_served_judge(rows[i].body, strlen(rows[i].body), &at, &told);
		CHECK_STR_ROW(any ? rehearsal_word(told.verdict) : NULL, rows[i].verdict,
			      rows[i].body);
		CHECK_STR_ROW(told.version, rows[i].version, rows[i].body);
		CHECK_STR_ROW(told.digest, any ? SHA : "", rows[i].body);
	}
}
