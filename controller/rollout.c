/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout.h"

#include "base/text.h"

static bool has_seen_generation(const cJSON *object)
{
	const cJSON *observed = json_get(object, "status.observedGeneration");
	return observed == NULL || json_int(object, "status.observedGeneration", 0) >=
				       json_int(object, "metadata.generation", 0);
}

/* As `kubectl rollout status` judges. */
static bool deployment_is_through(const cJSON *object)
{
	long wanted = json_int(object, "spec.replicas", 1);
	long updated = json_int(object, "status.updatedReplicas", 0);
	return json_get(object, "status.observedGeneration") != NULL && updated >= wanted &&
	       json_int(object, "status.replicas", 0) <= updated &&
	       json_int(object, "status.availableReplicas", 0) >= updated;
}

static bool statefulset_is_through(const cJSON *object)
{
	long wanted = json_int(object, "spec.replicas", 1);
	if (text_equal(json_str(object, "spec.updateStrategy.type"), "OnDelete"))
		return true;
	return json_int(object, "status.readyReplicas", 0) >= wanted &&
	       text_equal(json_str(object, "status.currentRevision"),
			  json_str(object, "status.updateRevision"));
}

/* LeaderWorkerSet: groups. */
static bool group_set_is_through(const cJSON *object)
{
	long wanted = json_int(object, "spec.replicas", 1);
	return json_int(object, "status.updatedReplicas", 0) >= wanted &&
	       json_int(object, "status.readyReplicas", 0) >= wanted;
}

bool rollout_is_through(const cJSON *object)
{
	static const struct {
		const char *kind;
		bool (*is_through)(const cJSON *object);
	} rows[] = {
	    {"Deployment", deployment_is_through},
	    {"StatefulSet", statefulset_is_through},
	    {"LeaderWorkerSet", group_set_is_through},
	};
	const char *kind = json_str(object, "kind");
	if (!has_seen_generation(object))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_equal(rows[i].kind, kind))
			return rows[i].is_through(object);
	return true;
}
