/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

void patch_init(struct patch *patch)
{
	patch->operations = made(cJSON_CreateArray());
	patch->tests = made(cJSON_CreateArray());
}

void patch_release(struct patch *patch)
{
	json_freep(&patch->operations);
	json_freep(&patch->tests);
}

/* The keys are literals: cJSON keeps the pointer instead of a copy. */
static void append(cJSON *list, const char *op, const char *pointer, cJSON *value)
{
	cJSON *row = made(cJSON_CreateObject());
	(void)cJSON_AddItemToObjectCS(row, "op", made(cJSON_CreateString(op)));
	(void)cJSON_AddItemToObjectCS(row, "path", made(cJSON_CreateString(pointer)));
	if (value != NULL)
		(void)cJSON_AddItemToObjectCS(row, "value", value);
	(void)cJSON_AddItemToArray(list, row);
}

void patch_add(struct patch *patch, const char *pointer, cJSON *value)
{
	append(patch->operations, "add", pointer, value);
}

void patch_replace(struct patch *patch, const char *pointer, const cJSON *old, cJSON *value)
{
	append(patch->tests, "test", pointer, json_clone(old));
	append(patch->operations, "replace", pointer, value);
}

void patch_remove(struct patch *patch, const char *pointer, const cJSON *old)
{
	append(patch->tests, "test", pointer, json_clone(old));
	append(patch->operations, "remove", pointer, NULL);
}

void patch_test(struct patch *patch, const char *pointer, const cJSON *value)
{
	append(patch->tests, "test", pointer, json_clone(value));
}

void list_view_read(const cJSON *node, struct list_view *ret_view)
{
	*ret_view = (struct list_view){.state = LIST_ABSENT};
	if (node == NULL)
		return;
	ret_view->state = cJSON_IsArray(node) ? LIST_ARRAY : LIST_NULL;
	if (ret_view->state != LIST_ARRAY)
		return;
	for (const cJSON *item = node->child; item != NULL; item = item->next)
		list_view_add(ret_view, item);
}

void list_view_add(struct list_view *view, const cJSON *item)
{
	view->items = grow((void *)view->items, view->count, sizeof(*view->items));
	view->items[view->count++] = item;
}

void list_view_release(struct list_view *view)
{
	free((void *)view->items);
	*view = (struct list_view){0};
}

cJSON *list_view_tree(const struct list_view *view)
{
	if (view->state == LIST_ABSENT)
		return NULL;
	if (view->state == LIST_NULL)
		return made(cJSON_CreateNull());
	cJSON *array = made(cJSON_CreateArray());
	for (size_t i = 0; i < view->count; i++)
		(void)cJSON_AddItemToArray(array, json_clone(view->items[i]));
	return array;
}

/* One run of patch_list. Positions: `at` in the list as edited so far, `was` in the list as it is. */
struct run {
	struct patch *patch;
	struct buffer path; /* pointer of the list, then of the element at hand */
	size_t stem;
	const struct list_view *now;
	const struct list_view *wanted;
	bool keyed;
	list_change_fn *changed;
	void *context;
	size_t at;
	size_t was;
	size_t next;   /* in wanted */
	size_t tested; /* the insertion place that was tested last; 0: none */
	bool any;
};

static const char *element(struct run *run, size_t index, const char *member)
{
	buffer_truncate(&run->path, run->stem);
	json_pointer_add_index(&run->path, index);
	if (member != NULL)
		json_pointer_add(&run->path, member);
	return run->path.data;
}

/*
 * What stands before an insertion has to be there; by name, since values may be secrets.
 * A list without keys is tested as a whole.
 */
static void test_place(struct run *run)
{
	if (!run->keyed || run->was == 0 || run->tested == run->was)
		return;
	run->tested = run->was;
	const cJSON *name = json_member(run->now->items[run->was - 1], "name");
	if (name != NULL)
		patch_test(run->patch, element(run, run->was - 1, "name"), name);
}

static void test_element(struct run *run, const char *member, const cJSON *old)
{
	if (run->keyed)
		patch_test(run->patch, element(run, run->was, member), old);
}

static void step_insert(struct run *run)
{
	const cJSON *item = run->wanted->items[run->next++];
	test_place(run);
	const char *pointer = element(run, run->at++, NULL);
	append(run->patch->operations, "add", pointer, json_clone(item));
	run->changed(run->context, pointer, NULL, item);
}

static void step_remove(struct run *run)
{
	const cJSON *item = run->now->items[run->was];
	test_element(run, NULL, item);
	run->was++;
	const char *pointer = element(run, run->at, NULL);
	append(run->patch->operations, "remove", pointer, NULL);
	run->changed(run->context, pointer, item, NULL);
}

static void step_replace(struct run *run)
{
	const cJSON *old = run->now->items[run->was];
	const cJSON *item = run->wanted->items[run->next++];
	const cJSON *old_value = run->keyed ? json_member(old, "value") : NULL;
	const cJSON *new_value = run->keyed ? json_member(item, "value") : NULL;
	const char *member = NULL;
	if (old_value != NULL && new_value != NULL &&
	    json_equal(json_member(old, "name"), json_member(item, "name"))) {
		member = "value";
		old = old_value;
	} else {
		new_value = item;
	}
	test_element(run, member, old);
	run->was++;
	const char *pointer = element(run, run->at++, member);
	append(run->patch->operations, "replace", pointer, json_clone(new_value));
	run->changed(run->context, pointer, old, item);
}

static void step_keep(struct run *run, size_t count)
{
	run->at += count;
	run->was += count;
	run->next += count;
}

static bool same(const cJSON *a, const cJSON *b)
{
	return a == b || json_equal(a, b);
}

enum { DIFF_CELLS_MAX = 65536 };

/* Longest common subsequence of the middle parts; table[i][k] counts from (i, k) to the ends. */
static void walk_middle(struct run *run, size_t rows, size_t columns)
{
	const cJSON *const *old = run->now->items + run->was;
	const cJSON *const *new = run->wanted->items + run->next;
	size_t width = columns + 1;
	unsigned short *table = xcalloc((rows + 1) * width, sizeof(*table));
	for (size_t i = rows; i-- > 0;)
		for (size_t k = columns; k-- > 0;) {
			unsigned short down = table[(i + 1) * width + k];
			unsigned short right = table[i * width + k + 1];
			table[i * width + k] =
			    same(old[i], new[k])
				? (unsigned short)(table[(i + 1) * width + k + 1] + 1)
				: (down > right ? down : right);
		}
	size_t i = 0;
	size_t k = 0;
	while (i < rows || k < columns) {
		unsigned short here = table[i * width + k];
		if (i < rows && k < columns && same(old[i], new[k])) {
			step_keep(run, 1);
			i++;
			k++;
		} else if (i < rows && k < columns && table[(i + 1) * width + k + 1] == here) {
			step_replace(run);
			i++;
			k++;
		} else if (k < columns && (i == rows || table[i * width + k + 1] == here)) {
			step_insert(run);
			k++;
		} else {
			step_remove(run);
			i++;
		}
	}
	free(table);
}

/* A list that is absent, null or empty on either side, or too different, is set as a whole. */
static void replace_whole(struct run *run)
{
	const struct list_view *now = run->now;
	const struct list_view *wanted = run->wanted;
	for (size_t i = 0; i < now->count; i++)
		run->changed(run->context, element(run, i, NULL), now->items[i], NULL);
	for (size_t i = 0; i < wanted->count; i++)
		run->changed(run->context, element(run, i, NULL), NULL, wanted->items[i]);
	cJSON *old = list_view_tree(now);
	cJSON *tree = list_view_tree(wanted);
	bool add = old == NULL || now->state == LIST_NULL;
	buffer_truncate(&run->path, run->stem);
	if (old != NULL && (run->keyed || now->count == 0 || wanted->count == 0))
		append(run->patch->tests, "test", run->path.data, old);
	else
		json_freep(&old);
	if (tree == NULL)
		append(run->patch->operations, "remove", run->path.data, NULL);
	else
		append(run->patch->operations, add ? "add" : "replace", run->path.data, tree);
}

/* True when the `few` elements stand among the `many`, in this order. */
static bool is_among(const cJSON *const *few, size_t few_count, const cJSON *const *many,
		     size_t many_count)
{
	size_t found = 0;
	for (size_t i = 0; i < many_count && found < few_count; i++)
		found += same(few[found], many[i]);
	return found == few_count;
}

/* Only additions, or only removals: what both have is met in order. */
static void walk_among(struct run *run, size_t rows, size_t columns)
{
	while (rows > 0 && columns > 0) {
		if (same(run->now->items[run->was], run->wanted->items[run->next])) {
			step_keep(run, 1);
			rows--;
			columns--;
		} else if (rows > columns) {
			step_remove(run);
			rows--;
		} else {
			step_insert(run);
			columns--;
		}
	}
	for (; rows > 0; rows--)
		step_remove(run);
	for (; columns > 0; columns--)
		step_insert(run);
}

static void walk(struct run *run)
{
	const struct list_view *now = run->now;
	const struct list_view *wanted = run->wanted;
	size_t head = 0;
	while (head < now->count && head < wanted->count &&
	       same(now->items[head], wanted->items[head]))
		head++;
	size_t tail = 0;
	while (tail < now->count - head && tail < wanted->count - head &&
	       same(now->items[now->count - 1 - tail], wanted->items[wanted->count - 1 - tail]))
		tail++;
	size_t rows = now->count - head - tail;
	size_t columns = wanted->count - head - tail;
	const cJSON *const *old = now->items + head;
	const cJSON *const *new = wanted->items + head;
	run->any = rows + columns > 0;
	if (run->any && !run->keyed) {
		buffer_truncate(&run->path, run->stem);
		append(run->patch->tests, "test", run->path.data, list_view_tree(now));
	}
	step_keep(run, head);
	if (rows != columns && (rows < columns ? is_among(old, rows, new, columns)
					       : is_among(new, columns, old, rows)))
		walk_among(run, rows, columns);
	else if (rows == 0 || columns == 0 || rows <= DIFF_CELLS_MAX / columns)
		walk_middle(run, rows, columns);
	else
		replace_whole(run);
}

enum { POINTER_MAX = 4096 };

bool patch_list(struct patch *patch, const char *pointer, const struct list_view *now,
		const struct list_view *wanted, bool keyed, list_change_fn *changed, void *context)
{
	struct run run = {.patch = patch,
			  .now = now,
			  .wanted = wanted,
			  .keyed = keyed,
			  .changed = changed,
			  .context = context};
	buffer_init(&run.path, POINTER_MAX);
	buffer_add_str(&run.path, pointer);
	run.stem = run.path.len;
	if (now->count > 0 && wanted->count > 0) {
		walk(&run);
	} else if (now->state != wanted->state || now->count + wanted->count > 0) {
		replace_whole(&run);
		run.any = true;
	}
	buffer_release(&run.path);
	return run.any;
}
