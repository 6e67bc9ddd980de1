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

enum { TIER_PORT = 4319 };

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

/* A trace is judged as a whole, so its spans have to meet in one collector. */
static bool has_tier(const struct settings *settings)
{
	return (settings->tail.ratio != NULL || settings->max_spans_per_second > 0) &&
	       settings->collector_replicas > 1;
}

/* What the template holds and the settings do not ask for. */
static void drop_unwanted(const struct objects_input *input, cJSON *config)
{
	const struct settings *settings = input->settings;
	const struct identity_settings *identity = &settings->identity;
	bool tail = settings->tail.ratio != NULL;
	bool limited = settings->max_spans_per_second > 0;
	bool by_chance = settings->where == SAMPLING_COLLECTOR && !tail;
	bool sampled = tail || limited || by_chance;
	bool http = settings->backend == BACKEND_OTLP && settings->otlp_protocol == OTLP_HTTP;
	const struct {
		bool unwanted;
		const char *name;
	} parts[] = {
	    {http, "otlp/backend"},
	    {!http, "otlphttp/backend"},
	    {!settings->drop_content, "filter/content"},
	    {!settings->drop_content, "redaction/content"},
	    {!settings->collector_span_metrics, "prometheus"},
	    {identity->cluster == NULL && identity->environment == NULL, "resource/identity"},
	    {input->origins == NULL || input->origins->child == NULL, "transform/workloads"},
	    {!tail, "tail_sampling"},
	    {!by_chance, "probabilistic_sampler"},
	    {!limited, "tail_sampling/limit"},
	    {sampled, "traces>otlp/backend"},
	    {sampled, "traces>otlphttp/backend"},
	    {!sampled || has_tier(settings), "forward/sampled"},
	    {!has_tier(settings), "loadbalancing"},
	    {!has_tier(settings), "otlp/tier"},
	};
	const char *names[ARRAY_LEN(parts) + 1] = {NULL};
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].unwanted)
			names[count++] = parts[i].name;
	config_drop(config, names);
}

static cJSON *add_policy(cJSON *policies, const char *name, const char *type)
{
	cJSON *policy = cJSON_CreateObject();
	json_set_str(policy, "name", name);
	json_set_str(policy, "type", type);
	json_append(policies, policy);
	return json_set_object(policy, type);
}

/* A checked ratio in percent, with its own digits: "0.05" is 5, "0.1234" is 12.34. */
static cJSON *percentage(const char *ratio)
{
	static const char *const zeros[] = {"00", "0", ""};
	struct error err;
	cJSON *number = NULL;
	size_t whole = strspn(ratio, "0123456789");
	const char *behind = ratio[whole] == '.' ? ratio + whole + 1 : "";
	size_t decimals = strlen(behind);
	char *digits CLEANUP(str_freep) =
	    xasprintf("%.*s%s%s", (int)whole, ratio, behind, zeros[decimals < 2 ? decimals : 2]);
	const char *text = digits;
	size_t point = whole + 2;
	for (; point > 1 && *text == '0'; text++)
		point--;
	char *percent CLEANUP(str_freep) =
	    xasprintf("%.*s%s%s", (int)point, text, text[point] == '\0' ? "" : ".", text + point);
	if (json_parse(percent, strlen(percent), &number, &err) != STATUS_OK)
		number = json_new_int(100);
	return number;
}

/* A trace is kept when any of them says so. */
static void set_tail(struct rendering *r, const struct settings *settings)
{
	const struct tail_settings *tail = &settings->tail;
	bool decides = settings->where == SAMPLING_COLLECTOR;
	cJSON *policies = json_set_array(r->values, "TAIL_POLICIES");
	rendering_set_text(r, "TAIL_WAIT", tail->wait);
	if (tail->ratio == NULL)
		return;
	if (tail->errors)
		json_append(
		    json_set_array(add_policy(policies, "errors", "status_code"), "status_codes"),
		    cJSON_CreateString("ERROR"));
	if (tail->slower_than != NULL)
		json_set_int(add_policy(policies, "slow", "latency"), "threshold_ms",
			     duration_ms(tail->slower_than));
	json_set(add_policy(policies, "ratio", "probabilistic"), "sampling_percentage",
		 percentage(decides ? settings_ratio(settings) : tail->ratio));
}

/* Each collector lets its part through, and one span at least. */
static void set_sampling(struct rendering *r, const struct settings *settings)
{
	long part = settings->max_spans_per_second / settings->collector_replicas;
	set_tail(r, settings);
	json_set(r->values, "PERCENTAGE", percentage(settings_ratio(settings)));
	json_set_int(r->values, "SPANS_PER_SECOND", part > 0 ? part : 1);
}

static void add_attribute(cJSON *list, const char *key, const char *value)
{
	if (value == NULL)
		return;
	cJSON *attribute = cJSON_CreateObject();
	json_set_str(attribute, "key", key);
	json_set_str(attribute, "value", value);
	json_set_str(attribute, "action", "insert");
	json_append(list, attribute);
}

/* `set(KEY, VALUE) where CONDITION`, unless the user's own attribute is there. */
static void add_statement(cJSON *list, const char *key, const char *value, const char *condition)
{
	char *text CLEANUP(str_freep) =
	    xasprintf("set(resource.attributes[\"%s\"], %s) where resource.attributes[\"%s\"] == "
		      "nil and %s",
		      key, value, key, condition);
	json_append(list, cJSON_CreateString(text));
}

static void add_role(cJSON *list, const char *role, const char *service)
{
	char *value CLEANUP(str_freep) = xasprintf("\"%s\"", role);
	char *condition CLEANUP(str_freep) =
	    xasprintf("resource.attributes[\"service.name\"] == \"%s\"", service);
	add_statement(list, "llm_d.role", value, condition);
}

static const char *first_of(const char *a, const char *b, const char *c)
{
	return a != NULL ? a : b != NULL ? b : c;
}

/*
 * What names of services and pods tell for sure (a Deployment's pods end in two words of
 * generated letters; "\\z" since the collector would expand a dollar). The suffix comes last: roles go by the names before it. */
static void set_identity(struct rendering *r, const struct settings *settings)
{
	static const char pods[] = "^.+-[bcdfghjklmnpqrstvwxz2456789]{6,10}-"
				   "[bcdfghjklmnpqrstvwxz2456789]{5}\\\\z";
	const struct component_settings *vllm = &settings->components[COMPONENT_VLLM];
	const char *prefill =
	    first_of(vllm->service_name_prefill, vllm->service_name, "vllm-prefill");
	const char *decode = first_of(vllm->service_name_decode, vllm->service_name, "vllm-decode");
	cJSON *attributes = json_set_array(r->values, "IDENTITY");
	cJSON *statements = json_set_array(r->values, "IDENTITY_STATEMENTS");
	add_attribute(attributes, "k8s.cluster.name", settings->identity.cluster);
	add_attribute(attributes, "deployment.environment.name", settings->identity.environment);
	if (strcmp(prefill, decode) != 0) {
		add_role(statements, "prefill", prefill);
		add_role(statements, "decode", decode);
	}
	char *condition CLEANUP(str_freep) =
	    xasprintf("IsMatch(resource.attributes[\"k8s.pod.name\"], \"%s\")", pods);
	add_statement(statements, "k8s.deployment.name",
		      "ExtractPatterns(resource.attributes[\"k8s.pod.name\"], "
		      "\"^(?P<name>.+)-[a-z0-9]+-[a-z0-9]+\\\\z\")[\"name\"]",
		      condition);
	if (settings->identity.suffix == NULL)
		return;
	char *suffix CLEANUP(str_freep) =
	    xasprintf("set(resource.attributes[\"service.name\"], "
		      "Concat([resource.attributes[\"service.name\"], \"%s\"], \"\")) where "
		      "resource.attributes[\"service.name\"] != nil",
		      settings->identity.suffix);
	json_append(statements, cJSON_CreateString(suffix));
}

/* Among the collectors of the tier. */
static void set_tier_rule(struct rendering *r, bool tier)
{
	cJSON *rules = json_set_array(r->values, "TIER_RULES");
	if (!tier)
		return;
	cJSON *rule = cJSON_CreateObject();
	cJSON *peer = cJSON_CreateObject();
	cJSON *port = cJSON_CreateObject();
	json_set(json_set_object(peer, "podSelector"), "matchLabels",
		 json_clone(json_member(r->values, "POD_SELECTOR")));
	json_append(json_set_array(rule, "from"), peer);
	json_set_int(port, "port", TIER_PORT);
	json_set_str(port, "protocol", "TCP");
	json_append(json_set_array(rule, "ports"), port);
	json_append(rules, rule);
}

enum status collector_render(struct rendering *r, struct error *err)
{
	static const char *const own[] = {"collector-configmap.yaml", "collector-service.yaml",
					  "collector-networkpolicy.yaml",
					  "collector-deployment.yaml", NULL};
	static const char *const custom[] = {"collector-networkpolicy.yaml", "collector-cr.yaml",
					     NULL};
	static const char *const tier[] = {"collector-tier.yaml", NULL};
	const struct settings *settings = r->input->settings;
	cJSON *config = NULL;
	rendering_begin(r, &collector);
	rendering_set_pod(r, settings->collector_image, &settings->collector_pod);
	set_pod_selector(r);
	set_backend(r);
	set_identity(r, settings);
	json_set(r->values, "ORIGINS",
		 r->input->origins == NULL ? cJSON_CreateArray() : json_clone(r->input->origins));
	set_sampling(r, settings);
	set_tier_rule(r, has_tier(settings));
	json_set_int(r->values, "REPLICAS", settings->collector_replicas);
	enum status status = template_render(collector.config, r->values, &config, err);
	if (status != STATUS_OK)
		return status;
	drop_unwanted(r->input, config);
	status = rendering_set_config(r, config, r->input->use_cr, err);
	if (status == STATUS_OK && has_tier(settings))
		status = rendering_add(r, tier, err);
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
