/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sightings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "inject/trace_answer.h"

enum {
	ASK_MS = 10000,
	COUNTERS_PORT = 8888,
	CALLS_PORT = 8889,
	QUERY_PORT = 16686,
};

#define COLLECTOR "otel-collector"
#define JAEGER    "jaeger-collector"

void sightings_release(struct sightings *sightings)
{
	trace_release(&sightings->trace);
	trace_names_release(&sightings->services);
	trace_counters_release(&sightings->counters);
	free(sightings->trouble);
	*sightings = (struct sightings){.trouble = NULL};
}

static void note_trouble(struct sightings *sightings, const char *text)
{
	if (sightings->trouble == NULL)
		sightings->trouble = xstrdup(text);
}

/* *ret_there: whether there is an answer to look at. */
static enum status ask(struct online *online, const char *namespace_name, const char *service,
		       int port, const char *path, struct sightings *sightings,
		       struct answer *ret_answer, bool *ret_there, struct error *err)
{
	struct buffer full CLEANUP(buffer_release) = {0};
	buffer_init(&full, KIB(8));
	buffer_add_str(&full, "/api/v1/namespaces/");
	path_add_escaped(&full, namespace_name);
	buffer_addf(&full, "/services/http:%s:%d/proxy%s", service, port, path);
	struct request_spec spec = {.method = "GET",
				    .path = full.data,
				    .accept = "application/json, text/plain",
				    .timeout_ms = ASK_MS};
	enum status status = online_request(online, &spec, ret_answer, err);
	if (status != STATUS_OK)
		return status;
	/* Jaeger says 404 for a trace that it does not know, in a body of its own */
	*ret_there = ret_answer->status == STATUS_OK;
	/* what stands before Jaeger, a mesh or a proxy, may refuse too: that is no matter of rights here */
	if (ret_answer->status == STATUS_DENIED && ret_answer->reason[0] != '\0') {
		*err = ret_answer->error;
		return STATUS_DENIED;
	}
	if (!*ret_there && ret_answer->status != STATUS_NOT_FOUND)
		note_trouble(sightings, ret_answer->error.message);
	return STATUS_OK;
}

enum status sightings_ask_collector(struct online *online, const char *namespace_name,
				    struct sightings *sightings, struct error *err)
{
	static const int ports[] = {COUNTERS_PORT, CALLS_PORT};
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct answer answer CLEANUP(answer_release) = {0};
		bool there = false;
		enum status status = ask(online, namespace_name, COLLECTOR, ports[i], "/metrics",
					 sightings, &answer, &there, err);
		if (status != STATUS_OK)
			return status;
		if (!there)
			continue;
		trace_counters_read(answer.body.data, answer.body.len, &sightings->counters);
		sightings->has_counters = true;
	}
	return STATUS_OK;
}

enum status sightings_ask_services(struct online *online, const char *namespace_name,
				   struct sightings *sightings, struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	bool there = false;
	trace_names_release(&sightings->services);
	enum status status = ask(online, namespace_name, JAEGER, QUERY_PORT, "/api/services",
				 sightings, &answer, &there, err);
	if (status != STATUS_OK)
		return status;
	if (!there) {
		note_trouble(sightings, answer.error.message);
		return STATUS_OK;
	}
	struct error wrong;
	sightings->has_services = jaeger_read_names(answer.body.data, answer.body.len,
						    &sightings->services, &wrong) == STATUS_OK;
	if (!sightings->has_services)
		note_trouble(sightings, wrong.message);
	return STATUS_OK;
}

static enum status ask_traces(struct online *online, const char *namespace_name, const char *path,
			      struct sightings *sightings, struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	struct trace more = {.spans = NULL};
	struct error wrong = {0};
	bool there = false;
	enum status status =
	    ask(online, namespace_name, JAEGER, QUERY_PORT, path, sightings, &answer, &there, err);
	if (status != STATUS_OK || !there)
		return status;
	if (jaeger_read_traces(answer.body.data, answer.body.len, &more, &wrong) == STATUS_OK)
		trace_take(&sightings->trace, &more);
	else if (wrong.status != STATUS_NOT_FOUND)
		note_trouble(sightings, wrong.message);
	trace_release(&more);
	return STATUS_OK;
}

/* Two services of one trace bring it twice. */
static void drop_repetitions(struct trace *trace, size_t before)
{
	size_t kept = before;
	for (size_t i = before; i < trace->count; i++) {
		bool known = false;
		for (size_t k = 0; k < before && !known; k++)
			known = strcmp(trace->spans[k].trace, trace->spans[i].trace) == 0;
		if (known) {
			free(trace->spans[i].service);
			free(trace->spans[i].operation);
			free(trace->spans[i].pod);
		} else {
			trace->spans[kept++] = trace->spans[i];
		}
	}
	trace->count = kept;
}

static enum status ask_service(struct online *online, const char *namespace_name,
			       const char *service, size_t limit, uint64_t since_ms,
			       struct sightings *sightings, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	size_t before = sightings->trace.count;
	int64_t now_us = (int64_t)time(NULL) * 1000000;
	buffer_init(&path, KIB(4));
	buffer_add_str(&path, "/api/traces?service=");
	path_add_escaped(&path, service);
	buffer_addf(&path, "&limit=%zu&start=%" PRId64 "&end=%" PRId64, limit,
		    now_us - (int64_t)since_ms * 1000, now_us + 60 * (int64_t)1000000);
	enum status status = ask_traces(online, namespace_name, path.data, sightings, err);
	drop_repetitions(&sightings->trace, before);
	return status;
}

enum status sightings_ask_recent(struct online *online, const char *namespace_name,
				 const struct trace_hops *hops, size_t limit, uint64_t since_ms,
				 struct sightings *sightings, struct error *err)
{
	struct trace_names wanted = {.items = NULL};
	enum status status = STATUS_OK;
	for (size_t i = 0; i < hops->count; i++)
		if (hops->items[i].service != NULL &&
		    trace_names_has(&sightings->services, hops->items[i].service))
			trace_names_add(&wanted, hops->items[i].service);
	/* spans without a name tell that a name is missing */
	for (size_t i = 0; i < sightings->services.count; i++)
		if (trace_is_unnamed(sightings->services.items[i]))
			trace_names_add(&wanted, sightings->services.items[i]);
	for (size_t i = 0; i < wanted.count && status == STATUS_OK; i++)
		status = ask_service(online, namespace_name, wanted.items[i], limit, since_ms,
				     sightings, err);
	trace_names_release(&wanted);
	return status;
}

enum status sightings_ask_trace(struct online *online, const char *namespace_name, const char *id,
				struct sightings *sightings, struct error *err)
{
	char *path CLEANUP(str_freep) = xasprintf("/api/traces/%s", id);
	trace_release(&sightings->trace);
	return ask_traces(online, namespace_name, path, sightings, err);
}
