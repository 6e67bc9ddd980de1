/* SPDX-License-Identifier: Apache-2.0 */
/* What objects_render makes of a spec, and ways to look at it. */
#ifndef LLMD_TEST_UNIT_RENDERED_H
#define LLMD_TEST_UNIT_RENDERED_H

#include "test.h"

#include "base/text.h"
#include "base/yaml.h"
#include "inject/objects.h"

#define OTLP                                                                                       \
	"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"https://"                        \
	"tempo.example.com:443\"}}}"
#define SHARED                                                                                     \
	"{\"collector\":{\"mode\":\"Shared\",\"endpoint\":"                                        \
	"\"http://otel.observability.svc.cluster.local:4317\"}}"

/* What a spec given as YAML is read as. */
__attribute__((unused)) static enum status
read_spec(const char *spec, struct settings *ret_settings, struct error *err)
{
	cJSON *tracing = cJSON_CreateObject();
	cJSON *tree = NULL;
	json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
	json_set_str(tracing, "kind", TRACING_KIND);
	CHECK_INT_ROW(yaml_read(spec, strlen(spec), &tree, err), STATUS_OK, spec);
	json_set(tracing, "spec", tree);
	enum status status = settings_read(tracing, NULL, ret_settings, err);
	json_freep(&tracing);
	return status;
}

/* Renders for a spec given as YAML; NULL and a failed check when something refuses it. */
__attribute__((unused)) static cJSON *render(const char *spec, const struct objects_input *how)
{
	struct error err = {.message = ""};
	cJSON *objects = NULL;
	struct settings settings;
	struct objects_input input = *how;
	input.settings = &settings;
	if (read_spec(spec, &settings, &err) == STATUS_OK) {
		CHECK_INT_ROW(objects_render(&input, &objects, &err), STATUS_OK, spec);
		settings_release(&settings);
	}
	if (!CHECK(objects != NULL))
		printf("  %s: %s\n", spec, err.message);
	return objects;
}

__attribute__((unused)) static const cJSON *find(const cJSON *objects, const char *kind,
						 const char *name)
{
	for (const cJSON *o = objects == NULL ? NULL : objects->child; o != NULL; o = o->next)
		if (strcmp(json_str(o, "kind"), kind) == 0 &&
		    strcmp(json_str(o, "metadata.name"), name) == 0)
			return o;
	return NULL;
}

/* The configuration inside a ConfigMap or an OpenTelemetryCollector. Owned. */
__attribute__((unused)) static cJSON *config_of(const cJSON *objects, const char *kind,
						const char *name)
{
	struct error err = {.message = ""};
	cJSON *config = NULL;
	const cJSON *object = find(objects, kind, name);
	const cJSON *text = json_member(json_member(object, "data"), "config.yaml");
	if (cJSON_IsString(text))
		CHECK_INT(yaml_read(text->valuestring, strlen(text->valuestring), &config, &err),
			  STATUS_OK);
	else
		config = json_clone(json_get(object, "spec.config"));
	return config;
}

__attribute__((unused)) static bool has_label(const cJSON *object, const char *path,
					      const char *label, const char *value)
{
	const cJSON *node = json_member(json_get(object, path), label);
	return cJSON_IsString(node) && strcmp(node->valuestring, value) == 0;
}

__attribute__((unused)) static const cJSON *container_of(const cJSON *objects,
							 const char *deployment)
{
	const cJSON *list =
	    json_get(find(objects, "Deployment", deployment), "spec.template.spec.containers");
	return cJSON_GetArrayItem(list, 0);
}

/* One row of a table over everything that is rendered. */
struct rendered_row {
	const char *spec; /* YAML */
	const char *
	    object; /* "Deployment/jaeger", "config otel-collector-config"; the collector's in a custom resource too */
	const char *pointer; /* JSON pointer */
	const char *want;    /* compact JSON; NULL: absent */
};

/* The object or configuration that a row is about. Owned. */
__attribute__((unused)) static cJSON *row_subject(const struct rendered_row *row,
						  const cJSON *objects, bool use_cr)
{
	char kind[64];
	const char *slash = strchr(row->object, '/');
	if (slash == NULL) {
		const char *name = row->object + strlen("config ");
		return use_cr ? config_of(objects, "OpenTelemetryCollector", "otel")
			      : config_of(objects, "ConfigMap", name);
	}
	(void)snprintf(kind, sizeof(kind), "%.*s", (int)(slash - row->object), row->object);
	const cJSON *found = find(objects, kind, slash + 1);
	return found == NULL ? NULL : json_clone(found);
}

__attribute__((unused)) static void check_row(const struct rendered_row *row, bool use_cr)
{
	struct objects_input input = {.namespace_name = "n", .use_cr = use_cr};
	cJSON *objects = render(row->spec, &input);
	cJSON *subject = row_subject(row, objects, use_cr);
	const cJSON *node = subject == NULL ? NULL : json_pointer_get(subject, row->pointer);
	char *got = node == NULL ? NULL : json_to_string(node);
	CHECK_STR_ROW(got, row->want, row->pointer);
	free(got);
	json_freep(&subject);
	json_freep(&objects);
}

/* Every row; those about the collector's configuration in both of its shapes. */
__attribute__((unused)) static void check_rows(const struct rendered_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool custom = strncmp(rows[i].object, "OpenTelemetryCollector/", 23) == 0;
		check_row(&rows[i], custom);
		if (strcmp(rows[i].object, "config otel-collector-config") == 0)
			check_row(&rows[i], true);
	}
}

#endif
