/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void json_freep(cJSON **tree)
{
	cJSON_Delete(*tree);
	*tree = NULL;
}

const cJSON *json_member(const cJSON *object, const char *key)
{
	if (!cJSON_IsObject(object) || key == NULL)
		return NULL;
	for (const cJSON *child = object->child; child != NULL; child = child->next)
		if (strcmp(child->string, key) == 0)
			return child;
	return NULL;
}

cJSON *json_member_mut(cJSON *object, const char *key)
{
	if (!cJSON_IsObject(object) || key == NULL)
		return NULL;
	for (cJSON *child = object->child; child != NULL; child = child->next)
		if (strcmp(child->string, key) == 0)
			return child;
	return NULL;
}

static const cJSON *member_of_length(const cJSON *object, const char *key, size_t len)
{
	if (!cJSON_IsObject(object))
		return NULL;
	for (const cJSON *child = object->child; child != NULL; child = child->next)
		if (strncmp(child->string, key, len) == 0 && child->string[len] == '\0')
			return child;
	return NULL;
}

const cJSON *json_get(const cJSON *tree, const char *path)
{
	while (tree != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		tree = member_of_length(tree, path, len);
		path += len;
		if (*path == '.')
			path++;
	}
	return tree;
}

const char *json_str(const cJSON *tree, const char *path)
{
	const cJSON *node = json_get(tree, path);
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

bool json_bool(const cJSON *tree, const char *path, bool fallback)
{
	const cJSON *node = json_get(tree, path);
	return cJSON_IsBool(node) ? cJSON_IsTrue(node) : fallback;
}

long json_int(const cJSON *tree, const char *path, long fallback)
{
	const cJSON *node = json_get(tree, path);
	if (!cJSON_IsNumber(node))
		return fallback;
	double value = node->valuedouble;
	if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0))
		return fallback;
	long whole = (long)value;
	double back = (double)whole;
	return back < value || back > value ? fallback : whole;
}

const cJSON *json_named(const cJSON *list, const char *name)
{
	const cJSON *found = NULL;
	if (!cJSON_IsArray(list) || name == NULL)
		return NULL;
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		const char *item_name = json_str(item, "name");
		if (item_name != NULL && strcmp(item_name, name) == 0)
			found = item;
	}
	return found;
}

static size_t child_count(const cJSON *node)
{
	size_t count = 0;
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		count++;
	return count;
}

static bool equal_children(const cJSON *a, const cJSON *b)
{
	if (child_count(a) != child_count(b))
		return false;
	const cJSON *other = b->child;
	for (const cJSON *child = a->child; child != NULL; child = child->next) {
		if (cJSON_IsObject(a))
			other = json_member(b, child->string);
		if (other == NULL || !json_equal(child, other))
			return false;
		other = other->next;
	}
	return true;
}

/* Text first: two integers past 2^53 differ although their doubles do not. */
static bool is_zero(const char *number)
{
	return strcmp(number + (number[0] == '-' ? 1 : 0), "0") == 0;
}

static bool equal_numbers(const cJSON *a, const cJSON *b)
{
	const char *x = a->valuestring;
	const char *y = b->valuestring;
	if (x != NULL && y != NULL) {
		if (strcmp(x, y) == 0)
			return true;
		if (strpbrk(x, ".eE") == NULL && strpbrk(y, ".eE") == NULL)
			return is_zero(x) && is_zero(y);
	}
	return !(a->valuedouble < b->valuedouble) && !(a->valuedouble > b->valuedouble);
}

bool json_equal(const cJSON *a, const cJSON *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if ((a->type & 0xFF) != (b->type & 0xFF))
		return false;
	switch (a->type & 0xFF) {
	case cJSON_Number:
		return equal_numbers(a, b);
	case cJSON_String:
		return strcmp(a->valuestring, b->valuestring) == 0;
	case cJSON_Array:
	case cJSON_Object:
		return equal_children(a, b);
	default:
		return true;
	}
}

/* cJSON's reference bits must not be cloned: a clone owns everything that it holds. */
cJSON *json_clone(const cJSON *tree)
{
	cJSON *copy = cJSON_Duplicate(tree, 1);
	if (copy == NULL)
		abort();
	return copy;
}

void json_set(cJSON *object, const char *key, cJSON *value)
{
	assert(cJSON_IsObject(object) && value != NULL);
	if (json_member(object, key) != NULL)
		(void)cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
	else
		(void)cJSON_AddItemToObject(object, key, value);
}

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

void json_set_str(cJSON *object, const char *key, const char *value)
{
	json_set(object, key, made(cJSON_CreateString(value)));
}

/* cJSON keeps the tail in ->prev of the first child. */
void json_append(cJSON *parent, cJSON *child)
{
	child->next = NULL;
	if (parent->child == NULL) {
		parent->child = child;
		child->prev = child;
		return;
	}
	cJSON *last = parent->child->prev;
	last->next = child;
	child->prev = last;
	parent->child->prev = child;
}

void json_insert(cJSON *array, size_t index, cJSON *item)
{
	cJSON *after = array->child;
	for (size_t i = 0; i < index && after != NULL; i++)
		after = after->next;
	if (after == NULL) {
		cJSON_AddItemToArray(array, item);
		return;
	}
	item->next = after;
	item->prev = after->prev;
	if (after == array->child)
		array->child = item;
	else
		after->prev->next = item;
	after->prev = item;
}

cJSON *json_new_int(long value)
{
	cJSON *node = made(cJSON_CreateNumber((double)value));
	char text[32];
	(void)snprintf(text, sizeof(text), "%ld", value);
	node->valuestring =
	    xstrdup(text); /* cJSON's allocator is malloc: cJSON_InitHooks is not used */
	return node;
}

void json_set_int(cJSON *object, const char *key, long value)
{
	json_set(object, key, json_new_int(value));
}

void json_set_bool(cJSON *object, const char *key, bool value)
{
	json_set(object, key, made(cJSON_CreateBool(value)));
}

cJSON *json_set_object(cJSON *object, const char *key)
{
	cJSON *node = made(cJSON_CreateObject());
	json_set(object, key, node);
	return node;
}

cJSON *json_set_array(cJSON *object, const char *key)
{
	cJSON *node = made(cJSON_CreateArray());
	json_set(object, key, node);
	return node;
}

void json_pointer_add(struct buffer *pointer, const char *token)
{
	buffer_add_char(pointer, '/');
	for (const char *c = token; *c != '\0'; c++) {
		if (*c == '~')
			buffer_add_str(pointer, "~0");
		else if (*c == '/')
			buffer_add_str(pointer, "~1");
		else
			buffer_add_char(pointer, *c);
	}
}

void json_pointer_add_index(struct buffer *pointer, size_t index)
{
	buffer_addf(pointer, "/%zu", index);
}

static const cJSON *element(const cJSON *array, const char *digits, size_t len)
{
	if (len == 0 || len > 9 || strspn(digits, "0123456789") < len)
		return NULL;
	unsigned long index = strtoul(digits, NULL, 10);
	const cJSON *child = array->child;
	while (child != NULL && index-- > 0)
		child = child->next;
	return child;
}

static bool token_equals(const char *key, const char *token, size_t len)
{
	size_t i = 0;
	while (i < len && *key != '\0') {
		char c = token[i++];
		if (c == '~' && i < len)
			c = token[i++] == '1' ? '/' : '~';
		if (c != *key++)
			return false;
	}
	return i == len && *key == '\0';
}

const cJSON *json_pointer_get(const cJSON *tree, const char *pointer)
{
	while (tree != NULL && *pointer == '/') {
		const char *token = pointer + 1;
		size_t len = strcspn(token, "/");
		const cJSON *next = NULL;
		if (cJSON_IsArray(tree))
			next = element(tree, token, len);
		else if (cJSON_IsObject(tree))
			for (next = tree->child;
			     next != NULL && !token_equals(next->string, token, len);)
				next = next->next;
		tree = next;
		pointer = token + len;
	}
	return *pointer == '\0' ? tree : NULL;
}
