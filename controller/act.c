/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "controller/managed_fields.h"
#include "controller/request.h"

enum { GIVE_BACK_TRIES = 3, WOULD_MAX = 4096 };

/* One list under way. */
struct course {
	struct actor *actor;
	struct intents intents;
	size_t at;
	act_fn done;
	void *context;
	struct act_result result;
	unsigned tries; /* of the second half of a PATCH */
};

static const char *const actions[] = {
    [INTENT_CREATE] = "create", [INTENT_APPLY] = "apply",         [INTENT_DELETE] = "delete",
    [INTENT_PATCH] = "patch",   [INTENT_GIVE_BACK] = "give_back", [INTENT_STATUS] = "status",
    [INTENT_READ] = "read",     [INTENT_EVENT] = "event",         [INTENT_ASK] = "ask",
    [INTENT_SURVEY] = "survey", [INTENT_REHEARSE] = "rehearse",   [INTENT_PODS] = "watch",
    [INTENT_LOG] = "read",
};

static void run(struct course *course);

static void finish(struct course *course)
{
	course->actor->running--;
	course->done(course->context, &course->result);
	intents_release(&course->intents);
	free(course);
}

static void count(const struct actor *actor, enum intent_type type, enum status status)
{
	char labels[64];
	(void)snprintf(labels, sizeof(labels), "%s\x1f%s", actions[type],
		       status_info(status)->name);
	metric_add(actor->writes, labels, 1);
}

static void log_intent(const struct actor *actor, const struct intent *intent, const char *message,
		       const char *error)
{
	bool quiet =
	    error == NULL && (intent->type == INTENT_STATUS || intent->type == INTENT_READ ||
			      intent->type == INTENT_GIVE_BACK);
	log_entry(actor->log, error != NULL ? LOG_WARN : (quiet ? LOG_DEBUG : LOG_INFO), message,
		  "action", actions[intent->type], "kind", resource_get(intent->resource)->kind,
		  "namespace", intent->namespace_name, "name", intent->name, "what", intent->note,
		  "error", error, NULL);
}

static struct intent *current(struct course *course)
{
	return &course->intents.items[course->at];
}

static bool is_read(const struct intent *intent)
{
	return intent->type == INTENT_READ || intent->type == INTENT_LOG;
}

static void send_request(struct course *course, struct intent_request *request, response_fn done)
{
	struct request_spec spec = {.method = request->method,
				    .path = request->path.data,
				    .accept = request->accept,
				    .content_type = request->content_type,
				    .body =
					request->content_type == NULL ? NULL : request->body.data,
				    .body_len = request->body.len};
	(void)client_send(course->actor->client, &spec, done, course);
	intent_request_release(request);
}

static void step_on(struct course *course)
{
	course->at++;
	course->tries = 0;
	run(course);
}

/* The server's own words, without "METHOD /path: " before them. */
static const char *own_words(const struct response *response)
{
	const char *words = response->http_code == 0 ? NULL : strstr(response->error.message, ": ");
	return words == NULL ? response->error.message : words + 2;
}

/* Why the write did not happen, as the API server said it. */
static void note(struct course *course, const struct response *response)
{
	struct act_result *result = &course->result;
	result->status = response->status;
	result->failed = current(course);
	result->retry_after_ms = response->retry_after_ms;
	result->terminating = strcmp(response->reason, "NamespaceTerminating") == 0;
	(void)snprintf(result->message, sizeof(result->message), "%s", own_words(response));
	log_intent(course->actor, result->failed, "could not write", response->error.message);
}

static void fail(struct course *course)
{
	if (current(course)->is_report)
		step_on(course);
	else
		finish(course);
}

/* The store learns what a read found. */
static void tell_what_is_there(struct course *course, const struct response *response)
{
	const struct actor *actor = course->actor;
	const struct intent *intent = current(course);
	if (response->status == STATUS_OK)
		actor->on_object(actor->context, intent->resource, response->body,
				 response->body_len);
	else if (response->status == STATUS_NOT_FOUND)
		actor->on_missing(actor->context, intent->resource, intent->namespace_name,
				  intent->name);
}

/* After an ambiguous write: what is really there decides the next reconcile. */
static void on_reread(void *context, const struct response *response)
{
	struct course *course = context;
	tell_what_is_there(course, response);
	fail(course);
}

static void read_again(struct course *course, response_fn done)
{
	struct intent_request request;
	const struct intent *intent = current(course);
	intent_request_read(intent->resource, intent->namespace_name, intent->name, &request);
	send_request(course, &request, done);
}

static void on_give_back(void *context, const struct response *response);

/* The second half of a PATCH: only managedFields, guarded by the entries as just written. */
static bool give_back(struct course *course, const char *json, size_t len)
{
	struct error err;
	CLEANUP(json_freep) cJSON *after = NULL;
	struct intent *intent = current(course);
	if (json_parse(json, len, &after, &err) != STATUS_OK)
		return false;
	struct intent second = {.type = INTENT_GIVE_BACK,
				.resource = intent->resource,
				.namespace_name = intent->namespace_name,
				.name = intent->name};
	second.body = managed_fields_give_back(intent->managers, after);
	if (second.body == NULL)
		return false;
	struct intent_request request;
	intent_request_build(&second, &request);
	cJSON_Delete(second.body);
	send_request(course, &request, on_give_back);
	return true;
}

static void on_read_for_give_back(void *context, const struct response *response)
{
	struct course *course = context;
	const struct actor *actor = course->actor;
	if (response->status == STATUS_OK)
		actor->on_object(actor->context, current(course)->resource, response->body,
				 response->body_len);
	if (response->status != STATUS_OK || !give_back(course, response->body, response->body_len))
		step_on(course);
}

static void on_give_back(void *context, const struct response *response)
{
	struct course *course = context;
	const struct actor *actor = course->actor;
	count(actor, INTENT_GIVE_BACK, response->status);
	if (response->status == STATUS_OK) {
		actor->on_object(actor->context, current(course)->resource, response->body,
				 response->body_len);
		step_on(course);
	} else if ((response->status == STATUS_CONFLICT || response->status == STATUS_INVALID ||
		    response->ambiguous) &&
		   ++course->tries < GIVE_BACK_TRIES) { /* a failed `test` is a 422 */
		read_again(course, on_read_for_give_back);
	} else {
		/* the next reconcile sees our entry and drops it */
		log_intent(actor, current(course), "could not give field ownership back",
			   response->error.message);
		step_on(course);
	}
}

static void written(struct course *course, const struct response *response)
{
	const struct actor *actor = course->actor;
	const struct intent *intent = current(course);
	course->result.wrote = true;
	log_intent(actor, intent, "wrote", NULL);
	if (intent->type != INTENT_DELETE)
		actor->on_object(actor->context, intent->resource, response->body,
				 response->body_len);
	actor->on_written(actor->context, intent, response->body, response->body_len);
	if (intent->type == INTENT_PATCH && give_back(course, response->body, response->body_len))
		return;
	step_on(course);
}

static void on_answer(void *context, const struct response *response)
{
	struct course *course = context;
	const struct actor *actor = course->actor;
	const struct intent *intent = current(course);
	count(actor, intent->type, response->status);
	if (response->status == STATUS_OK) {
		written(course, response);
	} else if (response->status == STATUS_NOT_FOUND && intent->type != INTENT_CREATE &&
		   intent->type != INTENT_APPLY) {
		actor->on_missing(actor->context, intent->resource, intent->namespace_name,
				  intent->name);
		step_on(course);
	} else {
		note(course, response);
		/* AlreadyExists: somebody else's is good, too */
		if (response->ambiguous ||
		    (response->status == STATUS_CONFLICT && intent->type == INTENT_CREATE))
			read_again(course, on_reread);
		else
			fail(course);
	}
}

static void on_answer_to_read(void *context, const struct response *response)
{
	struct course *course = context;
	const struct actor *actor = course->actor;
	/* no log is an answer, too */
	if (current(course)->type != INTENT_READ || response->status == STATUS_OK ||
	    response->status == STATUS_NOT_FOUND || response->status == STATUS_DENIED) {
		actor->on_read(actor->context, current(course), response);
		step_on(course);
	} else {
		note(course, response);
		fail(course);
	}
}

static void on_event_sent(void *context, const struct response *response)
{
	const struct actor *actor = context;
	count(actor, INTENT_EVENT, response->status);
	if (response->status != STATUS_OK)
		log_entry(actor->log, LOG_DEBUG, "an Event was not taken", "error",
			  response->error.message, NULL);
}

static void send_event(const struct actor *actor, const struct intent *intent)
{
	struct event_request event;
	struct buffer path;
	if (actor->namespaced && intent->namespace_name[0] == '\0')
		return; /* the Tracing gets the same one */
	if (!events_decide(actor->events, intent, actor->now(actor->context), &event))
		return;
	buffer_init(&path, 4096);
	path_build(&path, "events.k8s.io/v1", "events", event.namespace_name,
		   event.repeat ? event.name : NULL, NULL);
	CLEANUP(str_freep) char *body = json_to_string(event.body);
	struct request_spec spec = {.method = event.repeat ? "PATCH" : "POST",
				    .path = path.data,
				    .content_type =
					event.repeat ? CONTENT_MERGE_PATCH : CONTENT_JSON,
				    .body = body,
				    .body_len = strlen(body)};
	union {
		const struct actor *in;
		void *out;
	} actor_pointer = {.in = actor};
	(void)client_send(actor->client, &spec, on_event_sent, actor_pointer.out);
	buffer_release(&path);
	event_request_release(&event);
}

/* True the first time that a dry run comes to just this write. */
static bool is_new_wish(struct actor *actor, const struct intent *intent)
{
	char hash[17];
	CLEANUP(str_freep) char *body = intent->body == NULL ? NULL : json_to_string(intent->body);
	CLEANUP(str_freep)
	char *text = xasprintf("%d/%d/%s/%s/%s/%s", (int)intent->type, (int)intent->resource,
			       intent->namespace_name, intent->name,
			       intent->note == NULL ? "" : intent->note, body == NULL ? "" : body);
	hash_short(text, strlen(text), hash);
	for (size_t i = 0; i < actor->would_count; i++)
		if (memcmp(actor->would[i], hash, sizeof(hash)) == 0)
			return false;
	if (actor->would_count < WOULD_MAX) {
		actor->would = grow(actor->would, actor->would_count, sizeof(*actor->would));
		memcpy(actor->would[actor->would_count++], hash, sizeof(hash));
	} else {
		memcpy(actor->would[actor->would_next], hash, sizeof(hash));
		actor->would_next = (actor->would_next + 1) % WOULD_MAX;
	}
	return true;
}

/* Nothing is sent in a dry run, but people see what would have been, once. */
static void would_do(struct course *course, const struct intent *intent)
{
	if (intent->type == INTENT_STATUS || intent->type == INTENT_GIVE_BACK ||
	    intent->type == INTENT_ASK || intent->type == INTENT_SURVEY ||
	    intent->type == INTENT_PODS || !is_new_wish(course->actor, intent))
		return;
	log_entry(course->actor->log, LOG_INFO, "would write", "action", actions[intent->type],
		  "kind", resource_get(intent->resource)->kind, "namespace", intent->namespace_name,
		  "name", intent->name, "what", intent->note, NULL);
}

static void run(struct course *course)
{
	struct intent_request request;
	struct actor *actor = course->actor;
	while (course->at < course->intents.count) {
		const struct intent *intent = current(course);
		if (actor->dry_run && !is_read(intent)) {
			would_do(course, intent);
		} else if (intent->type == INTENT_EVENT) {
			send_event(actor, intent);
		} else if (intent->type == INTENT_ASK) {
			actor->on_ask(actor->context, intent);
		} else if (intent->type == INTENT_SURVEY) {
			actor->on_survey(actor->context);
		} else if (intent->type == INTENT_PODS) {
			actor->on_pods(actor->context, intent);
		} else if (intent->type == INTENT_REHEARSE) {
			actor->on_rehearse(actor->context, intent);
		} else if (intent->type == INTENT_GIVE_BACK) {
			read_again(course, on_read_for_give_back);
			return;
		} else {
			intent_request_build(intent, &request);
			send_request(course, &request,
				     is_read(intent) ? on_answer_to_read : on_answer);
			return;
		}
		course->at++;
	}
	finish(course);
}

void act_start(struct actor *actor, struct intents *intents, act_fn done, void *context)
{
	struct course *course = xcalloc(1, sizeof(*course));
	*course =
	    (struct course){.actor = actor, .intents = *intents, .done = done, .context = context};
	*intents = (struct intents){0};
	actor->running++;
	run(course);
}

void act_tell(struct actor *actor, struct intents *events)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->items[i].type == INTENT_EVENT && !actor->dry_run)
			send_event(actor, &events->items[i]);
	intents_release(events);
}

static void on_refreshed(void *context, const struct response *response)
{
	struct course *course = context;
	tell_what_is_there(course, response);
	finish(course);
}

static void ignore_result(void *context, const struct act_result *result)
{
	(void)context;
	(void)result;
}

void act_refresh(struct actor *actor, enum resource_id resource, const char *namespace_name,
		 const char *name, act_fn done, void *context)
{
	struct course *course = xcalloc(1, sizeof(*course));
	*course = (struct course){
	    .actor = actor, .done = done == NULL ? ignore_result : done, .context = context};
	(void)intents_add(&course->intents, INTENT_READ, resource, namespace_name, name);
	actor->running++;
	read_again(course, on_refreshed);
}
