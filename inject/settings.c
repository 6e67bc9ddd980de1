/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/settings_check.h"
#include "inject/settings_lists.h"

enum field_type { FIELD_TEXT, FIELD_BOOL, FIELD_COUNT_NUMBER, FIELD_OBJECT, FIELD_SPECIAL };

/* One row per field of the spec; what is not here is an unknown field. */
struct field {
	const char *path; /* below spec */
	enum field_type type;
	size_t offset; /* into struct settings; unused for FIELD_SPECIAL */
	settings_check_fn check;
	long low, high; /* FIELD_COUNT_NUMBER */
};

#define AT(MEMBER) offsetof(struct settings, MEMBER)
#define OF(COMPONENT, MEMBER)                                                                      \
	(offsetof(struct settings, components) +                                                   \
	 (size_t)(COMPONENT) * sizeof(struct component_settings) +                                 \
	 offsetof(struct component_settings, MEMBER))

static const struct field fields[] = {
    {"selector.pools", FIELD_SPECIAL, 0, NULL, 0, 0},
    {"selector.matchLabels", FIELD_SPECIAL, 0, NULL, 0, 0},
    {"sampling.sampler", FIELD_TEXT, AT(sampler), settings_check_sampler, 0, 0},
    {"sampling.ratio", FIELD_TEXT, AT(ratio), settings_check_ratio, 0, 0},
    {"collector.mode", FIELD_SPECIAL, 0, settings_check_mode, 0, 0},
    {"collector.endpoint", FIELD_TEXT, AT(collector_endpoint), settings_check_endpoint, 0, 0},
    {"collector.image", FIELD_TEXT, AT(collector_image), settings_check_text, 0, 0},
    {"collector.replicas", FIELD_COUNT_NUMBER, AT(collector_replicas), NULL, 1, 50},
    {"collector.resources", FIELD_OBJECT, AT(collector_resources), NULL, 0, 0},
    {"backend.type", FIELD_SPECIAL, 0, settings_check_backend, 0, 0},
    {"backend.jaeger.image", FIELD_TEXT, AT(jaeger_image), settings_check_text, 0, 0},
    {"backend.jaeger.maxTraces", FIELD_COUNT_NUMBER, AT(jaeger_max_traces), NULL, 100, 10000000},
    {"backend.jaeger.resources", FIELD_OBJECT, AT(jaeger_resources), NULL, 0, 0},
    {"backend.otlp.endpoint", FIELD_TEXT, AT(otlp_endpoint), settings_check_endpoint, 0, 0},
    {"backend.otlp.insecure", FIELD_BOOL, AT(otlp_insecure), NULL, 0, 0},
    {"components.vllm.enabled", FIELD_BOOL, OF(COMPONENT_VLLM, enabled), NULL, 0, 0},
    {"components.vllm.detailedTraces", FIELD_SPECIAL, 0, settings_check_detailed, 0, 0},
    {"components.vllm.serviceNames.prefill", FIELD_TEXT, OF(COMPONENT_VLLM, service_name_prefill),
     settings_check_text, 0, 0},
    {"components.vllm.serviceNames.decode", FIELD_TEXT, OF(COMPONENT_VLLM, service_name_decode),
     settings_check_text, 0, 0},
    {"components.vllm.serviceNames.default", FIELD_TEXT, OF(COMPONENT_VLLM, service_name),
     settings_check_text, 0, 0},
    {"components.sglang.enabled", FIELD_BOOL, OF(COMPONENT_SGLANG, enabled), NULL, 0, 0},
    {"components.epp.enabled", FIELD_BOOL, OF(COMPONENT_EPP, enabled), NULL, 0, 0},
    {"components.epp.serviceName", FIELD_TEXT, OF(COMPONENT_EPP, service_name), settings_check_text,
     0, 0},
    {"components.routingProxy.enabled", FIELD_BOOL, OF(COMPONENT_ROUTING_PROXY, enabled), NULL, 0,
     0},
    {"components.routingProxy.serviceName", FIELD_TEXT, OF(COMPONENT_ROUTING_PROXY, service_name),
     settings_check_text, 0, 0},
    {"images", FIELD_SPECIAL, 0, NULL, 0, 0},
    {"privacy.dropContent", FIELD_BOOL, AT(drop_content), NULL, 0, 0},
};

static void *member_at(struct settings *settings, const struct field *field)
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
	    .backend = BACKEND_JAEGER,
	    .jaeger_image = xstrdup(DEFAULT_JAEGER_IMAGE),
	    .jaeger_max_traces = 20000,
	    .drop_content = true,
	};
	for (size_t c = 0; c < COMPONENT_COUNT; c++)
		settings->components[c].enabled = true;
}

void settings_release(struct settings *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		void *member = member_at(settings, &fields[i]);
		if (fields[i].type == FIELD_TEXT)
			free(*(char **)member);
		else if (fields[i].type == FIELD_OBJECT)
			cJSON_Delete(*(cJSON **)member);
	}
	free(settings->endpoint);
	free(settings->detailed);
	cJSON_Delete(settings->match_labels);
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
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		void *member = member_at(&to, &fields[i]);
		if (fields[i].type == FIELD_TEXT)
			*(char **)member = copy_text(*(char **)member);
		else if (fields[i].type == FIELD_OBJECT && *(cJSON **)member != NULL)
			*(cJSON **)member = json_clone(*(cJSON **)member);
	}
	to.endpoint = copy_text(source.endpoint);
	to.detailed = copy_text(source.detailed);
	to.match_labels = source.match_labels == NULL ? NULL : json_clone(source.match_labels);
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

/* How far two names are apart: for "did you mean". Names of fields are short. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	size_t row[MAX + 1];
	size_t len = strlen(b);
	if (strlen(a) > MAX || len > MAX)
		return MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[len];
}

/* The known path of the same depth that is nearest to `path`; NULL when none is near. */
static enum status unknown_field(const char *path, struct error *err)
{
	char best[128] = "";
	size_t nearest = 4;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		for (const char *end = fields[i].path; *end != '\0'; end += *end == '.' ? 1 : 0) {
			end += strcspn(end, ".");
			char known[128];
			size_t len = (size_t)(end - fields[i].path);
			memcpy(known, fields[i].path, len);
			known[len] = '\0';
			size_t away = distance(path, known);
			if (away < nearest) {
				nearest = away;
				memcpy(best, known, len + 1);
			}
			if (*end == '\0')
				break;
		}
	}
	if (best[0] != '\0')
		return error_set(err, STATUS_INVALID,
				 "spec.%s: no such field; did you mean spec.%s?", path, best);
	return error_set(err, STATUS_INVALID, "spec.%s: no such field; see docs/tracing-api.md",
			 path);
}

static bool is_inner(const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strncmp(fields[i].path, path, len) == 0 && fields[i].path[len] == '.')
			return true;
	return false;
}

static const struct field *find_field(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].path, path) == 0)
			return &fields[i];
	return NULL;
}

static enum status check_known(const cJSON *node, const char *path, struct error *err);

static enum status check_member(const cJSON *child, const char *path, struct error *err)
{
	if (find_field(path) != NULL || cJSON_IsNull(child))
		return STATUS_OK;
	if (!is_inner(path))
		return unknown_field(path, err);
	if (!cJSON_IsObject(child))
		return error_set(err, STATUS_INVALID, "spec.%s: must be an object", path);
	return check_known(child, path, err);
}

static enum status check_known(const cJSON *node, const char *path, struct error *err)
{
	enum status status = STATUS_OK;
	for (const cJSON *child = node->child; child != NULL && status == STATUS_OK;
	     child = child->next) {
		CLEANUP(str_freep)
		char *below = xasprintf("%s%s%s", path, *path == '\0' ? "" : ".", child->string);
		status = check_member(child, below, err);
	}
	return status;
}

static enum status read_text(const struct field *field, const cJSON *node, const char *path,
			     char **member, struct error *err)
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

static enum status read_number(const struct field *field, const cJSON *node, const char *path,
			       long *member, struct error *err)
{
	long value = json_int(node, "", field->low - 1);
	if (value < field->low || value > field->high)
		return error_set(err, STATUS_INVALID, "%s: must be a whole number from %ld to %ld",
				 path, field->low, field->high);
	*member = value;
	return STATUS_OK;
}

static enum collector_mode mode_from_name(const char *name)
{
	static const char *const names[] = {
	    [COLLECTOR_AUTO] = "Auto",
	    [COLLECTOR_DEPLOYMENT] = "Deployment",
	    [COLLECTOR_CR] = "OpenTelemetryCollector",
	    [COLLECTOR_SHARED] = "Shared",
	    [COLLECTOR_EXTERNAL] = "External",
	};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(names) && strcmp(names[i], name) != 0)
		i++;
	return (enum collector_mode)i;
}

/* Fields whose value is not simply stored. */
static enum status read_special(struct settings *settings, const struct field *field,
				const cJSON *node, const char *path, struct error *err)
{
	if (strcmp(field->path, "selector.pools") == 0)
		return settings_read_pools(settings, node, err);
	if (strcmp(field->path, "selector.matchLabels") == 0)
		return settings_read_labels(settings, node, err);
	if (strcmp(field->path, "images") == 0)
		return settings_read_images(settings, node, err);
	CLEANUP(str_freep) char *word = NULL;
	enum status status = read_text(field, node, path, &word, err);
	if (status != STATUS_OK)
		return status;
	if (strcmp(field->path, "collector.mode") == 0) {
		settings->collector_mode = mode_from_name(word);
	} else if (strcmp(field->path, "backend.type") == 0) {
		settings->backend = strcmp(word, "OTLP") == 0 ? BACKEND_OTLP : BACKEND_JAEGER;
	} else {
		free(settings->detailed);
		settings->detailed = strcmp(word, "none") == 0 ? NULL : TAKE_PTR(word);
	}
	return STATUS_OK;
}

static enum status read_field(struct settings *settings, const struct field *field,
			      const cJSON *node, struct error *err)
{
	char path[128];
	void *member = member_at(settings, field);
	(void)snprintf(path, sizeof(path), "spec.%s", field->path);
	switch (field->type) {
	case FIELD_TEXT:
		return read_text(field, node, path, member, err);
	case FIELD_BOOL:
		if (!cJSON_IsBool(node))
			return settings_wrong_type(path, "true or false", node, err);
		*(bool *)member = cJSON_IsTrue(node);
		return STATUS_OK;
	case FIELD_COUNT_NUMBER:
		return read_number(field, node, path, member, err);
	case FIELD_OBJECT:
		if (!cJSON_IsObject(node))
			return settings_wrong_type(path, "an object", node, err);
		cJSON_Delete(*(cJSON **)member);
		*(cJSON **)member = json_clone(node);
		return STATUS_OK;
	default:
		return read_special(settings, field, node, path, err);
	}
}

/* What the fields together must make true, and the endpoint that follows from them. */
static enum status settle(struct settings *settings, struct error *err)
{
	bool elsewhere = settings->collector_mode == COLLECTOR_SHARED ||
			 settings->collector_mode == COLLECTOR_EXTERNAL;
	if (elsewhere && settings->collector_endpoint == NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.collector.endpoint: is missing; mode Shared or External needs to know "
		    "where the collector is");
	if (!elsewhere && settings->collector_endpoint != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.collector.endpoint: is only for mode Shared or External; the operator's "
		    "own collector is always " DEFAULT_ENDPOINT);
	if (settings->backend == BACKEND_OTLP && settings->otlp_endpoint == NULL)
		return error_set(err, STATUS_INVALID,
				 "spec.backend.otlp.endpoint: is missing; type OTLP needs to know "
				 "where to send");
	struct endpoint parts;
	bool direct = elsewhere && endpoint_split(settings->collector_endpoint, &parts) &&
		      !endpoint_fits_external_name(&parts);
	free(settings->endpoint);
	settings->endpoint = xstrdup(direct ? settings->collector_endpoint : DEFAULT_ENDPOINT);
	settings->injection_off = true;
	for (size_t c = COMPONENT_VLLM; c <= COMPONENT_ROUTING_PROXY; c++)
		if (settings->components[c].enabled)
			settings->injection_off = false;
	return STATUS_OK;
}

static enum status read_object(const cJSON *tracing, struct settings *settings, struct error *err)
{
	const char *kind = json_str(tracing, "kind");
	const char *version = json_str(tracing, "apiVersion");
	const char *name = json_str(tracing, "metadata.name");
	if (!text_equal(kind, TRACING_KIND) || !text_equal(version, TRACING_API_VERSION))
		return error_set(err, STATUS_INVALID,
				 "is not a " TRACING_KIND " of " TRACING_API_VERSION);
	if (name != NULL && strcmp(name, TRACING_NAME) != 0)
		return error_set(err, STATUS_INVALID,
				 "metadata.name: must be " TRACING_NAME
				 " (one Tracing a namespace)");
	const cJSON *spec = json_member(tracing, "spec");
	if (spec == NULL || cJSON_IsNull(spec))
		return settle(settings, err);
	if (!cJSON_IsObject(spec))
		return error_set(err, STATUS_INVALID, "spec: must be an object");
	enum status status = check_known(spec, "", err);
	for (size_t i = 0; i < ARRAY_LEN(fields) && status == STATUS_OK; i++) {
		const cJSON *node = json_get(spec, fields[i].path);
		if (node != NULL && !cJSON_IsNull(node))
			status = read_field(settings, &fields[i], node, err);
	}
	return status == STATUS_OK ? settle(settings, err) : status;
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
	*ret_settings = settings;
	return STATUS_OK;
}

void settings_user_hash(const cJSON *tracing, char ret_hash[17])
{
	static const char *const parts[] = {"selector", "sampling", "components", "images"};
	const cJSON *spec = json_member(tracing, "spec");
	cJSON *said = cJSON_CreateObject();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const cJSON *part = json_member(spec, parts[i]);
		if (part != NULL && !cJSON_IsNull(part))
			json_set(said, parts[i], json_clone(part));
	}
	/* Of the collector only what pods see: an endpoint that no Service can stand for. */
	struct endpoint endpoint;
	const char *elsewhere = json_str(spec, "collector.endpoint");
	if (elsewhere != NULL && endpoint_split(elsewhere, &endpoint) &&
	    !endpoint_fits_external_name(&endpoint))
		json_set_str(said, "endpoint", elsewhere);
	struct buffer text;
	buffer_init(&text, LIMIT_DOCUMENT_BYTES);
	json_print_canonical(said, &text);
	hash_short(text.data, text.len, ret_hash);
	buffer_release(&text);
	json_freep(&said);
}
