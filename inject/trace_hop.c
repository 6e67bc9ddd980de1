/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_hop.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/component_rules.h"
#include "inject/env.h"
#include "inject/flags.h"

static char *copy(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static void hop_release(struct trace_hop *hop)
{
	char *const owned[] = {hop->workload, hop->name,    hop->container, hop->image,
			       hop->message,  hop->service, hop->endpoint,  hop->exporter,
			       hop->sampler,  hop->ratio};
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free(owned[i]);
}

void trace_hops_release(struct trace_hops *hops)
{
	for (size_t i = 0; i < hops->count; i++)
		hop_release(&hops->items[i]);
	free(hops->items);
	*hops = (struct trace_hops){0};
}

bool trace_hop_cuts_off(const struct trace_hop *hop)
{
	return hop->detached || (hop->component == COMPONENT_ROUTING_PROXY && !hop->on);
}

void trace_hops_drop(struct trace_hops *hops, const char *workload)
{
	size_t kept = 0;
	for (size_t i = 0; i < hops->count; i++) {
		if (strcmp(hops->items[i].workload, workload) == 0)
			hop_release(&hops->items[i]);
		else
			hops->items[kept++] = hops->items[i];
	}
	hops->count = kept;
}

/* The `service.name=` among OTEL_RESOURCE_ATTRIBUTES; NULL: none. Owned. */
static char *service_of_attributes(const char *attributes)
{
	static const char key[] = "service.name=";
	const char *at = attributes;
	while (at != NULL && !text_has_prefix(at, key)) {
		at = strchr(at, ',');
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL)
		return NULL;
	at += sizeof(key) - 1;
	return xstrndup(at, strcspn(at, ","));
}

static void read_env(const cJSON *container, struct trace_hop *hop)
{
	struct list_view view;
	struct env_known env;
	list_view_read(json_member(container, "env"), &view);
	env_read(&view, &env);
	const char *service = env_literal(&env, ENV_SERVICE_NAME);
	const char *endpoint = env_literal(&env, ENV_TRACES_ENDPOINT);
	if (endpoint == NULL)
		endpoint = env_literal(&env, ENV_ENDPOINT);
	/* SGLang names itself (LLMD §1.6) */
	if (hop->component == COMPONENT_SGLANG)
		hop->service = xstrdup("sglang");
	else if (env_is_set(&env, ENV_SERVICE_NAME))
		hop->service = copy(service);
	else
		hop->service = service_of_attributes(env_literal(&env, ENV_RESOURCE));
	hop->endpoint = copy(endpoint);
	hop->exporter = copy(env_literal(&env, ENV_TRACES_EXPORTER));
	hop->exporter_hidden = env_is_reference(&env, ENV_TRACES_EXPORTER);
	hop->sampler = copy(env_literal(&env, ENV_SAMPLER));
	hop->ratio = copy(env_literal(&env, ENV_SAMPLER_ARG));
	list_view_release(&view);
}

/* Flags: is the one that turns it on there, and which endpoint does one name? */
static void read_flags(const struct launch *launch, const struct component_rules *rules,
		       enum gate_mode mode, struct trace_hop *hop)
{
	bool needed = mode == GATE_FLAG || mode == GATE_FLAG_IF_PRESENT;
	for (size_t i = 0; i < rules->flag_count; i++) {
		struct launch_flag flag CLEANUP(launch_flag_release) = {0};
		launch_find_flag(launch, &rules->flags[i].syntax, &flag);
		bool on = flag.presence == FLAG_PRESENT && !flags_value_is_false(flag.value);
		if (i == 0)
			hop->flag_missing = needed && !on && flag.presence != FLAG_UNSURE;
		if (rules->flags[i].value == FLAG_VALUE_ENDPOINT && flag.value != NULL) {
			free(hop->endpoint);
			hop->endpoint = TAKE_PTR(flag.value);
		}
	}
	hop->on = mode != GATE_SKIP && !hop->flag_missing;
}

static void read_container(const cJSON *container, const struct settings *settings,
			   struct trace_hop *hop)
{
	const struct component_rules *rules = component_rules(hop->component);
	const struct image_override *override = gate_override(settings, hop->image);
	struct launch *launch CLEANUP(launch_freep) = launch_read(container, rules->assume);
	struct gate_verdict verdict;
	struct image image;
	image_read(hop->image, &image);
	gate_judge(hop->component, &image, override == NULL ? NULL : override->version,
		   gate_is_modern(rules, launch), &verdict);
	hop->version = verdict.number;
	hop->plaintext = verdict.plaintext;
	/* without #1667 (LLMD §9); an image without a number is taken to be new */
	hop->detached = rules->detached_below != NULL && verdict.number.kind != VERSION_NONE &&
			version_is_below(&verdict.number, rules->detached_below);
	read_env(container, hop);
	if (hop->service != NULL && settings_has_collector(settings)) {
		char *plain CLEANUP(str_freep) = hop->service;
		const char *suffix = settings->identity.suffix;
		hop->service = xasprintf("%s%s", plain, suffix == NULL ? "" : suffix);
	}
	read_flags(launch, rules, verdict.mode, hop);
}

bool trace_container_sends(enum component component, const cJSON *container, const char *endpoint)
{
	const struct component_rules *rules = component_rules(component);
	struct launch *launch CLEANUP(launch_freep) = launch_read(container, rules->assume);
	struct trace_hop hop = {.component = component};
	read_env(container, &hop);
	read_flags(launch, rules, GATE_FLAG, &hop);
	bool sends = hop.on && text_equal(hop.endpoint, endpoint);
	hop_release(&hop);
	return sends;
}

static const cJSON *in_pod(const cJSON *pod_spec, const struct plan_container *decided)
{
	return json_named(json_member(pod_spec, decided->init ? "initContainers" : "containers"),
			  decided->name);
}

/* Where the container's effective form stands: what a ModelService's controller rendered, else the object. */
static const cJSON *find_container(const struct plan_input *input,
				   const struct plan_container *decided)
{
	static const char *const parts[] = {"/spec/prefill", "/spec/decode",
					    "/spec/endpointPicker"};
	for (size_t i = 0; i < ARRAY_LEN(parts) && input->facts != NULL; i++) {
		if (strcmp(decided->template_path, parts[i]) != 0)
			continue;
		const cJSON *rendered =
		    in_pod(json_get(input->facts->children[i], "spec.template.spec"), decided);
		if (rendered != NULL)
			return rendered;
	}
	return in_pod(json_pointer_get(input->object, decided->template_path), decided);
}

void trace_hops_read(const struct plan_input *input, const struct plan *plan,
		     struct trace_hops *hops)
{
	const char *kind = json_str(input->object, "kind");
	const char *name = json_str(input->object, "metadata.name");
	for (size_t i = 0; i < plan->container_count && kind != NULL && name != NULL; i++) {
		const struct plan_container *decided = &plan->containers[i];
		const char *message = decided->message == NULL ? "" : decided->message;
		const cJSON *container = find_container(input, decided);
		if (component_rules(decided->component) == NULL || container == NULL ||
		    hops->count == LIMIT_TRACE_HOPS)
			continue;
		hops->items = grow(hops->items, hops->count, sizeof(*hops->items));
		struct trace_hop *hop = &hops->items[hops->count++];
		*hop = (struct trace_hop){.component = decided->component,
					  .workload = xasprintf("%s/%s", kind, name),
					  .name = xstrdup(name),
					  .container = xstrdup(decided->name),
					  .image = xstrdup(decided->image),
					  .decides = decided->decides,
					  .reason = decided->reason,
					  .message = xstrdup(message)};
		read_container(container, input->settings, hop);
	}
}
