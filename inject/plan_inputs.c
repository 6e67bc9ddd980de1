/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_inputs.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"

/* FNV-1a, 64 bit: told apart are edits of one object, not the work of an adversary. */
static const uint64_t FNV_START = 0xcbf29ce484222325U;
static const uint64_t FNV_PRIME = 0x100000001b3U;

static uint64_t mix_text(uint64_t hash, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	return (hash ^ 0xFFU) * FNV_PRIME;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	for (int i = 0; i < 8; i++, number >>= 8)
		hash = (hash ^ (number & 0xFFU)) * FNV_PRIME;
	return hash;
}

static uint64_t hash_tree(const cJSON *node);

/* Members are summed up, so that their order is nothing; the API server's apiVersion: v1 too. */
static uint64_t hash_members(const cJSON *object)
{
	uint64_t sum = 0;
	for (const cJSON *member = object->child; member != NULL; member = member->next) {
		bool filled_in = text_equal(member->string, "apiVersion") &&
				 cJSON_IsString(member) && text_equal(member->valuestring, "v1");
		if (!filled_in && !cJSON_IsNull(member))
			sum += mix_number(mix_text(FNV_START, member->string), hash_tree(member));
	}
	return sum;
}

static uint64_t hash_tree(const cJSON *node)
{
	uint64_t hash = mix_number(FNV_START, (uint64_t)(node->type & 0xFF));
	if (cJSON_IsObject(node))
		return mix_number(hash, hash_members(node));
	if (!cJSON_IsArray(node))
		return mix_text(hash, node->valuestring);
	for (const cJSON *item = node->child; item != NULL; item = item->next)
		hash = mix_number(hash, hash_tree(item));
	return hash;
}

static uint64_t mix_member(uint64_t hash, const cJSON *object, const char *name)
{
	const cJSON *node = json_member(object, name);
	if (node == NULL || cJSON_IsNull(node) || (cJSON_IsArray(node) && node->child == NULL))
		return mix_text(hash, "");
	return mix_number(hash, hash_tree(node));
}

static uint64_t mix_words(uint64_t hash, const struct list_view *view)
{
	hash = mix_number(hash, view->count);
	for (size_t i = 0; i < view->count; i++)
		hash = mix_text(hash, view->items[i]->valuestring);
	return hash;
}

/* {name} and {name, value: ""} are one to the API server. */
static uint64_t mix_env(uint64_t hash, const struct list_view *view)
{
	hash = mix_number(hash, view->count);
	for (size_t i = 0; i < view->count; i++) {
		const cJSON *value = json_member(view->items[i], "value");
		hash = mix_text(hash, json_str(view->items[i], "name"));
		hash = mix_text(hash, cJSON_IsString(value) ? value->valuestring : "");
		hash = mix_member(hash, view->items[i], "valueFrom");
	}
	return hash;
}

static bool is_word_to_us(const char *annotation)
{
	return text_equal(annotation, ANNOTATION_INJECT) ||
	       text_has_prefix(annotation, ANNOTATION_COMPONENT_PREFIX) ||
	       text_has_prefix(annotation, ANNOTATION_SERVICE_NAME_PREFIX);
}

/* Labels that tell role and engine, and the annotations that are addressed to us. */
static uint64_t hash_metadata(const cJSON *metadata)
{
	const cJSON *labels = json_member(metadata, "labels");
	const cJSON *annotations = json_member(metadata, "annotations");
	uint64_t hash = mix_member(FNV_START, labels, "llm-d.ai/role");
	hash = mix_member(hash, labels, "llm-d.ai/engine-type");
	uint64_t sum = 0;
	for (const cJSON *row = cJSON_IsObject(annotations) ? annotations->child : NULL;
	     row != NULL; row = row->next)
		if (is_word_to_us(row->string) && cJSON_IsString(row))
			sum += mix_text(mix_text(FNV_START, row->string), row->valuestring);
	return mix_number(hash, sum);
}

/* What a ModelService says nothing about comes from its base. */
static const cJSON *source_of(const struct work *work, const char *member)
{
	return json_member(work->node, member) != NULL || work->base == NULL ? work->node
									     : work->base;
}

static uint64_t hash_work(const struct work *work)
{
	uint64_t hash = mix_text(FNV_START, work->key);
	hash = mix_number(hash, work->init);
	hash = mix_member(hash, source_of(work, "image"), "image");
	hash = mix_member(hash, source_of(work, "restartPolicy"), "restartPolicy");
	hash = mix_member(hash, source_of(work, "envFrom"), "envFrom");
	hash = mix_words(hash, &work->pristine[MEMBER_COMMAND]);
	hash = mix_words(hash, &work->pristine[MEMBER_ARGS]);
	return mix_env(hash, &work->pristine[MEMBER_ENV]);
}

/* Containers are summed up: where one stands among the others is nothing to a decision. */
void inputs_hash(const cJSON *object, const struct works *works, char ret_hex[INPUTS_HASH_SIZE])
{
	uint64_t hash = hash_metadata(json_member(object, "metadata"));
	uint64_t sum = 0;
	const struct pod_template *last = NULL;
	for (size_t i = 0; i < works->count; i++) {
		const struct work *work = &works->items[i];
		if (work->template != last)
			hash = mix_number(hash, hash_metadata(work->template->metadata));
		last = work->template;
		sum += hash_work(work);
	}
	(void)snprintf(ret_hex, INPUTS_HASH_SIZE, "%016" PRIx64, mix_number(hash, sum));
}

static bool is_ours_to_edit(const char *member)
{
	return text_equal(member, "command") || text_equal(member, "args") ||
	       text_equal(member, "env");
}

/*
 * A container without the lists that we edit, which are added as they were before us. One
 * that says nothing else but its name may be of our making (ModelService).
 */
static uint64_t hash_rest(const cJSON *container)
{
	uint64_t sum = 0;
	bool only_name = true;
	const cJSON *member = NULL;
	cJSON_ArrayForEach(member, container)
	{
		if (is_ours_to_edit(member->string))
			continue;
		sum += mix_number(mix_text(FNV_START, member->string), hash_tree(member));
		only_name = only_name && text_equal(member->string, "name");
	}
	return only_name ? 0 : mix_number(FNV_START, sum);
}

static uint64_t sum_containers(const cJSON *containers)
{
	uint64_t sum = 0;
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, containers)
	{
		sum += hash_rest(container);
	}
	return sum;
}

/* A Pod's metadata is that of the object itself, where the ledger stands. */
static uint64_t sum_template(const struct pod_template *template, bool in_template)
{
	bool has_metadata = in_template && template->metadata != NULL;
	uint64_t sum = has_metadata ? hash_tree(template->metadata) : 0;
	const cJSON *member = NULL;
	cJSON_ArrayForEach(member, template->spec)
	{
		if (text_equal(member->string, "containers") ||
		    text_equal(member->string, "initContainers"))
			sum += sum_containers(member);
		else
			sum += mix_number(mix_text(FNV_START, member->string), hash_tree(member));
	}
	return mix_number(mix_text(FNV_START, template->id), sum);
}

void pristine_hash(const struct pod_templates *templates, const struct works *works,
		   char ret_hex[INPUTS_HASH_SIZE])
{
	uint64_t sum = 0;
	for (size_t i = 0; i < templates->count; i++)
		sum += sum_template(&templates->items[i], templates->in_template);
	for (size_t i = 0; i < works->count; i++)
		sum += hash_work(&works->items[i]);
	(void)snprintf(ret_hex, INPUTS_HASH_SIZE, "%016" PRIx64, mix_number(FNV_START, sum));
}
