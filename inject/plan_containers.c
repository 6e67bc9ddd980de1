/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ModelService: whole containers that are added for what only the base configuration has.
 * Its lists have no keys, so elements are addressed by place (LLMD §5.7).
 */
#include "inject/plan_render.h"

#include <stdio.h>
#include <stdlib.h>

#include "inject/plan_tell.h"

enum { LIST_POINTER_MAX = TEMPLATE_POINTER_MAX + 32, POINTER_MAX = LIST_POINTER_MAX + 32 };

struct container_list {
	struct plan *plan;
	struct works *works;
	const struct pod_template *template;
	bool init;
	const cJSON *list; /* as it is */
	size_t length;     /* as it has become */
	char pointer[LIST_POINTER_MAX];
};

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

static bool is_here(const struct container_list *list, const struct work *work)
{
	return work->template == list->template && work->init == list->init;
}

static bool goes(const struct container_list *list, const struct work *work)
{
	return is_here(list, work) && work->node != NULL && !work->wants_node;
}

static bool comes(const struct container_list *list, const struct work *work)
{
	return is_here(list, work) && work->node == NULL && work->wants_node;
}

static void element(const struct container_list *list, size_t index, char pointer[POINTER_MAX])
{
	(void)snprintf(pointer, POINTER_MAX, "%s/%zu", list->pointer, index);
}

/* The list as it was before our first container: absent, null or empty. */
static void restore_list(const struct container_list *list, enum list_state was)
{
	struct patch patch = {list->plan->operations, list->plan->tests};
	if (was == LIST_ABSENT)
		patch_remove(&patch, list->pointer, list->list);
	else
		patch_replace(&patch, list->pointer, list->list,
			      made(was == LIST_NULL ? cJSON_CreateNull() : cJSON_CreateArray()));
}

/* From the end, so that indexes hold. */
static void remove_ours(struct container_list *list)
{
	struct patch patch = {list->plan->operations, list->plan->tests};
	enum list_state was = LIST_ARRAY;
	char pointer[POINTER_MAX];
	size_t count = 0;
	for (size_t i = 0; i < list->works->count; i++)
		count += goes(list, &list->works->items[i]);
	bool whole = count == list->length;
	for (size_t i = list->works->count; i-- > 0;) {
		struct work *work = &list->works->items[i];
		if (!goes(list, work))
			continue;
		(void)ledger_made(work->entry, &was);
		element(list, work->index, pointer);
		work->edits_from = list->plan->edit_count;
		plan_add_edit(list->plan, pointer, why_back, "remove container %s", work->name);
		work->edits_to = list->plan->edit_count;
		if (!whole)
			patch_remove(&patch, pointer, work->node);
		list->length--;
	}
	if (count > 0 && whole)
		restore_list(list, was);
	list->plan->changes |= count > 0;
	list->plan->changes_lists |= count > 0;
}

static cJSON *new_container(struct plan *plan, struct work *work, const char *pointer)
{
	cJSON *container = made(cJSON_CreateObject());
	json_set_str(container, "name", work->name);
	work->edits_from = plan->edit_count;
	for (enum member m = MEMBER_ARGS; m < MEMBER_COUNT; m++) {
		struct telling telling = {plan, work, m};
		cJSON *tree = list_view_tree(&work->wanted[m]);
		if (tree == NULL)
			continue;
		json_set(container, member_names[m], tree);
		for (size_t i = 0; i < work->wanted[m].count; i++)
			tell_change(&telling, pointer, NULL, work->wanted[m].items[i]);
	}
	work->edits_to = plan->edit_count;
	return container;
}

static void add_ours(struct container_list *list)
{
	struct patch patch = {list->plan->operations, list->plan->tests};
	char pointer[POINTER_MAX];
	cJSON *fresh = list->length == 0 ? made(cJSON_CreateArray()) : NULL;
	for (size_t i = 0; i < list->works->count; i++) {
		struct work *work = &list->works->items[i];
		if (!comes(list, work))
			continue;
		element(list, list->length++, pointer);
		cJSON *container = new_container(list->plan, work, pointer);
		list->plan->changes = true;
		list->plan->changes_lists = true;
		if (fresh != NULL)
			(void)cJSON_AddItemToArray(fresh, container);
		else
			patch_add(&patch, pointer, container);
	}
	if (fresh != NULL && fresh->child != NULL) {
		if (list->list != NULL)
			patch_test(&patch, list->pointer, list->list);
		patch_add(&patch, list->pointer, TAKE_PTR(fresh));
	}
	json_freep(&fresh);
}

void render_container_lists(struct plan *plan, struct works *works,
			    const struct pod_template *template)
{
	for (int init = 1; init >= 0; init--) {
		struct container_list list = {
		    .plan = plan, .works = works, .template = template, .init = init != 0};
		const char *member = list.init ? "initContainers" : "containers";
		list.list = json_member(template->spec, member);
		list.length = cJSON_IsArray(list.list) ? (size_t)cJSON_GetArraySize(list.list) : 0;
		(void)snprintf(list.pointer, sizeof(list.pointer), "%s/%s", template->pointer,
			       member);
		remove_ours(&list);
		add_ours(&list);
	}
}
