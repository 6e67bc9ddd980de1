/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels of the pods that an object makes: those of its templates, and those that its
 * controller puts on them (LLMD §5.4, §5.5; LeaderWorkerSet's labels are in its API
 * package, a StatefulSet's in apps/v1).
 */
#include <string.h>

#include "base/text.h"
#include "inject/surroundings_index.h"

#define LWS_PREFIX "leaderworkerset.sigs.k8s.io/"
#define DS_PREFIX  "disaggregatedset.x-k8s.io/"

static void add(struct pod_label_sets *sets, struct pod_labels item, const cJSON *template)
{
	item.labels = json_get(template, "metadata.labels");
	if (cJSON_IsObject(template) && sets->count < POD_LABELS_MAX)
		sets->items[sets->count++] = item;
}

/* A leader is made from the worker's template when it has none of its own. */
static void add_group(struct pod_label_sets *sets, const char *own, const char *role,
		      const cJSON *spec)
{
	const cJSON *leader = json_get(spec, "leaderWorkerTemplate.leaderTemplate");
	struct pod_labels item = {.own = own, .role = role, .leads = true};
	bool own_leader = cJSON_IsObject(leader);
	add(sets, item, leader);
	item.leads = !own_leader;
	item.works = true;
	add(sets, item, json_get(spec, "leaderWorkerTemplate.workerTemplate"));
}

void pod_labels_collect(const cJSON *object, struct pod_label_sets *ret_sets)
{
	const cJSON *spec = json_member(object, "spec");
	const cJSON *roles = json_member(spec, "roles");
	const char *kind = json_str(object, "kind");
	const char *own = json_str(object, "metadata.name");
	struct pod_labels plain = {.own = own, .stateful = text_equal(kind, "StatefulSet")};
	ret_sets->count = 0;
	if (text_equal(kind, "Pod"))
		add(ret_sets, plain, object);
	add(ret_sets, plain, json_member(spec, "template"));
	add_group(ret_sets, own, NULL, spec);
	for (const cJSON *role = cJSON_IsArray(roles) ? roles->child : NULL; role != NULL;
	     role = role->next)
		add_group(ret_sets, own, json_str(role, "name"), json_member(role, "spec"));
}

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* "<name>-<number>" */
static bool is_ordinal_of(const char *text, const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);
	return len > 0 && strncmp(text, name, len) == 0 && text[len] == '-' &&
	       is_number(text + len + 1);
}

static bool implied_by_lws(const struct pod_labels *pod, const char *key, const char *value,
			   const char *own)
{
	if (strcmp(key, "name") == 0)
		return pod->role == NULL ? text_equal(value, own)
					 : own != NULL && text_has_prefix(value, own);
	if (strcmp(key, "worker-index") == 0)
		return strcmp(value, "0") == 0 ? pod->leads : pod->works && is_number(value);
	return strcmp(key, "group-index") == 0 && is_number(value);
}

static bool implied_by_ds(const struct pod_labels *pod, const char *key, const char *value,
			  const char *own)
{
	if (strcmp(key, "name") == 0)
		return text_equal(value, own);
	return strcmp(key, "role") == 0 && text_equal(value, pod->role);
}

/* A label that is not in the template but on the pod. */
static bool is_implied(const struct pod_labels *pod, const char *key, const char *value)
{
	if ((pod->leads || pod->works) && text_has_prefix(key, LWS_PREFIX))
		return implied_by_lws(pod, key + strlen(LWS_PREFIX), value, pod->own);
	if (pod->role != NULL && text_has_prefix(key, DS_PREFIX))
		return implied_by_ds(pod, key + strlen(DS_PREFIX), value, pod->own);
	if (!pod->stateful)
		return false;
	/* GKE's preferred back ends select one pod of a StatefulSet by its name (LLMD §3.4). */
	if (strcmp(key, "statefulset.kubernetes.io/pod-name") == 0)
		return is_ordinal_of(value, pod->own);
	return strcmp(key, "apps.kubernetes.io/pod-index") == 0 && is_number(value);
}

static bool matches(const cJSON *selector, const struct pod_labels *pod)
{
	for (const cJSON *want = selector->child; want != NULL; want = want->next) {
		const cJSON *have = json_member(pod->labels, want->string);
		if (!cJSON_IsString(want))
			return false;
		if (cJSON_IsString(have) ? strcmp(want->valuestring, have->valuestring) != 0
					 : !is_implied(pod, want->string, want->valuestring))
			return false;
	}
	return true;
}

bool pod_labels_match(const cJSON *selector, const struct pod_label_sets *sets)
{
	if (!cJSON_IsObject(selector) || selector->child == NULL)
		return false;
	for (size_t i = 0; i < sets->count; i++)
		if (matches(selector, &sets->items[i]))
			return true;
	return false;
}

bool selector_matches(const cJSON *selector, const cJSON *labels)
{
	const struct pod_labels pod = {.labels = labels};
	return cJSON_IsObject(selector) && selector->child != NULL && matches(selector, &pod);
}
