/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/effective.h"

#include "base/text.h"

/* The object under `name`, made where there is none. */
static cJSON *need(cJSON *object, const char *name)
{
	if (!cJSON_IsObject(json_member(object, name))) {
		cJSON_DeleteItemFromObjectCaseSensitive(object, name);
		return json_set_object(object, name);
	}
	return json_member_mut(object, name);
}

static void fill(cJSON *object, const char *name, const char *value)
{
	const cJSON *said = json_member(object, name);
	if (value != NULL && (said == NULL || cJSON_IsNull(said)))
		json_set_str(object, name, value);
}

static bool is_boosted(const cJSON *tracing)
{
	const char *boost = json_str(tracing, "spec.sampling.boost.ratio");
	return boost != NULL && text_equal(boost, json_str(tracing, "status.effective.ratio"));
}

enum status effective_read(const cJSON *tracing, struct settings *ret_settings, struct error *err)
{
	const cJSON *effective = json_get(tracing, "status.effective");
	if (!cJSON_IsObject(effective))
		return settings_read(tracing, NULL, ret_settings, err);
	cJSON *filled CLEANUP(json_freep) = json_clone(tracing);
	cJSON *spec = need(filled, "spec");
	cJSON *sampling = need(spec, "sampling");
	const char *detailed = json_str(effective, "detailedTraces");
	fill(sampling, "where", json_str(effective, "where"));
	/* of a boost the ratio below it is not told; where the collector samples no pod has it */
	if (!is_boosted(tracing) && !text_equal(json_str(effective, "where"), "Collector"))
		fill(sampling, "ratio", json_str(effective, "ratio"));
	fill(need(need(spec, "components"), "vllm"), "detailedTraces",
	     detailed == NULL ? "none" : detailed);
	enum status status = settings_read(filled, NULL, ret_settings, err);
	if (status == STATUS_OK)
		ret_settings->boost.active = is_boosted(tracing);
	return status;
}
