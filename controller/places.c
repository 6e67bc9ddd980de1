/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/moment.h"
#include "inject/image.h"
#include "k8sclient/list_stream.h"
#include "k8sclient/watch.h"

enum {
	REQUEST_MS = 10000,
	PODS_MAX = 250, /* that are looked at */
	LOST_US = 5 * 60 * 1000000,
	LOST_MAX = 20,
};

struct places_search {
	struct places *places;
	struct client *client;
	char *namespace_name;
	char *image;
	char *listed; /* as nodes name it */
	enum component component;
	bool read_nodes;
	int64_t now_us;
	int lost;
	places_fn done;
	void *context;
	struct request *request; /* under way, or NULL */
	struct watch *watch;     /* likewise */
};

void places_end(struct places *places)
{
	struct places_search *search = places->search;
	places->search = NULL;
	if (search == NULL)
		return;
	if (search->request != NULL)
		request_cancel(search->request);
	if (search->watch != NULL)
		watch_stop(search->watch);
	free(search->namespace_name);
	free(search->image);
	free(search->listed);
	free(search);
}

void places_release(struct places *places)
{
	places_end(places);
	for (size_t i = 0; i < REHEARSAL_NODES; i++)
		free(places->nodes[i]);
	*places = (struct places){.nodes = {NULL}};
}

static void finish(struct places_search *search)
{
	places_fn done = search->done;
	void *context = search->context;
	places_end(search->places);
	done(context);
}

/* False: there is room for no more. */
static bool note_node(struct places *places, const char *node)
{
	for (size_t i = 0; i < REHEARSAL_NODES; i++) {
		if (places->nodes[i] == NULL)
			places->nodes[i] = xstrdup(node);
		if (strcmp(places->nodes[i], node) == 0)
			return i + 1 < REHEARSAL_NODES;
	}
	return false;
}

/* ---- nodes whose kubelet lists the image ---- */

static bool is_ready(const cJSON *node)
{
	const cJSON *condition = NULL;
	cJSON_ArrayForEach(condition, json_get(node, "status.conditions"))
	{
		if (text_equal(json_str(condition, "type"), "Ready"))
			return text_equal(json_str(condition, "status"), "True");
	}
	return false;
}

static bool lists_image(const cJSON *node, const char *listed)
{
	const cJSON *image = NULL;
	cJSON_ArrayForEach(image, json_get(node, "status.images"))
	{
		const cJSON *name = NULL;
		cJSON_ArrayForEach(name, json_member(image, "names"))
		{
			if (cJSON_IsString(name) && strcmp(name->valuestring, listed) == 0)
				return true;
		}
	}
	return false;
}

/* False: enough are known. */
static bool look_at_node(struct places_search *search, const struct watch_event *event)
{
	struct error ignored;
	cJSON *node CLEANUP(json_freep) = NULL;
	if (json_parse(event->object, event->object_len, &node, &ignored) != STATUS_OK)
		return true;
	const char *name = json_str(node, "metadata.name");
	if (name == NULL || json_bool(node, "spec.unschedulable", false) || !is_ready(node) ||
	    !lists_image(node, search->listed))
		return true;
	return note_node(search->places, name);
}

static void on_node(void *context, const struct watch_event *event)
{
	struct places_search *search = context;
	if (event->type == WATCH_LIST_BEGIN || event->type == WATCH_ALIVE)
		return;
	if (event->type != WATCH_LIST_ITEM || !look_at_node(search, event))
		finish(search);
}

/* ---- pods of the namespace ---- */

static bool runs_image(const cJSON *pod, const char *image)
{
	static const char *const lists[] = {"containers", "initContainers"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const cJSON *container = NULL;
		cJSON_ArrayForEach(container, json_member(json_member(pod, "spec"), lists[i]))
		{
			if (text_equal(json_str(container, "image"), image))
				return true;
		}
	}
	return false;
}

static void note_pod(struct places_search *search, const cJSON *pod)
{
	struct places *places = search->places;
	struct rehearsal_of of = {.image = search->image, .component = search->component};
	const char *node = json_str(pod, "spec.nodeName");
	if (node == NULL || !text_equal(json_str(pod, "status.phase"), "Running") ||
	    !runs_image(pod, search->image))
		return;
	places->on_nodes = true;
	(void)note_node(places, node);
	if (places->served.address[0] == '\0')
		(void)rehearsal_served_at(pod, &of, &places->served);
}

static void on_lost_deleted(void *context, const struct response *response)
{
	(void)context;
	(void)response;
}

static bool is_lost(const struct places_search *search, const cJSON *pod)
{
	const cJSON *label = json_member(json_get(pod, "metadata.labels"), LABEL_REHEARSAL);
	return label != NULL && moment_parse(json_str(pod, "metadata.creationTimestamp"),
					     search->now_us) < search->now_us - LOST_US;
}

static void delete_lost(const struct places_search *search, const cJSON *pod)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "pods", search->namespace_name, json_str(pod, "metadata.name"),
		   NULL);
	struct request_spec spec = {
	    .method = "DELETE", .path = path.data, .timeout_ms = REQUEST_MS};
	(void)client_send(search->client, &spec, on_lost_deleted, NULL);
}

static bool look_at_pod(void *context, struct slice item)
{
	struct places_search *search = context;
	struct error ignored;
	cJSON *pod CLEANUP(json_freep) = NULL;
	if (json_parse(item.data, item.len, &pod, &ignored) != STATUS_OK)
		return true;
	note_pod(search, pod);
	if (is_lost(search, pod) && search->lost++ < LOST_MAX)
		delete_lost(search, pod);
	return true;
}

/* One at a time: a tree is ten times its text. */
static void on_pods(void *context, const struct response *response)
{
	static const struct watch_spec nodes = {.api_version = "v1", .plural = "nodes"};
	struct places_search *search = context;
	struct list_stream list CLEANUP(list_stream_release) = {0};
	struct error ignored;
	search->request = NULL;
	list_stream_init(&list, MIB(1));
	if (response->status == STATUS_OK)
		(void)!list_stream_feed(&list, response->body, response->body_len, look_at_pod,
					search, &ignored);
	if (search->read_nodes && search->places->nodes[0] == NULL)
		search->watch = watch_start(search->client, &nodes, on_node, search);
	else
		finish(search);
}

void places_find(struct places *places, const struct places_spec *spec, places_fn done,
		 void *context)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct places_search *search = xcalloc(1, sizeof(*search));
	*search = (struct places_search){.places = places,
					 .client = spec->client,
					 .namespace_name = xstrdup(spec->namespace_name),
					 .image = xstrdup(spec->of->image),
					 .listed = image_listed_name(spec->of->image),
					 .component = spec->of->component,
					 .read_nodes = spec->read_nodes,
					 .now_us = spec->now_us,
					 .done = done,
					 .context = context};
	places->search = search;
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "pods", spec->namespace_name, NULL, NULL);
	buffer_addf(&path, "?limit=%d", (int)PODS_MAX);
	struct request_spec request = {
	    .method = "GET", .path = path.data, .timeout_ms = REQUEST_MS, .limit = MIB(8)};
	search->request = client_send(spec->client, &request, on_pods, search);
}
