/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/settings_fields.h"

static void *member_at(struct settings *settings, const struct settings_field *field)
{
	return (char *)settings + field->offset;
}

void settings_init_defaults(struct settings *settings)
{
	*settings = (struct settings){
	    .endpoint = xstrdup(DEFAULT_ENDPOINT),
	    .sampler = xstrdup("parentbased_traceidratio"),
	    .ratio = xstrdup("1.0"),
	    .detailed = xstrdup("all"),
	    .collector_mode = COLLECTOR_AUTO,
	    .collector_image = xstrdup(DEFAULT_COLLECTOR_IMAGE),
	    .collector_replicas = 1,
	    .collector_span_metrics = true,
	    .tail = {.errors = true, .wait = xstrdup("60s")},
	    .backend = BACKEND_JAEGER,
	    .jaeger_image = xstrdup(DEFAULT_JAEGER_IMAGE),
	    .jaeger_max_traces = 10000,
	    .storage = {.type = STORAGE_MEMORY,
			.retain = true,
			.size = xstrdup("10Gi"),
			.ttl = xstrdup("72h"),
			.fs_group = 10001}, /* the group of Jaeger's image */
	    .drop_content = true,
	    .rollout = {.policy = xstrdup(ROLLOUT_IMMEDIATE),
			.gitops = xstrdup(GITOPS_LEAVE_ALONE),
			.rehearse = xstrdup(REHEARSE_AUTO),
			.max_concurrent = 1,
			.pause_on_failure = true},
	};
	for (size_t c = 0; c < COMPONENT_COUNT; c++)
		settings->components[c].enabled = true;
}

void settings_release(struct settings *settings)
{
	for (size_t i = 0; i < settings_field_count; i++) {
		void *member = member_at(settings, &settings_fields[i]);
		if (settings_fields[i].type == SETTINGS_TEXT)
			free(*(char **)member);
		else if (settings_fields[i].type == SETTINGS_TREE)
			cJSON_Delete(*(cJSON **)member);
	}
	free(settings->endpoint);
	free(settings->detailed);
	free(settings->cluster_domain);
	settings_free_images(settings);
	settings_free_pools(settings);
	*settings = (struct settings){0};
}

static char *copy_text(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

/* A deep copy of defaults, member by member of the field table. */
static void copy(const struct settings *from, struct settings *ret_copy)
{
	struct settings source = *from;
	struct settings to = source;
	for (size_t i = 0; i < settings_field_count; i++) {
		void *member = member_at(&to, &settings_fields[i]);
		if (settings_fields[i].type == SETTINGS_TEXT)
			*(char **)member = copy_text(*(char **)member);
		else if (settings_fields[i].type == SETTINGS_TREE && *(cJSON **)member != NULL)
			*(cJSON **)member = json_clone(*(cJSON **)member);
	}
	to.endpoint = copy_text(source.endpoint);
	to.detailed = copy_text(source.detailed);
	to.cluster_domain = copy_text(source.cluster_domain);
	to.images = xcalloc(source.image_count, sizeof(*to.images));
	for (size_t i = 0; i < source.image_count; i++) {
		to.images[i] = source.images[i];
		to.images[i].match = copy_text(source.images[i].match);
		to.images[i].version = copy_text(source.images[i].version);
	}
	to.pools = xcalloc(source.pool_count, sizeof(*to.pools));
	for (size_t i = 0; i < source.pool_count; i++)
		to.pools[i] = copy_text(source.pools[i]);
	*ret_copy = to;
}

static enum status read_text(const struct settings_field *field, const cJSON *node,
			     const char *path, char **member, struct error *err)
{
	if (!cJSON_IsString(node))
		return settings_wrong_type(path, "a string", node, err);
	enum status status = field->check(node->valuestring, path, err);
	if (status != STATUS_OK)
		return status;
	free(*member);
	*member = xstrdup(node->valuestring);
	return STATUS_OK;
}

static enum status read_number(const struct settings_field *field, const cJSON *node,
			       const char *path, long *member, struct error *err)
{
	long value = json_int(node, "", field->low - 1);
	if (value < field->low || value > field->high)
		return error_set(err, STATUS_INVALID, "%s: must be a whole number from %ld to %ld",
				 path, field->low, field->high);
	*member = value;
	return STATUS_OK;
}

static const char *const mode_names[] = {
    [COLLECTOR_AUTO] = "Auto",
    [COLLECTOR_DEPLOYMENT] = "Deployment",
    [COLLECTOR_CR] = "OpenTelemetryCollector",
    [COLLECTOR_SHARED] = "Shared",
    [COLLECTOR_EXTERNAL] = "External",
};

const char *collector_mode_name(enum collector_mode mode)
{
	return mode_names[mode];
}

static enum collector_mode mode_from_name(const char *name)
{
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(mode_names) && !text_equal(mode_names[i], name))
		i++;
	return (enum collector_mode)i;
}

/* Words that stand for a value. */
static enum status read_word(struct settings *settings, const struct settings_field *field,
			     const cJSON *node, const char *path, struct error *err)
{
	CLEANUP(str_freep) char *word = NULL;
	enum status status = read_text(field, node, path, &word, err);
	if (status != STATUS_OK)
		return status;
	if (field->check == settings_check_mode) {
		settings->collector_mode = mode_from_name(word);
	} else {
		free(settings->detailed);
		settings->detailed = text_equal(word, "none") ? NULL : TAKE_PTR(word);
	}
	return STATUS_OK;
}

static enum status read_choice(const struct settings_field *field, const cJSON *node,
			       const char *path, unsigned *member, struct error *err)
{
	if (!cJSON_IsString(node))
		return settings_wrong_type(path, "a string", node, err);
	enum status status = settings_check_choice(node->valuestring, field->words, path, err);
	for (unsigned i = 0; status == STATUS_OK && field->words[i] != NULL; i++)
		if (strcmp(field->words[i], node->valuestring) == 0)
			*member = i;
	return status;
}

static enum status read_tree(const struct settings_field *field, const cJSON *node,
			     const char *path, cJSON **member, struct error *err)
{
	enum status status = field->check_tree(node, path, err);
	if (status != STATUS_OK)
		return status;
	cJSON_Delete(*member);
	*member = json_clone(node);
	return STATUS_OK;
}

static enum status read_field(struct settings *settings, const struct settings_field *field,
			      const cJSON *node, struct error *err)
{
	char path[128];
	void *member = member_at(settings, field);
	(void)snprintf(path, sizeof(path), "spec.%s", field->path);
	switch (field->type) {
	case SETTINGS_TEXT:
		return read_text(field, node, path, member, err);
	case SETTINGS_WORD:
		return read_word(settings, field, node, path, err);
	case SETTINGS_CHOICE:
		return read_choice(field, node, path, member, err);
	case SETTINGS_BOOL:
		if (!cJSON_IsBool(node))
			return settings_wrong_type(path, "true or false", node, err);
		*(bool *)member = cJSON_IsTrue(node);
		return STATUS_OK;
	case SETTINGS_NUMBER:
		return read_number(field, node, path, member, err);
	case SETTINGS_TREE:
		return read_tree(field, node, path, member, err);
	default:
		return field->read_list(settings, node, path, err);
	}
}

const char *settings_ratio(const struct settings *settings)
{
	bool tail = settings->where == SAMPLING_COLLECTOR && settings->tail.ratio != NULL;
	if (settings->boost.active)
		return settings->boost.ratio;
	return tail ? settings->tail.ratio : settings->ratio;
}

bool settings_has_collector(const struct settings *settings)
{
	return settings->collector_mode != COLLECTOR_SHARED &&
	       settings->collector_mode != COLLECTOR_EXTERNAL;
}

/* What the fields together must make true. */
static enum status check_together(const struct settings *settings, const cJSON *spec,
				  struct error *err)
{
	bool elsewhere = !settings_has_collector(settings);
	if (elsewhere && settings->collector_endpoint == NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.collector.endpoint: is missing; mode Shared or External needs to know "
		    "where the collector is");
	if (!elsewhere && json_get(spec, "collector.endpoint") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.collector.endpoint: is only for mode Shared or External; the operator's "
		    "own collector is always " DEFAULT_ENDPOINT);
	if (elsewhere && cJSON_IsObject(json_get(spec, "backend")))
		return error_set(err, STATUS_INVALID,
				 "spec.backend: has no effect with a collector of mode Shared or "
				 "External; where that one sends to is its own configuration");
	enum status status = settings_check_sampling(settings, spec, err);
	return status == STATUS_OK ? settings_check_backends(settings, spec, err) : status;
}

/* The values that follow from others. */
static void settle(struct settings *settings)
{
	struct endpoint parts;
	char name[256];
	if (settings_has_collector(settings)) { /* a default that this namespace does not use */
		free(settings->collector_endpoint);
		settings->collector_endpoint = NULL;
	} else { /* as well, of a collector that cannot be told to sample */
		settings->max_spans_per_second = 0;
		if (settings->where == SAMPLING_COLLECTOR)
			settings->where = SAMPLING_ROOT;
	}
	bool direct = !settings_has_collector(settings) &&
		      endpoint_split(settings->collector_endpoint, &parts) &&
		      !endpoint_external_name(&parts, settings->cluster_domain, name);
	free(settings->endpoint);
	settings->endpoint = xstrdup(direct ? settings->collector_endpoint : DEFAULT_ENDPOINT);
	settings->injection_off = true;
	for (size_t c = COMPONENT_VLLM; c <= COMPONENT_ROUTING_PROXY; c++)
		if (settings->components[c].enabled)
			settings->injection_off = false;
}

static enum status check_object(const cJSON *tracing, struct error *err)
{
	static const char *const known[] = {"apiVersion", "kind", "metadata", "spec", "status"};
	const char *name = json_str(tracing, "metadata.name");
	if (!text_equal(json_str(tracing, "kind"), TRACING_KIND) ||
	    !text_equal(json_str(tracing, "apiVersion"), TRACING_API_VERSION))
		return error_set(err, STATUS_INVALID,
				 "is not a " TRACING_KIND " of " TRACING_API_VERSION);
	if (name != NULL && strcmp(name, TRACING_NAME) != 0)
		return error_set(err, STATUS_INVALID,
				 "metadata.name: must be " TRACING_NAME
				 " (one Tracing a namespace)");
	for (const cJSON *member = tracing->child; member != NULL; member = member->next) {
		bool found = false;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			found = found || strcmp(member->string, known[i]) == 0;
		if (!found)
			return error_set(err, STATUS_INVALID,
					 "%s: no such field; settings stand under spec",
					 member->string);
	}
	return STATUS_OK;
}

static enum status read_object(const cJSON *tracing, struct settings *settings, struct error *err)
{
	enum status status = check_object(tracing, err);
	const cJSON *spec = json_member(tracing, "spec");
	if (status != STATUS_OK || spec == NULL || cJSON_IsNull(spec))
		return status;
	if (!cJSON_IsObject(spec))
		return error_set(err, STATUS_INVALID, "spec: must be an object");
	status = settings_check_known(spec, err);
	for (size_t i = 0; i < settings_field_count && status == STATUS_OK; i++) {
		const cJSON *node = json_get(spec, settings_fields[i].path);
		if (node != NULL && !cJSON_IsNull(node))
			status = read_field(settings, &settings_fields[i], node, err);
	}
	return status == STATUS_OK ? check_together(settings, spec, err) : status;
}

enum status settings_read(const cJSON *tracing, const struct settings *defaults,
			  struct settings *ret_settings, struct error *err)
{
	struct settings settings;
	if (defaults == NULL)
		settings_init_defaults(&settings);
	else
		copy(defaults, &settings);
	if (tracing != NULL) {
		enum status status = read_object(tracing, &settings, err);
		if (status != STATUS_OK) {
			const char *place = json_str(tracing, "metadata.namespace");
			const char *name = json_str(tracing, "metadata.name");
			settings_release(&settings);
			return error_wrap(err, "Tracing %s%s%s", place == NULL ? "" : place,
					  place == NULL ? "" : "/",
					  name == NULL ? TRACING_NAME : name);
		}
	}
	settle(&settings);
	*ret_settings = settings;
	return STATUS_OK;
}

/* A copy without nulls and without objects that say nothing; NULL when nothing is left. */
static cJSON *said_of(const cJSON *node)
{
	if (!cJSON_IsObject(node))
		return node == NULL || cJSON_IsNull(node) ? NULL : json_clone(node);
	cJSON *said = cJSON_CreateObject();
	for (const cJSON *member = node->child; member != NULL; member = member->next) {
		cJSON *part = said_of(member);
		if (part != NULL)
			json_set(said, member->string, part);
	}
	if (said->child == NULL)
		json_freep(&said);
	return said;
}

/* Of spec.sampling what no pod sees, or only for a while; the ratio where it is none of the pod's. */
static void drop_others_share(cJSON *sampling, bool led)
{
	bool collector = text_equal(json_str(sampling, "where"), "Collector");
	cJSON_DeleteItemFromObjectCaseSensitive(sampling, "maxSpansPerSecond");
	cJSON_DeleteItemFromObjectCaseSensitive(sampling, "boost");
	if (collector || led)
		cJSON_DeleteItemFromObjectCaseSensitive(sampling, "ratio");
}

static void hash_said(const cJSON *tracing, bool led, char ret_hash[17])
{
	/* Whom it applies to (selector) is no part of what pods get. */
	static const char *const parts[] = {"sampling", "components", "images"};
	const cJSON *spec = json_member(tracing, "spec");
	cJSON *said = cJSON_CreateObject();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		cJSON *part = said_of(json_member(spec, parts[i]));
		if (part != NULL)
			json_set(said, parts[i], part);
	}
	/*
	 * Of the collector only what pods see: an endpoint that no Service can stand for. The
	 * cluster's domain is no part of it: that it became known is no wish of the user's.
	 */
	drop_others_share(json_member_mut(said, "sampling"), led);
	if (cJSON_IsObject(json_member(said, "sampling")) &&
	    json_member(said, "sampling")->child == NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(said, "sampling");
	struct endpoint endpoint;
	char name[256];
	const char *elsewhere = json_str(spec, "collector.endpoint");
	if (elsewhere != NULL && endpoint_split(elsewhere, &endpoint) &&
	    !endpoint_external_name(&endpoint, NULL, name))
		json_set_str(said, "endpoint", elsewhere);
	struct buffer text;
	buffer_init(&text, LIMIT_DOCUMENT_BYTES);
	if (led)
		buffer_add_str(&text, "led ");
	json_print_canonical(said, &text);
	hash_short(text.data, text.len, ret_hash);
	buffer_release(&text);
	json_freep(&said);
}

void settings_user_hash(const cJSON *tracing, char ret_hash[17])
{
	hash_said(tracing, false, ret_hash);
}

void settings_led_hash(const cJSON *tracing, char ret_hash[17])
{
	hash_said(tracing, true, ret_hash);
}
