/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reader: RFC 8259 without the leniencies of cJSON. Recursive, bounded by
 * LIMIT_JSON_DEPTH.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

struct reader {
	const char *text;
	size_t len;
	size_t at;
	size_t nodes;
	struct error *err;
};

static enum status fail(struct reader *r, enum status status, const char *what)
{
	size_t line = 1;
	size_t column = 1;
	for (size_t i = 0; i < r->at && i < r->len; i++) {
		column++;
		if (r->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_set(r->err, status, "JSON line %zu column %zu: %s", line, column, what);
}

static void skip_space(struct reader *r)
{
	while (r->at < r->len && strchr(" \t\r\n", r->text[r->at]) != NULL &&
	       r->text[r->at] != '\0')
		r->at++;
}

static int peek(const struct reader *r)
{
	return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

/* A new node, or NULL when there are too many (then *r->err is set). */
static cJSON *new_node(struct reader *r, int type)
{
	if (++r->nodes > LIMIT_NODES_PER_DOCUMENT) {
		(void)fail(r, STATUS_LIMIT, "more values than one document may hold");
		return NULL;
	}
	cJSON *node = cJSON_malloc(sizeof(*node));
	if (node == NULL)
		abort();
	*node = (cJSON){.type = type};
	return node;
}

static int hex4(const char *s)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static size_t put_utf8(char *out, unsigned cp)
{
	if (cp < 0x80U) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800U) {
		out[0] = (char)(0xC0U | (cp >> 6));
		out[1] = (char)(0x80U | (cp & 0x3FU));
		return 2;
	}
	if (cp < 0x10000U) {
		out[0] = (char)(0xE0U | (cp >> 12));
		out[1] = (char)(0x80U | ((cp >> 6) & 0x3FU));
		out[2] = (char)(0x80U | (cp & 0x3FU));
		return 3;
	}
	out[0] = (char)(0xF0U | (cp >> 18));
	out[1] = (char)(0x80U | ((cp >> 12) & 0x3FU));
	out[2] = (char)(0x80U | ((cp >> 6) & 0x3FU));
	out[3] = (char)(0x80U | (cp & 0x3FU));
	return 4;
}

/* \uXXXX at r->at (after the 'u'); pairs of surrogates become one character. */
static enum status read_unicode(struct reader *r, char *out, size_t *used)
{
	int unit = r->len - r->at >= 4 ? hex4(r->text + r->at) : -1;
	if (unit < 0)
		return fail(r, STATUS_INVALID, "\\u wants four hexadecimal digits");
	if (unit == 0)
		return fail(r, STATUS_INVALID, "\\u0000 cannot stand in a Kubernetes string");
	r->at += 4;
	unsigned cp = (unsigned)unit;
	if (cp >= 0xD800U && cp <= 0xDFFFU) {
		int low = -1;
		if (cp < 0xDC00U && r->len - r->at >= 6 && r->text[r->at] == '\\' &&
		    r->text[r->at + 1] == 'u')
			low = hex4(r->text + r->at + 2);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			cp = 0x10000U + ((cp - 0xD800U) << 10) + ((unsigned)low - 0xDC00U);
			r->at += 6;
		} else {
			cp = 0xFFFDU; /* as Go's decoder does */
		}
	}
	*used += put_utf8(out + *used, cp);
	return STATUS_OK;
}

static enum status read_escape(struct reader *r, char *out, size_t *used)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	r->at++;
	if (c == 'u')
		return read_unicode(r, out, used);
	const char *found = c > 0 ? strchr(from, c) : NULL;
	if (found == NULL)
		return fail(r, STATUS_INVALID, "unknown escape in a string");
	out[(*used)++] = to[found - from];
	return STATUS_OK;
}

/* The end of the string that begins at r->at (after the quote), or r->len. */
static size_t string_end(const struct reader *r)
{
	size_t end = r->at;
	while (end < r->len && r->text[end] != '"')
		end += r->text[end] == '\\' ? 2 : 1;
	return end < r->len ? end : r->len;
}

static enum status read_string(struct reader *r, char **ret_text)
{
	size_t end = string_end(r);
	if (end >= r->len)
		return fail(r, STATUS_INVALID, "a string has no end");
	size_t valid = text_utf8_valid_prefix(r->text + r->at, end - r->at);
	if (valid != end - r->at) {
		r->at += valid;
		return fail(r, STATUS_INVALID, "invalid UTF-8 in a string");
	}
	char *out = cJSON_malloc(end - r->at + 1);
	if (out == NULL)
		abort();
	size_t used = 0;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && r->at < end) {
		char c = r->text[r->at];
		if ((unsigned char)c < 0x20U) {
			status = fail(r, STATUS_INVALID, "raw control character in a string");
		} else if (c == '\\') {
			r->at++;
			status = read_escape(r, out, &used);
		} else {
			out[used++] = c;
			r->at++;
		}
	}
	if (status != STATUS_OK) {
		cJSON_free(out);
		return status;
	}
	out[used] = '\0';
	r->at = end + 1;
	*ret_text = out;
	return STATUS_OK;
}

static size_t digits(const struct reader *r, size_t at)
{
	while (at < r->len && r->text[at] >= '0' && r->text[at] <= '9')
		at++;
	return at;
}

static enum status read_number(struct reader *r, cJSON *node)
{
	size_t start = r->at;
	size_t at = start + (r->text[start] == '-' ? 1 : 0);
	size_t whole = at;
	at = digits(r, at);
	if (at == whole || (r->text[whole] == '0' && at > whole + 1))
		return fail(r, STATUS_INVALID, "not a JSON value");
	if (at < r->len && r->text[at] == '.') {
		size_t fraction = at + 1;
		at = digits(r, fraction);
		if (at == fraction)
			return fail(r, STATUS_INVALID, "a number needs digits after its point");
	}
	if (at < r->len && (r->text[at] == 'e' || r->text[at] == 'E')) {
		size_t exponent = at + 1;
		if (exponent < r->len && (r->text[exponent] == '+' || r->text[exponent] == '-'))
			exponent++;
		at = digits(r, exponent);
		if (at == exponent)
			return fail(r, STATUS_INVALID, "a number needs digits in its exponent");
	}
	if (at - start > 512)
		return fail(r, STATUS_LIMIT, "a number of more than 512 characters");
	node->valuestring = cJSON_malloc(at - start + 1);
	if (node->valuestring == NULL)
		abort();
	memcpy(node->valuestring, r->text + start, at - start);
	node->valuestring[at - start] = '\0';
	node->valuedouble = strtod(node->valuestring, NULL);
	node->valueint = node->valuedouble >= INT_MAX   ? INT_MAX
			 : node->valuedouble <= INT_MIN ? INT_MIN
							: (int)node->valuedouble;
	r->at = at;
	return STATUS_OK;
}

static bool take_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);
	if (r->len - r->at < len || memcmp(r->text + r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status duplicate(struct reader *r, const char *key)
{
	enum status status = fail(r, STATUS_INVALID, "duplicate key");
	struct error where = *r->err;
	return error_set(r->err, status, "%s \"%s\"", where.message, key);
}

/* Objects are small as a rule: compare pairwise; large ones are sorted once. */
static enum status check_duplicates(struct reader *r, const cJSON *object, size_t count)
{
	if (count <= 16) {
		for (const cJSON *a = object->child; a != NULL; a = a->next)
			for (const cJSON *b = a->next; b != NULL; b = b->next)
				if (strcmp(a->string, b->string) == 0)
					return duplicate(r, b->string);
		return STATUS_OK;
	}
	const char **keys = xmalloc(count * sizeof(*keys));
	size_t i = 0;
	for (const cJSON *a = object->child; a != NULL; a = a->next)
		keys[i++] = a->string;
	qsort(keys, count, sizeof(*keys), compare_keys);
	enum status status = STATUS_OK;
	for (i = 1; i < count && status == STATUS_OK; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			status = duplicate(r, keys[i]);
	free(keys);
	return status;
}

/* The value at r->at, or NULL with *r->err set. */
static cJSON *read_value(struct reader *r, size_t depth);

static enum status read_member(struct reader *r, size_t depth, cJSON *object)
{
	skip_space(r);
	if (!take(r, '"'))
		return fail(r, STATUS_INVALID, "an object wants a key in quotes here");
	char *key = NULL;
	enum status status = read_string(r, &key);
	if (status != STATUS_OK)
		return status;
	skip_space(r);
	cJSON *value = NULL;
	if (take(r, ':'))
		value = read_value(r, depth);
	else
		(void)fail(r, STATUS_INVALID, "a colon is missing after a key");
	if (value == NULL) {
		cJSON_free(key);
		return r->err->status;
	}
	value->string = key;
	json_append(object, value);
	return STATUS_OK;
}

static enum status read_children(struct reader *r, size_t depth, cJSON *parent)
{
	bool is_object = parent->type == cJSON_Object;
	char close = is_object ? '}' : ']';
	size_t count = 0;
	r->at++;
	skip_space(r);
	if (take(r, close))
		return STATUS_OK;
	for (;;) {
		enum status status;
		if (is_object) {
			status = read_member(r, depth + 1, parent);
		} else {
			cJSON *value = read_value(r, depth + 1);
			status = value == NULL ? r->err->status : STATUS_OK;
			if (value != NULL)
				json_append(parent, value);
		}
		if (status != STATUS_OK)
			return status;
		count++;
		skip_space(r);
		if (take(r, ','))
			continue;
		if (!take(r, close))
			return fail(r, STATUS_INVALID,
				    is_object ? "expected ',' or '}'" : "expected ',' or ']'");
		return is_object ? check_duplicates(r, parent, count) : STATUS_OK;
	}
}

static enum status read_scalar(struct reader *r, cJSON *node)
{
	int c = peek(r);
	if (c == '"') {
		r->at++;
		node->type = cJSON_String;
		return read_string(r, &node->valuestring);
	}
	if (c == '-' || (c >= '0' && c <= '9')) {
		node->type = cJSON_Number;
		return read_number(r, node);
	}
	if (take_word(r, "true"))
		node->type = cJSON_True;
	else if (take_word(r, "false"))
		node->type = cJSON_False;
	else if (take_word(r, "null"))
		node->type = cJSON_NULL;
	else
		return fail(r, STATUS_INVALID,
			    c < 0 ? "the text ends too early" : "not a JSON value");
	node->valueint = node->type == cJSON_True ? 1 : 0;
	return STATUS_OK;
}

static cJSON *read_value(struct reader *r, size_t depth)
{
	skip_space(r);
	if (depth > LIMIT_JSON_DEPTH) {
		(void)fail(r, STATUS_LIMIT, "nested deeper than 128 levels");
		return NULL;
	}
	int c = peek(r);
	cJSON *node = new_node(r, c == '{' ? cJSON_Object : c == '[' ? cJSON_Array : cJSON_NULL);
	if (node == NULL)
		return NULL;
	enum status status =
	    c == '{' || c == '[' ? read_children(r, depth, node) : read_scalar(r, node);
	if (status != STATUS_OK) {
		cJSON_Delete(node);
		return NULL;
	}
	return node;
}

enum status json_parse(const char *text, size_t len, cJSON **ret_tree, struct error *err)
{
	struct reader r = {.text = text, .len = len, .err = err};
	cJSON *tree = read_value(&r, 0);
	if (tree == NULL)
		return err->status;
	skip_space(&r);
	if (r.at != len) {
		cJSON_Delete(tree);
		return fail(&r, STATUS_INVALID, "text after the end of the value");
	}
	*ret_tree = tree;
	return STATUS_OK;
}
