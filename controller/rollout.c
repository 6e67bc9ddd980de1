/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout.h"

#include "base/text.h"
#include "controller/moment.h"
#include "controller/view.h"

enum {
	PULL_S = 600,       /* images of engines are 10 to 20 GB */
	UNBOUNDED_S = 3600, /* a server on an accelerator whose probes do not bound its start */
	PROGRESS_DEADLINE_S = 600, /* of a Deployment that says nothing (apps/v1) */
	US_PER_SECOND = 1000000,
};

static bool has_seen_generation(const cJSON *object)
{
	const cJSON *observed = json_get(object, "status.observedGeneration");
	if (observed == NULL) /* LeaderWorkerSets of old versions never tell it */
		return !text_equal(json_str(object, "kind"), "Deployment");
	return json_int(object, "status.observedGeneration", 0) >=
	       json_int(object, "metadata.generation", 0);
}

/* A StatefulSet counts pods of both revisions as updated until it has named the new one. */
static bool has_one_revision(const struct replicas *set)
{
	return set->partition > 0 || text_equal(json_str(set->object, "status.currentRevision"),
						json_str(set->object, "status.updateRevision"));
}

static enum rollout_phase phase_of(const struct replicas *set)
{
	bool updated = set->updated >= set->wanted;
	if (!has_seen_generation(set->object))
		return ROLLOUT_PROGRESSING;
	if (set->by_hand)
		return updated && set->total <= set->updated ? ROLLOUT_COMPLETE : ROLLOUT_HELD_BACK;
	if (set->updated < set->wanted - set->partition || set->ready < set->wanted ||
	    set->total - set->updated > set->partition || !has_one_revision(set))
		return ROLLOUT_PROGRESSING;
	return updated ? ROLLOUT_COMPLETE : ROLLOUT_HELD_BACK;
}

/* Where all are Ready, the new ones are; a ReplicaSet counts its old pods as new ones. */
static bool shows_template(const struct replicas *set, enum rollout_phase phase)
{
	bool replaced = phase == ROLLOUT_COMPLETE || (phase == ROLLOUT_HELD_BACK && !set->by_hand);
	return replaced && set->updated > 0 && set->ready >= set->wanted &&
	       !text_equal(json_str(set->object, "kind"), "ReplicaSet");
}

static long probe_s(const cJSON *probe)
{
	return json_int(probe, "initialDelaySeconds", 0) +
	       json_int(probe, "periodSeconds", 10) * json_int(probe, "failureThreshold", 3);
}

static long most(long a, long b)
{
	return a > b ? a : b;
}

/* What the probes of the slowest container allow; *ret_bounded when one of startup says so. */
static long start_s(const cJSON *containers, bool *ret_bounded)
{
	long longest = 0;
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, containers)
	{
		const cJSON *startup = json_member(container, "startupProbe");
		const cJSON *readiness = json_member(container, "readinessProbe");
		*ret_bounded = *ret_bounded || startup != NULL;
		long s = startup == NULL ? 0 : probe_s(startup);
		longest = most(longest, s + (readiness == NULL ? 0 : probe_s(readiness)));
	}
	return longest;
}

static long pod_start_s(const cJSON *pod_spec)
{
	bool bounded = false;
	long s = start_s(json_member(pod_spec, "containers"), &bounded);
	s = most(s, start_s(json_member(pod_spec, "initContainers"), &bounded));
	return !bounded && pod_wants_accelerator(pod_spec) ? most(s, UNBOUNDED_S) : s;
}

static long patience_of(const struct replicas *set)
{
	long s = pod_start_s(set->leader);
	if (set->worker != NULL)
		s = most(s, pod_start_s(set->worker));
	s += PULL_S + json_int(set->object, "spec.minReadySeconds", 0);
	return most(s, json_int(set->object, "spec.progressDeadlineSeconds", PROGRESS_DEADLINE_S));
}

static void read_deadline(const struct replicas *set, struct rollout *rollout)
{
	const cJSON *progressing = object_condition(set->object, "Progressing");
	if (!text_equal(json_str(progressing, "reason"), "ProgressDeadlineExceeded"))
		return;
	/* the condition changed when the deadline had passed: the last progress was before it */
	int64_t changed = moment_parse(json_str(progressing, "lastUpdateTime"), 0);
	long deadline = json_int(set->object, "spec.progressDeadlineSeconds", PROGRESS_DEADLINE_S);
	rollout->past_deadline = true;
	rollout->since_us = changed == 0 ? 0 : changed - (int64_t)deadline * US_PER_SECOND;
}

void rollout_judge(const cJSON *object, const struct facts *facts, struct rollout *ret_rollout)
{
	struct replica_sets sets;
	replica_sets_read(object, facts, &sets);
	rollout_judge_sets(&sets, ret_rollout);
}

void rollout_judge_sets(const struct replica_sets *sets, struct rollout *ret_rollout)
{
	struct rollout rollout = {.phase = ROLLOUT_COMPLETE};
	bool doubtful = false;
	for (size_t i = 0; i < sets->count; i++) {
		const struct replicas *set = &sets->items[i];
		enum rollout_phase phase = phase_of(set);
		rollout.phase = phase > rollout.phase ? phase : rollout.phase;
		bool shown = shows_template(set, phase);
		rollout.shown |= shown;
		doubtful |= !shown && set->wanted > 0;
		rollout.untold |= json_get(set->object, "status.observedGeneration") == NULL;
		rollout.wanted += set->wanted;
		/* before the newest generation is seen, the figure is of the one before */
		rollout.replaced += has_seen_generation(set->object) ? set->updated : 0;
		rollout.updated += set->updated;
		rollout.ready += set->ready;
		rollout.pods += replicas_to_replace(set) * set->size;
		rollout.patience_s = most(rollout.patience_s, patience_of(set));
		read_deadline(set, &rollout);
		if (i == 0 || set->object != sets->items[i - 1].object)
			rollout.generation += json_int(set->object, "metadata.generation", 0);
	}
	rollout.shown &= !doubtful;
	*ret_rollout = rollout;
}

bool rollout_is_failing(const struct rollout *rollout, int64_t now_us)
{
	return rollout->phase == ROLLOUT_PROGRESSING && rollout->past_deadline &&
	       rollout->since_us > 0 &&
	       now_us - rollout->since_us > (int64_t)rollout->patience_s * US_PER_SECOND;
}
