/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void plan_add_edit(struct plan *plan, const char *pointer, const char *why, const char *fmt, ...)
{
	va_list args;
	struct plan_edit edit = {.pointer = xstrdup(pointer), .why = xstrdup(why)};
	va_start(args, fmt);
	if (vasprintf(&edit.what, fmt, args) < 0)
		abort();
	va_end(args);
	plan->edits = grow(plan->edits, plan->edit_count, sizeof(*plan->edits));
	plan->edits[plan->edit_count++] = edit;
}

const char why_back[] = "taken back: it was ours";

static const char *why_gone(const struct telling *telling)
{
	return telling->work->decision.inject ? "no longer part of what is wanted" : why_back;
}

static const char *why_token(const struct telling *telling, const char *token)
{
	const struct component_rules *rules = component_rules(telling->work->decision.component);
	for (size_t i = 0; rules != NULL && i < rules->flag_count; i++)
		if (strstr(token, rules->flags[i].syntax.name) != NULL)
			return rules->flags[i].why;
	return "restored as it was";
}

/* The part in which two scripts differ, moved left to a word's beginning where that is the same. */
struct difference {
	size_t at;
	size_t removed;
	size_t added;
};

/* To whole words. */
static void widen(const char *old, struct difference *part)
{
	while (part->at > 0 && strchr(" \t\n\"'", old[part->at - 1]) == NULL) {
		part->at--;
		part->removed++;
		part->added++;
	}
	while (strchr(" \t\n\"'", old[part->at + part->removed]) == NULL) {
		part->removed++;
		part->added++;
	}
}

static struct difference find_difference(const char *old, const char *new)
{
	size_t old_len = strlen(old);
	size_t new_len = strlen(new);
	size_t head = 0;
	size_t tail = 0;
	while (old[head] != '\0' && old[head] == new[head])
		head++;
	while (tail < old_len - head && tail < new_len - head &&
	       old[old_len - 1 - tail] == new[new_len - 1 - tail])
		tail++;
	struct difference part = {head, old_len - head - tail, new_len - head - tail};
	const char *longer = part.removed == 0 ? new : old;
	size_t len = part.removed + part.added;
	while ((part.removed == 0 || part.added == 0) && len > 0 && part.at > 0 &&
	       longer[part.at] != ' ' && longer[part.at - 1] == longer[part.at + len - 1])
		part.at--;
	if (part.removed > 0 && part.added > 0)
		widen(old, &part);
	return part;
}

static char *words_at(const char *text, size_t at, size_t len)
{
	while (len > 0 && text[at] == ' ') {
		at++;
		len--;
	}
	while (len > 0 && text[at + len - 1] == ' ')
		len--;
	return xstrndup(text + at, len);
}

/* A script element is long: only what differs is told. */
static void tell_script(const struct telling *telling, const char *pointer, const char *old,
			const char *new)
{
	struct difference part = find_difference(old, new);
	char *before CLEANUP(str_freep) = words_at(old, part.at, part.removed);
	char *after CLEANUP(str_freep) = words_at(new, part.at, part.added);
	if (part.added > 0 && part.removed > 0)
		plan_add_edit(telling->plan, pointer, why_token(telling, after),
			      "replace `%s` by `%s` in the script", before, after);
	else if (part.added > 0)
		plan_add_edit(telling->plan, pointer, why_token(telling, after),
			      "insert `%s` into the script", after);
	else
		plan_add_edit(telling->plan, pointer, why_gone(telling),
			      "remove `%s` from the script", before);
}

static void tell_words(const struct telling *telling, const char *pointer, const cJSON *old,
		       const cJSON *new)
{
	const char *before = old == NULL ? NULL : old->valuestring;
	const char *after = new == NULL ? NULL : new->valuestring;
	if (before != NULL && after != NULL &&
	    (strchr(before, ' ') != NULL || strchr(after, ' ') != NULL))
		tell_script(telling, pointer, before, after);
	else if (before != NULL && after != NULL)
		plan_add_edit(telling->plan, pointer, why_token(telling, after), "replace %s by %s",
			      before, after);
	else if (after != NULL)
		plan_add_edit(telling->plan, pointer, why_token(telling, after), "add %s", after);
	else
		plan_add_edit(telling->plan, pointer, why_gone(telling), "remove %s", before);
}

static const char *value_text(const cJSON *item)
{
	const char *value = json_str(item, "value");
	const char *field = json_str(item, "valueFrom.fieldRef.fieldPath");
	return value != NULL ? value : (field != NULL ? field : "?");
}

static void tell_env(const struct telling *telling, const char *pointer, const cJSON *old,
		     const cJSON *new)
{
	const char *name = json_str(new != NULL ? new : old, "name");
	const struct env_rule *rule = name == NULL ? NULL : env_rule_of(name);
	const char *why = rule == NULL ? "restored as it was" : rule->why;
	const char *from = json_str(new, "valueFrom.fieldRef.fieldPath") != NULL ? " from " : "=";
	if (new == NULL)
		plan_add_edit(telling->plan, pointer, why_gone(telling), "remove %s", name);
	else
		plan_add_edit(telling->plan, pointer, why, "%s %s%s%s", old == NULL ? "add" : "set",
			      name, from, value_text(new));
}

void tell_change(void *context, const char *pointer, const cJSON *old, const cJSON *new)
{
	const struct telling *telling = context;
	if (telling->member == MEMBER_ENV)
		tell_env(telling, pointer, old, new);
	else
		tell_words(telling, pointer, old, new);
}
