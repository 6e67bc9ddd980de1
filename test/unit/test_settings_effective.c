/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator tells of its settings is read elsewhere as what it uses. */
#include "test.h"

#include "base/text.h"
#include "base/yaml.h"
#include "inject/settings_defaults.h"
#include "inject/settings_effective.h"

static cJSON *tree_of(const char *yaml)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	CHECK_INT_ROW(yaml_read(yaml, strlen(yaml), &tree, &err), STATUS_OK, yaml);
	return tree;
}

static cJSON *tracing_of(const char *spec)
{
	cJSON *tracing = cJSON_CreateObject();
	json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
	json_set_str(tracing, "kind", TRACING_KIND);
	json_set(tracing, "spec", tree_of(spec));
	return tracing;
}

#define PROXY_NAME "components: {routingProxy: {serviceName: sidecar}}"
#define ROW        "images: [{match: 'mirror/a*', component: vllm}]"

static const struct {
	const char *defaults; /* of the operator */
	const char *spec;     /* of the Tracing */
	const char *told;     /* components and images of status.effective; NULL: none of them */
} cases[] = {
    {"{}", "{}", NULL},
    {"{sampling: {ratio: '0.2'}, components: {vllm: {detailedTraces: none}}}", "{}", NULL},
    {"{sampling: {where: Pods, ratio: '0.2'}, components: {vllm: {detailedTraces: model}}}",
     "{sampling: {ratio: '0.3'}, components: {vllm: {detailedTraces: worker}}}", NULL},
    {"{sampling: {where: Collector}}", "{sampling: {ratio: '0.3'}}", NULL},
    {"{components: {sglang: {enabled: false}, epp: {enabled: false}}}", "{}",
     "{\"components\":{\"sglang\":{\"enabled\":false},\"epp\":{\"enabled\":false}}}"},
    /* the Tracing has the last word, also for what is the usual */
    {"{components: {sglang: {enabled: false}}}", "{components: {sglang: {enabled: true}}}", NULL},
    {"{components: {vllm: {enabled: false}, sglang: {enabled: false}, epp: {enabled: false}, "
     "routingProxy: {enabled: false}}}",
     "{}",
     "{\"components\":{\"vllm\":{\"enabled\":false},\"sglang\":{\"enabled\":false},\"epp\":{"
     "\"enabled\":false},\"routingProxy\":{\"enabled\":false}}}"},
    {"{components: {vllm: {serviceNames: {prefill: p, decode: d, default: x}}}}",
     "{components: {vllm: {serviceNames: {decode: mine}}, epp: {serviceName: picker}}}",
     "{\"components\":{\"vllm\":{\"serviceNames\":{\"prefill\":\"p\",\"decode\":\"mine\","
     "\"default\":\"x\"}},\"epp\":{\"serviceName\":\"picker\"}}}"},
    {"{" PROXY_NAME ", " ROW "}", "{components: null, images: null}",
     "{\"components\":{\"routingProxy\":{\"serviceName\":\"sidecar\"}},\"images\":[{\"match\":"
     "\"mirror/a*\",\"component\":\"vllm\"}]}"},
    {"{" ROW "}", "{images: [{match: 'mirror/ab*', component: none}, {match: b, version: '0.9'}]}",
     "{\"images\":[{\"match\":\"mirror/a*\",\"component\":\"vllm\"}]}"},
    {"{}", "{images: [{match: b, version: '0.9'}]}", NULL},
    {"{collector: {mode: External, endpoint: 'http://10.0.0.7:4317'}}", "{}", NULL},
};

static char *images_text(const struct settings *settings)
{
	struct buffer text = {0};
	buffer_init(&text, 4096);
	for (size_t i = 0; i < settings->image_count; i++)
		buffer_addf(&text, "%s=%d%s ", settings->images[i].match,
			    settings->images[i].has_component ? (int)settings->images[i].component
							      : -1,
			    settings->images[i].version == NULL ? "" : settings->images[i].version);
	buffer_add_str(&text, "");
	return text.data;
}

/* Everything that a plan looks at. */
static void check_same(const struct settings *here, const struct settings *there, const char *row)
{
	char *images_here = images_text(here);
	char *images_there = images_text(there);
	CHECK_STR_ROW(here->endpoint, there->endpoint, row);
	CHECK_STR_ROW(here->sampler, there->sampler, row);
	if (there->where != SAMPLING_COLLECTOR)
		CHECK_STR_ROW(here->ratio, there->ratio, row);
	CHECK_INT_ROW(here->where, there->where, row);
	CHECK_STR_ROW(here->detailed, there->detailed, row);
	CHECK_INT_ROW(here->injection_off, there->injection_off, row);
	CHECK_STR_ROW(images_here, images_there, row);
	for (size_t c = 0; c < COMPONENT_COUNT; c++) {
		const struct component_settings *mine = &here->components[c];
		const struct component_settings *theirs = &there->components[c];
		CHECK_INT_ROW(mine->enabled, theirs->enabled, row);
		CHECK_STR_ROW(mine->service_name, theirs->service_name, row);
		CHECK_STR_ROW(mine->service_name_prefill, theirs->service_name_prefill, row);
		CHECK_STR_ROW(mine->service_name_decode, theirs->service_name_decode, row);
	}
	free(images_here);
	free(images_there);
}

TEST(what_is_told_is_what_is_used)
{
	static const char *const parts[] = {"components", "images"};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = {.message = ""};
		struct settings defaults, there, here;
		cJSON *tracing = tracing_of(cases[i].spec);
		cJSON *tree = tree_of(cases[i].defaults);
		cJSON *told = cJSON_CreateObject();
		CHECK_INT_ROW(settings_read_defaults(tree, &defaults, &err), STATUS_OK,
			      err.message);
		CHECK_INT_ROW(settings_read(tracing, &defaults, &there, &err), STATUS_OK,
			      err.message);
		cJSON *effective = settings_effective(&there, tracing);
		for (size_t k = 0; k < ARRAY_LEN(parts); k++)
			if (json_member(effective, parts[k]) != NULL)
				json_set(told, parts[k],
					 json_clone(json_member(effective, parts[k])));
		char *text = told->child == NULL ? NULL : json_to_string(told);
		CHECK_STR_ROW(text, cases[i].told, cases[i].defaults);
		json_set(json_set_object(tracing, "status"), "effective", effective);
		if (CHECK_INT_ROW(settings_read_effective(tracing, &here, &err), STATUS_OK,
				  err.message)) {
			check_same(&here, &there, cases[i].defaults);
			settings_release(&here);
		}
		settings_release(&there);
		settings_release(&defaults);
		free(text);
		cJSON_Delete(told);
		cJSON_Delete(tree);
		cJSON_Delete(tracing);
	}
}

TEST(a_status_that_cannot_be_is_refused_by_its_place)
{
	struct error err = {.message = ""};
	struct settings settings;
	cJSON *tracing = tracing_of("{}");
	json_set(json_set_object(tracing, "status"), "effective",
		 tree_of("{components: {epp: {serviceName: 'a b'}}}"));
	CHECK_INT(settings_read_effective(tracing, &settings, &err), STATUS_INVALID);
	CHECK(strstr(err.message, "spec.components.epp.serviceName") != NULL);
	cJSON_Delete(tracing);
}

TEST(without_a_status_the_built_in_defaults_hold)
{
	struct error err = {.message = ""};
	struct settings built_in, settings;
	cJSON *tracing = tracing_of("{}");
	settings_init_defaults(&built_in);
	CHECK_INT(settings_read_effective(tracing, &settings, &err), STATUS_OK);
	check_same(&settings, &built_in, "no status");
	settings_release(&settings);
	settings_release(&built_in);
	cJSON_Delete(tracing);
}
