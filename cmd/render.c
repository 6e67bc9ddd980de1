/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "cmd/input.h"
#include "inject/objects.h"

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
	struct objects_input input = {
	    .namespace_name =
		options->namespace_name == NULL && own != NULL ? own : options_namespace(options),
	    .settings = &settings,
	    .use_cr = options->use_cr || settings.collector_mode == COLLECTOR_CR,
	};
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
