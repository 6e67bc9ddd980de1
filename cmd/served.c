/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/served.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

enum { PODS_MAX = 8, ASK_MS = 3000, ANSWER_MAX = 4 << 20 };

/* The running pods of a pool. */
struct members {
	char *names[PODS_MAX]; /* owned */
	size_t count;
};

static void members_release(struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		free(members->names[i]);
}

void served_release(struct served *served)
{
	trace_counters_release(&served->counters);
	free(served->trouble);
	*served = (struct served){.trouble = NULL};
}

static void note_trouble(struct served *served, const char *text)
{
	if (served->trouble == NULL)
		served->trouble = xstrdup(text);
}

static void on_pod(void *context, const char *json, size_t len)
{
	struct members *members = context;
	struct error ignored;
	cJSON *pod CLEANUP(json_freep) = NULL;
	if (members->count == PODS_MAX || json_parse(json, len, &pod, &ignored) != STATUS_OK)
		return;
	const char *name = json_str(pod, "metadata.name");
	if (name != NULL && text_equal(json_str(pod, "status.phase"), "Running"))
		members->names[members->count++] = xstrdup(name);
}

/* "a=b,c=d" of a flat selector, as a query; false: it selects nothing. */
static bool add_selector(const cJSON *selector, struct buffer *query)
{
	buffer_add_str(query, "labelSelector=");
	for (const cJSON *want = selector == NULL ? NULL : selector->child; want != NULL;
	     want = want->next) {
		if (!cJSON_IsString(want))
			return false;
		path_add_escaped(query, want->string);
		buffer_add_str(query, "%3D");
		path_add_escaped(query, want->valuestring);
		if (want->next != NULL)
			buffer_add_str(query, "%2C");
	}
	return selector != NULL && selector->child != NULL;
}

static enum status ask_pod(struct online *online, const char *namespace_name, const char *pod,
			   long port, struct served *served, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "pods", namespace_name, NULL, NULL);
	buffer_addf(&path, "/http:%s:%ld/proxy/metrics", pod, port);
	struct request_spec spec = {.method = "GET",
				    .path = path.data,
				    .accept = "text/plain",
				    .timeout_ms = ASK_MS,
				    .limit = ANSWER_MAX};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.status == STATUS_OK)
		trace_counters_read(answer.body.data, answer.body.len, &served->counters);
	else
		note_trouble(served, answer.error.message);
	return STATUS_OK;
}

/* Both groups: v1 has matchLabels and targetPorts, v1alpha2 a flat selector and one port. */
static enum status ask_pool(struct online *online, const cJSON *pool, const char *namespace_name,
			    struct served *served, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct buffer query CLEANUP(buffer_release) = {0};
	struct members members CLEANUP(members_release) = {.count = 0};
	const cJSON *ports = json_get(pool, "spec.targetPorts");
	const cJSON *labels = json_get(pool, "spec.selector.matchLabels");
	long port = json_int(cJSON_IsArray(ports) ? ports->child : NULL, "number",
			     json_int(pool, "spec.targetPortNumber", 0));
	buffer_init(&path, KIB(4));
	buffer_init(&query, KIB(16));
	path_build(&path, "v1", "pods", namespace_name, NULL, NULL);
	if (port < 1 || port > UINT16_MAX ||
	    !add_selector(labels != NULL ? labels : json_get(pool, "spec.selector"), &query))
		return STATUS_OK;
	enum status status = online_list(online, path.data, query.data, on_pod, &members, err);
	if (status != STATUS_OK && !online->interrupted) {
		note_trouble(served, err->message);
		return STATUS_OK;
	}
	for (size_t i = 0; i < members.count && status == STATUS_OK; i++)
		status = ask_pod(online, namespace_name, members.names[i], port, served, err);
	return status;
}

enum status served_ask(struct online *online, const struct inventory *inventory,
		       const char *namespace_name, struct served *served, struct error *err)
{
	static const enum resource_id kinds[] = {RESOURCE_POOL, RESOURCE_POOL_X};
	enum status status = STATUS_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t count = 0;
		struct object *const *pools =
		    store_range(inventory->store, kinds[i], namespace_name, &count);
		for (size_t k = 0; k < count && status == STATUS_OK; k++) {
			cJSON *pool CLEANUP(json_freep) = object_parse(pools[k]);
			status = ask_pool(online, pool, namespace_name, served, err);
		}
	}
	return status;
}
