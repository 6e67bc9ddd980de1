/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/sampling.h"

#include <string.h>

#include "base/text.h"
#include "inject/gate.h"
#include "inject/kind.h"
#include "inject/surroundings_index.h"

static bool has_traced_picker(const struct plan *plan)
{
	for (size_t i = 0; i < plan->container_count; i++) {
		const struct plan_container *container = &plan->containers[i];
		if (container->component == COMPONENT_EPP &&
		    (container->inject || container->reason == REASON_USER_SET))
			return true;
	}
	return false;
}

/* Seen without its surroundings, so that two pickers that select each other end here. */
static bool picker_is_traced(const struct plan_input *input, const struct facts *seen,
			     const cJSON *object)
{
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct facts facts = *seen;
	struct error err;
	facts.pool_excluded = !facts_selected(&facts, object, input->settings);
	facts.surroundings = NULL;
	struct plan_input asked = *input;
	asked.object = object;
	asked.facts = &facts;
	return plan_build(&asked, &plan, &err) == STATUS_OK && has_traced_picker(plan);
}

static bool has_picker(const struct plan_input *input, const struct pool *pool)
{
	const struct surroundings *s = input->facts->surroundings;
	for (size_t i = 0; i < s->workload_count; i++) {
		struct pod_label_sets pods;
		struct facts facts;
		pod_labels_collect(s->workloads[i], &pods);
		if (!pod_labels_match(pool->picker_selector, &pods))
			continue;
		surroundings_facts(s, s->workloads[i], &facts);
		if (picker_is_traced(input, &facts, s->workloads[i]))
			return true;
	}
	return false;
}

/* A routing proxy of a version that hands no context on; one that tells none goes by its name. */
static bool cuts_off(const cJSON *container, const struct settings *settings)
{
	const char *name = json_str(container, "image");
	const struct gate_rule *rule = NULL;
	struct version version;
	struct image image;
	if (name == NULL)
		return false;
	image_read(name, &image);
	if (gate_identify(&image, &rule) != COMPONENT_ROUTING_PROXY || rule == NULL)
		return false;
	const struct image_override *said = gate_override(settings, name);
	const char *text = said != NULL && said->version != NULL ? said->version : image.tag;
	version_read(text == NULL ? "" : text,
		     text == NULL        ? 0
		     : text == image.tag ? image.tag_len
					 : strlen(text),
		     &version);
	if (version.kind == VERSION_NONE)
		return !rule->by_construction;
	return version_is_below(&version, routing_proxy_rules.detached_below);
}

static bool list_cuts_off(const cJSON *list, const struct settings *settings)
{
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, list)
	{
		if (cuts_off(container, settings))
			return true;
	}
	return false;
}

static bool workload_cuts_off(const cJSON *object, const struct settings *settings)
{
	struct pod_templates templates;
	struct error err;
	bool found = false;
	if (kind_templates(object, &templates, &err) != STATUS_OK)
		return false;
	for (size_t i = 0; i < templates.count && !found; i++)
		found = list_cuts_off(json_member(templates.items[i].spec, "initContainers"),
				      settings) ||
			list_cuts_off(json_member(templates.items[i].spec, "containers"), settings);
	pod_templates_release(&templates);
	return found;
}

/* The proxy in a decode pod calls the prefill servers of its pool as well. */
static bool has_cut(const struct plan_input *input, const struct pool *pool)
{
	const struct surroundings *s = input->facts->surroundings;
	if (workload_cuts_off(input->object, input->settings))
		return true;
	for (size_t i = 0; i < s->workload_count; i++) {
		struct pod_label_sets pods;
		pod_labels_collect(s->workloads[i], &pods);
		if (pod_labels_match(pool->selector, &pods) &&
		    workload_cuts_off(s->workloads[i], input->settings))
			return true;
	}
	return false;
}

bool sampling_is_led(const struct plan_input *input, enum component component)
{
	const struct surroundings *s = input->facts->surroundings;
	struct pod_label_sets pods;
	bool found = false;
	if (s == NULL)
		return false;
	pod_labels_collect(input->object, &pods);
	for (size_t i = 0; i < s->pool_count; i++) {
		if (!pod_labels_match(s->pools[i].selector, &pods))
			continue;
		found = true;
		if (!has_picker(input, &s->pools[i]) ||
		    (component != COMPONENT_ROUTING_PROXY && has_cut(input, &s->pools[i])))
			return false;
	}
	return found;
}
