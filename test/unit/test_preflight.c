/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

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
		enum reason reason = preflight_judge(&sets, rows[i].endpoint, words, sizeof(words));
		CHECK_STR_ROW(reason_info(reason)->word, rows[i].blocked ? "NoClusterDNS" : "None",
			      rows[i].what);
		CHECK_INT_ROW(words[0] != '\0', rows[i].blocked, rows[i].what);
	}
}
