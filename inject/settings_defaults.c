/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_defaults.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/image.h"
#include "inject/settings_check.h"

enum status settings_read_defaults(const cJSON *tree, struct settings *ret_defaults,
				   struct error *err)
{
	if (json_get(tree, "enabled") != NULL || json_get(tree, "spec.enabled") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.enabled: is no default; each namespace is enabled by itself");
	if (tree == NULL || json_member(tree, "kind") != NULL ||
	    json_member(tree, "apiVersion") != NULL)
		return settings_read(tree, NULL, ret_defaults, err);
	if (!cJSON_IsObject(tree))
		return error_set(err, STATUS_INVALID,
				 "is neither a " TRACING_KIND " nor the spec of one");
	cJSON *tracing CLEANUP(json_freep) = cJSON_CreateObject();
	json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
	json_set_str(tracing, "kind", TRACING_KIND);
	json_set(tracing, "spec", json_clone(tree));
	return settings_read(tracing, NULL, ret_defaults, err);
}

static enum status rewrite(char **image, const char *registry, size_t len, struct error *err)
{
	struct image parts;
	image_read(*image, &parts);
	CLEANUP(str_freep) char *moved = xasprintf("%.*s/%s", (int)len, registry, parts.path);
	if (settings_check_image(moved, "--image-registry", err) != STATUS_OK)
		return STATUS_INVALID;
	free(*image);
	*image = TAKE_PTR(moved);
	return STATUS_OK;
}

enum status settings_set_registry(struct settings *defaults, const char *registry,
				  struct error *err)
{
	size_t len = strlen(registry);
	while (len > 0 && registry[len - 1] == '/')
		len--;
	if (len == 0 || strstr(registry, "://") != NULL || strchr(registry, '@') != NULL)
		return error_set(err, STATUS_INVALID,
				 "--image-registry: \"%s\" is no HOST[:PORT][/PATH] (without a "
				 "scheme)",
				 registry);
	enum status status = rewrite(&defaults->collector_image, registry, len, err);
	return status == STATUS_OK ? rewrite(&defaults->jaeger_image, registry, len, err) : status;
}
