/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* YAML 1.1: a simple key ends within 1024 characters; a longer one needs "? ". */
enum { SIMPLE_KEY_MAX = 256 };

static void indent(struct buffer *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buffer_add(out, "  ", 2);
}

/* The code point of the UTF-8 sequence of `size` bytes. */
static unsigned code_point(const char *text, size_t size)
{
	static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	unsigned value = (unsigned char)text[0] & masks[size];
	for (size_t i = 1; i < size; i++)
		value = value << 6 | ((unsigned char)text[i] & 0x3FU);
	return value;
}

/* Not printable in YAML 1.1, or a line break there: NEL, LS, PS, BOM, C0, DEL, C1. */
static bool needs_escape(unsigned c)
{
	return c < 0x20U || (c >= 0x7FU && c < 0xA0U) || c == 0x2028U || c == 0x2029U ||
	       c == 0xFEFFU || c == 0xFFFEU || c == 0xFFFFU;
}

static void add_escaped(unsigned c, struct buffer *out)
{
	switch (c) {
	case '\n':
		buffer_add_str(out, "\\n");
		return;
	case '\t':
		buffer_add_str(out, "\\t");
		return;
	case '\r':
		buffer_add_str(out, "\\r");
		return;
	default:
		buffer_addf(out, c < 0x100U ? "\\x%02X" : "\\u%04X", c);
	}
}

static void print_double_quoted(const char *text, struct buffer *out)
{
	buffer_add_char(out, '"');
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		size_t size = text_utf8_sequence(text + at, len - at);
		if (size == 0) {
			buffer_add_str(out, "\\uFFFD");
			at++;
			continue;
		}
		unsigned c = code_point(text + at, size);
		if (needs_escape(c)) {
			add_escaped(c, out);
		} else {
			if (c == '"' || c == '\\')
				buffer_add_char(out, '\\');
			buffer_add(out, text + at, size);
		}
		at += size;
	}
	buffer_add_char(out, '"');
}

static bool is_all_printable(const char *text, bool with_newlines)
{
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		size_t size = text_utf8_sequence(text + at, len - at);
		if (size == 0)
			return false;
		unsigned c = code_point(text + at, size);
		if (needs_escape(c) && !(with_newlines && (c == '\n' || c == '\t')))
			return false;
		at += size;
	}
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words that some reader of YAML 1.1, 1.2 or JSON5 takes for something else, in any case. */
static bool is_reserved_word(const char *text)
{
	static const char *const words[] = {"y",     "n",   "yes", "no",      "true",
					    "false", "on",  "off", "null",    "nil",
					    "none",  "inf", "nan", "infinity"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/*
 * True when a plain scalar of this text is a string to readers of YAML 1.1 and 1.2 alike.
 * Digits, signs and points may begin numbers, dates and sexagesimals: such texts are quoted.
 */
static bool is_plain(const char *text)
{
	size_t dashes = strspn(text, "-");
	char first = text[dashes];
	if (dashes > 2 || (!is_letter(first) && (dashes > 0 || (first != '/' && first != '_'))))
		return false;
	if (is_reserved_word(text + dashes))
		return false;
	for (size_t i = dashes; text[i] != '\0'; i++) {
		char c = text[i];
		char next = text[i + 1];
		if (c == ' ' && (next == '\0' || next == '#' || next == ' '))
			return false;
		if (c == ':' && (next == '\0' || next == ' '))
			return false;
		if (!is_letter(c) && !(c >= '0' && c <= '9') &&
		    strchr(" _./:@$=+-,()%;<>~^*&#", c) == NULL)
			return false;
	}
	return true;
}

static void print_string(const char *text, struct buffer *out)
{
	if (is_plain(text)) {
		buffer_add_str(out, text);
		return;
	}
	if (strpbrk(text, "\"\\") == NULL || !is_all_printable(text, false)) {
		print_double_quoted(text, out);
		return;
	}
	buffer_add_char(out, '\'');
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\'')
			buffer_add_char(out, '\'');
		buffer_add_char(out, *c);
	}
	buffer_add_char(out, '\'');
}

/*
 * A literal block gives the text back exactly when its first line shows the indentation
 * (neither empty nor beginning with white space) and all of it is printable.
 */
static bool fits_literal(const char *text)
{
	if (strchr(text, '\n') == NULL || strchr("\n \t", text[0]) != NULL)
		return false;
	return is_all_printable(text, true);
}

static void print_literal(const char *text, size_t depth, struct buffer *out)
{
	size_t len = strlen(text);
	buffer_add_char(out, '|');
	if (text[len - 1] != '\n')
		buffer_add_char(out, '-');
	else if (text[len - 2] == '\n')
		buffer_add_char(out, '+');
	buffer_add_char(out, '\n');
	for (const char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");
		if (size > 0)
			indent(out, depth);
		buffer_add(out, line, size);
		buffer_add_char(out, '\n');
		line += size + (line[size] == '\n' ? 1 : 0);
	}
}

static void print_scalar(const cJSON *node, size_t depth, struct buffer *out)
{
	switch (node->type & 0xFF) {
	case cJSON_True:
	case cJSON_False:
		buffer_add_str(out, (node->type & 0xFF) == cJSON_True ? "true\n" : "false\n");
		return;
	case cJSON_NULL:
		buffer_add_str(out, "null\n");
		return;
	case cJSON_Number:
		json_print(node, out); /* its source text */
		break;
	case cJSON_String:
		if (fits_literal(node->valuestring)) {
			print_literal(node->valuestring, depth, out);
			return;
		}
		print_string(node->valuestring, out);
		break;
	default:
		buffer_add_str(out, (node->type & 0xFF) == cJSON_Array ? "[]" : "{}");
		break;
	}
	buffer_add_char(out, '\n');
}

static bool is_collection(const cJSON *node)
{
	int type = node->type & 0xFF;
	return (type == cJSON_Array || type == cJSON_Object) && node->child != NULL;
}

static void print_block(const cJSON *node, size_t depth, bool inline_first, struct buffer *out);

/* What follows "key:" or "? key\n:". A list stands at its key's own depth, as kubectl prints. */
static void print_member_value(const cJSON *value, size_t depth, struct buffer *out)
{
	if (!is_collection(value)) {
		buffer_add_char(out, ' ');
		print_scalar(value, depth + 1, out);
		return;
	}
	buffer_add_char(out, '\n');
	bool list = (value->type & 0xFF) == cJSON_Array;
	print_block(value, list ? depth : depth + 1, false, out);
}

static void print_key(const char *key, size_t depth, struct buffer *out)
{
	if (strlen(key) <= SIMPLE_KEY_MAX) {
		print_string(key, out);
		buffer_add_char(out, ':');
		return;
	}
	buffer_add_str(out, "? ");
	print_double_quoted(key, out);
	buffer_add_char(out, '\n');
	indent(out, depth);
	buffer_add_char(out, ':');
}

/* A collection with something in it; `inline_first`: the first line is indented already. */
static void print_block(const cJSON *node, size_t depth, bool inline_first, struct buffer *out)
{
	bool list = (node->type & 0xFF) == cJSON_Array;
	for (const cJSON *child = node->child; child != NULL; child = child->next) {
		if (!inline_first)
			indent(out, depth);
		inline_first = false;
		if (!list) {
			print_key(child->string, depth, out);
			print_member_value(child, depth, out);
			continue;
		}
		buffer_add_str(out, "- ");
		if (is_collection(child))
			print_block(child, depth + 1, true, out);
		else
			print_scalar(child, depth + 1, out);
	}
}

void yaml_print(const cJSON *tree, struct buffer *out)
{
	if (is_collection(tree))
		print_block(tree, 0, false, out);
	else
		print_scalar(tree, 1, out);
}
