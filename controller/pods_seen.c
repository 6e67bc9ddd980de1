/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pods_seen.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

/* Members of our own, beside those of a pod. */
#define WATCH "llmd-watch"
#define STALE "llmd-stale"
#define GONE  "llmd-gone"

void pods_seen_clear(struct pods_seen *seen)
{
	cJSON_Delete(seen->pods);
	free(seen->log);
	free(seen->blind);
	*seen = (struct pods_seen){.asked = false};
}

void pods_seen_set_blind(struct pods_seen *seen, const char *why)
{
	char *kept = why == NULL ? NULL : xasprintf("%.300s", why);
	free(seen->blind);
	seen->blind = kept;
}

/* What is long in a pod, and says nothing of how it comes up. */
static void shorten(cJSON *pod)
{
	static const char *const parts[][2] = {{"metadata", "managedFields"},
					       {"metadata", "annotations"},
					       {"spec", "volumes"},
					       {"spec", "affinity"},
					       {"spec", "tolerations"}};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(json_member_mut(pod, parts[i][0]),
							parts[i][1]);
}

static bool is_ready(const cJSON *pod)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json_get(pod, "status.conditions"))
	{
		if (text_equal(json_str(item, "type"), "Ready"))
			return text_equal(json_str(item, "status"), "True");
	}
	return false;
}

static cJSON *find(const struct pods_seen *seen, const char *uid)
{
	cJSON *pod = NULL;
	cJSON_ArrayForEach(pod, seen->pods)
	{
		if (text_equal(json_str(pod, "metadata.uid"), uid))
			return pod;
	}
	return NULL;
}

static void take_out(struct pods_seen *seen, cJSON *pod)
{
	cJSON_Delete(cJSON_DetachItemViaPointer(seen->pods, pod));
	seen->fresh = true;
}

void pods_seen_put(struct pods_seen *seen, unsigned long watch, cJSON *pod, bool gone)
{
	const char *uid = json_str(pod, "metadata.uid");
	cJSON *before = uid == NULL ? NULL : find(seen, uid);
	if (before != NULL)
		take_out(seen, before);
	if (uid == NULL || is_ready(pod)) {
		cJSON_Delete(pod);
		return;
	}
	if (seen->pods == NULL)
		seen->pods = cJSON_CreateArray();
	if (cJSON_GetArraySize(seen->pods) >= LIMIT_PODS_SEEN)
		take_out(seen, seen->pods->child);
	shorten(pod);
	json_set_int(pod, WATCH, (long)watch);
	json_set_bool(pod, GONE, gone);
	json_append(seen->pods, pod);
	seen->fresh = true;
}

void pods_seen_list(struct pods_seen *seen, unsigned long watch, bool complete)
{
	cJSON *pod = NULL;
	cJSON *next = NULL;
	for (pod = seen->pods == NULL ? NULL : seen->pods->child; pod != NULL; pod = next) {
		next = pod->next;
		if (json_int(pod, WATCH, 0) != (long)watch || json_bool(pod, GONE, false))
			continue;
		if (!complete)
			json_set_bool(pod, STALE, true);
		else if (json_bool(pod, STALE, false))
			take_out(seen, pod);
	}
}

void pods_seen_bury(struct pods_seen *seen)
{
	cJSON *pod = NULL;
	cJSON *next = NULL;
	for (pod = seen->pods == NULL ? NULL : seen->pods->child; pod != NULL; pod = next) {
		next = pod->next;
		if (json_bool(pod, GONE, false))
			take_out(seen, pod);
	}
}
