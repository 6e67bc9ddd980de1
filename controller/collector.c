/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/collector.h"

#include <string.h>

#include "base/text.h"
#include "inject/objects.h"

#define COLLECTOR      "otel-collector"
#define JAEGER         "jaeger"
#define JAEGER_SERVICE "jaeger-collector"
#define CR_KIND        "OpenTelemetryCollector"
#define CR_NAME        "otel"

enum { OTLP_GRPC_PORT = 4317 };

/* Made by the OpenTelemetry operator for a CR named `otel`. */
static bool is_of_cr(const cJSON *object)
{
	const cJSON *owner = NULL;
	cJSON_ArrayForEach(owner, json_get(object, "metadata.ownerReferences"))
	{
		if (text_equal(json_str(owner, "kind"), CR_KIND) &&
		    text_equal(json_str(owner, "name"), CR_NAME))
			return true;
	}
	return false;
}

/* Somebody else's: neither ours nor rendered from a CR of ours. */
static bool is_foreign(const struct view *view, const cJSON *object)
{
	if (object == NULL || object_is_managed(object))
		return false;
	const cJSON *cr = view_live(view, CR_KIND, CR_NAME, NULL);
	return !is_of_cr(object) || (cr != NULL && !object_is_managed(cr));
}

static bool has_port(const cJSON *service, long number)
{
	const cJSON *port = NULL;
	cJSON_ArrayForEach(port, json_get(service, "spec.ports"))
	{
		if (json_int(port, "port", 0) == number)
			return true;
	}
	return false;
}

static bool has_ready_endpoint(const struct view *view, const char *service_name)
{
	const cJSON *slice = NULL;
	const cJSON *endpoint = NULL;
	cJSON_ArrayForEach(slice, view->slices)
	{
		const cJSON *labels = json_get(slice, "metadata.labels");
		const cJSON *of = json_member(labels, "kubernetes.io/service-name");
		if (!cJSON_IsString(of) || strcmp(of->valuestring, service_name) != 0)
			continue;
		cJSON_ArrayForEach(endpoint, json_member(slice, "endpoints"))
		{
			/* absent means ready (discovery/v1 EndpointConditions) */
			if (json_bool(endpoint, "conditions.ready", true))
				return true;
		}
	}
	return false;
}

static bool is_available(const cJSON *deployment)
{
	const cJSON *available = object_condition(deployment, "Available");
	return json_int(deployment, "status.observedGeneration", 0) >=
		   json_int(deployment, "metadata.generation", 0) &&
	       text_equal(json_str(available, "status"), "True") &&
	       json_int(deployment, "status.availableReplicas", 0) > 0;
}

/* Why a Deployment is not available, in the API server's own words where it has some. */
static void explain_deployment(const struct view *view, enum intent_part part,
			       const cJSON *deployment, const char *name, struct verdict *verdict)
{
	const struct refusal *refusal = &view->memory->refusals[part];
	const cJSON *failure = object_condition(deployment, "ReplicaFailure");
	const cJSON *progress = object_condition(deployment, "Progressing");
	if (refusal->message != NULL)
		verdict_set(verdict, "False", "Refused", "%s", refusal->message);
	else if (is_available(deployment))
		verdict_set(verdict, "True", "Available", "Deployment %s is available", name);
	else if (text_equal(json_str(failure, "status"), "True") &&
		 json_str(failure, "message") != NULL)
		verdict_set(verdict, "False", json_str(failure, "reason"), "%s",
			    json_str(failure, "message"));
	else if (text_equal(json_str(progress, "status"), "False") &&
		 json_str(progress, "message") != NULL)
		verdict_set(verdict, "False", json_str(progress, "reason"), "%s",
			    json_str(progress, "message"));
	else if (deployment == NULL)
		verdict_set(verdict, "False", "NotCreated", "Deployment %s is not there yet", name);
	else
		verdict_set(verdict, "False", "NotAvailable",
			    "waiting for Deployment %s to become available", name);
}

/* Jaeger's volume while it is waited for, and what a back end in memory is good for. */
static void note_storage(const struct view *view, const struct settings *settings,
			 struct verdict *verdict)
{
	const cJSON *claim = view_live(view, "PersistentVolumeClaim", JAEGER_CLAIM, NULL);
	bool ready = strcmp(verdict->status, "True") == 0;
	bool waiting = strcmp(verdict->reason, "NotAvailable") == 0;
	if (ready && settings->storage.type == STORAGE_MEMORY)
		verdict_set(verdict, "True", "Ephemeral",
			    "Deployment " JAEGER " is available; it keeps traces in memory and "
			    "loses them with its pod (spec.backend.jaeger.storage)");
	else if (waiting && settings->storage.type == STORAGE_BADGER &&
		 text_equal(json_str(claim, "status.phase"), "Pending"))
		verdict_set(verdict, "False", "VolumePending",
			    "PersistentVolumeClaim " JAEGER_CLAIM
			    " has no volume yet (kubectl describe pvc " JAEGER_CLAIM
			    " says why; spec.backend.jaeger.storage.storageClassName)");
}

/* A Service of somebody else's under our name: used when it fits (DESIGN §6). */
static bool judge_foreign(const struct view *view, const cJSON *service, const char *name,
			  const char *lost, struct verdict *verdict)
{
	if (!has_port(service, OTLP_GRPC_PORT))
		verdict_set(verdict, "False", "ForeignServiceUnfit",
			    "Service %s is not ours and has no port 4317; rename it or give it "
			    "that port",
			    name);
	else if (!has_ready_endpoint(view, name))
		verdict_set(verdict, "False", "ForeignServiceNotReady",
			    "Service %s is not ours and has no ready endpoint", name);
	else
		verdict_set(verdict, "True", "Foreign", "using Service %s, which is not ours%s",
			    name, lost);
	return strcmp(verdict->status, "True") == 0;
}

/* Auto: a CR if its kind is served, else our own Deployment. Decided once, kept in status. */
static void decide_mode(const struct view *view, const struct settings *settings,
			struct collector_plan *plan)
{
	const char *decided = json_str(view->tracing, "status.collector.mode");
	bool fell_back =
	    text_equal(json_str(view->tracing, "status.collector.reason"), REASON_WORD_FELL_BACK);
	enum access access = view->access[RESOURCE_COLLECTOR];
	switch (settings->collector_mode) {
	case COLLECTOR_DEPLOYMENT:
		plan->mode = "Deployment";
		return;
	case COLLECTOR_CR:
		plan->mode = CR_KIND;
		plan->use_cr = true;
		return;
	case COLLECTOR_SHARED:
		plan->mode = "Shared";
		return;
	case COLLECTOR_EXTERNAL:
		plan->mode = "External";
		return;
	case COLLECTOR_AUTO:
		break;
	}
	if (text_equal(decided, "Deployment")) {
		plan->mode = "Deployment";
		plan->fell_back = fell_back;
	} else if (text_equal(decided, CR_KIND) || access == ACCESS_READABLE) {
		plan->mode = CR_KIND;
		plan->use_cr = true;
	} else if (access != ACCESS_PENDING) {
		plan->mode = "Deployment";
	}
}

/* No available Deployment in time: the CR's operator does not respond (LLMD §6.2). */
static void judge_timeout(const struct view *view, const struct settings *settings,
			  const cJSON *deployment, struct collector_plan *plan)
{
	const cJSON *cr = view_live(view, CR_KIND, CR_NAME, NULL);
	if (settings->collector_mode != COLLECTOR_AUTO || !object_is_managed(cr) ||
	    is_available(deployment))
		return;
	/* once it has worked, a later outage is that operator's to mend */
	const cJSON *was = object_condition(view->tracing, "CollectorReady");
	if (json_bool(view->tracing, "status.collector.worked", false) ||
	    text_equal(json_str(was, "status"), "True"))
		return;
	int64_t created =
	    moment_parse(json_str(cr, "metadata.creationTimestamp"), view->now.wall_us);
	int64_t age_ms = (view->now.wall_us - created) / 1000;
	int64_t limit_ms = (int64_t)view->options->collector_timeout_ms;
	if (age_ms < limit_ms) {
		plan->again_ms = (uint64_t)(limit_ms - (age_ms > 0 ? age_ms : 0));
		return;
	}
	plan->mode = "Deployment";
	plan->use_cr = false;
	plan->fell_back = true;
}

static const char lost_guarantees[] =
    "; removal of content (privacy), the filter of metrics scraping and memory limits are not "
    "in force there";

static void note_fallback(const struct view *view, struct collector_plan *plan)
{
	struct verdict now = plan->collector;
	verdict_set(&plan->collector, "False", REASON_WORD_FELL_BACK,
		    "nothing became of " CR_KIND " " CR_NAME
		    " in %u s; using a Deployment instead: "
		    "%.900s",
		    (unsigned)(view->options->collector_timeout_ms / 1000), now.message);
}

static void judge_own(const struct view *view, const struct settings *settings,
		      struct collector_plan *plan)
{
	const cJSON *deployment = view_live(view, "Deployment", COLLECTOR, NULL);
	const cJSON *service = view_live(view, "Service", COLLECTOR, NULL);
	const cJSON *cr = view_live(view, CR_KIND, CR_NAME, NULL);
	decide_mode(view, settings, plan);
	if (is_foreign(view, service)) {
		plan->foreign_collector = true;
		plan->mode = "Foreign";
		plan->use_cr = false;
		plan->ready =
		    judge_foreign(view, service, COLLECTOR, lost_guarantees, &plan->collector);
		return;
	}
	if (plan->mode == NULL) {
		verdict_set(&plan->collector, "False", "Discovering",
			    "waiting to know whether " CR_KIND " is served");
		return;
	}
	if (plan->use_cr)
		judge_timeout(view, settings, deployment, plan);
	if (plan->use_cr && view->access[RESOURCE_COLLECTOR] != ACCESS_READABLE) {
		verdict_set(&plan->collector, "False", "KindNotServed",
			    CR_KIND " (opentelemetry.io/v1beta1) is not served or not readable");
		return;
	}
	if (is_foreign(view, deployment) ||
	    (plan->use_cr && cr != NULL && !object_is_managed(cr))) {
		verdict_set(&plan->collector, "False", "ForeignObject",
			    "%s is not ours and there is no Service %s to use; rename or delete it",
			    is_foreign(view, deployment) ? "Deployment " COLLECTOR
							 : CR_KIND " " CR_NAME,
			    COLLECTOR);
		return;
	}
	/* of the other shape, ours or rendered from ours: has to go before this one comes */
	bool in_the_way = plan->use_cr
			      ? object_is_managed(deployment) || object_is_managed(service)
			      : object_is_managed(cr) || is_of_cr(deployment) || is_of_cr(service);
	plan->may_apply_collector = !in_the_way;
	explain_deployment(view, PART_COLLECTOR, deployment, COLLECTOR, &plan->collector);
	plan->ready = !in_the_way && is_available(deployment);
	if (in_the_way)
		verdict_set(&plan->collector, "False", "Replacing",
			    "waiting until the collector of the other kind is gone");
	else if (plan->fell_back && !plan->ready)
		note_fallback(view, plan);
}

static void judge_backend(const struct view *view, const struct settings *settings,
			  struct collector_plan *plan)
{
	const cJSON *service = view_live(view, "Service", JAEGER_SERVICE, NULL);
	const cJSON *deployment = view_live(view, "Deployment", JAEGER, NULL);
	bool unused = settings->collector_mode == COLLECTOR_SHARED ||
		      settings->collector_mode == COLLECTOR_EXTERNAL || plan->foreign_collector;
	if (unused) {
		plan->foreign_backend = true;
		verdict_set(&plan->backend, "True", "NotOurs",
			    "where spans go is up to the collector that is used");
	} else if (settings->backend == BACKEND_OTLP) {
		verdict_set(&plan->backend, "True", "External", "spans are sent on to %s",
			    settings->otlp_endpoint == NULL ? "" : settings->otlp_endpoint);
	} else if (is_foreign(view, service)) {
		plan->foreign_backend = true;
		(void)judge_foreign(view, service, JAEGER_SERVICE, "", &plan->backend);
	} else if (is_foreign(view, deployment)) {
		verdict_set(&plan->backend, "False", "ForeignObject",
			    "Deployment " JAEGER
			    " is not ours and there is no Service " JAEGER_SERVICE
			    " to use; rename or delete it");
	} else {
		plan->may_apply_backend = true;
		explain_deployment(view, PART_BACKEND, deployment, JAEGER, &plan->backend);
		note_storage(view, settings, &plan->backend);
	}
}

void collector_decide(const struct view *view, const struct settings *settings,
		      struct collector_plan *ret_plan)
{
	*ret_plan = (struct collector_plan){.mode = NULL};
	if (settings->collector_mode == COLLECTOR_SHARED ||
	    settings->collector_mode == COLLECTOR_EXTERNAL) {
		decide_mode(view, settings, ret_plan);
		ret_plan->may_apply_collector = true;
		ret_plan->ready = view->memory->refusals[PART_COLLECTOR].message == NULL;
		verdict_set(&ret_plan->collector, ret_plan->ready ? "True" : "False",
			    ret_plan->ready ? ret_plan->mode : "Refused", "%s",
			    ret_plan->ready ? "a collector outside of this namespace's set-up is "
					      "used; it is not ours to check"
					    : view->memory->refusals[PART_COLLECTOR].message);
	} else {
		judge_own(view, settings, ret_plan);
	}
	judge_backend(view, settings, ret_plan);
}
