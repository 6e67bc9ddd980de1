/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refused.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/moment.h"

/* Members of status, by where they stand in the struct. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
    {"image", offsetof(struct refused, image)},
    {"component", offsetof(struct refused, component)},
    {"workload", offsetof(struct refused, workload)},
    {"reason", offsetof(struct refused, reason)},
    {"message", offsetof(struct refused, message)},
    {"operatorVersion", offsetof(struct refused, version)},
    {"settingsHash", offsetof(struct refused, settings)},
    {"retry", offsetof(struct refused, retry)},
};

static char **text_of(struct refused *entry, size_t which)
{
	return (char **)(void *)((char *)entry + texts[which].offset);
}

static const char *const_text_of(const struct refused *entry, size_t which)
{
	return *(char *const *)(const void *)((const char *)entry + texts[which].offset);
}

static void drop(struct refused_list *list, size_t index)
{
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		free(*text_of(&list->items[index], k));
	list->count--;
	memmove(list->items + index, list->items + index + 1,
		(list->count - index) * sizeof(*list->items));
}

void refused_release(struct refused_list *list)
{
	while (list->count > 0)
		drop(list, list->count - 1);
	free(list->items);
	*list = (struct refused_list){0};
}

static bool is_about(const struct refused *entry, const char *image, const char *component)
{
	return strcmp(entry->image, image) == 0 && strcmp(entry->component, component) == 0;
}

void refused_add(struct refused_list *list, const struct refused *entry)
{
	for (size_t i = list->count; i-- > 0;)
		if (is_about(&list->items[i], entry->image, entry->component))
			drop(list, i);
	if (refused_is_full(list)) /* only when a rollout was under way already */
		drop(list, 0);
	list->items = grow(list->items, list->count, sizeof(*list->items));
	struct refused *kept = &list->items[list->count++];
	*kept = (struct refused){.at_us = entry->at_us};
	for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
		const char *text = const_text_of(entry, k);
		*text_of(kept, k) = xstrdup(text == NULL ? "" : text);
	}
}

bool refused_is_full(const struct refused_list *list)
{
	return list->count >= LIMIT_STATUS_REFUSED;
}

void refused_load(struct refused_list *list, const cJSON *status)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, status)
	{
		struct refused entry = {.at_us = moment_parse(json_str(item, "time"), 0)};
		union {
			const char *in;
			char *out;
		} text;
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			text.in = json_str(item, texts[k].name);
			*text_of(&entry, k) = text.out;
		}
		if (entry.image != NULL && entry.component != NULL)
			refused_add(list, &entry); /* copies */
	}
}

cJSON *refused_status(const struct refused_list *list)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < list->count; i++) {
		char time[MOMENT_TEXT_MAX];
		cJSON *item = cJSON_CreateObject();
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			if (const_text_of(&list->items[i], k)[0] != '\0')
				json_set_str(item, texts[k].name,
					     const_text_of(&list->items[i], k));
		moment_format(list->items[i].at_us, time);
		json_set_str(item, "time", time);
		json_append(array, item);
	}
	return array;
}

bool refused_sweep(struct refused_list *list, const char *settings, const char *version)
{
	size_t before = list->count;
	for (size_t i = list->count; i-- > 0;)
		if (strcmp(list->items[i].settings, settings) != 0 ||
		    strcmp(list->items[i].version, version) != 0)
			drop(list, i);
	return list->count != before;
}

static bool is_of_plan(const struct refused *entry, const struct plan *plan)
{
	for (size_t i = 0; i < plan->container_count; i++) {
		const struct plan_container *container = &plan->containers[i];
		if (container->inject &&
		    is_about(entry, container->image, component_name(container->component)))
			return true;
	}
	return false;
}

bool refused_pardon(struct refused_list *list, const struct plan *plan)
{
	size_t before = list->count;
	for (size_t i = list->count; i-- > 0;)
		if (is_of_plan(&list->items[i], plan))
			drop(list, i);
	return list->count != before;
}

const struct refused *refused_find(const struct refused_list *list, const struct plan *plan)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_of_plan(&list->items[i], plan))
			return &list->items[i];
	return NULL;
}
