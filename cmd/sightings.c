/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sightings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"

enum {
	ASK_MS = 10000,
	COUNTERS_PORT = 8888,
	CALLS_PORT = 8889,
	QUERY_PORT = 16686,
	IDS_MAX = 100,
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

bool back_end_find(const struct settings *settings, const char *namespace_name,
		   struct back_end *ret_back_end)
{
	bool otlp = settings->backend == BACKEND_OTLP;
	*ret_back_end = (struct back_end){.namespace_name = namespace_name};
	if (!otlp)
		return true;
	ret_back_end->type = settings->otlp_query.type;
	ret_back_end->url = settings->otlp_query.endpoint;
	ret_back_end->tenant = settings->otlp_tenant;
	return ret_back_end->url != NULL;
}

/* *ret_there: whether there is an answer to look at. */
static enum status ask(struct online *online, struct request_spec *spec,
		       struct sightings *sightings, struct answer *ret_answer, bool *ret_there,
		       struct error *err)
{
	spec->method = "GET";
	spec->accept = "application/json, text/plain";
	spec->timeout_ms = ASK_MS;
	enum status status = online_request(online, spec, ret_answer, err);
	if (status != STATUS_OK)
		return status;
	/* a trace that is not known is a 404 in a body of its own */
	*ret_there = ret_answer->status == STATUS_OK;
	/* what stands before Jaeger, a mesh or a proxy, may refuse too: that is no matter of rights here */
	if (ret_answer->status == STATUS_DENIED && spec->url == NULL &&
	    ret_answer->reason[0] != '\0') {
		*err = ret_answer->error;
		return STATUS_DENIED;
	}
	if (!*ret_there && ret_answer->status != STATUS_NOT_FOUND)
		note_trouble(sightings, ret_answer->error.message);
	return STATUS_OK;
}

static void add_service(struct buffer *path, const char *namespace_name, const char *service,
			int port)
{
	buffer_add_str(path, "/api/v1/namespaces/");
	path_add_escaped(path, namespace_name);
	buffer_addf(path, "/services/http:%s:%d/proxy", service, port);
}

/* A question to the back end, by the way that leads there. */
static enum status query(struct online *online, const struct back_end *back_end, const char *path,
			 struct sightings *sightings, struct answer *ret_answer, bool *ret_there,
			 struct error *err)
{
	struct buffer full CLEANUP(buffer_release) = {0};
	struct buffer proxied CLEANUP(buffer_release) = {0};
	char *tenant CLEANUP(str_freep) =
	    back_end->tenant == NULL ? NULL : xasprintf("X-Scope-OrgID: %s", back_end->tenant);
	struct request_spec spec = {.headers = (const char *const[]){tenant, NULL}};
	buffer_init(&full, KIB(8));
	buffer_init(&proxied, KIB(8));
	if (back_end->url == NULL) {
		add_service(&full, back_end->namespace_name, JAEGER, QUERY_PORT);
	} else {
		size_t len = strlen(back_end->url);
		buffer_add(&full, back_end->url, back_end->url[len - 1] == '/' ? len - 1 : len);
	}
	buffer_add_str(&full, path);
	spec.path = full.data;
	if (back_end->url != NULL && trace_query_proxied(full.data, &proxied))
		spec.path = proxied.data;
	else if (back_end->url != NULL)
		spec.url = full.data;
	return ask(online, &spec, sightings, ret_answer, ret_there, err);
}

enum status sightings_ask_collector(struct online *online, const char *namespace_name,
				    struct sightings *sightings, struct error *err)
{
	static const int ports[] = {COUNTERS_PORT, CALLS_PORT};
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct answer answer CLEANUP(answer_release) = {0};
		bool there = false;
		struct buffer path CLEANUP(buffer_release) = {0};
		buffer_init(&path, KIB(8));
		add_service(&path, namespace_name, COLLECTOR, ports[i]);
		buffer_add_str(&path, "/metrics");
		struct request_spec spec = {.path = path.data};
		enum status status = ask(online, &spec, sightings, &answer, &there, err);
		if (status != STATUS_OK)
			return status;
		if (!there)
			continue;
		trace_counters_read(answer.body.data, answer.body.len, &sightings->counters);
		sightings->has_counters = true;
	}
	return STATUS_OK;
}

enum status sightings_ask_services(struct online *online, const struct back_end *back_end,
				   struct sightings *sightings, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	bool there = false;
	buffer_init(&path, KIB(1));
	trace_query_names(back_end->type, &path);
	enum status status = query(online, back_end, path.data, sightings, &answer, &there, err);
	if (status != STATUS_OK)
		return status;
	if (!there) {
		note_trouble(sightings, answer.error.message);
		return STATUS_OK;
	}
	struct error wrong;
	struct trace_names names = {.items = NULL};
	if (trace_query_read_names(back_end->type, answer.body.data, answer.body.len, &names,
				   &wrong) == STATUS_OK) {
		trace_names_release(&sightings->services);
		sightings->services = names;
		sightings->has_services = true;
	} else {
		trace_names_release(&names);
		note_trouble(sightings, wrong.message);
	}
	return STATUS_OK;
}

/* A search when `ids` is there, else one trace. */
static enum status ask_traces(struct online *online, const struct back_end *back_end,
			      const char *path, struct trace_names *ids,
			      struct sightings *sightings, struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	struct trace more = {.spans = NULL};
	struct error wrong = {0};
	bool there = false;
	enum status status = query(online, back_end, path, sightings, &answer, &there, err);
	if (status != STATUS_OK || !there)
		return status;
	enum status read = ids == NULL
			       ? trace_query_read_trace(back_end->type, answer.body.data,
							answer.body.len, &more, &wrong)
			       : trace_query_read_search(back_end->type, answer.body.data,
							 answer.body.len, &more, ids, &wrong);
	if (read == STATUS_OK)
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

static enum status ask_service(struct online *online, const struct back_end *back_end,
			       const struct trace_search *search, struct trace_names *ids,
			       struct sightings *sightings, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	size_t before = sightings->trace.count;
	buffer_init(&path, KIB(4));
	trace_query_search(back_end->type, search, &path);
	enum status status = ask_traces(online, back_end, path.data, ids, sightings, err);
	drop_repetitions(&sightings->trace, before);
	return status;
}

/* What came as ids only, one by one. */
static enum status ask_each(struct online *online, const struct back_end *back_end,
			    const struct trace_names *ids, struct sightings *sightings,
			    struct error *err)
{
	enum status status = STATUS_OK;
	for (size_t i = 0; i < ids->count && i < IDS_MAX && status == STATUS_OK; i++) {
		struct buffer path CLEANUP(buffer_release) = {0};
		buffer_init(&path, KIB(1));
		trace_query_trace(back_end->type, ids->items[i], &path);
		status = ask_traces(online, back_end, path.data, NULL, sightings, err);
	}
	return status;
}

enum status sightings_ask_recent(struct online *online, const struct back_end *back_end,
				 const struct trace_hops *hops, size_t limit, uint64_t since_ms,
				 struct sightings *sightings, struct error *err)
{
	struct trace_names wanted = {.items = NULL};
	struct trace_names ids = {.items = NULL};
	enum status status = STATUS_OK;
	int64_t now_us = (int64_t)time(NULL) * 1000000;
	struct trace_search search = {.limit = limit,
				      .start_us = now_us - (int64_t)since_ms * 1000,
				      .end_us = now_us + 60 * (int64_t)1000000};
	for (size_t i = 0; i < hops->count; i++)
		if (hops->items[i].service != NULL &&
		    trace_names_has(&sightings->services, hops->items[i].service))
			trace_names_add(&wanted, hops->items[i].service);
	/* spans without a name tell that a name is missing */
	for (size_t i = 0; i < sightings->services.count; i++)
		if (trace_is_unnamed(sightings->services.items[i]))
			trace_names_add(&wanted, sightings->services.items[i]);
	for (size_t i = 0; i < wanted.count && status == STATUS_OK; i++) {
		search.service = wanted.items[i];
		status = ask_service(online, back_end, &search, &ids, sightings, err);
	}
	if (status == STATUS_OK)
		status = ask_each(online, back_end, &ids, sightings, err);
	trace_names_release(&wanted);
	trace_names_release(&ids);
	return status;
}

enum status sightings_ask_trace(struct online *online, const struct back_end *back_end,
				const char *id, struct sightings *sightings, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	buffer_init(&path, KIB(1));
	struct trace before = sightings->trace;
	trace_query_trace(back_end->type, id, &path);
	sightings->trace = (struct trace){.spans = NULL};
	enum status status = ask_traces(online, back_end, path.data, NULL, sightings, err);
	if (sightings->trace.count == 0) { /* no answer takes back what an earlier one showed */
		trace_release(&sightings->trace);
		sightings->trace = before;
	} else {
		trace_release(&before);
	}
	return status;
}
