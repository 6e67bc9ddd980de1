/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/explain.h"

#include "base/alloc.h"

cJSON *explain_tree(const struct batch *batch)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		if (entry->plan == NULL)
			continue;
		char *title CLEANUP(str_freep) = entry_title(batch, entry);
		cJSON *row = plan_explain(entry->plan, entry_object(entry), &entry->facts);
		json_set_str(row, "object", title);
		json_set_str(row, "file", batch->inputs->items[entry->input].name);
		json_set_int(row, "document", (long)entry->document + 1);
		cJSON *containers = json_member_mut(row, "containers");
		for (cJSON *container = containers->child; container != NULL;
		     container = container->next)
			json_set_str(container, "object", title);
		(void)cJSON_AddItemToArray(list, row);
	}
	return list;
}

bool explain_is_missed(const struct plan_container *container)
{
	return !container->inject && reason_info(container->reason)->warning;
}

static void container_text(const struct plan *plan, const struct plan_container *container,
			   struct buffer *out)
{
	const struct reason_info *reason = reason_info(container->reason);
	const char *message = container->message != NULL ? container->message : "";
	buffer_addf(out, "  %s%s (%s): %s, %s", container->name, container->init ? " [init]" : "",
		    component_name(container->component), container->inject ? "inject" : "skip",
		    reason->word);
	buffer_addf(out, ": %s\n", *message != '\0' ? message : reason->meaning);
	for (size_t i = 0; i < container->edit_count; i++) {
		const struct plan_edit *edit = &plan->edits[container->first_edit + i];
		buffer_addf(out, "    %s\n      because %s\n", edit->what, edit->why);
	}
	if (explain_is_missed(container) && *reason->advice != '\0')
		buffer_addf(out, "    what to do: %s\n", reason->advice);
}

void explain_text(const struct batch *batch, struct buffer *out)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		const struct plan *plan = entry->plan;
		if (plan == NULL)
			continue;
		char *title CLEANUP(str_freep) = entry_title(batch, entry);
		char *place CLEANUP(str_freep) = entry_place(batch, entry);
		buffer_addf(out, "%s (%s)\n", title, place);
		if (plan->reason != REASON_NONE)
			buffer_addf(out, "  %s: %s\n", reason_info(plan->reason)->word,
				    plan->message != NULL ? plan->message : "");
		else if (entry->facts.why[0] != '\0')
			buffer_addf(out, "  found: %s\n", entry->facts.why);
		for (size_t j = 0; j < plan->container_count; j++)
			container_text(plan, &plan->containers[j], out);
	}
}
