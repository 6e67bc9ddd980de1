/* SPDX-License-Identifier: Apache-2.0 */
/* The collector, in a Deployment or an OpenTelemetryCollector, and where it sends to. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/objects_config.h"
#include "inject/objects_render.h"
#include "inject/objects_template.h"
#include "inject/settings_check.h"

#define JAEGER_OTLP "jaeger-collector:4317"

static const struct part collector = {"otel-collector", "collector", "collectorResources",
				      "collector-config.yaml"};

/* What the settings ask to be sent along: a tenant, and what stands in Secrets. */
static void set_headers(struct rendering *r, const struct settings *settings)
{
	int index = 0;
	cJSON *headers = json_set_object(r->values, "BACKEND_HEADERS");
	if (settings->backend == BACKEND_OTLP && settings->otlp_tenant != NULL)
		json_set_str(headers, "X-Scope-OrgID", settings->otlp_tenant);
	const cJSON *list = settings->backend == BACKEND_OTLP ? settings->otlp_headers : NULL;
	for (const cJSON *h = list == NULL ? NULL : list->child; h != NULL; h = h->next, index++) {
		char variable[32];
		(void)snprintf(variable, sizeof(variable), "OTLP_HEADER_%d", index);
		rendering_set_secret(r, headers, json_str(h, "header"), variable,
				     json_str(h, "name"), json_str(h, "key"));
	}
	if (headers->child == NULL)
		rendering_set_tree(r, "BACKEND_HEADERS", NULL);
}

/* Plain or TLS by the URL's scheme. */
static void set_backend(struct rendering *r)
{
	const struct settings *settings = r->input->settings;
	bool otlp = settings->backend == BACKEND_OTLP && settings->otlp_endpoint != NULL;
	struct endpoint endpoint = {.tls = false};
	cJSON *tls = json_set_object(r->values, "BACKEND_TLS");
	rendering_set_text(r, "BACKEND_URL", otlp ? settings->otlp_endpoint : "");
	rendering_set_text(r, "BACKEND_ENDPOINT", JAEGER_OTLP);
	if (otlp && endpoint_split(settings->otlp_endpoint, &endpoint)) {
		bool v6 = strchr(endpoint.host, ':') != NULL;
		char *target CLEANUP(str_freep) = xasprintf(
		    "%s%s%s:%d", v6 ? "[" : "", endpoint.host, v6 ? "]" : "", endpoint.port);
		rendering_set_text(r, "BACKEND_ENDPOINT", target);
	}
	bool encrypted = otlp && strncmp(settings->otlp_endpoint, "https:", 6) == 0;
	json_set_bool(tls, "insecure", !encrypted);
	if (encrypted)
		rendering_add_tls(r, &settings->otlp_tls, tls);
	set_headers(r, settings);
}

/* In an OpenTelemetryCollector's pods managed-by is its operator's. */
static void set_pod_selector(struct rendering *r)
{
	cJSON *selector = json_set_object(r->values, "POD_SELECTOR");
	json_set_str(selector, "app", collector.app);
	if (r->input->use_cr)
		json_set_str(selector, "app.kubernetes.io/component", "opentelemetry-collector");
	else
		json_set_str(selector, LABEL_MANAGED_BY, MANAGED_BY);
}

/* What the template holds and the settings do not ask for. */
static void drop_unwanted(const struct settings *settings, cJSON *config)
{
	const char *names[8] = {NULL};
	size_t count = 0;
	bool http = settings->backend == BACKEND_OTLP && settings->otlp_protocol == OTLP_HTTP;
	names[count++] = http ? "otlp/backend" : "otlphttp/backend";
	if (!settings->drop_content) {
		names[count++] = "filter/content";
		names[count++] = "redaction/content";
	}
	if (!settings->collector_span_metrics)
		names[count++] = "prometheus";
	config_drop(config, names);
}

enum status collector_render(struct rendering *r, struct error *err)
{
	static const char *const own[] = {"collector-configmap.yaml", "collector-service.yaml",
					  "collector-networkpolicy.yaml",
					  "collector-deployment.yaml", NULL};
	static const char *const custom[] = {"collector-networkpolicy.yaml", "collector-cr.yaml",
					     NULL};
	const struct settings *settings = r->input->settings;
	cJSON *config = NULL;
	rendering_begin(r, &collector);
	rendering_set_pod(r, settings->collector_image, &settings->collector_pod);
	set_pod_selector(r);
	set_backend(r);
	json_set_int(r->values, "REPLICAS", settings->collector_replicas);
	enum status status = template_render(collector.config, r->values, &config, err);
	if (status != STATUS_OK)
		return status;
	drop_unwanted(settings, config);
	status = rendering_set_config(r, config, r->input->use_cr, err);
	return status == STATUS_OK ? rendering_add(r, r->input->use_cr ? custom : own, err)
				   : status;
}

enum status collector_render_elsewhere(struct rendering *r, struct error *err)
{
	static const char *const files[] = {"collector-external.yaml", NULL};
	struct endpoint endpoint;
	char name[256];
	const struct settings *settings = r->input->settings;
	if (settings->collector_endpoint == NULL ||
	    strcmp(settings->endpoint, DEFAULT_ENDPOINT) != 0 ||
	    !endpoint_split(settings->collector_endpoint, &endpoint) ||
	    !endpoint_external_name(&endpoint, settings->cluster_domain, name))
		return STATUS_OK;
	rendering_begin(r, &collector);
	json_set_str(r->values, "EXTERNAL_HOST", name);
	return rendering_add(r, files, err);
}
