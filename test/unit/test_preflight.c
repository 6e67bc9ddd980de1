/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/yaml.h"
#include "controller/preflight.h"
#include "inject/settings.h"

TEST(cluster_dns)
{
	static const struct {
		const char *what;
		const char *pod;
		const char *endpoint;
		bool blocked;
	} rows[] = {
	    {"an ordinary pod", "{}", DEFAULT_ENDPOINT, false},
	    {"the host's network", "{hostNetwork: true}", DEFAULT_ENDPOINT, true},
	    {"with the API server's default written out",
	     "{hostNetwork: true, dnsPolicy: ClusterFirst}", DEFAULT_ENDPOINT, true},
	    {"which asks for the cluster's names",
	     "{hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet}", DEFAULT_ENDPOINT, false},
	    {"the node's DNS", "{dnsPolicy: Default}", DEFAULT_ENDPOINT, true},
	    {"its own servers may know anything", "{hostNetwork: true, dnsPolicy: None}",
	     DEFAULT_ENDPOINT, false},
	    {"an endpoint that is no Service", "{hostNetwork: true}", "http://10.0.0.1:4317",
	     false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err;
		char words[300] = "";
		CLEANUP(json_freep) cJSON *pod = NULL;
		CHECK_INT(yaml_read(rows[i].pod, strlen(rows[i].pod), &pod, &err), STATUS_OK);
		struct replica_sets sets = {.count = 2};
		sets.items[0] = (struct replicas){.name = "a"};
		sets.items[1] = (struct replicas){.name = "b", .worker = pod};
		struct preflight_path path = {.policies = NULL};
		enum reason reason =
		    preflight_judge(&sets, rows[i].endpoint, &path, words, sizeof(words));
		CHECK_STR_ROW(reason_info(reason)->word, rows[i].blocked ? "NoClusterDNS" : "None",
			      rows[i].what);
		CHECK_INT_ROW(words[0] != '\0', rows[i].blocked, rows[i].what);
	}
}

#define DENY(WHAT) "{metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [" WHAT "]}}"
#define TO(SELECTOR)                                                                               \
	"{metadata: {name: some}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: "   \
	"[{podSelector: {matchLabels: {" SELECTOR "}}}]}]}}"
#define TO_PORT(PORT)                                                                              \
	"{metadata: {name: port}, spec: {podSelector: {}, policyTypes: [Egress], egress: "         \
	"[{ports: [{port: " PORT "}]}]}}"
#define OURS                                                                                       \
	"{metadata: {name: otel-collector}, spec: {podSelector: {matchLabels: {app: "              \
	"otel-collector}}, policyTypes: [Ingress], ingress: [{ports: [{port: 4317}]}]}}"

#define SERVER "{metadata: {labels: {app: vllm}}}"

TEST(network_policies)
{
	static const struct {
		const char *what;
		const char *policies;
		bool elsewhere;    /* the collector is */
		const char *words; /* "": nothing is in the way */
	} rows[] = {
	    {"none", "", false, ""},
	    {"nothing out", DENY("Egress"), false,
	     "NetworkPolicy deny keeps the pods of vllm from port 4317 of the collector; add to "
	     "its spec.egress: {to: [{podSelector: {matchLabels: {app: otel-collector}}}], ports: "
	     "[{port: 4317}]}"},
	    {"to others only", TO("app: redis"), false, "NetworkPolicy some keeps the pods"},
	    {"to the collector too", TO("app: redis") ", " TO("app: otel-collector"), false, ""},
	    {"by a label that the collector does not have", TO("app: otel-collector, x: y"), false,
	     "NetworkPolicy some keeps"},
	    {"DNS only", TO_PORT("53"), false, "NetworkPolicy port keeps the pods"},
	    {"the port", DENY("Egress") ", " TO_PORT("4317"), false, ""},
	    {"of other pods",
	     "{metadata: {name: x}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: "
	     "[Egress]}}",
	     false, ""},
	    {"elsewhere: pods of this namespace are none of its", TO("app: otel-collector"), true,
	     "NetworkPolicy some keeps the pods of vllm from port 4317 of the collector; add to "
	     "its spec.egress: {ports: [{port: 4317}]}"},
	    {"elsewhere: by its port", TO_PORT("4317"), true, ""},
	    {"nothing in, but for our own", DENY("Ingress") ", " OURS, false, ""},
	    {"nothing in", DENY("Ingress"), false,
	     "NetworkPolicy deny lets nothing from the pods of vllm into the collector; add to "
	     "its spec.ingress: {from: [{podSelector: {}}], ports: [{port: 4317}]}"},
	    {"nothing in, and the collector is elsewhere", DENY("Ingress"), true, ""},
	};
	struct error err;
	CLEANUP(json_freep) cJSON *server = NULL;
	CLEANUP(json_freep) cJSON *collector = NULL;
	CHECK_INT(yaml_read(SERVER, strlen(SERVER), &server, &err), STATUS_OK);
	CHECK_INT(yaml_read("{app: otel-collector}", 21, &collector, &err), STATUS_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char words[400] = "";
		CLEANUP(json_freep) cJSON *policies = NULL;
		CLEANUP(str_freep) char *text = xasprintf("[%s]", rows[i].policies);
		CHECK_INT_ROW(yaml_read(text, strlen(text), &policies, &err), STATUS_OK,
			      rows[i].what);
		struct replica_sets sets = {.count = 1};
		sets.items[0] = (struct replicas){.name = "vllm", .pod = server};
		struct preflight_path path = {.policies = policies,
					      .collector = rows[i].elsewhere ? NULL : collector};
		enum reason reason =
		    preflight_judge(&sets, DEFAULT_ENDPOINT, &path, words, sizeof(words));
		bool blocked = rows[i].words[0] != '\0';
		CHECK_STR_ROW(reason_info(reason)->word, blocked ? "EgressBlocked" : "None",
			      rows[i].what);
		if (strlen(words) > strlen(rows[i].words))
			words[strlen(rows[i].words)] = '\0';
		CHECK_STR_ROW(words, rows[i].words, rows[i].what);
		/* another endpoint has another port */
		CHECK_INT_ROW(
		    preflight_judge(&sets, "http://10.0.0.1:4318", &path, words, sizeof(words)),
		    REASON_NONE, rows[i].what);
	}
}
