/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"

/* How kubectl shortens them, where that is no beginning of the plural. */
static const struct {
	enum resource_id resource;
	const char *word;
} short_names[] = {{RESOURCE_STATEFULSET, "sts"}, {RESOURCE_LEADERWORKERSET, "lws"}};

/* "apps" or "v1.apps", as kubectl prints and takes them behind a kind. */
static bool is_group(const struct resource *resource, const char *word, size_t len)
{
	const char *slash = strchr(resource->api_version, '/');
	size_t group = slash == NULL ? 0 : (size_t)(slash - resource->api_version);
	size_t version = slash == NULL ? 0 : strlen(slash + 1) + 1; /* with its point */
	if (slash == NULL || len < group ||
	    strncasecmp(word + len - group, resource->api_version, group) != 0)
		return false;
	return len == group || (len == group + version && word[version - 1] == '.' &&
				strncasecmp(word, slash + 1, version - 1) == 0);
}

static bool is_kind(enum resource_id id, const char *word, size_t len)
{
	const struct resource *resource = resource_get(id);
	const char *point = memchr(word, '.', len);
	if (point != NULL && !is_group(resource, point + 1, len - (size_t)(point + 1 - word)))
		return false;
	len = point == NULL ? len : (size_t)(point - word);
	if ((resource->flags & RESOURCE_WORKLOAD) == 0 || len == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(short_names); i++)
		if (short_names[i].resource == id && strlen(short_names[i].word) == len &&
		    strncasecmp(short_names[i].word, word, len) == 0)
			return true;
	return len <= strlen(resource->plural) && strncasecmp(resource->plural, word, len) == 0;
}

bool target_is_named(const char *words, enum resource_id resource, const char *name)
{
	const char *slash = strchr(words, '/');
	return strcmp(slash == NULL ? words : slash + 1, name) == 0 &&
	       (slash == NULL || is_kind(resource, words, (size_t)(slash - words)));
}

bool target_of_row(const cJSON *row, struct target *ret_target)
{
	const char *kind = json_str(row, "kind");
	const char *name = json_str(row, "name");
	for (size_t i = 0; kind != NULL && name != NULL && i < RESOURCE_COUNT; i++) {
		const struct resource *resource = resource_get((enum resource_id)i);
		if ((resource->flags & RESOURCE_WORKLOAD) == 0 || strcmp(resource->kind, kind) != 0)
			continue;
		*ret_target = (struct target){(enum resource_id)i, name, row};
		return true;
	}
	return false;
}

static enum status refuse(const char *words, const cJSON *rows, size_t found, struct error *err)
{
	struct buffer names CLEANUP(buffer_release) = {0};
	const cJSON *row = NULL;
	struct target target;
	buffer_init(&names, 300);
	cJSON_ArrayForEach(row, rows)
	{
		if (target_of_row(row, &target))
			buffer_addf(&names, "%s%s/%s", names.len == 0 ? "" : ", ",
				    resource_get(target.resource)->kind, target.name);
	}
	if (found > 1)
		return error_set(err, STATUS_INVALID,
				 "%s: %zu workloads are called so; say Kind/name", words, found);
	return error_set(err, STATUS_NOT_FOUND, "%s: status.workloads has no such row; it has %s%s",
			 words, names.len == 0 ? "none" : names.data, names.full ? ", …" : "");
}

enum status target_find(const char *words, const cJSON *tracing, struct target *ret_target,
			struct error *err)
{
	const cJSON *rows = json_get(tracing, "status.workloads");
	const cJSON *row = NULL;
	size_t found = 0;
	cJSON_ArrayForEach(row, rows)
	{
		struct target target;
		if (!target_of_row(row, &target) ||
		    !target_is_named(words, target.resource, target.name))
			continue;
		*ret_target = target;
		found++;
	}
	return found == 1 ? STATUS_OK : refuse(words, rows, found, err);
}

char *target_title(const struct target *target, const char *namespace_name)
{
	return xasprintf("%s/%s/%s", resource_get(target->resource)->kind, namespace_name,
			 target->name);
}

struct writing {
	enum status status;
	struct error error;
	bool done;
};

static void on_response(void *context, const struct response *response)
{
	struct writing *writing = context;
	writing->status = response->status;
	writing->error = response->error;
	writing->done = true;
}

enum status target_annotate(struct online *online, const struct target *target,
			    const char *namespace_name, const char *resource_version,
			    const cJSON *annotations, struct error *err)
{
	const struct resource *resource = resource_get(target->resource);
	struct writing writing = {.done = false};
	struct buffer path CLEANUP(buffer_release) = {0};
	cJSON *body CLEANUP(json_freep) = cJSON_CreateObject();
	cJSON *metadata = json_set_object(body, "metadata");
	json_set(metadata, "annotations", json_clone(annotations));
	if (resource_version != NULL)
		json_set_str(metadata, "resourceVersion", resource_version);
	char *text CLEANUP(str_freep) = json_to_string(body);
	buffer_init(&path, KIB(4));
	path_build(&path, resource->api_version, resource->plural, namespace_name, target->name,
		   NULL);
	buffer_add_str(&path, "?fieldManager=kubectl-llmd-tracing");
	struct request_spec spec = {.method = "PATCH",
				    .path = path.data,
				    .content_type = CONTENT_MERGE_PATCH,
				    .body = text,
				    .body_len = strlen(text)};
	(void)client_send(online->client, &spec, on_response, &writing);
	(void)online_wait(online, &writing.done, true);
	if (writing.status == STATUS_OK)
		return STATUS_OK;
	char *title CLEANUP(str_freep) = target_title(target, namespace_name);
	*err = writing.error;
	return error_wrap(err, "%s", title);
}
