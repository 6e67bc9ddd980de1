/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/verify.h"
#include "controller/moment.h"
#include "inject/trace_tree.h"

enum { TEXT_MAX = 400 };

static const char *const answers[] = {
    [ANSWER_UNKNOWN] = "Unknown", [ANSWER_NO] = "False", [ANSWER_YES] = "True"};

static const char *or_dash(const char *text)
{
	return text == NULL || *text == '\0' ? "-" : text;
}

const char *verify_result(const struct verify_report *report)
{
	const struct trace_verdict *verdict = &report->verdict;
	if (verdict->received == ANSWER_YES && verdict->connected == ANSWER_YES)
		return "Connected";
	if (verdict->expected > 0 && verdict->received != ANSWER_NO &&
	    verdict->connected == ANSWER_UNKNOWN)
		return "Unknown";
	return "Incomplete";
}

/* One sentence that says the same as the result. */
static void conclude(const struct verify_report *report, char *text, size_t size)
{
	const struct trace_verdict *verdict = &report->verdict;
	char parts[TEXT_MAX];
	trace_parts_text(verdict->parts_seen, parts, sizeof(parts));
	if (report->lineup.hops.count == 0)
		(void)snprintf(text, size, "there is no component of llm-d in this namespace");
	else if (verdict->expected == 0)
		(void)snprintf(text, size, "tracing is on in no container");
	else if (verdict->connected == ANSWER_YES && verdict->received == ANSWER_YES)
		(void)snprintf(text, size, "one trace holds %s", parts);
	else if (verdict->connected == ANSWER_UNKNOWN)
		(void)snprintf(text, size,
			       "spans of %zu of %zu traced containers have arrived; whether they "
			       "form one trace cannot be asked",
			       verdict->seen, verdict->expected);
	else
		(void)snprintf(text, size,
			       "spans of %zu of %zu traced containers have arrived; the best "
			       "trace holds %s",
			       verdict->seen, verdict->expected,
			       parts[0] == '\0' ? "none of them" : parts);
}

/* ---- text ---- */

static void age_text(int64_t last_us, int64_t now_us, char *text, size_t size)
{
	int64_t seconds = last_us >= now_us ? 0 : (now_us - last_us) / 1000000;
	if (last_us == 0)
		(void)snprintf(text, size, "-");
	else if (seconds < 120)
		(void)snprintf(text, size, "%" PRId64 "s ago", seconds);
	else if (seconds < 7200)
		(void)snprintf(text, size, "%" PRId64 "m ago", seconds / 60);
	else
		(void)snprintf(text, size, "%" PRId64 "h ago", seconds / 3600);
}

static void show_hop(const struct verify_report *report, size_t index, struct buffer *out)
{
	const struct trace_hop *hop = &report->lineup.hops.items[index];
	const struct trace_sighting *sighting = &report->verdict.hops[index];
	char age[32];
	char spans[32] = "-";
	age_text(sighting->last_us, report->now_us, age, sizeof(age));
	if (sighting->spans > 0)
		(void)snprintf(spans, sizeof(spans), "%zu", sighting->spans);
	else if (sighting->seen)
		(void)snprintf(spans, sizeof(spans), "yes");
	buffer_addf(out, "%-36s %-18s %-14s %-26s %-7s %-6s %s\n", hop->workload, hop->container,
		    component_name(hop->component), or_dash(hop->service), hop->on ? "yes" : "no",
		    spans, age);
}

static void show_operations(const struct verify_report *report, struct buffer *out)
{
	const struct trace_verdict *verdict = &report->verdict;
	char seen[TEXT_MAX];
	char missing[TEXT_MAX];
	trace_groups_text(verdict->groups_seen, seen, sizeof(seen));
	trace_groups_text(verdict->groups_expected & ~verdict->groups_seen, missing,
			  sizeof(missing));
	buffer_addf(out, "\noperations seen: %s\noperations missing: %s\n", or_dash(seen),
		    or_dash(missing));
}

static void show_probe(const struct verify_report *report, struct buffer *out)
{
	const struct probe *probe = &report->probe;
	if (probe->url == NULL)
		return;
	buffer_addf(out, "\nrequest: POST %s, model %s: %ld in %" PRIu64 " ms\n", probe->url,
		    probe->model, probe->http_code, probe->took_ms);
	if (probe->trouble != NULL)
		buffer_addf(out, "  %s\n", probe->trouble);
}

static void show_trace(const struct verify_report *report, struct buffer *out)
{
	bool sent = report->probe.url != NULL;
	const char *id = sent ? report->probe.trace : report->verdict.trace;
	if (*id == '\0')
		return;
	buffer_addf(out, "\ntrace %s (%s)\n", id, sent ? "sent now" : "the most complete one");
	size_t before = out->len;
	trace_tree_print(&report->sightings.trace, id, out);
	if (out->len == before)
		buffer_add_str(out, "no span of it has arrived\n");
}

static void show_findings(const struct verify_report *report, struct buffer *out)
{
	for (size_t i = 0; i < report->findings.count; i++) {
		const struct trace_finding *finding = &report->findings.items[i];
		const struct symptom_info *info = symptom_info(finding->symptom);
		buffer_addf(out, "- %s: %s\n  what to do: %s\n", info->word, finding->text,
			    info->advice);
	}
	const cJSON *note = NULL;
	cJSON_ArrayForEach(note, report->notes)
	{
		buffer_addf(out, "- note: %s\n", note->valuestring);
	}
}

void verify_show_text(const struct verify_report *report, struct buffer *out)
{
	char sentence[TEXT_MAX * 2];
	const struct trace_hops *hops = &report->lineup.hops;
	if (hops->count > 0)
		buffer_addf(out, "%-36s %-18s %-14s %-26s %-7s %-6s %s\n", "WORKLOAD", "CONTAINER",
			    "COMPONENT", "SERVICE", "TRACED", "SPANS", "LAST");
	for (size_t i = 0; i < hops->count; i++)
		show_hop(report, i, out);
	if (hops->count > 0)
		show_operations(report, out);
	show_probe(report, out);
	show_trace(report, out);
	conclude(report, sentence, sizeof(sentence));
	buffer_addf(out, "\n%s: %s\n", verify_result(report), sentence);
	show_findings(report, out);
}

/* ---- JSON ---- */

static void set_text(cJSON *object, const char *key, const char *text)
{
	if (text != NULL)
		json_set_str(object, key, text);
	else
		json_set(object, key, cJSON_CreateNull());
}

static void set_time(cJSON *object, const char *key, int64_t at_us)
{
	char text[MOMENT_TEXT_MAX];
	moment_format_micro(at_us, text);
	set_text(object, key, at_us == 0 ? NULL : text);
}

static cJSON *hop_row(const struct verify_report *report, size_t index)
{
	const struct trace_hop *hop = &report->lineup.hops.items[index];
	const struct trace_sighting *sighting = &report->verdict.hops[index];
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "workload", hop->workload);
	json_set_str(row, "container", hop->container);
	json_set_str(row, "component", component_name(hop->component));
	json_set_str(row, "image", hop->image);
	set_text(row, "service", hop->service);
	json_set_bool(row, "traced", hop->on);
	json_set_str(row, "reason", reason_info(hop->reason)->word);
	json_set_bool(row, "seen", sighting->seen);
	json_set_int(row, "spans", (long)sighting->spans);
	set_time(row, "lastSpan", sighting->last_us);
	return row;
}

static cJSON *group_list(unsigned groups)
{
	cJSON *list = cJSON_CreateArray();
	for (unsigned i = 0; i < GROUP_COUNT; i++)
		if ((groups & 1U << i) != 0)
			(void)cJSON_AddItemToArray(
			    list, cJSON_CreateString(trace_group_title((enum trace_group)i)));
	return list;
}

static cJSON *span_row(const struct span *span)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "id", span->id);
	json_set_str(row, "parent", span->parent);
	json_set_str(row, "service", span->service);
	json_set_str(row, "operation", span->operation);
	set_text(row, "pod", span->pod);
	set_time(row, "start", span->start_us);
	json_set_int(row, "durationUs", (long)span->duration_us);
	json_set_bool(row, "failed", span->failed);
	return row;
}

static cJSON *trace_tree(const struct verify_report *report)
{
	bool sent = report->probe.url != NULL;
	const char *id = sent ? report->probe.trace : report->verdict.trace;
	const struct trace *trace = &report->sightings.trace;
	if (*id == '\0')
		return cJSON_CreateNull();
	cJSON *tree = cJSON_CreateObject();
	json_set_str(tree, "id", id);
	json_set_bool(tree, "sent", sent);
	cJSON *spans = json_set_array(tree, "spans");
	for (size_t i = 0; i < trace->count; i++)
		if (strcmp(trace->spans[i].trace, id) == 0)
			(void)cJSON_AddItemToArray(spans, span_row(&trace->spans[i]));
	return tree;
}

static cJSON *probe_row(const struct probe *probe)
{
	if (probe->url == NULL)
		return cJSON_CreateNull();
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "url", probe->url);
	json_set_str(row, "model", probe->model);
	json_set_int(row, "code", probe->http_code);
	json_set_int(row, "tookMs", (long)probe->took_ms);
	set_text(row, "message", probe->trouble);
	return row;
}

static cJSON *finding_row(const struct verify_report *report, const struct trace_finding *finding)
{
	const struct symptom_info *info = symptom_info(finding->symptom);
	bool of_hop = finding->hop != SIZE_MAX;
	const struct trace_hop *hop = of_hop ? &report->lineup.hops.items[finding->hop] : NULL;
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "reason", info->word);
	set_text(row, "workload", of_hop ? hop->workload : NULL);
	set_text(row, "container", of_hop ? hop->container : NULL);
	json_set_str(row, "message", finding->text);
	json_set_str(row, "advice", info->advice);
	return row;
}

cJSON *verify_show_json(const struct verify_report *report)
{
	const struct trace_verdict *verdict = &report->verdict;
	char sentence[TEXT_MAX * 2];
	cJSON *tree = cJSON_CreateObject();
	conclude(report, sentence, sizeof(sentence));
	json_set_str(tree, "namespace", report->namespace_name);
	json_set_str(tree, "result", verify_result(report));
	json_set_str(tree, "message", sentence);
	json_set_str(tree, "spansReceived", answers[verdict->received]);
	json_set_str(tree, "traceConnected", answers[verdict->connected]);
	cJSON *hops = json_set_array(tree, "hops");
	for (size_t i = 0; i < report->lineup.hops.count; i++)
		(void)cJSON_AddItemToArray(hops, hop_row(report, i));
	cJSON *operations = json_set_object(tree, "operations");
	json_set(operations, "seen", group_list(verdict->groups_seen));
	json_set(operations, "missing",
		 group_list(verdict->groups_expected & ~verdict->groups_seen));
	json_set(tree, "request", probe_row(&report->probe));
	json_set(tree, "trace", trace_tree(report));
	cJSON *findings = json_set_array(tree, "findings");
	for (size_t i = 0; i < report->findings.count; i++)
		(void)cJSON_AddItemToArray(findings,
					   finding_row(report, &report->findings.items[i]));
	json_set(tree, "notes", json_clone(report->notes));
	return tree;
}
