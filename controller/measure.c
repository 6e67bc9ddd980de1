/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller shows of itself in /metrics (docs/metrics.md). */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/figures.h"
#include "controller/policy.h"
#include "controller/sampling_tell.h"

static void register_workloads(struct controller *controller, struct metrics *metrics)
{
	controller->metrics.workloads =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_workloads",
			   "Workloads by state and reason.", "state,reason");
	controller->metrics.rollouts =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_rollouts",
			   "Rollouts of our writes, by phase.", "phase");
	controller->metrics.restarts =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_pending_restarts",
			   "Pods that writes which wait will replace.", "");
	controller->metrics.longest_wait =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_longest_wait_seconds",
			   "How long the workload has waited to be written that has waited for "
			   "longest, by what it waits for now.",
			   "reason");
	controller->metrics.conflicts =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_conflicts_total",
			   "Workloads that were given up on since others undo the injection.", "");
	controller->metrics.reverts =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_reverts_total",
			   "Injections that were taken back since the pods did not come up.", "");
	/* from 0 on, or the first one would be no increase */
	metric_add(controller->metrics.reverts, "", 0);
	metric_add(controller->metrics.conflicts, "", 0);
}

void measure_register(struct controller *controller, struct metrics *metrics)
{
	controller->metrics.reconciles =
	    metrics_family(metrics, METRIC_COUNTER, "controller_runtime_reconcile_total",
			   "Reconciles by result.", "controller,result");
	controller->metrics.errors =
	    metrics_family(metrics, METRIC_COUNTER, "controller_runtime_reconcile_errors_total",
			   "Reconciles that ended with an error.", "controller");
	controller->metrics.terminal_errors = metrics_family(
	    metrics, METRIC_COUNTER, "controller_runtime_terminal_reconcile_errors_total",
	    "Reconciles that ended with an error that a retry does not mend.", "controller");
	controller->metrics.unfinished =
	    metrics_family(metrics, METRIC_GAUGE, "workqueue_unfinished_work_seconds",
			   "Sum of the ages of keys under way.", "name");
	controller->metrics.longest =
	    metrics_family(metrics, METRIC_GAUGE, "workqueue_longest_running_processor_seconds",
			   "Age of the key that has been under way for longest.", "name");
	controller->metrics.seconds =
	    metrics_family(metrics, METRIC_HISTOGRAM, "controller_runtime_reconcile_time_seconds",
			   "From taking a key to the end of its writes.", "controller");
	controller->metrics.active =
	    metrics_family(metrics, METRIC_GAUGE, "controller_runtime_active_workers",
			   "Keys under way.", "controller");
	controller->metrics.depth = metrics_family(metrics, METRIC_GAUGE, "workqueue_depth",
						   "Keys that are ready.", "name");
	controller->metrics.adds =
	    metrics_family(metrics, METRIC_COUNTER, "workqueue_adds_total", "Keys added.", "name");
	controller->metrics.retries = metrics_family(
	    metrics, METRIC_COUNTER, "workqueue_retries_total", "Retries after failures.", "name");
	controller->metrics.queue_seconds =
	    metrics_family(metrics, METRIC_HISTOGRAM, "workqueue_queue_duration_seconds",
			   "How long keys wait.", "name");
	controller->metrics.work_seconds =
	    metrics_family(metrics, METRIC_HISTOGRAM, "workqueue_work_duration_seconds",
			   "How long keys are worked on.", "name");
	controller->metrics.objects =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_store_objects",
			   "Objects in the store.", "resource");
	controller->metrics.bytes = metrics_family(
	    metrics, METRIC_GAUGE, "llmd_tracing_store_bytes", "Bytes that they take.", "resource");
	controller->metrics.broken =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_broken_objects_total",
			   "Objects that could not be read.", "resource");
	controller->metrics.namespaces =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_namespaces",
			   "Namespaces that are looked after.", "");
	controller->metrics.proof =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_proof_namespaces",
			   "Namespaces by what is known of their spans.", "condition,status");
	controller->metrics.ratio_asked = metrics_family(
	    metrics, METRIC_GAUGE, "llmd_tracing_sampling_ratio",
	    "Share of requests that is asked to be traced, of a boost while it lasts.",
	    "namespace");
	controller->metrics.ratio_kept = metrics_family(
	    metrics, METRIC_GAUGE, "llmd_tracing_sampling_sent_ratio",
	    "Share of the accepted spans that the collector has sent on since it started, where "
	    "it samples or limits and is the only one.",
	    "namespace");
	controller->metrics.rehearsals =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_rehearsals_total",
			   "Images that were tried in a pod of their own, by verdict.", "verdict");
	controller->actor.writes =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_writes_total",
			   "Writes by action and result.", "action,result");
	register_workloads(controller, metrics);
	metric_set(metrics_family(metrics, METRIC_GAUGE,
				  "controller_runtime_max_concurrent_reconciles",
				  "Most keys under way at a time.", "controller"),
		   "llmd-tracing", (double)controller->max_concurrent);
}

static void measure_work(struct controller *controller)
{
	uint64_t now = controller_now(controller).mono_ms;
	uint64_t sum = 0;
	uint64_t longest = 0;
	for (size_t i = 0; i < controller->namespace_count; i++) {
		const struct namespace *space = controller->namespaces[i];
		uint64_t age = space->busy ? now - space->busy_since_ms : 0;
		sum += age;
		longest = age > longest ? age : longest;
	}
	metric_set(controller->metrics.unfinished, "llmd-tracing", (double)sum / 1000);
	metric_set(controller->metrics.longest, "llmd-tracing", (double)longest / 1000);
	metric_set(controller->metrics.active, "llmd-tracing", (double)controller->busy);
}

static void measure_proof(struct controller *controller)
{
	static const char *const statuses[] = {"True", "False", "Unknown"};
	for (size_t k = 0; k < ARRAY_LEN(statuses); k++) {
		size_t received = 0;
		size_t connected = 0;
		char label[64];
		for (size_t i = 0; i < controller->namespace_count; i++) {
			const struct proof *proof = &controller->namespaces[i]->proof;
			received += text_equal(proof->received.status, statuses[k]);
			connected += text_equal(proof->connected.status, statuses[k]);
		}
		(void)snprintf(label, sizeof(label), "SpansReceived\x1f%s", statuses[k]);
		metric_set(controller->metrics.proof, label, (double)received);
		(void)snprintf(label, sizeof(label), "TraceConnected\x1f%s", statuses[k]);
		metric_set(controller->metrics.proof, label, (double)connected);
	}
}

/* A series that was shown once goes to 0 and not away, so that nobody sees an old figure for long. */
static void set_seen(struct metric *metric, const char *labels, double value, bool *seen)
{
	*seen = *seen || value > 0;
	if (*seen)
		metric_set(metric, labels, value);
}

/* What was shown once goes to 0 with the tracing. */
void measure_sampling(struct controller *controller, const struct namespace *space,
		      const struct policy *policy)
{
	bool on = policy->phase == PHASE_ON && policy->has_settings;
	double asked = on ? strtod(settings_ratio(&policy->settings), NULL) : 0;
	double kept = on ? sampling_kept(&space->proof, &policy->settings) : 0;
	if (on || metric_get(controller->metrics.ratio_asked, space->name) > 0)
		metric_set(controller->metrics.ratio_asked, space->name, asked);
	if (kept > 0 || metric_get(controller->metrics.ratio_kept, space->name) > 0)
		metric_set(controller->metrics.ratio_kept, space->name, kept < 0 ? 0 : kept);
}

static void measure_workloads(struct controller *controller)
{
	struct workload_figures figures = {.progressing = 0};
	int64_t now = controller_now(controller).wall_us;
	for (size_t i = 0; i < controller->namespace_count; i++)
		figures_add(&figures, &controller->namespaces[i]->roster, now);
	for (size_t k = WORKLOAD_INJECTED; k < WORKLOAD_STATE_COUNT; k++) {
		for (size_t i = 0; i < REASON_COUNT; i++) {
			char labels[128];
			(void)snprintf(labels, sizeof(labels), "%s\x1f%s",
				       workload_state_name((enum workload_state)k),
				       reason_info((enum reason)i)->word);
			set_seen(controller->metrics.workloads, labels, (double)figures.rows[k][i],
				 &controller->metrics.seen[k][i]);
		}
	}
	for (size_t i = 0; i < REASON_COUNT; i++)
		set_seen(controller->metrics.longest_wait, reason_info((enum reason)i)->word,
			 figures.longest_wait[i], &controller->metrics.seen_wait[i]);
	metric_set(controller->metrics.rollouts, "progressing", (double)figures.progressing);
	metric_set(controller->metrics.rollouts, "stalled", (double)figures.stalled);
	metric_set(controller->metrics.rollouts, "unseen", (double)figures.blind);
	metric_set(controller->metrics.restarts, "", (double)figures.restarts);
}

void controller_measure(struct controller *controller)
{
	struct queue_figures figures = queue_figures(controller->queue);
	metric_set(controller->metrics.depth, "llmd-tracing", (double)figures.depth);
	metric_add(controller->metrics.adds, "llmd-tracing",
		   (double)(figures.adds - controller->counted_adds));
	metric_add(controller->metrics.retries, "llmd-tracing",
		   (double)(figures.retries - controller->counted_retries));
	controller->counted_adds = figures.adds;
	controller->counted_retries = figures.retries;
	measure_work(controller);
	measure_proof(controller);
	metric_set(controller->metrics.namespaces, "", (double)controller->namespace_count);
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		const struct resource *resource = resource_get((enum resource_id)i);
		size_t count = 0;
		(void)store_all(controller->store, (enum resource_id)i, &count);
		CLEANUP(str_freep)
		char *label = xasprintf("%s.%s", resource->plural, resource->api_version);
		metric_set(controller->metrics.objects, label, (double)count);
		metric_set(controller->metrics.bytes, label,
			   (double)store_bytes(controller->store, (enum resource_id)i));
	}
	measure_workloads(controller);
}
