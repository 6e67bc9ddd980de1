/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/plan_inputs.h"
#include "inject/plan_list.h"
#include "inject/plan_owner.h"
#include "inject/plan_render.h"

/* What is to be done with the object as a whole. */
enum course {
	COURSE_LEAVE,  /* nothing, whatever is in it */
	COURSE_REMOVE, /* take everything back */
	COURSE_INJECT, /* decide container by container */
};

struct planning {
	const struct plan_input *input;
	struct plan *plan;
	struct ledger ledger;
	enum ledger_state ledger_state;
	struct pod_templates templates;
	struct works works;
	char inputs[INPUTS_HASH_SIZE];
};

static void planning_release(struct planning *planning)
{
	works_release(&planning->works);
	pod_templates_release(&planning->templates);
	ledger_release(&planning->ledger);
}

static enum course say(struct planning *planning, enum course course, enum reason reason,
		       const char *fmt, ...) PRINTF_LIKE(4, 5);

static enum course say(struct planning *planning, enum course course, enum reason reason,
		       const char *fmt, ...)
{
	struct plan *plan = planning->plan;
	va_list args;
	plan->reason = reason;
	free(plan->message);
	va_start(args, fmt);
	if (vasprintf(&plan->message, fmt, args) < 0)
		abort();
	va_end(args);
	return course;
}

/* Who may edit the object at all. With a ledger it stays as it is: lost evidence is no reason. */
static bool check_owner(struct planning *planning, enum course *ret_course)
{
	static const struct {
		enum standing standing;
		enum reason reason;
	} rows[] = {{STANDING_OWNED, REASON_OWNED},
		    {STANDING_KSERVE, REASON_KSERVE_OWNED},
		    {STANDING_UNKNOWN_OWNER, REASON_UNKNOWN_OWNER}};
	const struct facts *facts = planning->input->facts;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (facts->standing != rows[i].standing)
			continue;
		char *sentence CLEANUP(str_freep) = owner_sentence(facts);
		*ret_course = say(planning, COURSE_LEAVE, rows[i].reason, "%s", sentence);
		return true;
	}
	return false;
}

/* Neither "true" nor "false": what was meant is not guessed. `whose` ends with a space. */
static bool check_word(struct planning *planning, const char *whose, const cJSON *word,
		       enum course *ret_course)
{
	const char *text = cJSON_IsString(word) ? word->valuestring : NULL;
	const char *bare = cJSON_IsBool(word) ? (cJSON_IsTrue(word) ? "true" : "false") : "a value";
	if (word == NULL || text_equal(text, "true") || text_equal(text, "false"))
		return false;
	*ret_course = say(planning, COURSE_LEAVE, REASON_BAD_OVERRIDE,
			  "%sannotation %s: %s%s%s is neither \"true\" nor \"false\"", whose,
			  ANNOTATION_INJECT, text == NULL ? bare : "\"",
			  text == NULL ? " without quotes" : text, text == NULL ? "" : "\"");
	return true;
}

static bool check_opt_out(struct planning *planning, enum course *ret_course)
{
	const cJSON *annotations = json_get(planning->input->object, "metadata.annotations");
	const cJSON *word = json_member(annotations, ANNOTATION_INJECT);
	if (check_word(planning, "", word, ret_course))
		return true;
	if (word == NULL || !text_equal(word->valuestring, "false"))
		return false;
	*ret_course = say(planning, COURSE_REMOVE, REASON_OPTED_OUT, "annotation %s is \"false\"",
			  ANNOTATION_INJECT);
	return true;
}

/* What a pod template says for itself, where it is none of the two words. */
static void check_templates(struct planning *planning, enum course *course)
{
	const struct pod_templates *templates = &planning->templates;
	for (size_t i = 0; i < templates->count && templates->in_template; i++) {
		const cJSON *annotations = json_member(templates->items[i].metadata, "annotations");
		const cJSON *word = json_member(annotations, ANNOTATION_INJECT);
		if (check_word(planning, "the pod template's ", word, course))
			return;
	}
}

static enum course choose_course(struct planning *planning)
{
	const struct plan_input *input = planning->input;
	enum course course = COURSE_LEAVE;
	if (planning->ledger_state == LEDGER_NEWER ||
	    (planning->ledger_state == LEDGER_OK && planning->ledger.rules > PLAN_RULES_REVISION &&
	     input->want == PLAN_INJECT)) {
		planning->plan->ledger_newer = true;
		return say(planning, COURSE_LEAVE, REASON_LEDGER_NEWER,
			   "injected by a newer operator; left as it is");
	}
	if (input->want == PLAN_REMOVE)
		return say(planning, COURSE_REMOVE, REASON_REMOVED, "%s",
			   planning->ledger_state == LEDGER_OK
			       ? "everything that was ours is taken back"
			       : "nothing of ours is in it");
	if (check_owner(planning, &course) || check_opt_out(planning, &course))
		return course;
	if (input->settings->injection_off)
		return say(planning, COURSE_REMOVE, REASON_INJECTION_OFF,
			   "the Tracing says to inject nothing");
	if (input->facts->pool_excluded)
		return say(planning, COURSE_REMOVE, REASON_NOT_SELECTED,
			   "spec.selector leaves it out");
	if (input->facts->evidence == EVIDENCE_NONE && planning->ledger_state != LEDGER_OK)
		return say(planning, COURSE_LEAVE, REASON_NOTHING_LEADS_HERE,
			   "no InferencePool, ModelService, llm-d label or annotation leads to it");
	bool bare = text_equal(json_str(input->object, "kind"), "ReplicaSet");
	return say(planning, COURSE_INJECT, REASON_NONE, "%s%s", input->facts->why,
		   bare ? "; running pods stay as they are until they are replaced" : "");
}

/* A pod template may opt out for itself. */
static bool template_opted_out(const struct pod_template *template, bool in_template)
{
	const cJSON *annotations = json_member(template->metadata, "annotations");
	const cJSON *word = json_member(annotations, ANNOTATION_INJECT);
	return in_template && cJSON_IsString(word) && strcmp(word->valuestring, "false") == 0;
}

static void skip_work(struct work *work, enum reason reason, const char *message)
{
	work->decision.reason = reason;
	work->decision.message = xstrdup(message);
}

static void decide_all(struct planning *planning, enum course course)
{
	struct works *works = &planning->works;
	for (size_t i = 0; i < works->count; i++) {
		struct work *work = &works->items[i];
		if (course != COURSE_INJECT) {
			skip_work(work, planning->plan->reason, planning->plan->message);
			work_restore(work);
		} else if (template_opted_out(work->template, planning->templates.in_template)) {
			skip_work(work, REASON_OPTED_OUT,
				  "the pod template's annotation tracing.llm-d.io/inject is "
				  "\"false\"");
			work_restore(work);
		} else {
			work_decide(work, planning->input);
		}
	}
}

/*
 * The ledger was written by what the user says now. That of an object that others lead knows no
 * ratio: neither another one, nor who has gone since, is a wish that its pods be replaced.
 */
static bool ledger_has_settings(const struct planning *planning)
{
	const struct plan_input *input = planning->input;
	return text_equal(planning->ledger.settings, input->settings_hash) ||
	       (input->led_hash != NULL && text_equal(planning->ledger.settings, input->led_hash));
}

/*
 * Pinned plans (DESIGN §4.6): the object is as the ledger left it and the user asked for
 * nothing else, so what differs comes from new rules or defaults. It waits.
 */
static bool is_pinned(const struct planning *planning)
{
	const struct plan_input *input = planning->input;
	if (planning->ledger_state != LEDGER_OK || input->take_updates ||
	    !ledger_has_settings(planning) ||
	    !text_equal(planning->ledger.inputs, planning->inputs))
		return false;
	for (size_t i = 0; i < planning->works.count; i++)
		if (!planning->works.items[i].intact)
			return false;
	return true;
}

static bool any_differs(const struct works *works)
{
	for (size_t i = 0; i < works->count; i++)
		if (work_differs(&works->items[i]))
			return true;
	return false;
}

static bool any_changed_by_user(const struct works *works)
{
	for (size_t i = 0; i < works->count; i++)
		if (works->items[i].entry != NULL && !works->items[i].intact)
			return true;
	return false;
}

static int by_key(const void *a, const void *b)
{
	const struct work *const *x = a;
	const struct work *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

/* By key, so that the ledger's text does not depend on where containers stand. */
static const struct work **sorted_works(const struct works *works)
{
	const struct work **sorted = xcalloc(works->count, sizeof(*sorted));
	for (size_t i = 0; i < works->count; i++)
		sorted[i] = &works->items[i];
	qsort((void *)sorted, works->count, sizeof(*sorted), by_key);
	return sorted;
}

static const char *hash_for_ledger(const struct planning *planning)
{
	const struct plan_input *input = planning->input;
	bool led = input->led_hash != NULL;
	for (size_t i = 0; i < planning->works.count; i++) {
		const struct work *work = &planning->works.items[i];
		led = led && !(work_is_injected(work) && work->decision.has_ratio);
	}
	if (led)
		return input->led_hash;
	return input->settings_hash == NULL ? "" : input->settings_hash;
}

/* The text of the wanted ledger, NULL when nothing of ours is left. Owned. */
static char *wanted_ledger(const struct planning *planning, bool *ret_too_large)
{
	const cJSON *annotations = json_get(planning->input->object, "metadata.annotations");
	enum list_state was = annotations == NULL
				  ? LIST_ABSENT
				  : (cJSON_IsNull(annotations) ? LIST_NULL : LIST_ARRAY);
	if (planning->ledger_state == LEDGER_OK)
		was = planning->ledger.annotations;
	cJSON *tree CLEANUP(json_freep) = NULL;
	const struct work **sorted = sorted_works(&planning->works);
	for (size_t i = 0; i < planning->works.count; i++) {
		const struct work *work = sorted[i];
		if (!work_is_injected(work))
			continue;
		if (tree == NULL)
			tree = ledger_new(PLAN_RULES_REVISION, hash_for_ledger(planning),
					  planning->inputs, was);
		work_record(work, tree);
	}
	free((void *)sorted);
	if (tree == NULL)
		return NULL;
	char *text = json_to_string(tree);
	*ret_too_large = strlen(text) > LIMIT_LEDGER_BYTES;
	return text;
}

/* Same settings, same inputs, nothing to edit: the ledger that is there says it already. */
static bool ledger_is_current(const struct planning *planning, bool differs)
{
	return planning->ledger_state == LEDGER_OK && !differs && ledger_has_settings(planning) &&
	       text_equal(planning->ledger.inputs, planning->inputs);
}

static bool any_injected(const struct works *works)
{
	for (size_t i = 0; i < works->count; i++)
		if (work_is_injected(&works->items[i]))
			return true;
	return false;
}

static enum status render(struct planning *planning, enum course course, struct error *err)
{
	struct plan *plan = planning->plan;
	bool too_large = false;
	plan->injected = any_injected(&planning->works);
	if (course == COURSE_INJECT && plan->injected &&
	    ledger_is_current(planning, any_differs(&planning->works))) {
		hash_short(planning->ledger.text, strlen(planning->ledger.text), plan->hash);
		return STATUS_OK;
	}
	char *text CLEANUP(str_freep) = wanted_ledger(planning, &too_large);
	if (too_large)
		return error_set(err, STATUS_LIMIT, "the ledger would be larger than %zu bytes",
				 LIMIT_LEDGER_BYTES);
	if (text != NULL)
		hash_short(text, strlen(text), plan->hash);
	render_works(plan, &planning->works, &planning->templates);
	if (text != NULL || planning->ledger_state == LEDGER_OK)
		render_ledger(plan, planning->input->object, text, planning->ledger.annotations);
	if (course == COURSE_REMOVE && any_changed_by_user(&planning->works))
		(void)say(planning, course, REASON_PARTLY_CHANGED,
			  "what the user changed since stays; everything else is taken back");
	return STATUS_OK;
}

/* Who decided before it when it was written is not there now, for a moment or for good. */
static bool has_lost_lead(const struct planning *planning)
{
	bool decides = false;
	for (size_t i = 0; i < planning->works.count; i++)
		decides = decides || planning->works.items[i].decision.decides;
	return decides && planning->input->led_hash != NULL &&
	       text_equal(planning->ledger.settings, planning->input->led_hash);
}

static void hold_back(struct planning *planning)
{
	struct plan *plan = planning->plan;
	plan->outdated = true;
	plan->injected = true;
	hash_short(planning->ledger.text, strlen(planning->ledger.text), plan->hash);
	(void)say(planning, COURSE_LEAVE, REASON_PLAN_OUTDATED,
		  "%s; that waits for the workload's next own change or for approval",
		  has_lost_lead(planning)
		      ? "no traced endpoint picker decides on sampling before it any more, so it "
			"would get the ratio itself"
		      : "newer rules or defaults would change something");
}

/* Once, for the object: its containers have the short sentence. */
static void tell_needs(struct planning *planning)
{
	struct plan *plan = planning->plan;
	if (plan->reason != REASON_KSERVE_OWNED && plan->reason != REASON_UNKNOWN_OWNER)
		return;
	char *needs CLEANUP(str_freep) = owner_needs(planning->input);
	char *message = xasprintf("%s%s", plan->message, needs);
	free(plan->message);
	plan->message = message;
}

static enum status build(struct planning *planning, struct error *err)
{
	struct plan *plan = planning->plan;
	const cJSON *object = planning->input->object;
	if (planning->ledger_state == LEDGER_BAD) {
		(void)say(planning, COURSE_LEAVE, REASON_BAD_LEDGER, "%s", err->message);
		return STATUS_OK;
	}
	enum course course = choose_course(planning);
	if (course == COURSE_REMOVE && planning->ledger_state == LEDGER_NONE)
		course = COURSE_LEAVE;
	enum status status = kind_templates(object, &planning->templates, err);
	if (status == STATUS_OK)
		status = works_read(planning->input, &planning->templates, &planning->ledger,
				    &planning->works, err);
	/* What is left alone need not be of a shape that we can read. */
	if (status != STATUS_OK)
		return course == COURSE_LEAVE ? STATUS_OK : status;
	plan->undone = any_changed_by_user(&planning->works);
	if (course == COURSE_INJECT)
		check_templates(planning, &course);
	if (course == COURSE_LEAVE) {
		plan->injected =
		    planning->ledger_state == LEDGER_OK || planning->ledger_state == LEDGER_NEWER;
		for (size_t i = 0; i < planning->works.count; i++)
			skip_work(&planning->works.items[i], plan->reason, plan->message);
		tell_needs(planning);
	} else {
		inputs_hash(object, &planning->works, planning->inputs);
		pristine_hash(&planning->templates, &planning->works, plan->pristine);
		decide_all(planning, course);
		if (course == COURSE_INJECT && is_pinned(planning) && any_differs(&planning->works))
			hold_back(planning);
		else
			status = render(planning, course, err);
	}
	list_containers(plan, &planning->works);
	if (course == COURSE_INJECT)
		list_absent_parts(plan, planning->input);
	return status;
}

static struct plan *plan_new(const cJSON *object)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	const char *version = json_str(object, "metadata.resourceVersion");
	struct patch patch;
	patch_init(&patch);
	plan->operations = patch.operations;
	plan->tests = patch.tests;
	plan->resource_version = version == NULL ? NULL : xstrdup(version);
	return plan;
}

enum status plan_build(const struct plan_input *input, struct plan **ret_plan, struct error *err)
{
	const cJSON *object = input->object;
	struct plan *plan CLEANUP(plan_freep) = plan_new(object);
	struct planning planning CLEANUP(planning_release) = {.input = input, .plan = plan};
	if (!kind_is_workload(json_str(object, "apiVersion"), json_str(object, "kind"))) {
		(void)say(&planning, COURSE_LEAVE, REASON_NOT_A_WORKLOAD,
			  "not a kind whose pods can be traced");
		*ret_plan = TAKE_PTR(plan);
		return STATUS_OK;
	}
	if (!cJSON_IsObject(json_member(object, "metadata")))
		return error_set(err, STATUS_INVALID, "/metadata: must be an object");
	const cJSON *annotations = json_get(object, "metadata.annotations");
	if (annotations != NULL && !cJSON_IsObject(annotations) && !cJSON_IsNull(annotations))
		return error_set(err, STATUS_INVALID, "/metadata/annotations: must be an object");
	planning.ledger_state = ledger_read(object, &planning.ledger, err);
	enum status status = build(&planning, err);
	if (status == STATUS_OK)
		*ret_plan = TAKE_PTR(plan);
	return status;
}

void plan_freep(struct plan **plan_pointer)
{
	struct plan *plan = *plan_pointer;
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->container_count; i++) {
		free(plan->containers[i].template_path);
		free(plan->containers[i].name);
		free(plan->containers[i].image);
		free(plan->containers[i].message);
	}
	for (size_t i = 0; i < plan->edit_count; i++) {
		free(plan->edits[i].pointer);
		free(plan->edits[i].what);
		free(plan->edits[i].why);
	}
	free(plan->containers);
	free(plan->edits);
	free(plan->message);
	free(plan->resource_version);
	json_freep(&plan->operations);
	json_freep(&plan->tests);
	free(plan);
	*plan_pointer = NULL;
}

bool plan_container_is_told(const struct plan_container *container)
{
	switch (container->reason) {
	case REASON_NOT_A_COMPONENT:
	case REASON_ORDINARY_INIT:
	case REASON_NONE:
		return false;
	default:
		return true;
	}
}

bool plan_is_workload_kind(const char *api_version, const char *kind)
{
	return kind_is_workload(api_version, kind);
}

bool plan_has_ledger(const cJSON *object)
{
	return json_member(json_get(object, "metadata.annotations"), ANNOTATION_LEDGER) != NULL;
}
