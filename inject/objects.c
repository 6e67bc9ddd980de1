/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "inject/objects_render.h"
#include "inject/objects_template.h"

#define ANNOTATION_CONFIG_HASH "tracing.llm-d.io/config-hash"

const struct owned_object owned_objects[] = {
    {"v1", "ConfigMap", "jaeger-config", true},
    {"v1", "Service", "jaeger-collector", true},
    {"networking.k8s.io/v1", "NetworkPolicy", "jaeger", true},
    {"apps/v1", "Deployment", "jaeger", true},
    {"v1", "PersistentVolumeClaim", "jaeger-data", true},
    {"v1", "ConfigMap", "otel-collector-config", false},
    {"v1", "Service", "otel-collector", false},
    {"v1", "Service", "otel-collector-tier", false},
    {"networking.k8s.io/v1", "NetworkPolicy", "otel-collector", false},
    {"apps/v1", "Deployment", "otel-collector", false},
    {"opentelemetry.io/v1beta1", "OpenTelemetryCollector", "otel", false},
};
const size_t owned_object_count = ARRAY_LEN(owned_objects);

void rendering_begin(struct rendering *r, const struct part *part)
{
	json_freep(&r->values);
	r->values = cJSON_CreateObject();
	r->part = part;
}

enum status rendering_set_config(struct rendering *r, cJSON *config, bool as_tree,
				 struct error *err)
{
	char hash[17];
	struct buffer text;
	buffer_init(&text, LIMIT_DOCUMENT_BYTES);
	json_print_canonical(config, &text);
	hash_short(text.data, text.len, hash);
	buffer_clear(&text);
	yaml_print(config, &text);
	enum status status = buffer_check(&text, r->part->config, err);
	json_set_str(json_member_mut(r->values, "POD_ANNOTATIONS"), ANNOTATION_CONFIG_HASH, hash);
	if (as_tree)
		json_set(r->values, "CONFIG", TAKE_PTR(config));
	else
		json_set_str(r->values, "CONFIG", text.data);
	json_freep(&config);
	buffer_release(&text);
	return status;
}

static enum status add_object(struct rendering *r, const char *file, struct error *err)
{
	cJSON *object = NULL;
	enum status status = template_render(file, r->values, &object, err);
	if (status != STATUS_OK)
		return status;
	cJSON *metadata = json_member_mut(object, "metadata");
	json_set_str(metadata, "namespace", r->input->namespace_name);
	cJSON *labels = json_set_object(metadata, "labels");
	rendering_set_labels(labels, r->part);
	/* The operator of OpenTelemetryCollectors copies its labels to the pods. */
	if (strcmp(file, "collector-cr.yaml") == 0)
		rendering_copy_members(labels, json_member(r->values, "POD_LABELS"));
	json_append(r->objects, object);
	return STATUS_OK;
}

enum status rendering_add(struct rendering *r, const char *const *files, struct error *err)
{
	enum status status = STATUS_OK;
	for (; *files != NULL && status == STATUS_OK; files++)
		status = add_object(r, *files, err);
	return status;
}

static enum status render_here(struct rendering *r, struct error *err)
{
	enum status status = template_render("pods.yaml", r->values, &r->shared, err);
	if (status == STATUS_OK && r->input->settings->backend == BACKEND_JAEGER &&
	    !r->input->foreign_jaeger)
		status = jaeger_render(r, err);
	return status == STATUS_OK ? collector_render(r, err) : status;
}

enum status objects_render(const struct objects_input *input, cJSON **ret_objects,
			   struct error *err)
{
	struct rendering r = {.input = input, .objects = cJSON_CreateArray()};
	bool elsewhere = !settings_has_collector(input->settings);
	enum status status = STATUS_OK;
	if (!input->foreign_collector)
		status = elsewhere ? collector_render_elsewhere(&r, err) : render_here(&r, err);
	json_freep(&r.shared);
	json_freep(&r.values);
	if (status == STATUS_OK)
		*ret_objects = TAKE_PTR(r.objects);
	json_freep(&r.objects);
	return status == STATUS_OK
		   ? STATUS_OK
		   : error_wrap(err, "render objects of namespace %s", input->namespace_name);
}
