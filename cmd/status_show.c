/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "cmd/status_tree.h"

static const char *or_dash(const char *text)
{
	return text == NULL || *text == '\0' ? "-" : text;
}

/* Two conditions are good as False. */
static bool is_good(const cJSON *condition)
{
	static const char *const reversed[] = {"PendingRestart", "Conflicting"};
	const char *good = "True";
	for (size_t i = 0; i < ARRAY_LEN(reversed); i++)
		if (text_equal(json_str(condition, "type"), reversed[i]))
			good = "False";
	return text_equal(json_str(condition, "status"), good);
}

static const cJSON *find_condition(const cJSON *tree, const char *type)
{
	const cJSON *condition = NULL;
	cJSON_ArrayForEach(condition, json_member(tree, "conditions"))
	{
		if (text_equal(json_str(condition, "type"), type))
			return condition;
	}
	return NULL;
}

/* Ready, and whatever else is not as it should be. */
static void show_head(const cJSON *tree, struct buffer *out)
{
	const cJSON *ready = find_condition(tree, "Ready");
	const cJSON *item = NULL;
	buffer_addf(out, "namespace %s: ", json_str(tree, "namespace"));
	if (ready == NULL)
		buffer_add_str(out, "Ready Unknown\n");
	else
		buffer_addf(out, "Ready %s since %s: %s: %s\n", json_str(ready, "status"),
			    or_dash(json_str(ready, "lastTransitionTime")),
			    or_dash(json_str(ready, "reason")),
			    or_dash(json_str(ready, "message")));
	cJSON_ArrayForEach(item, json_member(tree, "conditions"))
	{
		if (item == ready || is_good(item))
			continue;
		buffer_addf(out, "  %s %s: %s: %s\n", json_str(item, "type"),
			    json_str(item, "status"), or_dash(json_str(item, "reason")),
			    or_dash(json_str(item, "message")));
	}
	if (json_str(tree, "spansHeard") != NULL)
		buffer_addf(out, "  spans heard of %s traced containers\n",
			    json_str(tree, "spansHeard"));
	cJSON_ArrayForEach(item, json_member(tree, "notes"))
	{
		buffer_addf(out, "  note: %s\n", item->valuestring);
	}
}

static void show_containers(const cJSON *workload, struct buffer *out)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json_member(workload, "containers"))
	{
		bool traced = json_bool(item, "traced", false);
		const char *message = json_str(item, "message");
		bool inject = text_equal(json_str(item, "decision"), "inject");
		buffer_addf(out, "           %s (%s): %s", json_str(item, "name"),
			    json_str(item, "component"), traced ? "traced" : "not traced");
		if (traced && json_str(item, "service") != NULL)
			buffer_addf(out, " as %s", json_str(item, "service"));
		if (!inject)
			buffer_addf(out, ": %s%s%s", json_str(item, "reason"),
				    *message == '\0' ? "" : ": ", message);
		buffer_add_char(out, '\n');
	}
}

static void show_workload(const cJSON *workload, struct buffer *out)
{
	const char *state = json_str(workload, "state");
	const char *reason = json_str(workload, "reason");
	const char *message = json_str(workload, "message");
	const char *since = json_str(workload, "since");
	bool same = reason == NULL || text_equal(state, reason);
	bool done = text_equal(state, "Injected");
	buffer_addf(out, "  %-8s %s/%s: %s%s%s", or_dash(json_str(workload, "part")),
		    json_str(workload, "kind"), json_str(workload, "name"), state, same ? "" : ", ",
		    same ? "" : reason);
	if (since != NULL)
		buffer_addf(out, " since %s", since);
	if (json_member(workload, "replicas") != NULL)
		buffer_addf(out, "; %ld of %ld ready", json_int(workload, "replicas.ready", 0),
			    json_int(workload, "replicas.wanted", 0));
	if (json_int(workload, "restarts", 0) > 0)
		buffer_addf(out, "; PendingRestart: %ld pods", json_int(workload, "restarts", 0));
	buffer_add_char(out, '\n');
	show_containers(workload, out);
	if (!done && message != NULL)
		buffer_addf(out, "           why: %s\n", message);
	if (json_str(workload, "next") != NULL)
		buffer_addf(out, "           next: %s\n", json_str(workload, "next"));
}

void status_show(const cJSON *tree, struct buffer *out)
{
	const cJSON *others = json_member(tree, "workloads");
	const cJSON *pool = NULL;
	const cJSON *workload = NULL;
	show_head(tree, out);
	cJSON_ArrayForEach(pool, json_member(tree, "pools"))
	{
		buffer_addf(out, "\npool %s\n", json_str(pool, "name"));
		cJSON_ArrayForEach(workload, json_member(pool, "workloads"))
		{
			show_workload(workload, out);
		}
	}
	if (cJSON_GetArraySize(others) > 0)
		buffer_add_str(out, "\nwithout a pool\n");
	cJSON_ArrayForEach(workload, others)
	{
		show_workload(workload, out);
	}
	if (cJSON_GetArraySize(others) == 0 && cJSON_GetArraySize(json_member(tree, "pools")) == 0)
		buffer_add_str(out, "\nno component of llm-d is in this namespace\n");
}

/* ---- what is new ---- */

static const cJSON *find_in(const cJSON *list, const cJSON *workload)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, list)
	{
		if (text_equal(json_str(item, "kind"), json_str(workload, "kind")) &&
		    text_equal(json_str(item, "name"), json_str(workload, "name")))
			return item;
	}
	return NULL;
}

static const cJSON *find_workload(const cJSON *tree, const cJSON *workload)
{
	const cJSON *found = find_in(json_member(tree, "workloads"), workload);
	const cJSON *pool = NULL;
	cJSON_ArrayForEach(pool, json_member(tree, "pools"))
	{
		if (found == NULL)
			found = find_in(json_member(pool, "workloads"), workload);
	}
	return found;
}

static void show_new(const cJSON *list, const cJSON *other, bool gone, struct buffer *out)
{
	const cJSON *workload = NULL;
	cJSON_ArrayForEach(workload, list)
	{
		const cJSON *twin = find_workload(other, workload);
		if (gone && twin == NULL)
			buffer_addf(out, "  %-8s %s/%s: gone\n",
				    or_dash(json_str(workload, "part")), json_str(workload, "kind"),
				    json_str(workload, "name"));
		else if (!gone && (twin == NULL || !json_equal(twin, workload)))
			show_workload(workload, out);
	}
}

static void show_all_new(const cJSON *tree, const cJSON *other, bool gone, struct buffer *out)
{
	const cJSON *pool = NULL;
	cJSON_ArrayForEach(pool, json_member(tree, "pools"))
	{
		show_new(json_member(pool, "workloads"), other, gone, out);
	}
	show_new(json_member(tree, "workloads"), other, gone, out);
}

void status_show_changes(const cJSON *before, const cJSON *tree, struct buffer *out)
{
	struct buffer then CLEANUP(buffer_release) = {0};
	struct buffer now CLEANUP(buffer_release) = {0};
	buffer_init(&then, out->limit);
	buffer_init(&now, out->limit);
	show_head(before, &then);
	show_head(tree, &now);
	if (strcmp(then.data, now.data) != 0)
		buffer_add_str(out, now.data);
	show_all_new(tree, before, false, out);
	show_all_new(before, tree, true, out);
}
