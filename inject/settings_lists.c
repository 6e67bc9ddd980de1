/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/settings_check.h"

enum { IMAGES_MAX = 64, POOLS_MAX = 64 };

void settings_free_images(struct settings *settings)
{
	for (size_t i = 0; i < settings->image_count; i++) {
		free(settings->images[i].match);
		free(settings->images[i].version);
	}
	free(settings->images);
	settings->images = NULL;
	settings->image_count = 0;
}

void settings_free_pools(struct settings *settings)
{
	for (size_t i = 0; i < settings->pool_count; i++)
		free(settings->pools[i]);
	free(settings->pools);
	settings->pools = NULL;
	settings->pool_count = 0;
}

enum status settings_wrong_type(const char *path, const char *wanted, const cJSON *node,
				struct error *err)
{
	const char *hint = cJSON_IsNumber(node) || cJSON_IsBool(node) ? "; put it in quotes" : "";
	return error_set(err, STATUS_INVALID, "%s: must be %s%s", path, wanted,
			 strcmp(wanted, "a string") == 0 ? hint : "");
}

enum status settings_read_pools(struct settings *settings, const cJSON *node, const char *path,
				struct error *err)
{
	if (!cJSON_IsArray(node))
		return settings_wrong_type(path, "a list of InferencePool names", node, err);
	settings_free_pools(settings);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		if (!cJSON_IsString(item) || *item->valuestring == '\0')
			return settings_wrong_type(path, "a list of InferencePool names", item,
						   err);
		if (settings->pool_count == POOLS_MAX)
			return error_set(err, STATUS_INVALID, "%s: more than %d names", path,
					 POOLS_MAX);
		settings->pools =
		    grow(settings->pools, settings->pool_count, sizeof(*settings->pools));
		settings->pools[settings->pool_count++] = xstrdup(item->valuestring);
	}
	return STATUS_OK;
}

static enum status read_image(const cJSON *node, const char *path, struct image_override *image,
			      struct error *err)
{
	static const char *const known[] = {"match", "component", "version"};
	for (const cJSON *item = cJSON_IsObject(node) ? node->child : NULL; item != NULL;
	     item = item->next) {
		bool found = false;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			found = found || strcmp(item->string, known[i]) == 0;
		if (!found)
			return error_set(
			    err, STATUS_INVALID,
			    "%s.%s: no such field; there are match, component and version", path,
			    item->string);
	}
	const char *match = json_str(node, "match");
	const char *component = json_str(node, "component");
	const char *version = json_str(node, "version");
	if (match == NULL || *match == '\0')
		return error_set(
		    err, STATUS_INVALID,
		    "%s.match: is missing; give an image reference in which * stands for anything",
		    path);
	if (component == NULL && version == NULL)
		return error_set(err, STATUS_INVALID, "%s: says neither component nor version",
				 path);
	enum component named = COMPONENT_NONE;
	if (component != NULL && !component_from_name(component, &named))
		return error_set(
		    err, STATUS_INVALID,
		    "%s.component: \"%s\" is none of vllm, sglang, epp, routing-proxy, none", path,
		    component);
	if (version != NULL) {
		char where[128];
		(void)snprintf(where, sizeof(where), "%s.version", path);
		if (settings_check_version(version, where, err) != STATUS_OK)
			return STATUS_INVALID;
	}
	*image = (struct image_override){.match = xstrdup(match),
					 .component = named,
					 .has_component = component != NULL,
					 .version = version == NULL ? NULL : xstrdup(version)};
	return STATUS_OK;
}

enum status settings_read_images(struct settings *settings, const cJSON *node, const char *path,
				 struct error *err)
{
	size_t count = (size_t)(cJSON_IsArray(node) ? cJSON_GetArraySize(node) : 0);
	if (!cJSON_IsArray(node))
		return settings_wrong_type(path, "a list", node, err);
	if (count > IMAGES_MAX)
		return error_set(err, STATUS_INVALID, "%s: more than %d rows", path, IMAGES_MAX);
	struct image_override *images =
	    xcalloc(count + settings->image_count, sizeof(*settings->images));
	size_t read = 0;
	enum status status = STATUS_OK;
	for (const cJSON *item = node->child; item != NULL && status == STATUS_OK;
	     item = item->next) {
		char where[64];
		(void)snprintf(where, sizeof(where), "%s[%zu]", path, read);
		status = read_image(item, where, &images[read], err);
		read += status == STATUS_OK ? 1 : 0;
	}
	for (size_t i = 0; i < settings->image_count; i++)
		images[read + i] = settings->images[i];
	free(settings->images);
	settings->images = images;
	settings->image_count += read;
	return status;
}
