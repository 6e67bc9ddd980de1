/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/yaml_anchors.h"
#include "base/yaml_scalar.h"

/* One member of an open mapping. `merged`: it came through "<<" and may be given twice. */
struct member {
	cJSON *value; /* its ->string is the key */
	struct yaml_place place;
	size_t order;
	bool merged;
};

struct frame {
	cJSON *node;
	char *anchor;
	bool mapping;
	bool has_key;    /* a key was read and waits for its value */
	bool merge_key;  /* that key is "<<" */
	bool has_merged; /* some entry came through "<<" */
	char *key;
	struct yaml_place place; /* of the key, else of the collection */
	struct member *entries;  /* of a mapping; linked into node when it closes */
	size_t count;
};

struct yaml_tree {
	struct frame frames[LIMIT_YAML_DEPTH + 1];
	size_t depth;
	cJSON *root;
	cJSON *dead; /* an array: nodes that left the tree but that an anchor may still name */
	struct yaml_anchors anchors;
	size_t nodes;
	size_t node_budget;
	size_t alias_bytes;
};

struct size {
	size_t nodes;
	size_t bytes;
	size_t height;
};

/* spec.containers[0].name: where the value that is being read will stand. */
static void path_of(const struct yaml_tree *tree, struct buffer *path)
{
	for (size_t i = 0; i < tree->depth; i++) {
		const struct frame *frame = &tree->frames[i];
		if (!frame->mapping)
			buffer_addf(path, "[%d]", cJSON_GetArraySize(frame->node));
		else if (frame->has_key)
			buffer_addf(path, "%s%s", path->len > 0 ? "." : "",
				    frame->merge_key ? "<<" : frame->key);
	}
}

static enum status fail(const struct yaml_tree *tree, struct yaml_place place, enum status status,
			const char *what, struct error *err)
{
	struct buffer path;
	buffer_init(&path, 512);
	path_of(tree, &path);
	error_set(err, status, "line %zu column %zu: %s%s%s", place.line, place.column, path.data,
		  path.len > 0 ? ": " : "", what);
	buffer_release(&path);
	return status;
}

static enum status count(struct yaml_tree *tree, struct yaml_place place, size_t nodes,
			 struct error *err)
{
	if (nodes > tree->node_budget - tree->nodes)
		return fail(tree, place, STATUS_LIMIT,
			    "more values (aliases expanded) than one document may hold", err);
	tree->nodes += nodes;
	return STATUS_OK;
}

static cJSON *new_node(int type)
{
	cJSON *node = cJSON_malloc(sizeof(*node));
	if (node == NULL)
		abort();
	*node = (cJSON){.type = type};
	return node;
}

static bool expects_key(const struct yaml_tree *tree)
{
	const struct frame *frame = tree->depth > 0 ? &tree->frames[tree->depth - 1] : NULL;
	return frame != NULL && frame->mapping && !frame->has_key;
}

static void push_entry(struct frame *frame, cJSON *value, struct yaml_place place, bool merged)
{
	frame->entries = grow(frame->entries, frame->count, sizeof(*frame->entries));
	frame->entries[frame->count] = (struct member){
	    .value = value, .place = place, .order = frame->count, .merged = merged};
	frame->count++;
	frame->has_merged = frame->has_merged || merged;
}

/* ---- keys ---- */

static bool fits_int64(const char *number)
{
	errno = 0;
	(void)strtoll(number, NULL, 10);
	return errno == 0;
}

/* The node becomes the key of the open mapping and is kept only for its anchor. */
static enum status take_key(struct yaml_tree *tree, struct yaml_place place, cJSON *node,
			    bool is_float, struct error *err)
{
	struct frame *frame = &tree->frames[tree->depth - 1];
	char text[64];
	const char *key = NULL;
	switch (node->type) {
	case cJSON_String:
		key = node->valuestring;
		break;
	case cJSON_Number:
		/* Past int64 sigs.k8s.io/yaml gives up too. */
		key = is_float || fits_int64(node->valuestring) ? node->valuestring : NULL;
		if (is_float) {
			yaml_float_key(node->valuestring, text);
			key = text;
		}
		break;
	case cJSON_True:
		key = "true";
		break;
	case cJSON_False:
		key = "false";
		break;
	default:
		break;
	}
	json_append(tree->dead, node);
	if (key == NULL)
		return fail(
		    tree, place, STATUS_INVALID,
		    "a key that is null, a list, a map or past 64 bits cannot stand in JSON", err);
	frame->key = xstrdup(key);
	frame->has_key = true;
	frame->merge_key = false;
	frame->place = place;
	return STATUS_OK;
}

/* ---- merge keys ---- */

static enum status measure(const cJSON *node, size_t height, size_t budget, struct size *size)
{
	size->nodes++;
	size->bytes += node->valuestring != NULL ? strlen(node->valuestring) : 0;
	size->bytes += node->string != NULL ? strlen(node->string) : 0;
	size->height = height > size->height ? height : size->height;
	if (size->nodes > budget || size->bytes > LIMIT_DOCUMENT_BYTES)
		return STATUS_LIMIT;
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		if (measure(child, height + 1, budget, size) != STATUS_OK)
			return STATUS_LIMIT;
	return STATUS_OK;
}

/* Copies what an anchor names, after it was found to fit under every ceiling. */
static enum status copy(struct yaml_tree *tree, struct yaml_place place, const cJSON *node,
			cJSON **ret_copy, struct error *err)
{
	struct size size = {0};
	size_t room = tree->node_budget - tree->nodes;
	if (measure(node, 0, room, &size) != STATUS_OK ||
	    size.bytes > LIMIT_DOCUMENT_BYTES - tree->alias_bytes)
		return fail(tree, place, STATUS_LIMIT,
			    "aliases expand to more than one document may hold", err);
	if (tree->depth + size.height > LIMIT_YAML_DEPTH)
		return fail(tree, place, STATUS_LIMIT, "aliases nest deeper than 64 levels", err);
	tree->nodes += size.nodes;
	tree->alias_bytes += size.bytes;
	*ret_copy = json_clone(node);
	return STATUS_OK;
}

/*
 * go-yaml v2 sets the merged members where "<<" stands: over what came before it, under
 * what comes after it. Of a list of maps the first wins.
 */
static enum status merge_map(struct yaml_tree *tree, struct yaml_place place, const cJSON *map,
			     struct error *err)
{
	if (!cJSON_IsObject(map))
		return fail(tree, place, STATUS_INVALID, "\"<<\" wants a map or a list of maps",
			    err);
	struct frame *frame = &tree->frames[tree->depth - 1];
	for (const cJSON *child = map->child; child != NULL; child = child->next) {
		cJSON *value = NULL;
		enum status status = copy(tree, place, child, &value, err);
		if (status != STATUS_OK || value == NULL)
			return status;
		if (value->string == NULL)
			value->string = xstrdup(child->string);
		push_entry(frame, value, place, true);
	}
	return STATUS_OK;
}

static enum status merge(struct yaml_tree *tree, struct yaml_place place, cJSON *source,
			 bool from_alias, struct error *err)
{
	enum status status = STATUS_OK;
	json_append(tree->dead, source);
	if (!cJSON_IsArray(source) || from_alias)
		return merge_map(tree, place, source, err);
	for (const cJSON *map = source->child != NULL ? source->child->prev : NULL;
	     map != NULL && status == STATUS_OK; map = map == source->child ? NULL : map->prev)
		status = merge_map(tree, place, map, err);
	return status;
}

/* ---- placing values ---- */

/* Takes `node` over, also on failure. */
static enum status attach(struct yaml_tree *tree, struct yaml_place place, cJSON *node,
			  bool from_alias, struct error *err)
{
	if (tree->depth == 0) {
		tree->root = node;
		return STATUS_OK;
	}
	struct frame *frame = &tree->frames[tree->depth - 1];
	if (!frame->mapping) {
		json_append(frame->node, node);
		return STATUS_OK;
	}
	if (!frame->has_key)
		return take_key(tree, place, node, false, err);
	if (frame->merge_key) {
		enum status status = merge(tree, place, node, from_alias, err);
		frame->has_key = false;
		return status;
	}
	node->string = TAKE_PTR(frame->key);
	frame->has_key = false;
	push_entry(frame, node, frame->place, false);
	return STATUS_OK;
}

static int by_key(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;
	int order = strcmp(left->value->string, right->value->string);
	if (order != 0)
		return order;
	return left->order < right->order ? -1 : left->order > right->order;
}

static int by_order(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;
	return left->order < right->order ? -1 : left->order > right->order;
}

static enum status duplicate(struct yaml_tree *tree, const struct member *second, struct error *err)
{
	struct frame *frame = &tree->frames[tree->depth - 1];
	frame->has_key = true;
	frame->merge_key = false;
	free(frame->key);
	frame->key = xstrdup(second->value->string);
	return fail(tree, second->place, STATUS_INVALID, "duplicate key", err);
}

/*
 * Sorted by key and order. One entry of each key stays, the last, at the place of the
 * first; two that both stand in the text are an error.
 */
static enum status settle(struct yaml_tree *tree, struct frame *frame, struct error *err)
{
	qsort(frame->entries, frame->count, sizeof(*frame->entries), by_key);
	size_t kept = 0;
	for (size_t i = 0; i < frame->count; i++) {
		struct member *entry = &frame->entries[i];
		struct member *last = kept > 0 ? &frame->entries[kept - 1] : NULL;
		if (last == NULL || strcmp(last->value->string, entry->value->string) != 0) {
			frame->entries[kept++] = *entry;
			continue;
		}
		if (!last->merged && !entry->merged) {
			enum status status = duplicate(tree, entry, err);
			frame->entries[kept++] = *entry;
			while (++i < frame->count)
				frame->entries[kept++] = frame->entries[i];
			frame->count = kept;
			return status;
		}
		json_append(tree->dead, last->value);
		last->value = entry->value;
		/* An entry of the text still forbids a second one of the text. */
		last->merged = last->merged && entry->merged;
	}
	frame->count = kept;
	qsort(frame->entries, frame->count, sizeof(*frame->entries), by_order);
	return STATUS_OK;
}

static bool is_settled(const struct frame *frame)
{
	if (frame->has_merged || frame->count > 16)
		return false;
	for (size_t i = 0; i < frame->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(frame->entries[i].value->string,
				   frame->entries[j].value->string) == 0)
				return false;
	return true;
}

static void link_entries(struct frame *frame)
{
	for (size_t i = 0; i < frame->count; i++)
		json_append(frame->node, frame->entries[i].value);
	free(frame->entries);
	frame->entries = NULL;
	frame->count = 0;
}

/* ---- public ---- */

struct yaml_tree *yaml_tree_new(size_t node_budget)
{
	struct yaml_tree *tree = xcalloc(1, sizeof(*tree));
	tree->node_budget = node_budget < LIMIT_YAML_NODES ? node_budget : LIMIT_YAML_NODES;
	tree->dead = new_node(cJSON_Array);
	return tree;
}

void yaml_tree_freep(struct yaml_tree **tree)
{
	if (*tree == NULL)
		return;
	for (size_t i = 0; i < (*tree)->depth; i++) {
		struct frame *frame = &(*tree)->frames[i];
		link_entries(frame);
		cJSON_Delete(frame->node);
		free(frame->anchor);
		free(frame->key);
	}
	cJSON_Delete((*tree)->root);
	cJSON_Delete((*tree)->dead);
	yaml_anchors_release(&(*tree)->anchors);
	free(*tree);
	*tree = NULL;
}

static enum status make_scalar(struct yaml_tree *tree, struct yaml_place place,
			       const struct yaml_scalar *scalar, const char *text, cJSON **ret_node,
			       struct error *err)
{
	static const int types[] = {
	    [YAML_TYPE_NULL] = cJSON_NULL,     [YAML_TYPE_BOOL] = cJSON_False,
	    [YAML_TYPE_INT] = cJSON_Number,    [YAML_TYPE_FLOAT] = cJSON_Number,
	    [YAML_TYPE_STRING] = cJSON_String,
	};
	if (scalar->type == YAML_TYPE_REFUSED)
		return fail(tree, place, STATUS_INVALID,
			    "a value (.inf, .nan) or a tag that JSON cannot hold", err);
	cJSON *node = new_node(types[scalar->type]);
	if (scalar->type == YAML_TYPE_BOOL && scalar->truth)
		node->type = cJSON_True;
	if (scalar->type == YAML_TYPE_STRING)
		node->valuestring = xstrdup(text);
	if (node->type == cJSON_Number) {
		node->valuestring = xstrdup(scalar->number);
		node->valuedouble = strtod(scalar->number, NULL);
		node->valueint = node->valuedouble >= INT32_MAX   ? INT32_MAX
				 : node->valuedouble <= INT32_MIN ? INT32_MIN
								  : (int)node->valuedouble;
	}
	*ret_node = node;
	return STATUS_OK;
}

enum status yaml_tree_scalar(struct yaml_tree *tree, struct yaml_place place, const char *anchor,
			     const char *tag, bool plain, const char *text, size_t len,
			     struct error *err)
{
	enum status status = count(tree, place, 1, err);
	if (status != STATUS_OK)
		return status;
	if (strlen(text) != len)
		return fail(tree, place, STATUS_INVALID,
			    "a NUL character cannot stand in a Kubernetes string", err);
	bool merge_tag = tag != NULL && strcmp(tag, "tag:yaml.org,2002:merge") == 0;
	if (expects_key(tree) && strcmp(text, "<<") == 0 && ((plain && tag == NULL) || merge_tag)) {
		struct frame *frame = &tree->frames[tree->depth - 1];
		frame->has_key = true;
		frame->merge_key = true;
		frame->place = place;
		return STATUS_OK;
	}
	struct yaml_scalar scalar;
	yaml_resolve(tag, plain, text, &scalar);
	cJSON *node = NULL;
	status = make_scalar(tree, place, &scalar, text, &node, err);
	if (status != STATUS_OK)
		return status;
	yaml_anchors_set(&tree->anchors, anchor, node);
	if (expects_key(tree))
		return take_key(tree, place, node, scalar.type == YAML_TYPE_FLOAT, err);
	return attach(tree, place, node, false, err);
}

enum status yaml_tree_open(struct yaml_tree *tree, struct yaml_place place, const char *anchor,
			   bool mapping, struct error *err)
{
	enum status status = count(tree, place, 1, err);
	if (status != STATUS_OK)
		return status;
	if (tree->depth == LIMIT_YAML_DEPTH)
		return fail(tree, place, STATUS_LIMIT, "nested deeper than 64 levels", err);
	yaml_anchors_set(&tree->anchors, anchor, NULL);
	tree->frames[tree->depth++] = (struct frame){
	    .node = new_node(mapping ? cJSON_Object : cJSON_Array),
	    .anchor = anchor != NULL ? xstrdup(anchor) : NULL,
	    .mapping = mapping,
	    .place = place,
	};
	return STATUS_OK;
}

enum status yaml_tree_close(struct yaml_tree *tree, struct error *err)
{
	struct frame *frame = &tree->frames[tree->depth - 1];
	if (!is_settled(frame)) {
		enum status status = settle(tree, frame, err);
		if (status != STATUS_OK)
			return status;
	}
	link_entries(frame);
	cJSON *node = TAKE_PTR(frame->node);
	yaml_anchors_set(&tree->anchors, frame->anchor, node);
	free(frame->anchor);
	free(frame->key);
	struct yaml_place place = frame->place;
	tree->depth--;
	return attach(tree, place, node, false, err);
}

enum status yaml_tree_alias(struct yaml_tree *tree, struct yaml_place place, const char *anchor,
			    struct error *err)
{
	const cJSON *named = NULL;
	if (!yaml_anchors_find(&tree->anchors, anchor, &named))
		return fail(tree, place, STATUS_INVALID, "an alias without its anchor", err);
	if (named == NULL)
		return fail(tree, place, STATUS_INVALID, "an anchor that holds itself", err);
	cJSON *node = NULL;
	enum status status = copy(tree, place, named, &node, err);
	if (status != STATUS_OK)
		return status;
	if (node->string != NULL) {
		cJSON_free(node->string);
		node->string = NULL;
	}
	return attach(tree, place, node, true, err);
}

cJSON *yaml_tree_take(struct yaml_tree *tree)
{
	return TAKE_PTR(tree->root);
}

size_t yaml_tree_nodes(const struct yaml_tree *tree)
{
	return tree->nodes;
}
