/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/component_rules.h"

unsigned trace_part_of(enum component component)
{
	switch (component) {
	case COMPONENT_EPP:
		return TRACE_EPP;
	case COMPONENT_ROUTING_PROXY:
		return TRACE_PROXY;
	case COMPONENT_VLLM:
	case COMPONENT_SGLANG:
		return TRACE_ENGINE;
	default:
		return 0;
	}
}

static void add_text(char *text, size_t size, const char *more)
{
	size_t len = strlen(text);
	if (len + 1 < size)
		(void)snprintf(text + len, size - len, "%s%s", len == 0 ? "" : ", ", more);
}

void trace_parts_text(unsigned parts, char *ret_text, size_t size)
{
	static const char *const titles[] = {"endpoint picker", "routing proxy", "engine"};
	ret_text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if ((parts & 1U << i) != 0)
			add_text(ret_text, size, titles[i]);
}

void trace_groups_text(unsigned groups, char *ret_text, size_t size)
{
	ret_text[0] = '\0';
	for (unsigned i = 0; i < GROUP_COUNT; i++)
		if ((groups & 1U << i) != 0)
			add_text(ret_text, size, trace_group_title((enum trace_group)i));
}

static int64_t end_of(const struct span *span)
{
	return span->start_us + span->duration_us;
}

static bool is_of(const struct trace_hop *hop, const struct span *span)
{
	return hop->service != NULL && strcmp(hop->service, span->service) == 0;
}

/* How much of the pod's name is the workload's: 0 when it is none of its pods. */
static size_t name_fit(const struct trace_hop *hop, const struct span *span)
{
	size_t len = strlen(hop->name);
	if (span->pod == NULL || !text_has_prefix(span->pod, hop->name))
		return 0;
	return span->pod[len] == '-' || span->pod[len] == '\0' ? len : 0;
}

static void see(const struct trace_hop *hop, const struct span *span,
		struct trace_sighting *sighting)
{
	const struct trace_operation *row = trace_operation_of(hop->component, span->operation);
	sighting->seen = true;
	sighting->spans++;
	if (end_of(span) > sighting->last_us)
		sighting->last_us = end_of(span);
	if (row != NULL)
		sighting->groups |= 1U << row->group;
}

/* Several workloads may share a service name; the pod tells them apart where it is known. */
static bool attribute(const struct trace_hops *hops, const struct span *span,
		      struct trace_verdict *verdict)
{
	size_t best = 0;
	bool found = false;
	for (size_t i = 0; i < hops->count; i++)
		if (is_of(&hops->items[i], span) && name_fit(&hops->items[i], span) > best)
			best = name_fit(&hops->items[i], span);
	for (size_t i = 0; i < hops->count; i++) {
		const struct trace_hop *hop = &hops->items[i];
		if (!is_of(hop, span) || (best > 0 && name_fit(hop, span) != best))
			continue;
		see(hop, span, &verdict->hops[i]);
		found = true;
	}
	return found;
}

/* Names that programs give themselves when nobody names them (LLMD §1.2, §2, §3.2). */
static bool is_nameless(const char *service)
{
	return trace_is_unnamed(service) || strcmp(service, "llm-d-epp") == 0 ||
	       strcmp(service, "llm-d-disagg-sidecar") == 0;
}

static bool is_generic(const struct span *span)
{
	return strcmp(span->operation, "GET") == 0 || text_has_prefix(span->operation, "GET ");
}

static const struct span *parent_of(const struct trace *trace, const struct span *span)
{
	for (size_t i = 0; i < trace->count; i++)
		if (strcmp(trace->spans[i].id, span->parent) == 0 &&
		    strcmp(trace->spans[i].trace, span->trace) == 0)
			return &trace->spans[i];
	return NULL;
}

static bool is_of_picker(const struct trace_hops *hops, const struct span *span)
{
	for (size_t i = 0; i < hops->count; i++)
		if (hops->items[i].component == COMPONENT_EPP && is_of(&hops->items[i], span))
			return true;
	return false;
}

/* A picker's span with a parent that is none of its own was asked for by a caller. */
static void count_entries(const struct trace_hops *hops, const struct trace *trace,
			  struct trace_verdict *verdict)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct span *span = &trace->spans[i];
		if (!is_of_picker(hops, span))
			continue;
		const struct span *parent = span->parent[0] == '\0' ? NULL : parent_of(trace, span);
		if (parent != NULL && strcmp(parent->service, span->service) == 0)
			continue;
		verdict->entries++;
		verdict->entries_called += span->parent[0] != '\0';
	}
}

static void look_at_spans(const struct trace_hops *hops, const struct trace *trace,
			  struct trace_verdict *verdict)
{
	size_t generic = 0;
	for (size_t i = 0; i < trace->count; i++) {
		const struct span *span = &trace->spans[i];
		generic += is_generic(span);
		if (!attribute(hops, span, verdict) && is_nameless(span->service))
			verdict->unnamed = verdict->unnamed_now = true;
	}
	verdict->only_generic = trace->count > 0 && generic == trace->count;
}

static void look_at_lists(const struct trace_hops *hops,
			  const struct trace_observation *observation,
			  struct trace_verdict *verdict)
{
	const struct trace_counters *counters = observation->counters;
	for (size_t i = 0; i < hops->count; i++) {
		const char *service = hops->items[i].service;
		struct trace_sighting *sighting = &verdict->hops[i];
		if (service == NULL)
			continue;
		/* of workloads that share a name any may have made them: last_us tells who did */
		if (observation->services != NULL)
			sighting->seen |= trace_names_has(observation->services, service);
		if (counters != NULL)
			sighting->seen |= trace_counters_know(counters, service);
	}
	for (size_t i = 0; counters != NULL && i < counters->call_count; i++) {
		const struct trace_call *call = &counters->calls[i];
		verdict->unnamed |= is_nameless(call->service);
		for (size_t k = 0; k < hops->count; k++) {
			const struct trace_operation *row =
			    trace_operation_of(hops->items[k].component, call->operation);
			if (row != NULL && text_equal(hops->items[k].service, call->service))
				verdict->hops[k].groups |= 1U << row->group;
		}
	}
	for (size_t i = 0; observation->services != NULL && i < observation->services->count; i++)
		verdict->unnamed |= is_nameless(observation->services->items[i]);
}

static int by_trace(const void *a, const void *b)
{
	const struct span *const *x = a;
	const struct span *const *y = b;
	return strcmp((*x)->trace, (*y)->trace);
}

static unsigned parts_of_span(const struct trace_hops *hops, const struct span *span)
{
	unsigned parts = 0;
	for (size_t i = 0; i < hops->count; i++)
		/* a start of an engine is no request that has reached it */
		if (is_of(&hops->items[i], span) &&
		    (trace_part_of(hops->items[i].component) != TRACE_ENGINE ||
		     trace_operation_of(hops->items[i].component, span->operation) != NULL))
			parts |= trace_part_of(hops->items[i].component);
	return parts;
}

/* How complete a trace is: kinds first, then spans. */
static size_t worth(unsigned parts, size_t spans)
{
	return (size_t)__builtin_popcount(parts) * (LIMIT_TRACE_SPANS + 1) + spans;
}

/* The most complete trace; the one that was sent when there is one. */
static void choose_trace(const struct trace_hops *hops, const struct trace_observation *observation,
			 struct trace_verdict *verdict)
{
	const struct trace *trace = observation->trace;
	const struct span **sorted = xcalloc(trace->count + 1, sizeof(*sorted));
	size_t best = 0;
	for (size_t i = 0; i < trace->count; i++)
		sorted[i] = &trace->spans[i];
	qsort((void *)sorted, trace->count, sizeof(*sorted), by_trace);
	for (size_t first = 0, end = 0; first < trace->count; first = end) {
		unsigned parts = 0;
		for (end = first;
		     end < trace->count && strcmp(sorted[end]->trace, sorted[first]->trace) == 0;
		     end++)
			parts |= parts_of_span(hops, sorted[end]);
		if (worth(parts, end - first) <= best ||
		    (observation->sent_trace != NULL &&
		     strcmp(observation->sent_trace, sorted[first]->trace) != 0))
			continue;
		best = worth(parts, end - first);
		verdict->parts_seen = parts;
		memcpy(verdict->trace, sorted[first]->trace, TRACE_ID_SIZE);
	}
	free((void *)sorted);
}

static void sum_up(const struct trace_hops *hops, const struct trace_observation *observation,
		   struct trace_verdict *verdict)
{
	for (size_t i = 0; i < hops->count; i++) {
		const struct trace_hop *hop = &hops->items[i];
		const struct trace_sighting *sighting = &verdict->hops[i];
		struct image image;
		image_read(hop->image, &image);
		verdict->groups_seen |= sighting->groups;
		/* a model server makes spans when it starts; whatever else speaks, speaks of requests */
		verdict->requests |=
		    sighting->groups != 0 ||
		    (sighting->seen && trace_part_of(hop->component) != TRACE_ENGINE);
		verdict->cannot_connect |= trace_hop_cuts_off(hop);
		if (!hop->on)
			continue;
		verdict->expected++;
		verdict->seen += sighting->seen;
		verdict->parts_expected |= trace_part_of(hop->component);
		if (sighting->last_us > verdict->newest_us)
			verdict->newest_us = sighting->last_us;
		for (unsigned group = 0; group < GROUP_COUNT; group++)
			if (trace_operation_is_promised(hop->component, (enum trace_group)group,
							&image, &hop->version))
				verdict->groups_expected |= 1U << group;
	}
	bool asked = observation->trace != NULL || observation->services != NULL ||
		     (observation->counters != NULL && observation->counters->call_count > 0);
	if (verdict->expected > 0 && (asked || verdict->seen > 0))
		verdict->received = verdict->seen == verdict->expected ? ANSWER_YES : ANSWER_NO;
	if (verdict->expected > 0 && observation->trace != NULL)
		verdict->connected =
		    (verdict->parts_seen & verdict->parts_expected) == verdict->parts_expected
			? ANSWER_YES
			: ANSWER_NO;
	/* where nothing but the proxy and what is before it is expected, nothing is cut off */
	verdict->cannot_connect = verdict->cannot_connect && verdict->connected == ANSWER_NO &&
				  (verdict->parts_expected & TRACE_ENGINE) != 0;
}

void trace_verdict(const struct trace_hops *hops, const struct trace_observation *observation,
		   struct trace_verdict *ret_verdict)
{
	const struct trace_counters *counters = observation->counters;
	struct trace_verdict verdict = {.hop_count = hops->count};
	verdict.hops = xcalloc(hops->count + 1, sizeof(*verdict.hops));
	if (observation->trace != NULL) {
		look_at_spans(hops, observation->trace, &verdict);
		choose_trace(hops, observation, &verdict);
		if (!observation->trace->cut)
			count_entries(hops, observation->trace, &verdict);
	}
	look_at_lists(hops, observation, &verdict);
	sum_up(hops, observation, &verdict);
	/* counted before our own filter drops them */
	if (counters != NULL && verdict.seen == 0 && counters->value[COUNTER_FILTERED] > 0 &&
	    counters->value[COUNTER_FILTERED] >= counters->value[COUNTER_ACCEPTED])
		verdict.only_generic = true;
	*ret_verdict = verdict;
}

void trace_verdict_release(struct trace_verdict *verdict)
{
	free(verdict->hops);
	*verdict = (struct trace_verdict){0};
}

/* What a hop's own sampler keeps of the requests that come without a decision. */
static double share_of(const struct trace_hop *hop)
{
	bool go = component_rules(hop->component)->grpc_url_only;
	char *end = NULL;
	if (hop->sampler != NULL && strcmp(hop->sampler, "parentbased_traceidratio") != 0)
		return go ? 0.1 : 1;
	double ratio = hop->ratio == NULL ? 1 : strtod(hop->ratio, &end);
	return end != NULL && (end == hop->ratio || *end != '\0') ? 0.1 : ratio;
}

double trace_share(const struct trace_hops *hops)
{
	double share = 1;
	for (size_t i = 0; i < hops->count; i++)
		if (hops->items[i].on && share_of(&hops->items[i]) < share)
			share = share_of(&hops->items[i]);
	return share;
}

enum trace_answer trace_traffic(const struct trace_hops *hops, const struct trace_counters *servers)
{
	double served = servers->value[COUNTER_SERVED];
	double share = trace_share(hops);
	if (!servers->known[COUNTER_SERVED])
		return ANSWER_UNKNOWN;
	if (served < 1)
		return ANSWER_NO;
	return share >= 1 || served * share >= TRACE_ENOUGH ? ANSWER_YES : ANSWER_UNKNOWN;
}
