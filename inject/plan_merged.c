/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_merged.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/plan_work.h"

static const char *const base_keys[] = {"prefillDeployment", "decodeDeployment", "eppDeployment"};

const cJSON *merged_base(const struct facts *facts, const struct pod_template *template)
{
	const cJSON *child = facts->children[template->child];
	if (child == NULL)
		child = json_member(facts->base_config, base_keys[template->child]);
	return json_get(child, "spec.template.spec");
}

static bool from_child(const struct plan_input *input, const struct work *work)
{
	return input->facts->children[work->template->child] != NULL;
}

static bool has_template(const cJSON *node)
{
	if (cJSON_IsString(node))
		return strstr(node->valuestring, "{{") != NULL;
	for (const cJSON *item = node == NULL ? NULL : node->child; item != NULL; item = item->next)
		if (has_template(item))
			return true;
	return false;
}

/* Why the base cannot be trusted; NULL when it can, or when there is none. */
static char *trouble(const struct plan_input *input, const struct work *work)
{
	const char *name = json_str(input->object, "spec.baseConfigMapRef.name");
	if (from_child(input, work))
		return NULL;
	if (merged_base(input->facts, work->template) == NULL)
		return name == NULL ? NULL
				    : xasprintf("the base configuration %s is not known here, so "
						"neither image nor command line can be seen",
						name);
	if (work->base == NULL)
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		static const char *const members[] = {"image", "command", "args"};
		if (has_template(json_member(work->base, members[i])))
			return xasprintf(
			    "%s of container %s in the base configuration holds a "
			    "template that only the ModelService's controller fills in",
			    members[i], work->name);
	}
	return NULL;
}

static bool is_filled(const cJSON *list)
{
	return cJSON_IsArray(list) && list->child != NULL;
}

static cJSON *clone_or_empty(const cJSON *list)
{
	return is_filled(list) ? json_clone(list) : cJSON_CreateArray();
}

static void append_all(cJSON *list, const cJSON *more)
{
	for (const cJSON *item = more == NULL ? NULL : more->child; item != NULL; item = item->next)
		(void)cJSON_AddItemToArray(list, json_clone(item));
}

/* The child holds the merged args; ours are taken out again. */
static cJSON *merged_args(const struct work *work, const struct plan_input *input)
{
	cJSON *base = clone_or_empty(json_member(work->base, "args"));
	if (from_child(input, work) && work->base != NULL) {
		(void)ledger_revert(work->entry, LAUNCH_ARGS, base);
		return base;
	}
	cJSON *own = list_view_tree(&work->pristine[MEMBER_ARGS]);
	if (!is_filled(own)) {
		json_freep(&own);
		return base;
	}
	append_all(own, base);
	json_freep(&base);
	return own;
}

/* By name; what only the base has comes first, as the controller does it. */
static void merge_env(struct work *work, struct list_view *ret_env)
{
	const struct list_view *own = &work->pristine[MEMBER_ENV];
	const cJSON *list = json_member(work->base, "env");
	ret_env->state = LIST_ARRAY;
	for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item != NULL;
	     item = item->next)
		if (!ledger_owns_env(work->entry, item))
			list_view_add(ret_env, item);
	for (size_t i = 0; i < own->count; i++)
		list_view_add(ret_env, own->items[i]);
}

static void read_lists(struct work *work, const struct plan_input *input, struct merged *merged)
{
	cJSON *command = list_view_tree(&work->pristine[MEMBER_COMMAND]);
	merged->own_command = is_filled(command);
	if (!merged->own_command) {
		json_freep(&command);
		command = clone_or_empty(json_member(work->base, "command"));
	}
	merged->own_args = work->pristine[MEMBER_ARGS].count > 0;
	merged->container = cJSON_CreateObject();
	merged->editable = cJSON_CreateObject();
	json_set(merged->container, "args", merged_args(work, input));
	json_set(merged->container, "command", json_clone(command));
	json_set(merged->editable, "command", command);
	cJSON *own = list_view_tree(&work->pristine[MEMBER_ARGS]);
	if (own != NULL)
		json_set(merged->editable, "args", own);
	const cJSON *base_args = json_member(work->base, "args");
	const cJSON *first = is_filled(base_args) ? base_args->child : NULL;
	merged->base_leads = first != NULL && cJSON_IsString(first) && first->valuestring[0] != '-';
}

void merged_read(struct work *work, const struct plan_input *input, struct merged *ret_merged,
		 struct subject *subject)
{
	const char *restart = json_str(work->base, "restartPolicy");
	ret_merged->why = trouble(input, work);
	read_lists(work, input, ret_merged);
	merge_env(work, &ret_merged->env);
	if (subject->image == NULL)
		subject->image = json_str(work->base, "image");
	if (subject->env_from == NULL)
		subject->env_from = json_member(work->base, "envFrom");
	/* The ModelService's own container type has no restartPolicy. */
	subject->native = text_equal(restart, "Always");
	subject->container = ret_merged->container;
	subject->editable = ret_merged->editable;
	subject->env = &ret_merged->env;
	subject->base_why = ret_merged->why;
}

static bool holds_template(const struct decision *decision)
{
	for (size_t i = 0; decision->has_edit && i < decision->edit.token_count; i++)
		if (strstr(decision->edit.tokens[i], "{{") != NULL)
			return true;
	for (size_t i = 0; i < decision->env_count; i++)
		if (decision->env[i].value != NULL && strstr(decision->env[i].value, "{{") != NULL)
			return true;
	return false;
}

/* Our flags as one text, for a person to copy. */
static char *flags_text(const struct decision *decision)
{
	struct buffer text CLEANUP(buffer_release) = {0};
	buffer_init(&text, LIMIT_SCRIPT_BYTES);
	for (size_t i = 0; decision->has_edit && i < decision->edit.token_count; i++)
		buffer_addf(&text, "%s%s", i == 0 ? "" : " ", decision->edit.tokens[i]);
	return buffer_detach(&text);
}

void merged_check(const struct merged *merged, struct decision *decision)
{
	if (!decision->inject)
		return;
	bool in_command = decision->has_edit && decision->edit.list == LAUNCH_COMMAND;
	bool in_args = decision->has_edit && decision->edit.list == LAUNCH_ARGS;
	char *flags CLEANUP(str_freep) = flags_text(decision);
	char *why CLEANUP(str_freep) = NULL;
	if (holds_template(decision)) {
		decision_refuse(decision, REASON_CONFLICTING_USER_VALUE,
				"a value that would be copied holds a template");
	} else if (in_command && !merged->own_command) {
		why = xasprintf(
		    "the command is the base configuration's; to trace it, add %s there", flags);
		decision_refuse(decision, REASON_OPAQUE_BASE, why);
	} else if (in_args && !merged->own_args && merged->base_leads) {
		why = xasprintf("the base configuration's args begin with a word that is no flag, "
				"and the ModelService's are put before it; to trace it, add %s to "
				"the base's args, or begin the ModelService's args with that word",
				flags);
		decision_refuse(decision, REASON_OPAQUE_COMMAND, why);
	}
}

const cJSON *merged_absent(const struct plan_input *input, size_t part, const char **ret_pointer)
{
	static const struct {
		const char *path;
		const char *pointer;
	} parts[] = {{"spec.prefill", "/spec/prefill"},
		     {"spec.decode", "/spec/decode"},
		     {"spec.endpointPicker", "/spec/endpointPicker"}};
	struct pod_template template = {.child = part};
	if (part >= ARRAY_LEN(parts) || cJSON_IsObject(json_get(input->object, parts[part].path)))
		return NULL;
	*ret_pointer = parts[part].pointer;
	return merged_base(input->facts, &template);
}

void merged_release(struct merged *merged)
{
	json_freep(&merged->container);
	json_freep(&merged->editable);
	list_view_release(&merged->env);
	free(merged->why);
	*merged = (struct merged){0};
}
