/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/proof_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
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

static bool is_anything_on(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		for (size_t k = 0; k < roster->rows[i].hops.count; k++)
			if (roster->rows[i].hops.items[k].on)
				return true;
	return false;
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
		      is_anything_on(&view->memory->roster),
	    .counter = has_port(collector, METRICS_PORT),
	    .calls = has_port(collector, SPAN_METRICS_PORT),
	    .query = otlp ? settings->otlp_query.endpoint != NULL : has_port(jaeger, QUERY_PORT),
	    .dialect = otlp ? settings->otlp_query.type : QUERY_JAEGER,
	    .url = otlp ? settings->otlp_query.endpoint : NULL,
	    .tenant = otlp ? settings->otlp_tenant : NULL,
	    .own = text_equal(mode, "Deployment") || text_equal(mode, "OpenTelemetryCollector"),
	    .fresh = is_fresh(view, view_live(view, "Deployment", "jaeger", NULL)),
	    .where = otlp && settings->otlp_endpoint != NULL ? settings->otlp_endpoint
							     : "the back end in use",
	};
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

void proof_settle(struct proof *proof, struct roster *roster, const struct proof_targets *targets,
		  uint64_t mono_ms)
{
	struct trace_hops hops;
	if (proof->step == PROOF_COUNTER) {
		if (proof->judged &&
		    (proof->query != targets->query || proof->dialect != targets->dialect))
			proof_wake(proof, mono_ms); /* another back end */
		proof->query = targets->query;
		proof->dialect = targets->dialect;
		proof->calls = targets->calls;
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
