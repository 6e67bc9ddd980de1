/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_list.h"

#include <string.h>

#include "base/alloc.h"
#include "inject/plan_merged.h"

static void add_row(struct plan *plan, const struct plan_container *row)
{
	plan->containers = grow(plan->containers, plan->container_count, sizeof(*plan->containers));
	plan->containers[plan->container_count++] = *row;
}

static void list_container(struct plan *plan, const struct work *work)
{
	const char *image = json_str(work->node, "image");
	if (image == NULL)
		image = json_str(work->base, "image");
	struct plan_container row = {
	    .template_path = xstrdup(work->template->pointer),
	    .name = xstrdup(work->name),
	    .init = work->init,
	    .image = xstrdup(image == NULL ? "" : image),
	    .component = work->decision.component,
	    .inject = work->decision.inject,
	    .decides = work->decision.decides,
	    .reason = work->decision.reason,
	    .message = xstrdup(work->decision.message == NULL ? "" : work->decision.message),
	    .first_edit = work->edits_from,
	    .edit_count = work->edits_to - work->edits_from,
	};
	add_row(plan, &row);
}

void list_containers(struct plan *plan, const struct works *works)
{
	for (size_t i = 0; i < works->count; i++)
		list_container(plan, &works->items[i]);
}

static void list_absent_container(struct plan *plan, const cJSON *container, const char *pointer,
				  bool init)
{
	const char *name = json_str(container, "name");
	const char *image = json_str(container, "image");
	struct plan_container row = {
	    .template_path = xstrdup(pointer),
	    .name = xstrdup(name == NULL ? "" : name),
	    .init = init,
	    .image = xstrdup(image == NULL ? "" : image),
	    .reason = REASON_OPAQUE_BASE,
	    .message = xasprintf("only the base configuration has it; the ModelService would need "
				 "%s, and adding that sets its replicas to 1: add it by hand, with "
				 "its replicas",
				 pointer),
	};
	add_row(plan, &row);
}

void list_absent_parts(struct plan *plan, const struct plan_input *input)
{
	const char *kind = json_str(input->object, "kind");
	for (size_t part = 0;
	     kind != NULL && strcmp(kind, "ModelService") == 0 && part < MERGED_PARTS; part++) {
		const char *pointer = NULL;
		const cJSON *spec = merged_absent(input, part, &pointer);
		for (int init = 1; init >= 0; init--) {
			const cJSON *list =
			    json_member(spec, init != 0 ? "initContainers" : "containers");
			for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
			     item != NULL; item = item->next)
				list_absent_container(plan, item, pointer, init != 0);
		}
	}
}
