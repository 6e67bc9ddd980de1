/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { KIND_PATHS = 3 };

struct kind_path {
	const char *id;   /* of the template; for role lists it follows "<role>." */
	const char *path; /* dotted, from the object (or the role) to the pod template */
	bool optional;
	bool is_spec; /* the path is a pod spec already: no template around it */
	enum role role;
	size_t child;
};

struct kind {
	const char *api_version;
	const char *kind;
	const char *
	    list; /* dotted path of an array of named members that hold the paths; NULL: the object */
	bool merged;
	bool in_template;
	struct kind_path paths[KIND_PATHS];
};

static const struct kind kinds[] = {
    {"apps/v1",
     "Deployment",
     NULL,
     false,
     true,
     {{"template", "spec.template", false, false, ROLE_NONE, 0}}},
    {"apps/v1",
     "StatefulSet",
     NULL,
     false,
     true,
     {{"template", "spec.template", false, false, ROLE_NONE, 0}}},
    {"apps/v1",
     "ReplicaSet",
     NULL,
     false,
     true,
     {{"template", "spec.template", false, false, ROLE_NONE, 0}}},
    {"leaderworkerset.x-k8s.io/v1",
     "LeaderWorkerSet",
     NULL,
     false,
     true,
     {{"leader", "spec.leaderWorkerTemplate.leaderTemplate", true, false, ROLE_NONE, 0},
      {"worker", "spec.leaderWorkerTemplate.workerTemplate", false, false, ROLE_NONE, 0}}},
    {"disaggregatedset.x-k8s.io/v1",
     "DisaggregatedSet",
     "spec.roles",
     false,
     true,
     {{"leader", "spec.leaderWorkerTemplate.leaderTemplate", true, false, ROLE_NONE, 0},
      {"worker", "spec.leaderWorkerTemplate.workerTemplate", false, false, ROLE_NONE, 0}}},
    {"llm-d.ai/v1alpha1",
     "ModelService",
     NULL,
     true,
     true,
     {{"prefill", "spec.prefill", true, true, ROLE_PREFILL, 0},
      {"decode", "spec.decode", true, true, ROLE_DECODE, 1},
      {"epp", "spec.endpointPicker", true, true, ROLE_NONE, 2}}},
    {"v1", "Pod", NULL, false, false, {{"pod", "spec", false, true, ROLE_NONE, 0}}},
};

static const struct kind *find_kind(const char *api_version, const char *kind)
{
	if (api_version == NULL || kind == NULL)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0 &&
		    strcmp(kinds[i].api_version, api_version) == 0)
			return &kinds[i];
	return NULL;
}

bool kind_is_workload(const char *api_version, const char *kind)
{
	return find_kind(api_version, kind) != NULL;
}

enum role role_from_name(const char *name)
{
	for (int role = ROLE_PREFILL; name != NULL && role <= ROLE_ENCODE; role++)
		if (strcmp(name, role_name((enum role)role)) == 0)
			return (enum role)role;
	return ROLE_NONE;
}

/* "spec.template" and ".spec" become "/spec/template/spec" after `prefix`. */
static bool write_pointer(struct pod_template *item, const char *prefix, const char *path,
			  bool is_spec)
{
	int n = snprintf(item->pointer, sizeof(item->pointer), "%s/%s%s", prefix, path,
			 is_spec ? "" : "/spec");
	for (char *c = item->pointer + strlen(prefix); *c != '\0'; c++)
		if (*c == '.')
			*c = '/';
	return n > 0 && (size_t)n < sizeof(item->pointer);
}

static enum status add_template(struct pod_templates *templates, const struct kind *kind,
				const struct kind_path *path, const cJSON *from, const char *prefix,
				const char *role, struct error *err)
{
	const cJSON *node = json_get(from, path->path);
	if (path->optional && (node == NULL || cJSON_IsNull(node)))
		return STATUS_OK;
	struct pod_template item = {.role = role == NULL ? path->role : role_from_name(role),
				    .merged = kind->merged,
				    .child = path->child};
	int n = snprintf(item.id, sizeof(item.id), "%s%s%s", role == NULL ? "" : role,
			 role == NULL ? "" : ".", path->id);
	if (n <= 0 || (size_t)n >= sizeof(item.id) ||
	    !write_pointer(&item, prefix, path->path, path->is_spec))
		return error_set(err, STATUS_INVALID, "%s: name too long", prefix);
	item.spec = path->is_spec ? node : json_member(node, "spec");
	item.metadata = path->is_spec ? NULL : json_member(node, "metadata");
	if (!cJSON_IsObject(item.spec))
		return error_set(err, STATUS_INVALID, "%s: must be an object", item.pointer);
	if (templates->count >= LIMIT_TEMPLATES)
		return error_set(err, STATUS_LIMIT, "%s: more than %d pod templates", item.pointer,
				 (int)LIMIT_TEMPLATES);
	templates->items = grow(templates->items, templates->count, sizeof(*templates->items));
	templates->items[templates->count++] = item;
	return STATUS_OK;
}

static enum status add_paths(struct pod_templates *templates, const struct kind *kind,
			     const cJSON *from, const char *prefix, const char *role,
			     struct error *err)
{
	for (size_t i = 0; i < KIND_PATHS && kind->paths[i].id != NULL; i++) {
		enum status status =
		    add_template(templates, kind, &kind->paths[i], from, prefix, role, err);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* Roles are a map by name (its CRD says so), so their names are ledger keys. */
static enum status add_roles(struct pod_templates *templates, const struct kind *kind,
			     const cJSON *object, struct error *err)
{
	const cJSON *list = json_get(object, kind->list);
	if (!cJSON_IsArray(list))
		return error_set(err, STATUS_INVALID, "/spec/roles: must be a list");
	size_t index = 0;
	for (const cJSON *item = list->child; item != NULL; item = item->next, index++) {
		char prefix[64];
		(void)snprintf(prefix, sizeof(prefix), "/spec/roles/%zu", index);
		const char *name = json_str(item, "name");
		if (name == NULL || json_named(list, name) != item)
			return error_set(err, STATUS_INVALID, "%s/name: must be a unique name",
					 prefix);
		enum status status = add_paths(templates, kind, item, prefix, name, err);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

enum status kind_templates(const cJSON *object, struct pod_templates *ret_templates,
			   struct error *err)
{
	const struct kind *kind =
	    find_kind(json_str(object, "apiVersion"), json_str(object, "kind"));
	if (kind == NULL)
		return error_set(err, STATUS_NOT_FOUND, "not a workload");
	struct pod_templates templates = {.in_template = kind->in_template};
	enum status status = kind->list != NULL
				 ? add_roles(&templates, kind, object, err)
				 : add_paths(&templates, kind, object, "", NULL, err);
	/* A pod of its own has its metadata at the top. */
	if (status == STATUS_OK && !kind->in_template && templates.count > 0)
		templates.items[0].metadata = json_member(object, "metadata");
	if (status != STATUS_OK)
		pod_templates_release(&templates);
	else
		*ret_templates = templates;
	return status;
}

void pod_templates_release(struct pod_templates *templates)
{
	free(templates->items);
	*templates = (struct pod_templates){0};
}
