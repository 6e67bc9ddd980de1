/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/json.h"
#include "inject/objects.h"
#include "k8sclient/cluster_domain.h"

static const struct {
	const char *text;
	const char *domain; /* NULL: not known */
} table[] = {
    {"search a.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n",
     "cluster.local"},
    {"nameserver 1.1.1.1\nsearch\ta.svc.k8s.corp.example\tsvc.k8s.corp.example.",
     "k8s.corp.example"},
    {"search svc.old\nsearch svc.new corp", "new"},
    {"search svc.old\nsearch corp", NULL},
    {"search corp.example\n", NULL},
    {"# search svc.cluster.local\n", NULL},
    {"domain svc.cluster.local\n", NULL},
    {"search svc.\n", NULL},
    {"search svc..\n", NULL},
    {"search svc.a$b\n", NULL},
    {"search ", NULL},
    {"search", NULL},
    {"search \nsvc.cluster.local\n", NULL},
    {"", NULL},
};

TEST(domain_from_the_search_list)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(str_freep) char *got = cluster_domain_of(table[i].text);
		CHECK_STR_ROW(got, table[i].domain, table[i].text);
	}
}

static const struct {
	const char *endpoint;
	const char *domain;
	const char *in_pods;
	const char *external_name; /* of our Service; NULL: none */
} endpoints[] = {
    {"http://otel.obs.svc:4317", "cluster.local", DEFAULT_ENDPOINT, "otel.obs.svc.cluster.local"},
    {"http://otel.obs.svc:4317", NULL, "http://otel.obs.svc:4317", NULL},
    {"http://otel.obs.svc.k8s.corp:4317", "cluster.local", DEFAULT_ENDPOINT,
     "otel.obs.svc.k8s.corp"},
    {"http://otel.obs.svc:4319", "cluster.local", "http://otel.obs.svc:4319", NULL},
    {"https://otel.obs.svc:4317", "cluster.local", "https://otel.obs.svc:4317", NULL},
    {"http://otel.obs:4317", "cluster.local", "http://otel.obs:4317", NULL},
};

/* Pods keep the constant endpoint; that the domain became known is no change by the user. */
TEST(a_service_elsewhere_gets_a_full_name)
{
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		struct settings defaults;
		struct settings settings;
		struct error err = {.message = ""};
		cJSON *tracing = cJSON_CreateObject();
		cJSON *objects = NULL;
		json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
		json_set_str(tracing, "kind", TRACING_KIND);
		cJSON *collector = json_set_object(json_set_object(tracing, "spec"), "collector");
		json_set_str(collector, "mode", "Shared");
		json_set_str(collector, "endpoint", endpoints[i].endpoint);
		settings_init_defaults(&defaults);
		if (endpoints[i].domain != NULL)
			defaults.cluster_domain = xstrdup(endpoints[i].domain);
		CHECK_INT(settings_read(tracing, &defaults, &settings, &err), STATUS_OK);
		CHECK_STR_ROW(settings.endpoint, endpoints[i].in_pods, endpoints[i].endpoint);
		struct objects_input input = {.namespace_name = "team", .settings = &settings};
		CHECK_INT(objects_render(&input, &objects, &err), STATUS_OK);
		CHECK_STR_ROW(
		    json_str(objects == NULL ? NULL : objects->child, "spec.externalName"),
		    endpoints[i].external_name, endpoints[i].endpoint);
		json_freep(&objects);
		json_freep(&tracing);
		settings_release(&settings);
		settings_release(&defaults);
	}
}
