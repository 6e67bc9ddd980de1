/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rehearser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/places.h"
#include "inject/forbidden_host.h"
#include "inject/settings.h"

enum {
	POLL_MS = 300,
	REQUEST_MS = 10000,
	GIVE_UP_MS = (REHEARSAL_DEADLINE_S + 10) * 1000, /* the scheduler's part has no deadline */
	SEARCH_MS = 15000,                               /* for pods and nodes that have it */
};

struct job {
	struct rehearser *rehearser;
	struct job *next;
	char *namespace_name;
	char *image;
	enum component component;
	cJSON *pod_spec;  /* or NULL */
	cJSON *container; /* or NULL */
	char name[40];    /* of the pod */
	struct places places;
	bool asked; /* its running server */
	char settings[17];
	cJSON *pod; /* as last read */
	bool made;  /* it may be there */
	bool stopping;
	uint64_t begun_ms;
	uint64_t ended_ms;
	struct rehearsal result;
	struct request *request; /* under way, or NULL */
	uv_timer_t *timer;       /* closed by itself */
};

struct rehearser {
	uv_loop_t *loop;
	struct client *client;
	struct rehearser_rights rights;
	struct moment (*now)(void *context);
	rehearser_fn done;
	void *context;
	struct job *jobs;
	size_t count;
};

struct rehearser *rehearser_new(uv_loop_t *loop, struct client *client,
				const struct rehearser_rights *rights,
				struct moment (*now)(void *context), rehearser_fn done,
				void *context)
{
	struct rehearser *rehearser = xcalloc(1, sizeof(*rehearser));
	*rehearser = (struct rehearser){.loop = loop,
					.client = client,
					.rights = *rights,
					.now = now,
					.done = done,
					.context = context};
	return rehearser;
}

size_t rehearser_count(const struct rehearser *rehearser)
{
	return rehearser->count;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void job_free(struct job *job)
{
	struct job **place = &job->rehearser->jobs;
	while (*place != job)
		place = &(*place)->next;
	*place = job->next;
	job->rehearser->count--;
	uv_close((uv_handle_t *)job->timer, on_timer_closed);
	places_release(&job->places);
	json_freep(&job->pod_spec);
	json_freep(&job->container);
	json_freep(&job->pod);
	free(job->namespace_name);
	free(job->image);
	free(job);
}

void rehearser_freep(struct rehearser **rehearser_pointer)
{
	struct rehearser *rehearser = *rehearser_pointer;
	*rehearser_pointer = NULL;
	if (rehearser == NULL)
		return;
	while (rehearser->jobs != NULL) {
		if (rehearser->jobs->request != NULL)
			request_cancel(rehearser->jobs->request);
		job_free(rehearser->jobs);
	}
	free(rehearser);
}

static uint64_t now_ms(const struct job *job)
{
	return job->rehearser->now(job->rehearser->context).mono_ms;
}

static void ask(struct job *job, const char *method, const char *name, const char *sub,
		const char *query, const char *body, response_fn done)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "pods", job->namespace_name, name, sub);
	buffer_add_str(&path, query);
	struct request_spec spec = {.method = method,
				    .path = path.data,
				    .content_type = body == NULL ? NULL : CONTENT_JSON,
				    .body = body,
				    .body_len = body == NULL ? 0 : strlen(body),
				    .accept = text_equal(sub, "log") ? "*/*" : NULL,
				    .timeout_ms = REQUEST_MS,
				    .limit = MIB(8)};
	job->request = client_send(job->rehearser->client, &spec, done, job);
}

/* ---- the end ---- */

static void on_deleted(void *context, const struct response *response)
{
	struct job *job = context;
	struct rehearser *rehearser = job->rehearser;
	struct rehearsal_of of = {.image = job->image,
				  .component = job->component,
				  .settings = job->settings[0] == '\0' ? NULL : job->settings};
	(void)response; /* its deadline and the next rehearsal remain */
	job->request = NULL;
	job->result.asked = !rehearser->rights.make_pods;
	job->result.untried = job->result.untried && rehearser->rights.make_pods;
	rehearser->done(rehearser->context, job->namespace_name, &of, &job->result,
			job->ended_ms - job->begun_ms);
	job_free(job);
}

/* The one that was found, at the port where it was found, and nothing else. */
static bool may_connect(void *context, const char *address)
{
	const struct job *job = context;
	return strcmp(address, job->places.served.address) == 0 &&
	       host_is_forbidden(address, job->rehearser->rights.api_server) == NULL;
}

static void finish(struct job *job);

static void on_version(void *context, const struct response *response)
{
	struct job *job = context;
	bool told = response->status == STATUS_OK &&
		    rehearsal_served_judge(response->body, response->body_len, &job->places.served,
					   &job->result);
	job->request = NULL;
	if (!told && !job->rehearser->rights.make_pods)
		rehearsal_fail("its running server does not tell its version", &job->result);
	job->result.untried = job->result.verdict == REHEARSAL_INCONCLUSIVE;
	finish(job);
}

static void ask_server(struct job *job)
{
	struct buffer text CLEANUP(buffer_release) = {0};
	const struct served_at *served = &job->places.served;
	bool ipv6 = strchr(served->address, ':') != NULL;
	job->asked = true;
	buffer_init(&text, KIB(4));
	struct request_spec spec = {.method = "GET",
				    .accept = "*/*",
				    .timeout_ms = REHEARSAL_VERSION_MS,
				    .limit = REHEARSAL_VERSION_BYTES};
	if (job->rehearser->rights.ask == REHEARSER_ASKS_PODS) {
		buffer_addf(&text, ipv6 ? "http://[%s]:%u%s" : "http://%s:%u%s", served->address,
			    served->port, REHEARSAL_VERSION_PATH);
		spec.url = text.data;
		spec.may_connect = may_connect;
		spec.connect_context = job;
	} else {
		buffer_addf(&text, "/api/v1/namespaces/%s/pods/%s:%u/proxy%s", job->namespace_name,
			    served->pod, served->port, REHEARSAL_VERSION_PATH);
		spec.path = text.data;
	}
	job->request = client_send(job->rehearser->client, &spec, on_version, job);
}

/* What no pod could tell, a server that runs may tell a part of. */
static void finish(struct job *job)
{
	if (job->result.untried && !job->asked && !job->stopping &&
	    job->rehearser->rights.ask != REHEARSER_ASKS_NOBODY &&
	    job->places.served.address[0] != '\0') {
		ask_server(job);
		return;
	}
	job->ended_ms = now_ms(job);
	(void)uv_timer_stop(job->timer);
	if (job->made)
		ask(job, "DELETE", job->name, NULL, "?gracePeriodSeconds=0", NULL, on_deleted);
	else
		on_deleted(job, NULL);
}

static void fail(struct job *job, const char *why)
{
	rehearsal_fail(why, &job->result);
	finish(job);
}

/* ---- waiting for the pod ---- */

static void on_log(void *context, const struct response *response)
{
	struct job *job = context;
	bool read = response->status == STATUS_OK;
	job->request = NULL;
	rehearsal_judge(job->component, job->pod, read ? response->body : NULL,
			read ? response->body_len : 0, &job->result);
	if (!read)
		rehearsal_fail(response->error.message, &job->result);
	finish(job);
}

static void judge(struct job *job)
{
	char query[64];
	if (!job->stopping && rehearsal_wants_log(job->component, job->pod)) {
		(void)snprintf(query, sizeof(query), "?container=rehearsal&limitBytes=%d",
			       (int)REHEARSAL_LOG_BYTES);
		ask(job, "GET", job->name, "log", query, NULL, on_log);
		return;
	}
	rehearsal_judge(job->component, job->pod, NULL, 0, &job->result);
	finish(job);
}

static void on_read(void *context, const struct response *response);

static void on_time(uv_timer_t *timer)
{
	struct job *job = timer->data;
	ask(job, "GET", job->name, NULL, "", NULL, on_read);
}

static void take_pod(struct job *job, const struct response *response)
{
	struct error ignored;
	cJSON *pod = NULL;
	if (response->status != STATUS_OK ||
	    json_parse(response->body, response->body_len, &pod, &ignored) != STATUS_OK)
		return;
	json_freep(&job->pod);
	job->pod = pod;
}

static void look(struct job *job)
{
	bool late = job->stopping || now_ms(job) - job->begun_ms > GIVE_UP_MS;
	if (late || rehearsal_is_over(job->pod))
		judge(job);
	else
		(void)uv_timer_start(job->timer, on_time, POLL_MS, 0);
}

static void on_read(void *context, const struct response *response)
{
	struct job *job = context;
	job->request = NULL;
	take_pod(job, response);
	if (response->status == STATUS_NOT_FOUND)
		fail(job, "somebody deleted its pod");
	else if (response->status == STATUS_DENIED)
		fail(job, response->error.message);
	else
		look(job);
}

/* ---- making it ---- */

static void on_made(void *context, const struct response *response)
{
	struct job *job = context;
	job->request = NULL;
	job->made = response->status == STATUS_OK || response->ambiguous;
	take_pod(job, response);
	if (response->status != STATUS_OK)
		fail(job, response->error.message);
	else
		look(job);
}

static void make(struct job *job)
{
	struct error err;
	cJSON *pod CLEANUP(json_freep) = NULL;
	struct rehearsal_of of = {.image = job->image,
				  .component = job->component,
				  .pod_spec = job->pod_spec,
				  .container = job->container};
	for (size_t i = 0; i < REHEARSAL_NODES; i++)
		of.nodes[i] = job->places.nodes[i];
	of.on_nodes = job->places.on_nodes;
	if (job->stopping) {
		fail(job, "it was ended before it began");
		return;
	}
	if (rehearsal_pod(&of, job->namespace_name, job->name, &pod, &err) != STATUS_OK) {
		fail(job, err.message);
		return;
	}
	char *body CLEANUP(str_freep) = json_to_string(pod);
	ask(job, "POST", NULL, NULL, "?fieldManager=" FIELD_MANAGER, body, on_made);
}

/* ---- where it is ---- */

static void on_places(void *context)
{
	struct job *job = context;
	(void)uv_timer_stop(job->timer);
	if (job->rehearser->rights.make_pods)
		make(job);
	else
		fail(job, "no vLLM of it is Ready whose own HTTP probe tells where to ask");
}

static void on_late(uv_timer_t *timer)
{
	struct job *job = timer->data;
	places_end(&job->places);
	on_places(job);
}

static void name_pod(struct job *job)
{
	uint64_t bits = 0;
	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		abort();
	(void)snprintf(job->name, sizeof(job->name), "llmd-rehearsal-%010llx",
		       (unsigned long long)(bits >> 24));
}

bool rehearser_start(struct rehearser *rehearser, const char *namespace_name,
		     const struct rehearsal_of *of)
{
	for (const struct job *job = rehearser->jobs; job != NULL; job = job->next)
		if (strcmp(job->namespace_name, namespace_name) == 0 &&
		    strcmp(job->image, of->image) == 0 && job->component == of->component)
			return true;
	if (rehearser->count >= REHEARSER_MAX)
		return false;
	struct job *job = xcalloc(1, sizeof(*job));
	*job = (struct job){.rehearser = rehearser,
			    .next = rehearser->jobs,
			    .namespace_name = xstrdup(namespace_name),
			    .image = xstrdup(of->image),
			    .component = of->component,
			    .pod_spec = of->pod_spec == NULL ? NULL : json_clone(of->pod_spec),
			    .container = of->container == NULL ? NULL : json_clone(of->container),
			    .timer = xcalloc(1, sizeof(uv_timer_t))};
	rehearser->jobs = job;
	rehearser->count++;
	job->begun_ms = now_ms(job);
	(void)snprintf(job->settings, sizeof(job->settings), "%s",
		       of->settings == NULL ? "" : of->settings);
	(void)uv_timer_init(rehearser->loop, job->timer);
	job->timer->data = job;
	name_pod(job);
	struct places_spec spec = {.client = rehearser->client,
				   .namespace_name = namespace_name,
				   .of = of,
				   .read_nodes =
				       rehearser->rights.make_pods && rehearser->rights.read_nodes,
				   .now_us = rehearser->now(rehearser->context).wall_us};
	(void)uv_timer_start(job->timer, on_late, SEARCH_MS, 0);
	places_find(&job->places, &spec, on_places, job);
	return true;
}

void rehearser_stop(struct rehearser *rehearser)
{
	for (struct job *job = rehearser->jobs; job != NULL; job = job->next) {
		job->stopping = true;
		if (job->request == NULL) /* it waits for its next look */
			(void)uv_timer_start(job->timer,
					     job->places.search != NULL ? on_late : on_time, 0, 0);
	}
}
