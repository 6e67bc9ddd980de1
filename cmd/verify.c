/* SPDX-License-Identifier: Apache-2.0 */
/* `verify`: does what is injected give spans, and do they form one trace? If not, why? */
#include "cmd/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "controller/moment.h"
#include "inject/network_policy.h"

enum {
	RECENT_TRACES = 20, /* of each service */
	RECENT_MS = 3600 * 1000,
	WAIT_MS = 30000,
	POLL_MS = 500,
	SETTLED_MS = 6000, /* exporters send every 5 s: spans of one trace come in pieces */
	FRESH_US = 120 * 1000000,
	OTLP_PORT = 4317,
	NOTES_MAX = 20,
};

struct verifying {
	const struct options *options;
	struct online *online;
	struct inventory inventory;
	struct back_end back_end;
	struct verify_report report;
};

void verify_report_release(struct verify_report *report)
{
	trace_findings_release(&report->findings);
	trace_verdict_release(&report->verdict);
	sightings_release(&report->sightings);
	sightings_release(&report->earlier);
	served_release(&report->served);
	probe_release(&report->probe);
	lineup_release(&report->lineup);
	json_freep(&report->notes);
}

static void verifying_release(struct verifying *v)
{
	verify_report_release(&v->report);
	inventory_release(&v->inventory);
}

static void add_note(struct verifying *v, char *text)
{
	if (cJSON_GetArraySize(v->report.notes) < NOTES_MAX)
		(void)cJSON_AddItemToArray(v->report.notes, cJSON_CreateString(text));
	free(text);
}

/* ---- what stands around ---- */

static int64_t wall_us(void)
{
	struct timespec at = {0};
	(void)clock_gettime(CLOCK_REALTIME, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void note_namespace(struct verifying *v)
{
	const char *name = v->report.namespace_name;
	const struct object *object = store_get(v->inventory.store, RESOURCE_NAMESPACE, "", name);
	cJSON *tree CLEANUP(json_freep) = object == NULL ? NULL : object_parse(object);
	const cJSON *annotations = json_get(tree, "metadata.annotations");
	const cJSON *value = json_member(annotations, ANNOTATION_ENABLED);
	if (v->inventory.access[RESOURCE_TRACING] == ACCESS_ABSENT)
		add_note(v, xstrdup("the CRD tracings." TRACING_GROUP " is not installed: is the "
				    "operator?"));
	if (tree != NULL && (!cJSON_IsString(value) || strcmp(value->valuestring, "true") != 0))
		add_note(v, xasprintf("the namespace is not annotated with " ANNOTATION_ENABLED
				      "=true"));
	if (v->inventory.denied.status != STATUS_OK)
		add_note(v, xasprintf("not everything could be looked at: %s",
				      v->inventory.denied.message));
	const cJSON *workload = NULL;
	cJSON_ArrayForEach(workload, v->report.lineup.waiting)
	{
		add_note(v, xasprintf("%s: its rollout is not through, so pods from before the "
				      "injection may still serve",
				      workload->valuestring));
	}
}

static void note_waiting_containers(struct verifying *v, const cJSON *pod, const char *list)
{
	const cJSON *status = NULL;
	cJSON_ArrayForEach(status, json_get(pod, list))
	{
		const char *reason = json_str(status, "state.waiting.reason");
		if (reason == NULL || strcmp(reason, "ContainerCreating") == 0 ||
		    strcmp(reason, "PodInitializing") == 0)
			continue;
		add_note(v, xasprintf("Pod %s, container %s: %s", json_str(pod, "metadata.name"),
				      json_str(status, "name"), reason));
	}
}

static void on_pod(void *context, const char *json, size_t len)
{
	struct error ignored;
	cJSON *pod CLEANUP(json_freep) = NULL;
	if (json_parse(json, len, &pod, &ignored) != STATUS_OK)
		return;
	note_waiting_containers(context, pod, "status.initContainerStatuses");
	note_waiting_containers(context, pod, "status.containerStatuses");
}

static void on_policy(void *context, const char *json, size_t len)
{
	struct error ignored;
	cJSON *policy = NULL;
	if (json_parse(json, len, &policy, &ignored) == STATUS_OK)
		(void)cJSON_AddItemToArray(context, policy);
}

/* Who may not list these sees less, and no error. */
static enum status list_also(struct verifying *v, const char *api_version, const char *plural,
			     online_item_fn on_item, void *context, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, api_version, plural, v->report.namespace_name, NULL, NULL);
	enum status status = online_list(v->online, path.data, NULL, on_item, context, err);
	return status == STATUS_DENIED || status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void find_policy(struct verifying *v, const cJSON *policies)
{
	cJSON *collector CLEANUP(json_freep) = cJSON_CreateObject();
	const cJSON *labels = NULL;
	json_set_str(collector, "app", "otel-collector");
	cJSON_ArrayForEach(labels, v->report.lineup.labels)
	{
		const char *name =
		    network_policy_in_the_way(policies, labels, collector, OTLP_PORT);
		if (name != NULL && v->report.observation.network_policy == NULL)
			v->report.observation.network_policy = name;
	}
}

/* What the back end knew may be gone. */
static bool is_backend_fresh(const struct verifying *v)
{
	const struct object *object =
	    store_get(v->inventory.store, RESOURCE_DEPLOYMENT, v->report.namespace_name, "jaeger");
	cJSON *tree CLEANUP(json_freep) = object == NULL ? NULL : object_parse(object);
	const cJSON *available = object_condition(tree, "Available");
	return available != NULL && moment_parse(json_str(available, "lastTransitionTime"), 0) >
					v->report.now_us - FRESH_US;
}

static bool is_collector_ours(const struct verifying *v)
{
	const struct object *object = store_get(v->inventory.store, RESOURCE_SERVICE,
						v->report.namespace_name, "otel-collector");
	cJSON *tree CLEANUP(json_freep) = object == NULL ? NULL : object_parse(object);
	return tree != NULL && object_is_applied(tree);
}

/*
 * A collector of our own takes plaintext; another one takes what its address says. Nobody has tried
 * to reach it.
 */
static enum trace_answer is_tls_expected(const struct verifying *v)
{
	const char *endpoint = v->report.lineup.settings.collector_endpoint;
	if (is_collector_ours(v))
		return ANSWER_NO;
	return endpoint != NULL && text_has_prefix(endpoint, "https://") ? ANSWER_YES
									 : ANSWER_UNKNOWN;
}

/* ---- spans ---- */

/*
 * What earlier requests showed counts for hops that this one need not have passed. When our
 * own trace has a gap it does not: that a service was heard once explains nothing then.
 */
static void judge(struct verifying *v)
{
	struct verify_report *report = &v->report;
	struct sightings *sightings = &report->sightings;
	struct trace_observation *seen = &report->observation;
	bool sent = report->probe.url != NULL;
	bool served = sent && report->probe.trouble == NULL;
	struct trace_counters own;
	trace_findings_release(&report->findings);
	trace_verdict_release(&report->verdict);
	seen->trace = sightings->has_services ? &sightings->trace : NULL;
	seen->services = sightings->has_services ? &sightings->services : NULL;
	seen->counters = sightings->has_counters ? &sightings->counters : NULL;
	seen->traffic = trace_traffic(&report->lineup.hops, &report->served.counters);
	seen->sent_trace = served ? report->probe.trace : NULL;
	trace_verdict(&report->lineup.hops, seen, &report->verdict);
	if (sent && report->verdict.connected == ANSWER_NO) {
		own = sightings->counters;
		own.call_count = 0;
		seen->services = NULL;
		seen->counters = sightings->has_counters ? &own : NULL;
		trace_verdict_release(&report->verdict);
		trace_verdict(&report->lineup.hops, seen, &report->verdict);
	}
	trace_diagnose(&report->lineup.hops, seen, &report->verdict, &report->findings);
	seen->counters = NULL; /* `own` ends here */
}

/* Every service that is expected has a span in the trace. */
static bool is_complete(const struct verify_report *report)
{
	const struct trace *trace = &report->sightings.trace;
	for (size_t i = 0; i < report->lineup.hops.count; i++) {
		const struct trace_hop *hop = &report->lineup.hops.items[i];
		bool seen = !hop->on || hop->service == NULL;
		for (size_t k = 0; k < trace->count && !seen; k++)
			seen = strcmp(trace->spans[k].service, hop->service) == 0;
		if (!seen)
			return false;
	}
	return trace->count > 0;
}

/*
 * Until the trace is complete, or holds every kind of component and has not grown for a
 * while, or the time is over. Nothing but its last state counts.
 */
static enum status wait_for_trace(struct verifying *v, struct error *err)
{
	struct verify_report *report = &v->report;
	uint64_t limit = v->options->timeout_ms > 0 ? v->options->timeout_ms : WAIT_MS;
	uint64_t begin = uv_hrtime() / 1000000U;
	uint64_t grown = begin;
	size_t spans = 0;
	for (;;) {
		uint64_t now = uv_hrtime() / 1000000U;
		enum status status = sightings_ask_trace(
		    v->online, &v->back_end, report->probe.trace, &report->sightings, err);
		if (status != STATUS_OK)
			return status;
		if (report->sightings.trace.count != spans) {
			spans = report->sightings.trace.count;
			grown = now;
		}
		judge(v);
		bool settled = report->verdict.connected == ANSWER_YES && now - grown >= SETTLED_MS;
		if (is_complete(report) || settled || now - begin >= limit)
			return STATUS_OK;
		if (!online_sleep(v->online, POLL_MS))
			return online_interrupted(err);
	}
}

/* What is known before our own request goes out. */
static enum status look_before(struct verifying *v, struct error *err)
{
	struct verify_report *report = &v->report;
	const char *name = report->namespace_name;
	enum status status = served_ask(v->online, &v->inventory, name, &report->served, err);
	if (status == STATUS_OK && report->queryable)
		status = sightings_ask_services(v->online, &v->back_end, &report->earlier, err);
	return status == STATUS_OK ? sightings_ask_collector(v->online, name, &report->earlier, err)
				   : status;
}

/*
 * Did requests of others leave spans? Asked when our own has arrived, since exporters keep the order; the
 * names and counters are from before it.
 */
static enum status look_for_others(struct verifying *v, struct error *err)
{
	struct verify_report *report = &v->report;
	struct sightings *earlier = &report->earlier;
	struct trace_verdict verdict;
	enum status status = sightings_ask_recent(v->online, &v->back_end, &report->lineup.hops,
						  RECENT_TRACES, RECENT_MS, earlier, err);
	if (status != STATUS_OK)
		return status;
	trace_drop(&earlier->trace, report->probe.trace);
	struct trace_observation seen = {.trace = &earlier->trace,
					 .services = &earlier->services,
					 .counters = &earlier->counters};
	trace_verdict(&report->lineup.hops, &seen, &verdict);
	report->observation.sent_alone = !verdict.requests;
	trace_verdict_release(&verdict);
	return STATUS_OK;
}

static enum status look_at_spans(struct verifying *v, struct error *err)
{
	struct verify_report *report = &v->report;
	const char *name = report->namespace_name;
	struct sightings *sightings = &report->sightings;
	enum status status = STATUS_OK;
	if (v->options->send != NULL)
		status = look_before(v, err);
	if (status == STATUS_OK && report->queryable)
		status = sightings_ask_services(v->online, &v->back_end, sightings, err);
	if (status == STATUS_OK && v->options->send != NULL)
		status =
		    probe_send(v->online, v->options->send, v->options->model, &report->probe, err);
	if (status == STATUS_OK && sightings->has_services && v->options->send != NULL) {
		status = wait_for_trace(v, err);
		if (status == STATUS_OK) /* names that came with it */
			status = sightings_ask_services(v->online, &v->back_end, sightings, err);
		if (status == STATUS_OK && report->earlier.has_services)
			status = look_for_others(v, err);
	} else if (status == STATUS_OK && sightings->has_services) {
		status = sightings_ask_recent(v->online, &v->back_end, &report->lineup.hops,
					      RECENT_TRACES, RECENT_MS, sightings, err);
	}
	if (status == STATUS_OK)
		status = sightings_ask_collector(v->online, name, sightings, err);
	return status;
}

static void note_backend(struct verifying *v)
{
	const struct verify_report *report = &v->report;
	if (!report->queryable)
		add_note(v, xstrdup("BackendNotQueryable: spans go to another back end than a "
				    "Jaeger of this namespace; look for the trace there, or say "
				    "spec.backend.otlp.query"));
	else if (report->sightings.trouble != NULL)
		add_note(v, xstrdup(report->sightings.trouble));
	if (report->served.trouble != NULL && report->observation.traffic == ANSWER_UNKNOWN)
		add_note(v, xasprintf("whether requests are served could not be asked: %s",
				      report->served.trouble));
	if (report->sightings.trace.cut)
		add_note(v, xasprintf("only %d spans were looked at", (int)LIMIT_TRACE_SPANS));
}

/* ---- the command ---- */

static enum status find_out(struct verifying *v, const cJSON *policies, struct error *err)
{
	struct verify_report *report = &v->report;
	const char *name = report->namespace_name;
	enum status status = inventory_read(v->online, name, INVENTORY_ALL, &v->inventory, err);
	if (status == STATUS_OK)
		status = lineup_read(v->online, &v->inventory, name, &report->lineup, err);
	if (status != STATUS_OK)
		return status;
	report->now_us = wall_us();
	note_namespace(v);
	status = list_also(v, "v1", "pods", on_pod, v, err);
	if (status != STATUS_OK)
		return status;
	find_policy(v, policies);
	report->queryable = back_end_find(&report->lineup.settings, name, &v->back_end);
	report->observation.tls = is_tls_expected(v);
	report->observation.backend_fresh = is_backend_fresh(v);
	status = look_at_spans(v, err);
	if (status != STATUS_OK)
		return status;
	report->now_us = wall_us();
	judge(v);
	if (v->options->send == NULL && !report->verdict.requests) {
		status = served_ask(v->online, &v->inventory, name, &report->served, err);
		judge(v);
	}
	note_backend(v);
	return status;
}

static enum status show(const struct verifying *v, struct error *err)
{
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	if (v->options->output == OUTPUT_JSON) {
		cJSON *tree CLEANUP(json_freep) = verify_show_json(&v->report);
		json_print_pretty(tree, &out);
		buffer_add_char(&out, '\n');
	} else {
		verify_show_text(&v->report, &out);
	}
	return emit_flush(&out, err);
}

int command_verify(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct verifying v CLEANUP(verifying_release) = {
	    .options = options, .online = &online, .report = {.notes = cJSON_CreateArray()}};
	cJSON *policies CLEANUP(json_freep) = cJSON_CreateArray();
	enum status status = STATUS_OK;
	if (options->model != NULL && options->send == NULL)
		status = error_set(&err, STATUS_INVALID, "verify: --model goes with --send");
	else if (options->send != NULL)
		status = probe_check_url(options->send, &err);
	if (status == STATUS_OK)
		status = online_open(&online, options, &err);
	if (status == STATUS_OK) {
		v.report.namespace_name = online_namespace(&online, options);
		status = list_also(&v, "networking.k8s.io/v1", "networkpolicies", on_policy,
				   policies, &err);
	}
	if (status == STATUS_OK)
		status = find_out(&v, policies, &err);
	if (status == STATUS_OK)
		status = show(&v, &err);
	if (status != STATUS_OK) {
		int code = report(status, &err);
		return online.interrupted ? EXIT_INTERRUPTED : code;
	}
	return strcmp(verify_result(&v.report), "Connected") == 0 ? 0 : EXIT_DIFFERENT;
}
