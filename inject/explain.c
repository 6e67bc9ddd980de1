/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON for people and tests: `explain -o json`. */
#include "inject/plan.h"

#include <stdlib.h>

#include "base/alloc.h"

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static cJSON *explain_edit(const struct plan_edit *edit)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "path", edit->pointer);
	json_set_str(row, "what", edit->what);
	json_set_str(row, "why", edit->why);
	return row;
}

static cJSON *explain_container(const struct plan *plan, const struct plan_container *container)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "path", container->template_path);
	json_set_str(row, "container", container->name);
	json_set_str(row, "component", component_name(container->component));
	json_set_str(row, "decision", container->inject ? "inject" : "skip");
	json_set_str(row, "reason", reason_info(container->reason)->word);
	json_set_str(row, "message", container->message);
	json_set_str(row, "image", container->image);
	cJSON *edits = json_set_array(row, "edits");
	for (size_t i = 0; i < container->edit_count; i++)
		(void)cJSON_AddItemToArray(edits,
					   explain_edit(&plan->edits[container->first_edit + i]));
	return row;
}

static void name_object(cJSON *tree, const cJSON *object)
{
	const char *namespace_name = json_str(object, "metadata.namespace");
	char *name CLEANUP(str_freep) = xasprintf(
	    "%s/%s%s%s", or_empty(json_str(object, "kind")), or_empty(namespace_name),
	    namespace_name == NULL ? "" : "/", or_empty(json_str(object, "metadata.name")));
	json_set_str(tree, "object", name);
}

cJSON *plan_explain(const struct plan *plan, const cJSON *object, const struct facts *facts)
{
	cJSON *tree = cJSON_CreateObject();
	if (tree == NULL)
		abort();
	name_object(tree, object);
	json_set_str(tree, "reason", reason_info(plan->reason)->word);
	json_set_str(tree, "message", or_empty(plan->message));
	json_set_str(tree, "evidence", facts == NULL ? "" : facts->why);
	json_set_bool(tree, "injected", plan->injected);
	json_set_bool(tree, "changes", plan->changes);
	cJSON *containers = json_set_array(tree, "containers");
	for (size_t i = 0; i < plan->container_count; i++)
		(void)cJSON_AddItemToArray(containers,
					   explain_container(plan, &plan->containers[i]));
	return tree;
}
