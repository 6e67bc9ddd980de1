/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/objects_config.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

static bool list_has(const cJSON *list, const char *name)
{
	for (const cJSON *item = list == NULL ? NULL : list->child; item != NULL; item = item->next)
		if (strcmp(item->valuestring, name) == 0)
			return true;
	return false;
}

/* In the list `part` of any pipeline. */
static bool is_used(const cJSON *pipelines, const char *part, const char *name)
{
	for (const cJSON *p = pipelines->child; p != NULL; p = p->next)
		if (list_has(json_member(p, part), name))
			return true;
	return false;
}

/* `name` may begin with the one pipeline that is meant, and '>'. */
static bool drop_from_pipelines(cJSON *pipelines, const char *part, const char *name)
{
	bool dropped = false;
	const char *end = strchr(name, '>');
	size_t len = end == NULL ? 0 : (size_t)(end - name);
	const char *only = name;
	name = end == NULL ? name : end + 1;
	for (cJSON *p = pipelines->child; p != NULL; p = p->next) {
		if (end != NULL && (strlen(p->string) != len || strncmp(p->string, only, len) != 0))
			continue;
		cJSON *list = json_member_mut(p, part);
		for (cJSON *item = list == NULL ? NULL : list->child, *next = NULL; item != NULL;
		     item = next) {
			next = item->next;
			if (strcmp(item->valuestring, name) != 0)
				continue;
			cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
			dropped = true;
		}
	}
	return dropped;
}

static bool is_empty(const cJSON *list)
{
	return list == NULL || list->child == NULL;
}

static bool drop_dead_pipelines(cJSON *pipelines)
{
	bool dropped = false;
	for (cJSON *p = pipelines->child, *next = NULL; p != NULL; p = next) {
		next = p->next;
		if (!is_empty(json_member(p, "receivers")) &&
		    !is_empty(json_member(p, "exporters")))
			continue;
		cJSON_Delete(cJSON_DetachItemViaPointer(pipelines, p));
		dropped = true;
	}
	return dropped;
}

/* A connector has to end one pipeline and begin another. */
static bool drop_half_connectors(cJSON *config, cJSON *pipelines)
{
	bool dropped = false;
	const cJSON *connectors = json_member(config, "connectors");
	for (const cJSON *c = connectors == NULL ? NULL : connectors->child; c != NULL;
	     c = c->next) {
		bool ends = is_used(pipelines, "exporters", c->string);
		bool begins = is_used(pipelines, "receivers", c->string);
		if (ends && !begins)
			dropped |= drop_from_pipelines(pipelines, "exporters", c->string);
		if (begins && !ends)
			dropped |= drop_from_pipelines(pipelines, "receivers", c->string);
	}
	return dropped;
}

static void drop_unused(cJSON *config, const cJSON *pipelines)
{
	static const struct {
		const char *kind;
		const char *part; /* of a pipeline */
	} kinds[] = {{"receivers", "receivers"},
		     {"processors", "processors"},
		     {"connectors", "exporters"},
		     {"exporters", "exporters"}};
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		cJSON *defined = json_member_mut(config, kinds[k].kind);
		for (cJSON *d = defined == NULL ? NULL : defined->child, *next = NULL; d != NULL;
		     d = next) {
			next = d->next;
			if (!is_used(pipelines, kinds[k].part, d->string))
				cJSON_Delete(cJSON_DetachItemViaPointer(defined, d));
		}
		if (defined != NULL && defined->child == NULL)
			cJSON_Delete(cJSON_DetachItemViaPointer(config, defined));
	}
}

void config_drop(cJSON *config, const char *const *names)
{
	static const char *const parts[] = {"receivers", "processors", "exporters"};
	cJSON *pipelines = json_member_mut(json_member_mut(config, "service"), "pipelines");
	for (; *names != NULL; names++)
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			(void)drop_from_pipelines(pipelines, parts[i], *names);
	while (drop_dead_pipelines(pipelines) || drop_half_connectors(config, pipelines))
		continue;
	drop_unused(config, pipelines);
}
