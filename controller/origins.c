/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/facts.h"
#include "controller/policy.h"
#include "inject/origin.h"

enum { QUIET_MS = 10000, LONGEST_MS = 120000, APART_MS = 60000 };

/* The order in which pods' names are understood (inject/origin.h). */
static const enum resource_id kinds[] = {RESOURCE_STATEFULSET, RESOURCE_DEPLOYMENT,
					 RESOURCE_DISAGGREGATEDSET, RESOURCE_LEADERWORKERSET};
static const enum resource_id surrounding[] = {RESOURCE_POOL, RESOURCE_POOL_X, RESOURCE_SERVICE};

static void rows_release(struct origin_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cJSON_Delete(rows[i].groups);
	free(rows);
}

void origins_release(struct origins *origins)
{
	rows_release(origins->rows, origins->count);
	cJSON_Delete(origins->wanted);
	cJSON_Delete(origins->table);
	*origins = (struct origins){.rows = NULL};
}

static struct origin_mark mark_of(const struct store *store, const char *namespace_name,
				  const enum resource_id *ids, size_t id_count)
{
	struct origin_mark mark = {0, 0};
	for (size_t i = 0; i < id_count; i++) {
		size_t count = 0;
		struct object *const *items = store_range(store, ids[i], namespace_name, &count);
		mark.count += count;
		for (size_t k = 0; k < count; k++)
			if (items[k]->seen > mark.newest)
				mark.newest = items[k]->seen;
	}
	return mark;
}

static bool same_mark(struct origin_mark a, struct origin_mark b)
{
	return a.newest == b.newest && a.count == b.count;
}

/* The groups of an object; taken over from the row of before when it is the same object. */
static cJSON *groups_of(struct origins *origins, const struct object *object,
			const struct surroundings *surroundings)
{
	for (size_t i = 0; i < origins->count; i++)
		if (origins->rows[i].seen == object->seen && origins->rows[i].groups != NULL)
			return TAKE_PTR(origins->rows[i].groups);
	cJSON *groups = cJSON_CreateArray();
	CLEANUP(json_freep) cJSON *tree = object_parse(object);
	if (tree != NULL)
		origin_groups_add(groups, tree, surroundings, object->namespace_name);
	return groups;
}

static cJSON *build(struct origins *origins, const struct store *store, const char *namespace_name)
{
	struct gathered around;
	struct origin_row *rows = NULL;
	size_t count = 0;
	cJSON *wanted = cJSON_CreateArray();
	facts_gather_pools(store, namespace_name, &around);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t items = 0;
		struct object *const *range = store_range(store, kinds[i], namespace_name, &items);
		for (size_t k = items; k-- > 0;) {
			cJSON *groups = groups_of(origins, range[k], around.surroundings);
			for (const cJSON *g = groups->child; g != NULL; g = g->next)
				json_append(wanted, json_clone(g));
			rows = grow(rows, count, sizeof(*rows));
			rows[count++] = (struct origin_row){range[k]->seen, groups};
		}
	}
	gathered_release(&around);
	rows_release(origins->rows, origins->count);
	origins->rows = rows;
	origins->count = count;
	return wanted;
}

static void take(struct origins *origins)
{
	cJSON_Delete(origins->table);
	origins->table = json_clone(origins->wanted);
	origins->waits = false;
}

static void settle(struct origins *origins, uint64_t mono_ms)
{
	origins->again_ms = 0;
	if (origins->table == NULL) {
		take(origins);
		return;
	}
	if (json_equal(origins->table, origins->wanted)) {
		origins->waits = false;
		return;
	}
	if (!origins->waits)
		origins->waits_since_ms = mono_ms;
	origins->waits = true;
	uint64_t due = origins->changed_ms + QUIET_MS;
	uint64_t latest = origins->waits_since_ms + LONGEST_MS;
	due = due < latest ? due : latest;
	if (origins->taken_ms > 0 && due < origins->taken_ms + APART_MS)
		due = origins->taken_ms + APART_MS;
	if (mono_ms < due) {
		origins->again_ms = due - mono_ms;
		return;
	}
	take(origins);
	origins->taken_ms = mono_ms;
}

static void look(struct origins *origins, const struct store *store, const char *namespace_name,
		 uint64_t mono_ms)
{
	struct origin_mark around =
	    mark_of(store, namespace_name, surrounding, ARRAY_LEN(surrounding));
	struct origin_mark workloads = mark_of(store, namespace_name, kinds, ARRAY_LEN(kinds));
	bool same_around = same_mark(around, origins->around);
	if (origins->wanted == NULL || !same_around || !same_mark(workloads, origins->workloads)) {
		if (!same_around) {
			rows_release(origins->rows, origins->count);
			origins->rows = NULL;
			origins->count = 0;
		}
		cJSON *wanted = build(origins, store, namespace_name);
		origins->left_out = origin_groups_cut(wanted);
		if (origins->wanted == NULL || !json_equal(origins->wanted, wanted))
			origins->changed_ms = mono_ms;
		cJSON_Delete(origins->wanted);
		origins->wanted = wanted;
		origins->around = around;
		origins->workloads = workloads;
	}
	settle(origins, mono_ms);
}

static void tell(const struct origins *origins, struct collector_plan *plan)
{
	struct verdict *verdict = &plan->collector;
	if (origins->left_out == 0 || verdict->status == NULL ||
	    (!plan->use_cr && !text_equal(plan->mode, "Deployment")))
		return;
	size_t len = strlen(verdict->message);
	(void)snprintf(
	    verdict->message + len, sizeof(verdict->message) - len,
	    "; spans of %zu workloads get no pool, model and role: the configuration has "
	    "room for 256 workloads and 64 KiB",
	    origins->left_out);
}

void origins_follow(struct origins *origins, const struct store *store, const char *namespace_name,
		    struct policy *policy, uint64_t mono_ms)
{
	if (policy->phase == PHASE_ON) {
		look(origins, store, namespace_name, mono_ms);
		tell(origins, &policy->collector);
	} else if (policy->phase != PHASE_HOLD) {
		origins_release(origins);
	}
}
