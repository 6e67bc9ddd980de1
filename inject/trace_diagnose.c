/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_diagnose.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/component_rules.h"

static const struct symptom_info symptoms[SYMPTOM_COUNT] = {
    [SYMPTOM_NOT_INSTRUMENTED] = {"NoInstrumentation", "the image's version makes no spans",
				  "use a newer image; docs/gates.md has the versions"},
    [SYMPTOM_NOT_INJECTED] = {"NotInjected", "tracing is not turned on in the container",
			      "status.workloads and `llmd-tracing explain` say why"},
    [SYMPTOM_FLAG_MISSING] = {"FlagMissing",
			      "variables are set, but the flag that turns tracing on is not",
			      "let the operator inject it, or add the flag by hand"},
    [SYMPTOM_NO_EXPORTER] = {"MissingExporter",
			     "OTEL_TRACES_EXPORTER is not otlp, so spans are printed to the pod's "
			     "output",
			     "set OTEL_TRACES_EXPORTER=otlp"},
    [SYMPTOM_SDK_SAMPLER] = {"UnsupportedSampler",
			     "this component knows only parentbased_traceidratio; with any other "
			     "sampler or a ratio that it cannot read it keeps a tenth",
			     "set OTEL_TRACES_SAMPLER=parentbased_traceidratio"},
    [SYMPTOM_SAMPLES_NONE] = {"SamplesNothing", "its sampler keeps no trace of its own",
			      "raise spec.sampling.ratio or OTEL_TRACES_SAMPLER_ARG"},
    [SYMPTOM_WRONG_PORT] = {"WrongPort",
			    "port 4318 speaks OTLP over HTTP, this component sends gRPC",
			    "use port 4317"},
    [SYMPTOM_BAD_ENDPOINT] = {"BadEndpoint", "the endpoint has no http:// or https://",
			      "write it as http://host:4317"},
    [SYMPTOM_TLS_TO_PLAINTEXT] = {"TLSToPlaintext",
				  "it speaks TLS, the collector expects plaintext",
				  "use http:// in the endpoint"},
    [SYMPTOM_PLAINTEXT_TO_TLS] = {"PlaintextToTLS",
				  "it speaks plaintext, the collector expects TLS",
				  "use https://, and an image that knows TLS (llm-d-router 0.10)"},
    [SYMPTOM_UNNAMED] = {"UnknownService",
			 "spans arrive under no name or a program's own default name",
			 "set OTEL_SERVICE_NAME in the container that sends them"},
    [SYMPTOM_ONLY_GENERIC] = {"OnlyGenericSpans",
			      "only scrapes and bare GET spans arrive, which the collector drops",
			      "use an endpoint picker image that is instrumented and keep detailed "
			      "traces on"},
    [SYMPTOM_COLLECTOR_REFUSES] = {"CollectorRefuses",
				   "the collector turns spans away (memory limit, or an exporter's "
				   "queue is full)",
				   "give it more memory or replicas, or look at its log"},
    [SYMPTOM_BACKEND_REFUSES] = {"BackendRefuses",
				 "the collector cannot hand spans on to the back end",
				 "look at the collector's log and the back end's health"},
    [SYMPTOM_BACKEND_FRESH] = {"BackendRestarted",
			       "the back end has just restarted; one in memory has lost its traces",
			       "wait for the next request"},
    [SYMPTOM_NETWORK_POLICY] = {"NetworkPolicy",
				"a NetworkPolicy may keep spans from the collector",
				"allow egress to port 4317 of app: otel-collector"},
    [SYMPTOM_UNSAMPLED_PARENT] = {"UnsampledParent",
				  "requests are served, but nothing is sampled: what stands before "
				  "the endpoint picker most likely sends an unsampled traceparent",
				  "let the gateway sample or send no traceparent"},
    [SYMPTOM_UNREACHABLE] = {"CollectorUnreachable",
			     "a sampled request was served, and no span of it came",
			     "look for a NetworkPolicy, a mesh with strict mTLS, or pods that have "
			     "not restarted since the injection"},
    [SYMPTOM_NO_TRAFFIC] = {"NoTraffic",
			    "no span of a request has arrived: none was served since, or all came "
			    "with an unsampled traceparent",
			    "send one: `kubectl llmd-tracing verify --send URL`"},
    [SYMPTOM_SILENT] = {"Silent", "spans of others arrive, but none of this one",
			"it may not have been on the way of a request yet, or all came with an "
			"unsampled traceparent: `kubectl llmd-tracing verify --send URL` tells; "
			"else look at its log and at NetworkPolicies"},
    [SYMPTOM_CUT_OFF] = {"ProxyHandsNoContextOn",
			 "a routing proxy before 0.10, or one that is not traced, hands no trace "
			 "context on, so the engines' "
			 "spans are traces of their own",
			 "use llm-d-router-disagg-sidecar 0.10.0 or newer, and let it be traced"},
    [SYMPTOM_SEPARATE] = {"NotConnected",
			  "every kind of component is heard, but no trace holds all of them",
			  "send one request through the gateway; endpoint pickers before 0.9 and "
			  "gateways that rewrite headers start traces of their own"},
    [SYMPTOM_OPERATIONS] =
	{"OperationsMissing", "operations that this set-up should show were not seen",
	 "send a request through the gateway; see docs/symptoms.md for what each "
	 "version shows"},
};

const struct symptom_info *symptom_info(enum trace_symptom symptom)
{
	return &symptoms[symptom];
}

struct diagnosis {
	const struct trace_hops *hops;
	const struct trace_observation *observation;
	const struct trace_verdict *verdict;
	struct trace_findings *findings;
	bool explains_silence; /* some finding says why nothing arrives */
	bool lost;             /* spans were accepted, and the back end has none of them */
	bool quiet; /* whether requests are served is known, and no span of any arrives */
	bool may_have_forgotten; /* spans were accepted, and the back end is new */
	bool is_doubtful;        /* that explains something that is missing */
};

static void add(struct diagnosis *diagnosis, enum trace_symptom symptom, size_t hop,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

static void add(struct diagnosis *diagnosis, enum trace_symptom symptom, size_t hop,
		const char *fmt, ...)
{
	struct trace_findings *findings = diagnosis->findings;
	struct trace_finding finding = {.symptom = symptom, .hop = hop};
	va_list args;
	if (findings->count == LIMIT_TRACE_FINDINGS)
		return;
	va_start(args, fmt);
	if (vasprintf(&finding.text, fmt, args) < 0)
		abort();
	va_end(args);
	findings->items = grow(findings->items, findings->count, sizeof(*findings->items));
	findings->items[findings->count++] = finding;
}

static void add_hop(struct diagnosis *diagnosis, enum trace_symptom symptom, size_t index,
		    const char *name, const char *value)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	add(diagnosis, symptom, index, "%s, container %s%s%s%s%s: %s", hop->workload,
	    hop->container, name == NULL ? "" : " (", name == NULL ? "" : name,
	    name == NULL || value == NULL ? "" : value, name == NULL ? "" : ")",
	    symptoms[symptom].cause);
}

static double counter(const struct diagnosis *diagnosis, enum trace_counter name)
{
	const struct trace_counters *counters = diagnosis->observation->counters;
	return counters == NULL ? 0 : counters->value[name];
}

/* Scrapes, while it is known that no request was served, are no symptom. */
static bool only_generic(const struct diagnosis *diagnosis)
{
	return diagnosis->verdict->only_generic && diagnosis->observation->traffic != ANSWER_NO;
}

static bool nothing_arrives(const struct diagnosis *diagnosis)
{
	const struct trace_observation *observation = diagnosis->observation;
	bool accepted = counter(diagnosis, COUNTER_ACCEPTED) > counter(diagnosis, COUNTER_FILTERED);
	/* earlier ones say nothing about the way that was tried just now */
	if (observation->sent_trace != NULL && observation->trace != NULL)
		accepted = false;
	return diagnosis->verdict->seen == 0 && !accepted &&
	       (observation->trace == NULL || observation->trace->count == 0);
}

/* --- one hop by its template: true when it explains why its spans are missing --- */

static bool check_off(struct diagnosis *diagnosis, size_t index)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	bool version = hop->reason == REASON_NO_INSTRUMENTATION ||
		       hop->reason == REASON_ENGINE_TOO_OLD ||
		       hop->reason == REASON_UNKNOWN_VERSION || hop->reason == REASON_NEVER;
	if (hop->on)
		return false;
	if (version)
		add(diagnosis, SYMPTOM_NOT_INSTRUMENTED, index, "%s, container %s (%s): %s",
		    hop->workload, hop->container, hop->image,
		    hop->message[0] != '\0' ? hop->message
					    : symptoms[SYMPTOM_NOT_INSTRUMENTED].cause);
	else if (hop->flag_missing && hop->exporter != NULL &&
		 hop->reason != REASON_CONFLICTING_USER_VALUE)
		add_hop(diagnosis, SYMPTOM_FLAG_MISSING, index,
			component_rules(hop->component)->traced_by, NULL);
	else
		add(diagnosis, SYMPTOM_NOT_INJECTED, index, "%s, container %s: %s (%s%s%s)",
		    hop->workload, hop->container, symptoms[SYMPTOM_NOT_INJECTED].cause,
		    reason_info(hop->reason)->word, hop->message[0] == '\0' ? "" : ": ",
		    hop->message);
	return true;
}

/* Go's exporters are chosen by the variable; engines in Python are not (LLMD §1.2, §2, §3.1). */
static bool check_exporter(struct diagnosis *diagnosis, size_t index)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	bool always_on = hop->component == COMPONENT_ROUTING_PROXY && hop->detached &&
			 version_is_below(&hop->version, "0.9.0");
	if (!component_rules(hop->component)->grpc_url_only || always_on || hop->exporter_hidden ||
	    text_equal(hop->exporter, "otlp"))
		return false;
	add_hop(diagnosis, SYMPTOM_NO_EXPORTER, index, "OTEL_TRACES_EXPORTER",
		hop->exporter == NULL ? " is not set" : " is another one");
	return true;
}

static bool check_endpoint(struct diagnosis *diagnosis, size_t index)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	const char *endpoint = hop->endpoint;
	bool go = component_rules(hop->component)->grpc_url_only;
	enum trace_answer tls = diagnosis->observation->tls;
	if (endpoint == NULL || strchr(endpoint, '$') != NULL)
		return false;
	bool secure = text_has_prefix(endpoint, "https://");
	const char *port = strstr(endpoint, ":4318");
	if (port != NULL && (go || strstr(port, "/v1/traces") == NULL))
		add_hop(diagnosis, SYMPTOM_WRONG_PORT, index, endpoint, NULL);
	else if (go && !secure && !text_has_prefix(endpoint, "http://") && !hop->plaintext)
		add_hop(diagnosis, SYMPTOM_BAD_ENDPOINT, index, endpoint, NULL);
	else if (secure && tls == ANSWER_NO && !hop->plaintext)
		add_hop(diagnosis, SYMPTOM_TLS_TO_PLAINTEXT, index, endpoint, NULL);
	else if (tls == ANSWER_YES && (!secure || hop->plaintext))
		add_hop(diagnosis, SYMPTOM_PLAINTEXT_TO_TLS, index, endpoint, NULL);
	else
		return false;
	return true;
}

/* True for a plain number of 0. */
static bool is_zero(const char *ratio)
{
	return ratio != NULL && ratio[0] != '\0' && strspn(ratio, "0.") == strlen(ratio);
}

static bool check_sampler(struct diagnosis *diagnosis, size_t index)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	bool go = component_rules(hop->component)->grpc_url_only;
	bool portable =
	    hop->sampler == NULL || strcmp(hop->sampler, "parentbased_traceidratio") == 0;
	if (go && !portable) {
		add_hop(diagnosis, SYMPTOM_SDK_SAMPLER, index,
			"OTEL_TRACES_SAMPLER=", hop->sampler);
		return false; /* a tenth still comes */
	}
	if ((!portable && strstr(hop->sampler, "always_off") != NULL) ||
	    (is_zero(hop->ratio) && hop->sampler != NULL &&
	     text_has_suffix(hop->sampler, "traceidratio")))
		add_hop(diagnosis, SYMPTOM_SAMPLES_NONE, index, hop->sampler,
			is_zero(hop->ratio) ? ", ratio 0" : NULL);
	else
		return false;
	/* a sampled parent would be followed all the same */
	return diagnosis->observation->sent_trace == NULL;
}

/* What is missing of spans that were accepted proves nothing while the back end is new. */
static bool is_forgotten(struct diagnosis *diagnosis)
{
	diagnosis->is_doubtful |= diagnosis->may_have_forgotten;
	return diagnosis->may_have_forgotten;
}

static void check_hop(struct diagnosis *diagnosis, size_t index)
{
	const struct trace_hop *hop = &diagnosis->hops->items[index];
	bool seen = diagnosis->verdict->hops[index].seen;
	/* what the user set is the reason, and has a symptom's own name */
	if (!hop->on && hop->reason == REASON_CONFLICTING_USER_VALUE) {
		bool exporter = check_exporter(diagnosis, index);
		bool endpoint = check_endpoint(diagnosis, index);
		if (exporter || endpoint)
			return;
	}
	if (check_off(diagnosis, index))
		return;
	bool told = check_sampler(diagnosis, index);
	if (seen)
		return;
	told |= check_exporter(diagnosis, index);
	told |= check_endpoint(diagnosis, index);
	diagnosis->explains_silence |= told;
	if (told || nothing_arrives(diagnosis) || only_generic(diagnosis) || diagnosis->lost ||
	    diagnosis->quiet)
		return;
	if (hop->service == NULL && diagnosis->verdict->unnamed)
		return; /* told once, for the namespace */
	if (is_forgotten(diagnosis))
		return;
	add_hop(diagnosis, SYMPTOM_SILENT, index, hop->service, NULL);
}

/* --- the namespace as a whole --- */

static void add_cause(struct diagnosis *diagnosis, enum trace_symptom symptom)
{
	add(diagnosis, symptom, SIZE_MAX, "%s", symptoms[symptom].cause);
}

static void check_counters(struct diagnosis *diagnosis)
{
	const struct trace_observation *observation = diagnosis->observation;
	bool heard = diagnosis->verdict->seen > 0;
	size_t before = 0;
	if (only_generic(diagnosis))
		add(diagnosis, SYMPTOM_ONLY_GENERIC, SIZE_MAX, "%s (%.0f dropped)",
		    symptoms[SYMPTOM_ONLY_GENERIC].cause, counter(diagnosis, COUNTER_FILTERED));
	before = diagnosis->findings->count;
	if (counter(diagnosis, COUNTER_REFUSED) > 0 && !heard)
		add(diagnosis, SYMPTOM_COLLECTOR_REFUSES, SIZE_MAX, "%s (%.0f so far)",
		    symptoms[SYMPTOM_COLLECTOR_REFUSES].cause, counter(diagnosis, COUNTER_REFUSED));
	if (counter(diagnosis, COUNTER_SEND_FAILED) > 0 && counter(diagnosis, COUNTER_SENT) <= 0)
		add(diagnosis, SYMPTOM_BACKEND_REFUSES, SIZE_MAX, "%s (%.0f failed so far)",
		    symptoms[SYMPTOM_BACKEND_REFUSES].cause,
		    counter(diagnosis, COUNTER_SEND_FAILED));
	/* the collector's metrics may know who was heard before that */
	bool empty = observation->trace != NULL && observation->trace->count == 0;
	if (diagnosis->may_have_forgotten && (!heard || empty))
		add_cause(diagnosis, SYMPTOM_BACKEND_FRESH);
	diagnosis->lost = (!heard || empty) && diagnosis->findings->count > before;
}

static void check_silence(struct diagnosis *diagnosis)
{
	const struct trace_observation *observation = diagnosis->observation;
	if ((!nothing_arrives(diagnosis) && !diagnosis->quiet) ||
	    diagnosis->verdict->expected == 0 || diagnosis->explains_silence ||
	    only_generic(diagnosis) || diagnosis->lost)
		return;
	if (observation->network_policy != NULL)
		add(diagnosis, SYMPTOM_NETWORK_POLICY, SIZE_MAX, "%s: %s",
		    symptoms[SYMPTOM_NETWORK_POLICY].cause, observation->network_policy);
	else if (observation->sent_trace != NULL)
		add_cause(diagnosis, SYMPTOM_UNREACHABLE);
	else if (observation->traffic == ANSWER_YES)
		add_cause(diagnosis, SYMPTOM_UNSAMPLED_PARENT);
	else
		add_cause(diagnosis, SYMPTOM_NO_TRAFFIC);
}

/* The proxy that cuts traces off. */
static size_t detached_hop(const struct trace_hops *hops)
{
	for (size_t i = 0; i < hops->count; i++)
		if (trace_hop_cuts_off(&hops->items[i]))
			return i;
	return SIZE_MAX;
}

static void check_whole(struct diagnosis *diagnosis)
{
	const struct trace_verdict *verdict = diagnosis->verdict;
	unsigned missing = verdict->groups_expected & ~verdict->groups_seen;
	char text[256];
	if (verdict->unnamed && (verdict->received != ANSWER_YES || verdict->unnamed_now))
		add_cause(diagnosis, SYMPTOM_UNNAMED);
	if (verdict->cannot_connect)
		add_hop(diagnosis, SYMPTOM_CUT_OFF, detached_hop(diagnosis->hops),
			diagnosis->hops->items[detached_hop(diagnosis->hops)].image, NULL);
	else if (verdict->received == ANSWER_YES && verdict->connected == ANSWER_NO &&
		 !diagnosis->lost && !is_forgotten(diagnosis)) {
		trace_parts_text(verdict->parts_seen, text, sizeof(text));
		add(diagnosis, SYMPTOM_SEPARATE, SIZE_MAX, "%s; the best one holds: %s",
		    symptoms[SYMPTOM_SEPARATE].cause, text[0] == '\0' ? "none" : text);
	}
	if (diagnosis->observation->sent_alone && diagnosis->observation->traffic == ANSWER_YES)
		add(diagnosis, SYMPTOM_UNSAMPLED_PARENT, SIZE_MAX,
		    "%s (nothing but the request that was sent now has arrived)",
		    symptoms[SYMPTOM_UNSAMPLED_PARENT].cause);
	if (verdict->received == ANSWER_YES && missing != 0 &&
	    diagnosis->observation->trace != NULL && !is_forgotten(diagnosis)) {
		trace_groups_text(missing, text, sizeof(text));
		add(diagnosis, SYMPTOM_OPERATIONS, SIZE_MAX, "%s: %s",
		    symptoms[SYMPTOM_OPERATIONS].cause, text);
	}
	if (diagnosis->is_doubtful && !diagnosis->lost)
		add_cause(diagnosis, SYMPTOM_BACKEND_FRESH);
}

void trace_diagnose(const struct trace_hops *hops, const struct trace_observation *observation,
		    const struct trace_verdict *verdict, struct trace_findings *ret_findings)
{
	struct trace_findings findings = {.items = NULL};
	struct diagnosis diagnosis = {
	    .hops = hops, .observation = observation, .verdict = verdict, .findings = &findings};
	diagnosis.quiet = observation->traffic != ANSWER_UNKNOWN &&
			  observation->sent_trace == NULL && !verdict->requests;
	/* one that was sent just now came after that */
	diagnosis.may_have_forgotten =
	    observation->backend_fresh && observation->sent_trace == NULL &&
	    (observation->counters == NULL || counter(&diagnosis, COUNTER_ACCEPTED) > 0);
	check_counters(&diagnosis);
	for (size_t i = 0; i < hops->count; i++)
		check_hop(&diagnosis, i);
	check_silence(&diagnosis);
	check_whole(&diagnosis);
	*ret_findings = findings;
}

void trace_findings_release(struct trace_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].text);
	free(findings->items);
	*findings = (struct trace_findings){.items = NULL};
}

void trace_symptoms_document(struct buffer *out)
{
	buffer_add_str(out, "| Word | What it means | What to do |\n|---|---|---|\n");
	for (size_t i = 0; i < SYMPTOM_COUNT; i++)
		buffer_addf(out, "| `%s` | %s | %s |\n", symptoms[i].word, symptoms[i].cause,
			    symptoms[i].advice);
}
