/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_effective.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/settings_defaults.h"
#include "inject/settings_fields.h"

/* At "a.b.c"; objects on the way are made. NULL is nothing. */
static void put(cJSON *tree, const char *path, cJSON *value)
{
	char name[64];
	if (value == NULL)
		return;
	for (size_t len = strcspn(path, "."); path[len] != '\0'; len = strcspn(path, ".")) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
		cJSON *inner = json_member_mut(tree, name);
		tree = inner == NULL ? json_set_object(tree, name) : inner;
		path += len + 1;
	}
	json_set(tree, path, value);
}

/* ---- told ---- */

/* Of single components what differs from the usual: one that is off, another name. */
static void put_components(cJSON *effective, const struct settings *settings)
{
	for (size_t i = 0; i < settings_field_count; i++) {
		const struct settings_field *field = &settings_fields[i];
		const void *member = (const char *)settings + field->offset;
		if (!text_has_prefix(field->path, "components."))
			continue;
		if (field->type == SETTINGS_BOOL && !*(const bool *)member)
			put(effective, field->path, cJSON_CreateFalse());
		else if (field->type == SETTINGS_TEXT && *(char *const *)member != NULL)
			put(effective, field->path, cJSON_CreateString(*(char *const *)member));
	}
}

/* The rows that are looked at after the spec's own. */
static void put_images(cJSON *effective, const struct settings *settings, const cJSON *tracing)
{
	const cJSON *said = json_get(tracing, "spec.images");
	size_t own = (size_t)(cJSON_IsArray(said) ? cJSON_GetArraySize(said) : 0);
	if (settings->image_count <= own)
		return;
	cJSON *images = json_set_array(effective, "images");
	for (size_t i = own; i < settings->image_count; i++) {
		const struct image_override *image = &settings->images[i];
		cJSON *row = cJSON_CreateObject();
		json_set_str(row, "match", image->match);
		if (image->has_component)
			json_set_str(row, "component", component_name(image->component));
		if (image->version != NULL)
			json_set_str(row, "version", image->version);
		json_append(images, row);
	}
}

cJSON *settings_effective(const struct settings *settings, const cJSON *tracing)
{
	cJSON *effective = cJSON_CreateObject();
	json_set_str(effective, "endpoint", settings->endpoint);
	json_set_str(effective, "sampler", settings->sampler);
	json_set_str(effective, "ratio", settings_ratio(settings));
	json_set_str(effective, "where", sampling_where_name(settings->where));
	if (settings->detailed != NULL)
		json_set_str(effective, "detailedTraces", settings->detailed);
	if (settings->collector_image != NULL)
		json_set_str(effective, "collectorImage", settings->collector_image);
	if (settings->backend == BACKEND_JAEGER && settings->jaeger_image != NULL)
		json_set_str(effective, "jaegerImage", settings->jaeger_image);
	put_components(effective, settings);
	put_images(effective, settings, tracing);
	return effective;
}

/* ---- heard ---- */

static bool is_boosted(const cJSON *tracing)
{
	const char *boost = json_str(tracing, "spec.sampling.boost.ratio");
	return boost != NULL && text_equal(boost, json_str(tracing, "status.effective.ratio"));
}

static cJSON *clone_of(const cJSON *effective, const char *name)
{
	const cJSON *said = json_member(effective, name);
	return said == NULL ? NULL : json_clone(said);
}

/* As the spec of a Tracing that leaves nothing of it open. Owned. */
static cJSON *spec_of(const cJSON *tracing)
{
	const cJSON *effective = json_get(tracing, "status.effective");
	cJSON *spec = cJSON_CreateObject();
	cJSON *detailed = clone_of(effective, "detailedTraces");
	put(spec, "sampling.sampler", clone_of(effective, "sampler"));
	put(spec, "sampling.where", clone_of(effective, "where"));
	/* of a boost the ratio below it is not told; where the collector samples no pod has it */
	if (!is_boosted(tracing) && !text_equal(json_str(effective, "where"), "Collector"))
		put(spec, "sampling.ratio", clone_of(effective, "ratio"));
	put(spec, "components", clone_of(effective, "components"));
	put(spec, "components.vllm.detailedTraces",
	    detailed == NULL ? cJSON_CreateString("none") : detailed);
	put(spec, "images", clone_of(effective, "images"));
	return spec;
}

enum status settings_read_effective(const cJSON *tracing, struct settings *ret_settings,
				    struct error *err)
{
	struct settings defaults;
	const char *endpoint = json_str(tracing, "status.effective.endpoint");
	if (!cJSON_IsObject(json_get(tracing, "status.effective")))
		return settings_read(tracing, NULL, ret_settings, err);
	cJSON *spec CLEANUP(json_freep) = spec_of(tracing);
	enum status status = settings_read_defaults(spec, &defaults, err);
	if (status != STATUS_OK)
		return status;
	status = settings_read(tracing, &defaults, ret_settings, err);
	settings_release(&defaults);
	if (status != STATUS_OK)
		return status;
	ret_settings->boost.active = is_boosted(tracing);
	/* it also follows from where the operator's own collector is, and from the cluster's domain */
	if (endpoint != NULL) {
		free(ret_settings->endpoint);
		ret_settings->endpoint = xstrdup(endpoint);
	}
	return STATUS_OK;
}
