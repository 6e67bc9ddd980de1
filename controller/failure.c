/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/elsewhere.h"
#include "inject/settings.h"

enum { MEND_AGAIN_MS = 15000 };

/* --- reading pods --- */

static void add_values(struct buffer *out, const cJSON *values)
{
	const cJSON *value = NULL;
	buffer_add_char(out, '(');
	cJSON_ArrayForEach(value, values)
	{
		if (cJSON_IsString(value))
			buffer_addf(out, "%s%s", value == values->child ? "" : ",",
				    value->valuestring);
	}
	buffer_add_char(out, ')');
}

static void add_expression(struct buffer *out, const cJSON *expression)
{
	static const struct {
		const char *operator;
		const char *before;
		const char *after; /* NULL: no values */
	} forms[] = {{"In", "", " in "},
		     {"NotIn", "", " notin "},
		     {"Exists", "", NULL},
		     {"DoesNotExist", "!", NULL}};
	const char *key = json_str(expression, "key");
	for (size_t i = 0; key != NULL && i < ARRAY_LEN(forms); i++) {
		if (!text_equal(json_str(expression, "operator"), forms[i].operator))
			continue;
		buffer_addf(out, "%s%s%s%s", out->len == 0 ? "" : ",", forms[i].before, key,
			    forms[i].after == NULL ? "" : forms[i].after);
		if (forms[i].after != NULL)
			add_values(out, json_member(expression, "values"));
	}
}

/* Owners that mark their pods with their name; the others say it by a selector. */
static void add_selector(struct buffer *out, const cJSON *object)
{
	static const char *const marks[][2] = {
	    {"LeaderWorkerSet", "leaderworkerset.sigs.k8s.io/name"},
	    {"DisaggregatedSet", "disaggregatedset.x-k8s.io/name"}};
	const cJSON *item = NULL;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (text_equal(json_str(object, "kind"), marks[i][0]))
			buffer_addf(out, "%s=%s", marks[i][1], json_str(object, "metadata.name"));
	if (out->len > 0)
		return;
	cJSON_ArrayForEach(item, json_get(object, "spec.selector.matchLabels"))
	{
		if (cJSON_IsString(item))
			buffer_addf(out, "%s%s=%s", out->len == 0 ? "" : ",", item->string,
				    item->valuestring);
	}
	cJSON_ArrayForEach(item, json_get(object, "spec.selector.matchExpressions"))
	{
		add_expression(out, item);
	}
}

static struct intent *intend(struct reconciling *r, enum intent_type type, const char *name)
{
	const cJSON *object = r->input->object;
	struct intent *intent = intents_add(r->intents, type, RESOURCE_POD,
					    json_str(object, "metadata.namespace"), name);
	intent->owner = r->input->resource;
	intent->owner_name = xstrdup(json_str(object, "metadata.name"));
	return intent;
}

/* From now on until pods_seen_clear. */
static void watch_pods(struct reconciling *r)
{
	if (r->row->seen.asked)
		return;
	r->row->seen.asked = true;
	for (size_t i = 0; i < r->sets.count; i++) {
		const cJSON *object = r->sets.items[i].object;
		struct buffer selector CLEANUP(buffer_release) = {0};
		if (i > 0 && object == r->sets.items[i - 1].object)
			continue;
		buffer_init(&selector, KIB(4));
		add_selector(&selector, object);
		if (selector.len == 0 || selector.full)
			continue; /* all pods of the namespace are none of this one's */
		intend(r, INTENT_PODS, "")->word = xstrdup(selector.data);
	}
}

/* What is known of a container's words stays known while it is the same container. */
static void take_answers(struct reconciling *r)
{
	struct pods_seen *seen = &r->row->seen;
	if (seen->fresh) {
		struct crash before = seen->crash;
		crash_read(seen->pods, &r->sets, r->plan, &seen->crash);
		seen->fresh = false;
		if (seen->crash.needs_text && crash_has_ended(&before) && !before.needs_text &&
		    strcmp(before.pod, seen->crash.pod) == 0 &&
		    strcmp(before.container, seen->crash.container) == 0)
			seen->crash = before;
	}
	if (seen->log != NULL) {
		/* a kubelet has a "previous" log only once it has started the container again */
		if (seen->log[0] == '\0' && !seen->crash.not_restarted)
			seen->crash.not_restarted = true;
		else
			crash_read_text(&seen->crash, seen->log, strlen(seen->log));
		seen->crash.unread = seen->unread;
		free(seen->log);
		seen->log = NULL;
	}
}

static void look_at_pods(struct reconciling *r)
{
	struct pods_seen *seen = &r->row->seen;
	if (!r->row->pace.rolling || r->ledger == NULL) {
		pods_seen_clear(seen);
		return;
	}
	watch_pods(r);
	take_answers(r);
	if (seen->crash.needs_text) {
		struct intent *intent = intend(r, INTENT_LOG, seen->crash.pod);
		intent->word = xstrdup(seen->crash.container);
		intent->present = seen->crash.not_restarted;
	}
}

/* --- the verdict --- */

/*
 * A container that we edited ended before it was ever Ready, where all was Ready before. Where
 * that is in doubt its words decide.
 */
static bool is_ours(const struct reconciling *r)
{
	const struct crash *crash = &r->row->seen.crash;
	return crash_has_ended(crash) && crash->edited && !crash->needs_text &&
	       (!r->row->pace.doubtful || crash_is_about_tracing(crash));
}

static const struct plan_container *container_named(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->container_count; i++)
		if (plan->containers[i].inject && strcmp(plan->containers[i].name, name) == 0)
			return &plan->containers[i];
	return NULL;
}

static char *name_of(const struct reconciling *r)
{
	return xasprintf("%s/%s", resource_get(r->input->resource)->kind,
			 json_str(r->input->object, "metadata.name"));
}

/* Stands in the status before the revert is written. */
static void intend_memory(struct reconciling *r)
{
	if (r->input->policy->tracing_uid == NULL)
		return;
	struct intent *intent =
	    intents_add(r->intents, INTENT_STATUS, RESOURCE_TRACING,
			json_str(r->input->object, "metadata.namespace"), TRACING_NAME);
	intent->body = cJSON_CreateObject();
	json_set(json_set_object(intent->body, "status"), "refusedImages",
		 refused_status(&r->input->roster->refused));
	intent->is_report = true; /* serving comes before memory */
	intent->note = xstrdup("remember the refused image");
}

static void refuse(struct reconciling *r)
{
	const struct crash *crash = &r->row->seen.crash;
	const struct plan_container *container = container_named(r->plan, crash->container);
	char message[600];
	union {
		const char *in;
		char *out;
	} component = {.in = component_name(container->component)},
	  version = {.in = r->input->policy->operator_version},
	  reason = {.in = crash_info(crash->class)->word},
	  settings = {.in = r->input->policy->said_hash};
	char retry[17] = "";
	CLEANUP(str_freep) char *workload = name_of(r);
	(void)reconciling_retry(r->input->object, retry);
	crash_describe(crash, message, sizeof(message));
	struct refused entry = {.image = container->image,
				.component = component.out,
				.workload = workload,
				.version = version.out,
				.settings = settings.out,
				.retry = retry,
				.reason = reason.out,
				.message = message,
				.at_us = r->input->now.wall_us};
	refused_add(&r->input->roster->refused, &entry);
	r->changed = true;
	intend_memory(r);
}

/* By the ledger, at once: neither policy, window, floor nor turn stand in the way of mending. */
static void revert(struct reconciling *r, const struct refused *entry)
{
	if (!reconciling_build(r, PLAN_REMOVE))
		return;
	if (r->plan->changes && reconciling_is_refused(r))
		return;
	undo_forget(&r->row->undo);
	consent_forget(&r->row->consent);
	pods_seen_clear(&r->row->seen);
	reconciling_tell(r, WORKLOAD_FAILED, REASON_REVERTED, entry->message);
	if (!r->plan->changes)
		return;
	r->reverts = true;
	reconciling_patch(r);
}

static bool keeps_pods(const cJSON *object)
{
	return text_equal(json_str(object, "kind"), "StatefulSet") &&
	       !text_equal(json_str(object, "spec.podManagementPolicy"), "Parallel") &&
	       !text_equal(json_str(object, "spec.updateStrategy.type"), "OnDelete");
}

static const cJSON *find_leftover(struct reconciling *r)
{
	CLEANUP(json_freep) cJSON *edited = NULL;
	struct error err;
	struct replica_sets crashed;
	pods_seen_bury(&r->row->seen);
	if (r->row->seen.pods == NULL ||
	    plan_apply(r->plan, r->input->object, &edited, &err) != STATUS_OK)
		return NULL;
	replica_sets_read(edited, r->input->facts, &crashed);
	return crash_leftover(r->row->seen.pods, r->input->object, r->plan, &crashed, &r->sets);
}

static void intend_deletion(struct reconciling *r, const cJSON *pod)
{
	char note[400];
	const char *name = json_str(pod, "metadata.name");
	struct intent *intent = intend(r, INTENT_DELETE, name);
	intent->uid = xstrdup(json_str(pod, "metadata.uid"));
	intent->version = xstrdup(json_str(pod, "metadata.resourceVersion"));
	intent->note = xstrdup("undo a crash of ours");
	(void)snprintf(note, sizeof(note),
		       "pod %s, which had crashed with tracing and which its StatefulSet kept, "
		       "was deleted",
		       name);
	reconciling_tell_event(r, REASON_REVERTED, "Revert",
			       note); /* only if the write before is */
	intents_again(r->intents, MEND_AGAIN_MS);
}

/*
 * After the revert of an OrderedReady StatefulSet: its controller waits for the crashed pod to
 * be Ready before it replaces any. What our edit broke is not mended before that pod is gone.
 */
static void mend(struct reconciling *r, char *words, size_t size)
{
	struct pods_seen *seen = &r->row->seen;
	words[0] = '\0';
	if (!r->row->pace.rolling || !keeps_pods(r->input->object)) {
		pods_seen_clear(seen);
		return;
	}
	watch_pods(r);
	const cJSON *pod = find_leftover(r);
	if (pod != NULL && !seen->undeletable)
		intend_deletion(r, pod);
	else if (pod != NULL || seen->blind != NULL)
		(void)snprintf(words, size,
			       " Its StatefulSet keeps a pod that was never Ready, and the "
			       "operator may not %s: delete that pod%s%s.",
			       pod != NULL ? "delete it" : "look for it", pod != NULL ? ", " : "",
			       pod != NULL ? json_str(pod, "metadata.name") : "");
}

/* A person wants another try of what stands against this image in this namespace. */
static bool is_pardoned(const struct reconciling *r, const struct refused *entry, bool own)
{
	char retry[17] = "";
	return reconciling_retry(r->input->object, retry) &&
	       !text_equal(retry, own ? entry->retry : r->row->undo.retry);
}

/* Of another namespace only the image is told, which this workload names itself. */
static void describe_elsewhere(struct reconciling *r)
{
	const struct refused *there = elsewhere_refused(r->input->elsewhere, r->plan);
	if (there != NULL)
		(void)snprintf(r->words, sizeof(r->words),
			       "image %s did not come up with tracing in another namespace",
			       there->image);
	else
		(void)snprintf(r->words, sizeof(r->words),
			       "more images were refused here than are remembered, so none is "
			       "tried that is not known to work");
}

static bool tell_refused(struct reconciling *r, const struct refused *entry, bool own)
{
	bool before = r->changed;
	char kept[400];
	if (own && entry != NULL) {
		mend(r, kept, sizeof(kept));
		(void)snprintf(r->words, sizeof(r->words), "%s%s", entry->message, kept);
	} else if (entry != NULL)
		(void)snprintf(r->words, sizeof(r->words), "image %s, tried in %s: %s",
			       entry->image, entry->workload, entry->message);
	else
		describe_elsewhere(r);
	r->changed = false;
	reconciling_tell(r, own ? WORKLOAD_FAILED : WORKLOAD_SKIPPED,
			 own ? REASON_REVERTED : REASON_IMAGE_REFUSED, r->words);
	if (r->changed && !own)
		reconciling_tell_event(r, REASON_IMAGE_REFUSED, "Inject", r->words);
	r->changed = r->changed || before;
	return true;
}

/* What others have found holds for a workload that is not traced yet; one that runs is left. */
static bool is_refused_elsewhere(struct reconciling *r)
{
	char retry[17];
	bool asked = reconciling_retry(r->input->object, retry);
	if (r->ledger != NULL && !r->plan->template_changes)
		return false;
	return elsewhere_judge(r->input->elsewhere, r->input->roster, r->row, r->plan, asked) ==
	       REASON_IMAGE_REFUSED;
}

bool failure_holds(struct reconciling *r)
{
	const struct policy *policy = r->input->policy;
	struct refused_list *list = &r->input->roster->refused;
	if (policy->phase != PHASE_ON || policy->dry_run || !r->plan->injected)
		return false;
	if (refused_sweep(list, policy->said_hash, policy->operator_version))
		r->changed = true;
	CLEANUP(str_freep) char *name = name_of(r);
	const struct refused *entry = refused_find(list, r->plan);
	if (entry == NULL || strcmp(entry->workload, name) != 0) {
		look_at_pods(r);
		if (is_ours(r)) {
			refuse(r);
			entry = refused_find(list, r->plan);
		} else if (!r->row->seen.crash.needs_text) {
			pods_seen_bury(&r->row->seen);
		}
	}
	if (entry == NULL)
		return is_refused_elsewhere(r) && tell_refused(r, NULL, false);
	bool own = strcmp(entry->workload, name) == 0;
	if (is_pardoned(r, entry, own)) {
		r->changed = refused_pardon(list, r->plan) || r->changed;
		return false;
	}
	if (own && r->ledger != NULL) {
		revert(r, entry);
		return true;
	}
	if (r->ledger != NULL && !r->plan->template_changes)
		return false;
	return tell_refused(r, entry, own);
}

bool failure_tell(struct reconciling *r)
{
	const struct pods_seen *seen = &r->row->seen;
	if (seen->crash.class == CRASH_NONE || seen->crash.needs_text)
		return false;
	crash_describe(&seen->crash, r->words, sizeof(r->words));
	reconciling_tell(r, crash_has_ended(&seen->crash) ? WORKLOAD_FAILED : WORKLOAD_PENDING,
			 REASON_NOT_COMING_UP, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_NOT_COMING_UP, "Rollout", r->words);
	return true;
}
