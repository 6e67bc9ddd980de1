/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_render.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "inject/plan_tell.h"

enum { POINTER_MAX = TEMPLATE_POINTER_MAX + 96 };

static void render_lists(struct plan *plan, struct work *work)
{
	struct patch patch = {plan->operations, plan->tests};
	char pointer[POINTER_MAX];
	int stem = snprintf(pointer, sizeof(pointer), "%s/%s/%zu", work->template->pointer,
			    work_list(work), work->index);
	char *tail = pointer + stem;
	size_t room = sizeof(pointer) - (size_t)stem;
	work->edits_from = plan->edit_count;
	bool any = false;
	for (enum member m = 0; m < MEMBER_COUNT; m++) {
		struct telling telling = {plan, work, m};
		(void)snprintf(tail, room, "/%s", member_names[m]);
		bool changed = patch_list(&patch, pointer, &work->now[m], &work->wanted[m],
					  m == MEMBER_ENV, tell_change, &telling);
		plan->changes_lists |= changed && m != MEMBER_ENV;
		any |= changed;
	}
	work->edits_to = plan->edit_count;
	if (!any)
		return;
	plan->changes = true;
	(void)snprintf(tail, room, "/name");
	patch_test(&patch, pointer, json_member(work->node, "name"));
}

void render_works(struct plan *plan, struct works *works, const struct pod_templates *templates)
{
	for (size_t i = 0; i < works->count; i++)
		if (works->items[i].node != NULL && works->items[i].wants_node)
			render_lists(plan, &works->items[i]);
	for (size_t i = 0; i < templates->count; i++)
		if (templates->items[i].merged)
			render_container_lists(plan, works, &templates->items[i]);
	plan->template_changes = plan->changes && templates->in_template;
}

static const char LEDGER_POINTER[] = "/metadata/annotations/tracing.llm-d.io~1ledger";

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

static void write_ledger(struct plan *plan, const cJSON *annotations, const char *text)
{
	struct patch patch = {plan->operations, plan->tests};
	const cJSON *old = json_member(annotations, ANNOTATION_LEDGER);
	if (cJSON_IsObject(annotations)) {
		if (old != NULL)
			patch_replace(&patch, LEDGER_POINTER, old, made(cJSON_CreateString(text)));
		else
			patch_add(&patch, LEDGER_POINTER, made(cJSON_CreateString(text)));
		return;
	}
	cJSON *fresh = made(cJSON_CreateObject());
	json_set_str(fresh, ANNOTATION_LEDGER, text);
	if (annotations != NULL)
		patch_test(&patch, "/metadata/annotations", annotations);
	patch_add(&patch, "/metadata/annotations", fresh);
}

static void remove_ledger(struct plan *plan, const cJSON *annotations, enum list_state was)
{
	struct patch patch = {plan->operations, plan->tests};
	const cJSON *old = json_member(annotations, ANNOTATION_LEDGER);
	bool alone = annotations->child == old && old->next == NULL;
	if (!alone || was == LIST_ARRAY) {
		patch_remove(&patch, LEDGER_POINTER, old);
		return;
	}
	if (was == LIST_ABSENT)
		patch_remove(&patch, "/metadata/annotations", annotations);
	else
		patch_replace(&patch, "/metadata/annotations", annotations,
			      made(cJSON_CreateNull()));
}

void render_ledger(struct plan *plan, const cJSON *object, const char *text, enum list_state was)
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *node = json_member(annotations, ANNOTATION_LEDGER);
	const char *old = cJSON_IsString(node) ? node->valuestring : NULL;
	if (text_equal(old, text))
		return;
	plan->changes = true;
	if (text != NULL) {
		plan_add_edit(plan, LEDGER_POINTER,
			      "records what is ours, for taking it back exactly", "%s the ledger",
			      old == NULL ? "add" : "update");
		write_ledger(plan, annotations, text);
	} else {
		plan_add_edit(plan, LEDGER_POINTER, why_back, "remove the ledger");
		remove_ledger(plan, annotations, was);
	}
}
