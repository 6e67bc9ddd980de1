/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"

enum {
	REMEMBERED_MAX = 1024,
	NOTE_MAX = 1024, /* API validation */
	NAME_MAX_BYTES = 200,
	SERIES_IDLE_MS = 6 * 60 * 1000,
	SERIES_STEP_MS = 60 * 1000, /* a running series is told at most once a minute */
	BUCKET_MAX = 25,
	REFILL_MS = 300 * 1000,
};

/* An Event that was sent, and what its object may still send. */
struct sent {
	char *object; /* resource/namespace/name/uid */
	char *what;   /* reason, action, note */
	char *name;
	unsigned long count;
	uint64_t last_ms;
	uint64_t told_ms;
};

struct bucket {
	char *object;
	double tokens;
	uint64_t at_ms;
};

struct events {
	char instance[129];
	struct sent *sent; /* ring */
	size_t sent_count;
	size_t sent_next;
	struct bucket *buckets; /* ring */
	size_t bucket_count;
	size_t bucket_next;
	unsigned long serial;
};

struct events *events_new(const char *instance)
{
	struct events *events = xcalloc(1, sizeof(*events));
	(void)snprintf(events->instance, sizeof(events->instance), "%s",
		       instance[0] == '\0' ? "llmd-tracing" : instance);
	return events;
}

static void sent_release(struct sent *sent)
{
	free(sent->object);
	free(sent->what);
	free(sent->name);
	*sent = (struct sent){0};
}

void events_freep(struct events **events)
{
	if (*events == NULL)
		return;
	for (size_t i = 0; i < (*events)->sent_count; i++)
		sent_release(&(*events)->sent[i]);
	for (size_t i = 0; i < (*events)->bucket_count; i++)
		free((*events)->buckets[i].object);
	free((*events)->sent);
	free((*events)->buckets);
	free(*events);
	*events = NULL;
}

void event_request_release(struct event_request *request)
{
	free(request->namespace_name);
	free(request->name);
	json_freep(&request->body);
	*request = (struct event_request){0};
}

static struct sent *find_sent(struct events *events, const char *object, const char *what)
{
	for (size_t i = 0; i < events->sent_count; i++)
		if (strcmp(events->sent[i].object, object) == 0 &&
		    strcmp(events->sent[i].what, what) == 0)
			return &events->sent[i];
	return NULL;
}

static struct sent *add_sent(struct events *events)
{
	if (events->sent_count < REMEMBERED_MAX) {
		events->sent = grow(events->sent, events->sent_count, sizeof(*events->sent));
		events->sent[events->sent_count] = (struct sent){0};
		return &events->sent[events->sent_count++];
	}
	struct sent *oldest = &events->sent[events->sent_next];
	events->sent_next = (events->sent_next + 1) % REMEMBERED_MAX;
	sent_release(oldest);
	return oldest;
}

static struct bucket *find_bucket(struct events *events, const char *object, uint64_t now)
{
	for (size_t i = 0; i < events->bucket_count; i++)
		if (strcmp(events->buckets[i].object, object) == 0)
			return &events->buckets[i];
	struct bucket *bucket = NULL;
	if (events->bucket_count < REMEMBERED_MAX) {
		events->buckets =
		    grow(events->buckets, events->bucket_count, sizeof(*events->buckets));
		bucket = &events->buckets[events->bucket_count++];
	} else {
		bucket = &events->buckets[events->bucket_next];
		events->bucket_next = (events->bucket_next + 1) % REMEMBERED_MAX;
		free(bucket->object);
	}
	*bucket = (struct bucket){.object = xstrdup(object), .tokens = BUCKET_MAX, .at_ms = now};
	return bucket;
}

static bool take_token(struct bucket *bucket, uint64_t now)
{
	bucket->tokens += (double)(now - bucket->at_ms) / REFILL_MS;
	bucket->at_ms = now;
	if (bucket->tokens > BUCKET_MAX)
		bucket->tokens = BUCKET_MAX;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}

static char *event_name(struct events *events, const struct intent *intent, int64_t wall_us)
{
	char seed[64];
	char hash[17];
	int n = snprintf(seed, sizeof(seed), "%s%lld%lu", intent->name, (long long)wall_us,
			 events->serial++);
	hash_short(seed, (size_t)(n < 0 ? 0 : n) < sizeof(seed) ? (size_t)n : sizeof(seed) - 1,
		   hash);
	return xasprintf("%.*s.%s", NAME_MAX_BYTES, intent->name, hash);
}

static char *cut_note(const char *note)
{
	size_t len = strlen(note);
	return xstrndup(note, text_utf8_valid_prefix(note, len > NOTE_MAX ? NOTE_MAX : len));
}

static cJSON *event_body(const struct events *events, const struct intent *intent,
			 const char *namespace_name, const char *name, const char *note,
			 int64_t wall_us)
{
	char time[MOMENT_TEXT_MAX];
	const struct resource *resource = resource_get(intent->resource);
	const struct reason_info *reason = reason_info(intent->reason);
	cJSON *body = cJSON_CreateObject();
	moment_format_micro(wall_us, time);
	json_set_str(body, "apiVersion", "events.k8s.io/v1");
	json_set_str(body, "kind", "Event");
	cJSON *metadata = json_set_object(body, "metadata");
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", namespace_name);
	json_set_str(body, "eventTime", time);
	json_set_str(body, "reportingController", "tracing.llm-d.io/llmd-tracing");
	json_set_str(body, "reportingInstance", events->instance);
	json_set_str(body, "action", intent->action);
	bool warning = intent->word != NULL ? intent->warning : reason->warning;
	json_set_str(body, "reason", intent->word != NULL ? intent->word : reason->word);
	json_set_str(body, "type", warning ? "Warning" : "Normal");
	json_set_str(body, "note", note);
	cJSON *regarding = json_set_object(body, "regarding");
	json_set_str(regarding, "apiVersion", resource->api_version);
	json_set_str(regarding, "kind", resource->kind);
	json_set_str(regarding, "name", intent->name);
	if (intent->namespace_name[0] != '\0')
		json_set_str(regarding, "namespace", intent->namespace_name);
	if (intent->uid != NULL)
		json_set_str(regarding, "uid", intent->uid);
	return body;
}

static cJSON *series_body(const struct sent *sent, int64_t wall_us)
{
	char time[MOMENT_TEXT_MAX];
	moment_format_micro(wall_us, time);
	cJSON *body = cJSON_CreateObject();
	cJSON *series = json_set_object(body, "series");
	json_set_int(series, "count", (long)sent->count);
	json_set_str(series, "lastObservedTime", time);
	return body;
}

static bool repeat(struct sent *sent, const char *namespace_name, struct moment now,
		   struct event_request *ret_request)
{
	sent->count++;
	sent->last_ms = now.mono_ms;
	if (now.mono_ms - sent->told_ms < SERIES_STEP_MS)
		return false;
	sent->told_ms = now.mono_ms;
	*ret_request = (struct event_request){.repeat = true,
					      .namespace_name = xstrdup(namespace_name),
					      .name = xstrdup(sent->name),
					      .body = series_body(sent, now.wall_us)};
	return true;
}

bool events_decide(struct events *events, const struct intent *intent, struct moment now,
		   struct event_request *ret_request)
{
	/* an Event about a cluster-scoped object has to be in this namespace */
	const char *namespace_name =
	    intent->namespace_name[0] == '\0' ? "default" : intent->namespace_name;
	CLEANUP(str_freep) char *note = cut_note(intent->note);
	CLEANUP(str_freep)
	char *object = xasprintf("%d/%s/%s/%s", (int)intent->resource, intent->namespace_name,
				 intent->name, intent->uid == NULL ? "" : intent->uid);
	CLEANUP(str_freep)
	char *what = xasprintf("%d/%s/%s/%s", (int)intent->reason,
			       intent->word == NULL ? "" : intent->word, intent->action, note);
	struct sent *sent = find_sent(events, object, what);
	if (sent != NULL && now.mono_ms - sent->last_ms < SERIES_IDLE_MS)
		return repeat(sent, namespace_name, now, ret_request);
	if (!take_token(find_bucket(events, object, now.mono_ms), now.mono_ms))
		return false;
	char *name = event_name(events, intent, now.wall_us);
	if (sent == NULL)
		sent = add_sent(events);
	sent_release(sent);
	*sent = (struct sent){.object = TAKE_PTR(object),
			      .what = TAKE_PTR(what),
			      .name = xstrdup(name),
			      .count = 1,
			      .last_ms = now.mono_ms,
			      .told_ms = now.mono_ms};
	*ret_request = (struct event_request){
	    .namespace_name = xstrdup(namespace_name),
	    .name = name,
	    .body = event_body(events, intent, namespace_name, name, note, now.wall_us)};
	return true;
}
