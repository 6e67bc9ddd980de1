/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

enum style { STYLE_COMPACT, STYLE_CANONICAL, STYLE_PRETTY };

struct printer {
	struct buffer *out;
	enum style style;
	unsigned depth;
};

static void print_value(struct printer *p, const cJSON *node);

void json_print_string(const char *text, struct buffer *out)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	size_t len = strlen(text);
	buffer_add_char(out, '"');
	size_t run = 0;
	size_t i = 0;
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20U && c < 0x80U && c != '"' && c != '\\') {
			i++;
			continue;
		}
		size_t valid = c >= 0x80U ? text_utf8_sequence(text + i, len - i) : 0;
		if (valid > 0) {
			i += valid;
			continue;
		}
		buffer_add(out, text + run, i - run);
		const char *found = c < 0x80U ? strchr(from, c) : NULL;
		if (found != NULL) {
			buffer_add_char(out, '\\');
			buffer_add_char(out, to[found - from]);
		} else if (c < 0x20U) {
			buffer_add_str(out, "\\u00");
			buffer_add_char(out, hex[c >> 4]);
			buffer_add_char(out, hex[c & 15U]);
		} else {
			buffer_add_str(out, "\xEF\xBF\xBD");
		}
		i++;
		run = i;
	}
	buffer_add(out, text + run, len - run);
	buffer_add_char(out, '"');
}

static void newline(struct printer *p)
{
	if (p->style != STYLE_PRETTY)
		return;
	buffer_add_char(p->out, '\n');
	for (unsigned i = 0; i < p->depth; i++)
		buffer_add_str(p->out, "  ");
}

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static void print_member(struct printer *p, const cJSON *node)
{
	if (node->string != NULL) {
		json_print_string(node->string, p->out);
		buffer_add_str(p->out, p->style == STYLE_PRETTY ? ": " : ":");
	}
	print_value(p, node);
}

static void print_sorted(struct printer *p, const cJSON *object)
{
	size_t count = 0;
	for (const cJSON *child = object->child; child != NULL; child = child->next)
		count++;
	const cJSON **members = xmalloc(count * sizeof(*members));
	size_t i = 0;
	for (const cJSON *child = object->child; child != NULL; child = child->next)
		members[i++] = child;
	qsort(members, count, sizeof(*members), compare_members);
	for (i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_char(p->out, ',');
		print_member(p, members[i]);
	}
	free(members);
}

static void print_children(struct printer *p, const cJSON *node)
{
	bool is_object = cJSON_IsObject(node);
	buffer_add_char(p->out, is_object ? '{' : '[');
	if (is_object && p->style == STYLE_CANONICAL) {
		print_sorted(p, node);
	} else {
		p->depth++;
		for (const cJSON *child = node->child; child != NULL; child = child->next) {
			newline(p);
			if (is_object)
				print_member(p, child);
			else
				print_value(p, child);
			if (child->next != NULL)
				buffer_add_char(p->out, ',');
		}
		p->depth--;
		if (node->child != NULL)
			newline(p);
	}
	buffer_add_char(p->out, is_object ? '}' : ']');
}

static void print_value(struct printer *p, const cJSON *node)
{
	switch (node->type & 0xFF) {
	case cJSON_False:
		buffer_add_str(p->out, "false");
		break;
	case cJSON_True:
		buffer_add_str(p->out, "true");
		break;
	case cJSON_Number:
		if (node->valuestring != NULL)
			buffer_add_str(p->out, node->valuestring);
		else
			buffer_addf(p->out, "%.17g", node->valuedouble);
		break;
	case cJSON_String:
		json_print_string(node->valuestring, p->out);
		break;
	case cJSON_Array:
	case cJSON_Object:
		print_children(p, node);
		break;
	default:
		buffer_add_str(p->out, "null");
		break;
	}
}

void json_print(const cJSON *tree, struct buffer *out)
{
	struct printer p = {.out = out, .style = STYLE_COMPACT};
	print_value(&p, tree);
}

void json_print_canonical(const cJSON *tree, struct buffer *out)
{
	struct printer p = {.out = out, .style = STYLE_CANONICAL};
	print_value(&p, tree);
}

void json_print_pretty(const cJSON *tree, struct buffer *out)
{
	struct printer p = {.out = out, .style = STYLE_PRETTY};
	print_value(&p, tree);
}

char *json_to_string(const cJSON *tree)
{
	struct buffer out;
	buffer_init(&out, LIMIT_BODY_BYTES);
	json_print(tree, &out);
	return out.data;
}
