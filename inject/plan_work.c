/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/plan_merged.h"

const char *const member_names[MEMBER_COUNT] = {
    [MEMBER_COMMAND] = "command", [MEMBER_ARGS] = "args", [MEMBER_ENV] = "env"};

const char *work_list(const struct work *work)
{
	return work->init ? "initContainers" : "containers";
}

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

cJSON *work_keep(struct work *work, cJSON *tree)
{
	if (work->pool == NULL)
		work->pool = made(cJSON_CreateArray());
	(void)cJSON_AddItemToArray(work->pool, tree);
	return tree;
}

static void copy_view(const struct list_view *from, struct list_view *to)
{
	list_view_release(to);
	to->state = from->state;
	for (size_t i = 0; i < from->count; i++)
		list_view_add(to, from->items[i]);
}

/* A container of ours goes when nothing but its name is left. */
bool work_was_there(const struct work *work)
{
	enum list_state list;
	if (work->node == NULL)
		return false;
	if (work->entry == NULL || !ledger_made(work->entry, &list))
		return true;
	for (const cJSON *member = work->node->child; member != NULL; member = member->next)
		if (!text_equal(member->string, "name") && !text_equal(member->string, "args") &&
		    !text_equal(member->string, "env"))
			return true;
	return work->pristine[MEMBER_ARGS].count + work->pristine[MEMBER_ENV].count > 0;
}

static void want_pristine(struct work *work)
{
	for (enum member m = 0; m < MEMBER_COUNT; m++)
		copy_view(&work->pristine[m], &work->wanted[m]);
	work->wants_node = work_was_there(work);
}

/* The words of the pristine container, for reading how it is started. */
static const cJSON *pristine_words(struct work *work)
{
	if (work->entry == NULL || (!ledger_has_edits(work->entry, LAUNCH_COMMAND) &&
				    !ledger_has_edits(work->entry, LAUNCH_ARGS)))
		return work->node;
	cJSON *words = work_keep(work, made(cJSON_CreateObject()));
	for (enum member m = MEMBER_COMMAND; m <= MEMBER_ARGS; m++) {
		cJSON *list = list_view_tree(&work->pristine[m]);
		if (list != NULL)
			json_set(words, member_names[m], list);
	}
	return words;
}

static bool recorded_detailed(const cJSON *entry)
{
	const cJSON *edits = json_member(entry, "edits");
	for (const cJSON *row = edits == NULL ? NULL : edits->child; row != NULL; row = row->next)
		for (const cJSON *put = json_member(row, "put")->child; put != NULL;
		     put = put->next)
			if (strstr(put->valuestring, vllm_rules.flags[1].syntax.name) != NULL)
				return true;
	return false;
}

static bool has_flag(const struct launch *launch, const struct flag_rule *rule)
{
	struct launch_flag flag CLEANUP(launch_flag_release) = {0};
	launch_find_flag(launch, &rule->syntax, &flag);
	return flag.presence == FLAG_PRESENT;
}

/*
 * The user put a --collect-detailed-traces of their own beside our endpoint: taking the
 * endpoint away would stop the engine (LLMD §1.1), so the words stay as they are.
 */
static void keep_pair(struct work *work)
{
	if (work->decision.inject || work->node == NULL || work->entry == NULL ||
	    !recorded_detailed(work->entry))
		return;
	struct launch *launch CLEANUP(launch_freep) =
	    launch_read(pristine_words(work), PROGRAM_VLLM_SERVE);
	if (!has_flag(launch, &vllm_rules.flags[1]) || has_flag(launch, &vllm_rules.flags[0]))
		return;
	work->intact = false;
	copy_view(&work->now[MEMBER_COMMAND], &work->pristine[MEMBER_COMMAND]);
	copy_view(&work->now[MEMBER_ARGS], &work->pristine[MEMBER_ARGS]);
}

void work_restore(struct work *work)
{
	keep_pair(work);
	want_pristine(work);
}

/* The edit that the ledger records for a list, as it stands there; NULL unless it is the only one. */
static const cJSON *recorded_edit(const struct work *work)
{
	const cJSON *edits = work->entry == NULL ? NULL : json_member(work->entry, "edits");
	return edits != NULL && edits->child != NULL && edits->child->next == NULL ? edits->child
										   : NULL;
}

static bool same_texts(const cJSON *list, char *const *texts, size_t count)
{
	size_t i = 0;
	for (const cJSON *item = list == NULL ? NULL : list->child; item != NULL; item = item->next)
		if (i >= count || strcmp(item->valuestring, texts[i++]) != 0)
			return false;
	return i == count;
}

/*
 * What is wanted stands there already, perhaps not where it would be put today (the user
 * added words behind it): moving it would restart pods for nothing.
 */
static bool edit_is_in_place(const struct work *work)
{
	const struct launch_edit *edit = &work->decision.edit;
	const cJSON *row = recorded_edit(work);
	return row != NULL && work->words_intact &&
	       text_equal(json_str(row, "list"), member_names[edit->list]) &&
	       same_texts(json_member(row, "put"), edit->tokens, edit->token_count) &&
	       same_texts(json_member(row, "took"), edit->old_tokens, edit->old_token_count);
}

static void apply_edit(struct work *work)
{
	const struct launch_edit *edit = &work->decision.edit;
	struct list_view *wanted = &work->wanted[edit->list];
	struct error err;
	work->kept_edit = edit_is_in_place(work);
	if (work->kept_edit) {
		copy_view(&work->now[edit->list], wanted);
		return;
	}
	cJSON *list = wanted->state == LIST_ARRAY ? list_view_tree(wanted) : cJSON_CreateArray();
	(void)work_keep(work, made(list));
	/* It was planned on this very list, so a failure is a mistake of ours: then nothing is done. */
	if (launch_edit_apply(edit, list, &err) != STATUS_OK) {
		decision_refuse(&work->decision, REASON_OPAQUE_COMMAND, err.message);
		return;
	}
	list_view_release(wanted);
	list_view_read(list, wanted);
}

static const cJSON *addition(struct work *work, const struct env_addition *row, const cJSON *now)
{
	if (now != NULL && env_entry_is(now, row->name, row->value))
		return now;
	return work_keep(work, env_entry(row->name, row->value));
}

static const struct env_addition *find_addition(const struct work *work, const cJSON *item)
{
	const char *name = json_str(item, "name");
	for (size_t i = 0; i < work->decision.env_count; i++)
		if (text_equal(name, env_rules[work->decision.env[i].name].name))
			return &work->decision.env[i];
	return NULL;
}

static bool adds_resource(const struct decision *decision)
{
	for (size_t i = 0; i < decision->env_count; i++)
		if (decision->env[i].name == ENV_RESOURCE)
			return true;
	return false;
}

/* Kubelet expands only what stands earlier. */
static bool helpers_come_first(const struct work *work)
{
	const struct list_view *env = &work->wanted[MEMBER_ENV];
	bool used = false;
	if (!adds_resource(&work->decision))
		return true;
	for (size_t i = 0; i < env->count; i++) {
		const char *name = json_str(env->items[i], "name");
		if (used && text_has_prefix(name, "OTEL_RESOURCE_ATTRIBUTES_"))
			return false;
		used |= text_equal(name, env_rules[ENV_RESOURCE].name);
	}
	return true;
}

/* Ours stay where they stand, changed in place; new ones come last. */
static void apply_env_in_place(struct work *work)
{
	const struct list_view *now = &work->now[MEMBER_ENV];
	const struct list_view *pristine = &work->pristine[MEMBER_ENV];
	struct list_view *wanted = &work->wanted[MEMBER_ENV];
	size_t next = 0;
	unsigned used = 0;
	list_view_release(wanted);
	wanted->state = LIST_ARRAY;
	for (size_t i = 0; i < now->count; i++) {
		const cJSON *item = now->items[i];
		if (next < pristine->count && pristine->items[next] == item) {
			list_view_add(wanted, item);
			next++;
			continue;
		}
		const struct env_addition *row = find_addition(work, item);
		if (row == NULL)
			continue;
		list_view_add(wanted, addition(work, row, item));
		used |= 1U << row->name;
	}
	for (size_t i = 0; i < work->decision.env_count; i++)
		if ((used & (1U << work->decision.env[i].name)) == 0)
			list_view_add(wanted, addition(work, &work->decision.env[i], NULL));
}

static void apply_env(struct work *work)
{
	struct list_view *wanted = &work->wanted[MEMBER_ENV];
	if (work->decision.env_count == 0)
		return;
	apply_env_in_place(work);
	if (work->entry == NULL || helpers_come_first(work))
		return;
	copy_view(&work->pristine[MEMBER_ENV], wanted);
	wanted->state = LIST_ARRAY;
	for (size_t i = 0; i < work->decision.env_count; i++)
		list_view_add(wanted, addition(work, &work->decision.env[i], NULL));
}

/* The ratio of ours that stands there. */
static const char *held_ratio(const struct work *work)
{
	const struct list_view *now = &work->now[MEMBER_ENV];
	struct env_known known;
	env_read(now, &known);
	const cJSON *item = known.entry[ENV_SAMPLER_ARG];
	return item != NULL && work->entry != NULL && ledger_owns_env(work->entry, item)
		   ? env_literal(&known, ENV_SAMPLER_ARG)
		   : NULL;
}

void work_decide(struct work *work, const struct plan_input *input)
{
	const char *restart = json_str(work->node, "restartPolicy");
	struct subject subject = {.input = input,
				  .template = work->template,
				  .name = work->name,
				  .image = json_str(work->node, "image"),
				  .init = work->init,
				  .native = text_equal(restart, "Always"),
				  .env = &work->pristine[MEMBER_ENV],
				  .env_from = json_member(work->node, "envFrom"),
				  .held_ratio = held_ratio(work)};
	struct merged merged = {0};
	if (work->template->merged)
		merged_read(work, input, &merged, &subject);
	else
		subject.container = pristine_words(work);
	decide(&subject, &work->decision);
	if (work->template->merged)
		merged_check(&merged, &work->decision);
	merged_release(&merged);
	work_restore(work);
	if (!work->decision.inject)
		return;
	work->wants_node = true;
	if (work->decision.has_edit)
		apply_edit(work);
	if (work->decision.inject)
		apply_env(work);
	else
		work_restore(work);
}

static bool view_differs(const struct list_view *a, const struct list_view *b)
{
	if (a->state != b->state || a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (a->items[i] != b->items[i] && !json_equal(a->items[i], b->items[i]))
			return true;
	return false;
}

bool work_differs(const struct work *work)
{
	if (work->wants_node != (work->node != NULL))
		return true;
	for (enum member m = 0; m < MEMBER_COUNT; m++)
		if (view_differs(&work->now[m], &work->wanted[m]))
			return true;
	return false;
}

bool work_is_injected(const struct work *work)
{
	return work->decision.inject;
}

/* The list that a container of ours was put into, before it was. */
static enum list_state made_in(const struct work *work)
{
	enum list_state state;
	if (work->entry != NULL && ledger_made(work->entry, &state))
		return state;
	const cJSON *list = json_member(work->template->spec, work_list(work));
	return list == NULL ? LIST_ABSENT : (cJSON_IsArray(list) ? LIST_ARRAY : LIST_NULL);
}

void work_record(const struct work *work, cJSON *ledger)
{
	const struct decision *decision = &work->decision;
	enum list_state ignored;
	cJSON *entry = ledger_add(ledger, work->key);
	if (decision->has_edit && work->kept_edit)
		json_set(entry, "edits", json_clone(json_member(work->entry, "edits")));
	else if (decision->has_edit)
		ledger_add_edit(entry, &decision->edit);
	for (size_t i = 0; i < decision->env_count; i++) {
		cJSON *item = env_entry(decision->env[i].name, decision->env[i].value);
		ledger_add_env(entry, item);
		json_freep(&item);
	}
	if (work->node == NULL || (work->entry != NULL && ledger_made(work->entry, &ignored)))
		ledger_add_made(entry, made_in(work));
	if (decision->has_edit)
		ledger_add_was(entry, member_names[decision->edit.list],
			       work->pristine[decision->edit.list].state);
	if (decision->env_count > 0)
		ledger_add_was(entry, member_names[MEMBER_ENV], work->pristine[MEMBER_ENV].state);
}
