/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "cmd/input.h"
#include "inject/objects.h"
#include "inject/origin.h"

static void print_objects(const cJSON *objects, enum output output, struct buffer *out)
{
	for (const cJSON *object = objects->child; object != NULL; object = object->next) {
		if (output == OUTPUT_JSON) {
			json_print_pretty(object, out);
			buffer_add_char(out, '\n');
		} else {
			buffer_add_str(out, "---\n");
			yaml_print(object, out);
		}
	}
}

/* `kubectl get deployments,statefulsets,inferencepools,services -o yaml` gives such a List. */
static enum status read_around(const char *path, const char *namespace_name, cJSON *groups,
			       struct error *err)
{
	cJSON *tree CLEANUP(json_freep) = NULL;
	struct surroundings *around CLEANUP(surroundings_freep) = surroundings_new();
	enum status status = path == NULL ? STATUS_OK : input_read_one(path, &tree, err);
	const cJSON *items = json_member(tree, "items");
	const cJSON *item = NULL;
	if (status != STATUS_OK)
		return status;
	if (path != NULL && !cJSON_IsArray(items))
		return error_set(err, STATUS_INVALID,
				 "%s: no List with items, as `kubectl get KIND,KIND -o yaml` "
				 "prints it",
				 path);
	cJSON_ArrayForEach(item, items)
	{
		surroundings_add(around, item);
	}
	cJSON_ArrayForEach(item, items)
	{
		origin_groups_add(groups, item, around, namespace_name);
	}
	(void)origin_groups_cut(groups);
	return STATUS_OK;
}

static enum status render(const struct options *options, struct buffer *out, struct error *err)
{
	cJSON *tracing CLEANUP(json_freep) = NULL;
	cJSON *objects CLEANUP(json_freep) = NULL;
	struct settings settings;
	struct admin admin CLEANUP(admin_release) = {.policy = {.max_ratio = NULL}};
	struct admin_files files = {.policy = options->policy};
	enum status status = admin_read(&files, false, &admin, err);
	if (status == STATUS_OK && options->settings != NULL)
		status = input_read_one(options->settings, &tracing, err);
	if (status != STATUS_OK)
		return status;
	if (settings_read(tracing, &admin.defaults, &settings, err) != STATUS_OK)
		return error_wrap(err, "%s", options->settings);
	if (admin_policy_check(&admin.policy, &admin.defaults, &settings, err) != STATUS_OK) {
		settings_release(&settings);
		return error_wrap(err, "%s",
				  options->settings == NULL ? "the defaults" : options->settings);
	}
	const char *own = json_str(tracing, "metadata.namespace");
	cJSON *origins CLEANUP(json_freep) = cJSON_CreateArray();
	struct objects_input input = {
	    .namespace_name =
		options->namespace_name == NULL && own != NULL ? own : options_namespace(options),
	    .settings = &settings,
	    .origins = origins,
	    .use_cr = options->use_cr || settings.collector_mode == COLLECTOR_CR,
	};
	status = read_around(options->around, input.namespace_name, origins, err);
	if (status == STATUS_OK)
		status = objects_render(&input, &objects, err);
	settings_release(&settings);
	if (status == STATUS_OK)
		print_objects(objects, options->output, out);
	return status;
}

int command_render(const struct options *options)
{
	struct error err = {0};
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	enum status status = render(options, &out, &err);
	if (status == STATUS_OK)
		status = emit_flush(&out, &err);
	return status == STATUS_OK ? 0 : report(status, &err);
}
