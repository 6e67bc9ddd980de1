/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the containers of an object, and taking the ledger back from each. */
#include "inject/plan_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/plan_merged.h"
#include "inject/plan_owned.h"

/* An empty list goes back to what it was before it held anything of ours. */
static void settle_empty(struct work *work, enum member member)
{
	struct list_view *view = &work->pristine[member];
	if (work->entry != NULL && view->state == LIST_ARRAY && view->count == 0)
		view->state = ledger_was(work->entry, member_names[member]);
}

static void restore_words(struct work *work, enum launch_list list)
{
	const cJSON *node = json_member(work->node, member_names[list]);
	if (!ledger_has_edits(work->entry, list)) {
		list_view_read(node, &work->pristine[list]);
		return;
	}
	if (!cJSON_IsArray(node)) {
		work->intact = false;
		list_view_read(node, &work->pristine[list]);
		return;
	}
	cJSON *copy = work_keep(work, json_clone(node));
	work->intact &= ledger_revert(work->entry, list, copy);
	list_view_read(copy, &work->pristine[list]);
}

/* One entry of a name is ours; a second equal one is somebody else's. */
static bool take_env(struct work *work, const cJSON *item, unsigned *taken)
{
	if (!ledger_owns_env(work->entry, item))
		return false;
	const struct env_rule *rule = env_rule_of(json_str(item, "name"));
	unsigned bit = rule == NULL ? 0 : 1U << (unsigned)(rule - env_rules);
	if ((*taken & bit) != 0)
		return false;
	*taken |= bit;
	return true;
}

static void restore_env(struct work *work, const cJSON *object)
{
	const struct list_view *now = &work->now[MEMBER_ENV];
	struct list_view *pristine = &work->pristine[MEMBER_ENV];
	unsigned taken = 0;
	size_t ours = 0;
	pristine->state = now->state;
	for (size_t i = 0; i < now->count; i++) {
		const cJSON *item = now->items[i];
		if (take_env(work, item, &taken) &&
		    !apply_owns_env(object, work->template, work_list(work), work->name,
				    json_str(item, "name")))
			ours++;
		else
			list_view_add(pristine, item);
	}
	work->intact &= ours == ledger_env_count(work->entry);
}

static void restore_container(struct work *work, const cJSON *object)
{
	work->intact = true;
	for (enum member m = 0; m < MEMBER_COUNT; m++)
		list_view_read(json_member(work->node, member_names[m]), &work->now[m]);
	restore_words(work, LAUNCH_COMMAND);
	restore_words(work, LAUNCH_ARGS);
	work->words_intact = work->intact;
	restore_env(work, object);
	for (enum member m = 0; m < MEMBER_COUNT; m++)
		settle_empty(work, m);
}

static bool are_strings(const cJSON *list)
{
	if (list == NULL || cJSON_IsNull(list))
		return true;
	if (!cJSON_IsArray(list))
		return false;
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		if (!cJSON_IsString(item))
			return false;
	return true;
}

static bool is_env(const cJSON *list)
{
	if (list == NULL || cJSON_IsNull(list))
		return true;
	if (!cJSON_IsArray(list))
		return false;
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		if (!cJSON_IsString(json_member(item, "name")))
			return false;
	return true;
}

enum { CONTAINER_NAME_MAX = 253 };

static const char *trouble(const cJSON *container)
{
	const char *name = json_str(container, "name");
	if (name == NULL || name[0] == '\0' || strlen(name) > CONTAINER_NAME_MAX)
		return "a container needs a name";
	for (enum member m = MEMBER_COMMAND; m <= MEMBER_ARGS; m++)
		if (!are_strings(json_member(container, member_names[m])))
			return m == MEMBER_COMMAND ? "command must be a list of strings"
						   : "args must be a list of strings";
	return is_env(json_member(container, "env")) ? NULL
						     : "env must be a list of named variables";
}

struct reading {
	const struct plan_input *input;
	const struct ledger *ledger;
	struct works *works;
	size_t first; /* of the template at hand */
	struct error *err;
};

static struct work *find_work(struct reading *reading, const char *name)
{
	for (size_t i = reading->first; i < reading->works->count; i++)
		if (strcmp(reading->works->items[i].name, name) == 0)
			return &reading->works->items[i];
	return NULL;
}

static struct work *add_work(struct reading *reading, const struct pod_template *template,
			     const char *name, bool init)
{
	struct works *works = reading->works;
	works->items = grow(works->items, works->count, sizeof(*works->items));
	struct work *work = &works->items[works->count++];
	*work = (struct work){.template = template, .name = name, .init = init};
	(void)snprintf(work->key, sizeof(work->key), "%s/%s", template->id, name);
	if (reading->ledger->tree != NULL)
		work->entry = ledger_entry(reading->ledger, work->key);
	return work;
}

static enum status read_list(struct reading *reading, const struct pod_template *template,
			     bool init)
{
	const char *member = init ? "initContainers" : "containers";
	const cJSON *list = json_member(template->spec, member);
	size_t index = 0;
	if (list != NULL && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return error_set(reading->err, STATUS_INVALID, "%s/%s: must be a list",
				 template->pointer, member);
	for (const cJSON *node = list == NULL ? NULL : list->child; node != NULL;
	     node = node->next, index++) {
		const char *why = trouble(node);
		if (why == NULL && find_work(reading, json_str(node, "name")) != NULL)
			why = "another container has the same name";
		if (why != NULL)
			return error_set(reading->err, STATUS_INVALID, "%s/%s/%zu: %s",
					 template->pointer, member, index, why);
		if (reading->works->count >= LIMIT_CONTAINERS)
			return error_set(reading->err, STATUS_LIMIT,
					 "%s/%s: more than %d containers", template->pointer,
					 member, (int)LIMIT_CONTAINERS);
		struct work *work = add_work(reading, template, json_str(node, "name"), init);
		work->node = node;
		work->index = index;
		work->wants_node = true;
		restore_container(work, reading->input->object);
	}
	return STATUS_OK;
}

/* ModelService: containers that only the base has, and those that both have. */
static enum status read_base(struct reading *reading, const struct pod_template *template,
			     bool init)
{
	const cJSON *spec = merged_base(reading->input->facts, template);
	const cJSON *list = json_member(spec, init ? "initContainers" : "containers");
	for (const cJSON *node = cJSON_IsArray(list) ? list->child : NULL; node != NULL;
	     node = node->next) {
		if (trouble(node) != NULL)
			continue;
		struct work *work = find_work(reading, json_str(node, "name"));
		if (work == NULL && reading->works->count >= LIMIT_CONTAINERS)
			return error_set(reading->err, STATUS_LIMIT, "%s: more than %d containers",
					 template->pointer, (int)LIMIT_CONTAINERS);
		if (work == NULL) {
			work = add_work(reading, template, json_str(node, "name"), init);
			work->intact = work->entry == NULL;
		}
		work->base = node;
	}
	return STATUS_OK;
}

enum status works_read(const struct plan_input *input, const struct pod_templates *templates,
		       const struct ledger *ledger, struct works *ret_works, struct error *err)
{
	struct works works = {0};
	struct reading reading = {.input = input, .ledger = ledger, .works = &works, .err = err};
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < templates->count; i++) {
		const struct pod_template *template = &templates->items[i];
		reading.first = works.count;
		status = read_list(&reading, template, true);
		if (status == STATUS_OK)
			status = read_list(&reading, template, false);
		if (status == STATUS_OK && template->merged)
			status = read_base(&reading, template, true);
		if (status == STATUS_OK && template->merged)
			status = read_base(&reading, template, false);
	}
	if (status != STATUS_OK)
		works_release(&works);
	else
		*ret_works = works;
	return status;
}

void works_release(struct works *works)
{
	for (size_t i = 0; i < works->count; i++) {
		struct work *work = &works->items[i];
		for (enum member m = 0; m < MEMBER_COUNT; m++) {
			list_view_release(&work->now[m]);
			list_view_release(&work->pristine[m]);
			list_view_release(&work->wanted[m]);
		}
		decision_release(&work->decision);
		json_freep(&work->pool);
	}
	free(works->items);
	*works = (struct works){0};
}
