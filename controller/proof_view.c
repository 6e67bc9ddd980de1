/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/proof_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"

enum { FRESH_US = 120000000, METRICS_PORT = 8888, SPAN_METRICS_PORT = 8889, QUERY_PORT = 16686 };

/* An alias could lead anywhere. */
static bool has_port(const cJSON *service, long number)
{
	const cJSON *port = NULL;
	if (text_equal(json_str(service, "spec.type"), "ExternalName"))
		return false;
	cJSON_ArrayForEach(port, json_get(service, "spec.ports"))
	{
		if (json_int(port, "port", 0) == number)
			return true;
	}
	return false;
}

static bool is_fresh(const struct view *view, const cJSON *deployment)
{
	const cJSON *available = object_condition(deployment, "Available");
	int64_t since = moment_parse(json_str(available, "lastTransitionTime"), 0);
	return text_equal(json_str(available, "status"), "True") && since > 0 &&
	       view->now.wall_us - since < FRESH_US;
}

static size_t count_on(const struct roster *roster)
{
	size_t on = 0;
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++)
			on += roster->rows[i].hops.items[k].on;
	return on;
}

/* To where spans of this namespace are collected; a scheme or none is the same. */
static bool sends_here(const struct trace_hop *hop, const char *endpoint)
{
	static const char scheme[] = "http://";
	const char *to = hop->endpoint;
	if (to == NULL || endpoint == NULL)
		return false;
	to += text_has_prefix(to, scheme) ? sizeof(scheme) - 1 : 0;
	endpoint += text_has_prefix(endpoint, scheme) ? sizeof(scheme) - 1 : 0;
	return strcmp(to, endpoint) == 0;
}

/* While pods are replaced some are as they were before. */
static bool is_anything_rolling(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->rows[i].pace.rolling)
			return true;
	return false;
}

/* The engine that has its turn, of all that send here. */
static const struct trace_hop *pick_engine(const struct roster *roster, const char *endpoint,
					   size_t turn, size_t *ret_count)
{
	const struct trace_hop *picked = NULL;
	size_t count = *ret_count;
	size_t at = 0;
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++) {
			const struct trace_hop *hop = &roster->rows[i].hops.items[k];
			if (!hop->on || trace_part_of(hop->component) != TRACE_ENGINE ||
			    !sends_here(hop, endpoint))
				continue;
			if (count > 0 && at == turn % count)
				picked = hop;
			at++;
		}
	*ret_count = at;
	return picked;
}

/* Model servers whose requests can be compared with what one collector of ours has counted. */
static void find_engine(const struct view *view, const struct policy *policy,
			struct proof_targets *targets)
{
	const struct roster *roster = &view->memory->roster;
	const struct settings *settings = &policy->settings;
	enum access policies = view->access[RESOURCE_NETWORKPOLICY];
	bool seen = policies == ACCESS_READABLE || policies == ACCESS_ABSENT;
	if (!view->options->in_cluster || !targets->wanted || !targets->own || !seen ||
	    !policy->has_settings || settings->collector_replicas > 1 ||
	    policy->path.strict != NULL || is_anything_rolling(roster))
		return;
	for (int pass = 0; pass < 2; pass++) /* how many there are; then the one */
		targets->engine =
		    pick_engine(roster, settings->endpoint, view->memory->proof.unsampled.which,
				&targets->engines);
}

/* Of the settings as they are now: others may have been made for that. */
static const char *unsampled_before(const cJSON *tracing)
{
	const cJSON *live = object_condition(tracing, "SamplingConsistent");
	if (!text_equal(json_str(live, "reason"), REASON_WORD_UNSAMPLED) ||
	    json_int(live, "observedGeneration", -1) != json_int(tracing, "metadata.generation", 0))
		return NULL;
	return json_str(live, "message");
}

void proof_look(const struct view *view, const struct policy *policy,
		struct proof_targets *ret_targets)
{
	const cJSON *collector = view_live(view, "Service", "otel-collector", NULL);
	const cJSON *jaeger = view_live(view, "Service", "jaeger-collector", NULL);
	const struct settings *settings = &policy->settings;
	const char *mode = policy->collector.mode;
	bool otlp = policy->has_settings && settings->backend == BACKEND_OTLP;
	*ret_targets = (struct proof_targets){
	    .wanted = policy->phase == PHASE_ON && policy->collector.ready && !policy->dry_run &&
		      count_on(&view->memory->roster) > 0,
	    .counter = has_port(collector, METRICS_PORT),
	    .calls = has_port(collector, SPAN_METRICS_PORT),
	    .query = otlp ? settings->otlp_query.endpoint != NULL : has_port(jaeger, QUERY_PORT),
	    .dialect = otlp ? settings->otlp_query.type : QUERY_JAEGER,
	    .url = otlp ? settings->otlp_query.endpoint : NULL,
	    .tenant = otlp ? settings->otlp_tenant : NULL,
	    .own = text_equal(mode, "Deployment") || text_equal(mode, "OpenTelemetryCollector"),
	    .fresh = is_fresh(view, view_live(view, "Deployment", "jaeger", NULL)),
	    .policies = view->network_policies,
	    .unsampled = unsampled_before(view->tracing),
	    .where = otlp && settings->otlp_endpoint != NULL ? settings->otlp_endpoint
							     : "the back end in use",
	};
	if (!ret_targets->own) /* nothing would ever take it back */
		ret_targets->unsampled = NULL;
	find_engine(view, policy, ret_targets);
}

void proof_hops(const struct roster *roster, struct trace_hops *ret_hops)
{
	struct trace_hops joint = {0};
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++) {
			joint.items = grow(joint.items, joint.count, sizeof(*joint.items));
			joint.items[joint.count++] = roster->rows[i].hops.items[k];
		}
	*ret_hops = joint;
}

/* Another back end, or another tenant's part of it, may know what that of before did not. */
static void follow_back_end(struct proof *proof, const struct proof_targets *targets,
			    uint64_t mono_ms)
{
	char where[sizeof(proof->where)];
	CLEANUP(str_freep)
	char *text = xasprintf("%s %s", targets->url == NULL ? "" : targets->url,
			       targets->tenant == NULL ? "" : targets->tenant);
	hash_short(text, strlen(text), where);
	if ((proof->judged &&
	     (proof->query != targets->query || proof->dialect != targets->dialect)) ||
	    (proof->where[0] != '\0' && strcmp(proof->where, where) != 0))
		proof_wake(proof, mono_ms);
	proof->query = targets->query;
	proof->dialect = targets->dialect;
	memcpy(proof->where, where, sizeof(where));
}

void proof_settle(struct proof *proof, struct roster *roster, const struct proof_targets *targets,
		  uint64_t mono_ms)
{
	struct trace_hops hops;
	/* as long as this process knows nothing better */
	if (targets->unsampled != NULL && !proof->judged)
		unsampled_inherit(&proof->unsampled, targets->unsampled);
	if (proof->step == PROOF_SERVED && targets->engine == NULL && !proof->asking)
		proof_skip_served(proof, mono_ms);
	if (proof->step == PROOF_COUNTER) {
		if (targets->wanted) /* settings that hold may not be known */
			follow_back_end(proof, targets, mono_ms);
		/* a workload went, with what was missing of it */
		if (proof->judged && !proof->awake && proof->expected != count_on(roster))
			proof_wake(proof, mono_ms);
		proof->calls = targets->calls;
		if (proof->engines == 0 && targets->engines > 0)
			proof_hurry(proof, mono_ms); /* a rollout is through */
		proof->engines = targets->engines;
	}
	if (proof->step != PROOF_JUDGE)
		return;
	proof_hops(roster, &hops);
	int64_t *last_us = xcalloc(hops.count + 1, sizeof(*last_us));
	size_t at = 0;
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++)
			last_us[at++] = roster->rows[i].last_span_us;
	proof_judge(proof, targets, &hops, last_us, mono_ms);
	at = 0;
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++, at++)
			if (last_us[at] > roster->rows[i].last_span_us)
				roster->rows[i].last_span_us = last_us[at];
	free(last_us);
	free(hops.items);
}
