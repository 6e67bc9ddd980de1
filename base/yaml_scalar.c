/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

struct word {
	const char *text;
	enum yaml_type type;
	bool truth;
};

static const struct word words[] = {
    {"y", YAML_TYPE_BOOL, true},         {"Y", YAML_TYPE_BOOL, true},
    {"yes", YAML_TYPE_BOOL, true},       {"Yes", YAML_TYPE_BOOL, true},
    {"YES", YAML_TYPE_BOOL, true},       {"true", YAML_TYPE_BOOL, true},
    {"True", YAML_TYPE_BOOL, true},      {"TRUE", YAML_TYPE_BOOL, true},
    {"on", YAML_TYPE_BOOL, true},        {"On", YAML_TYPE_BOOL, true},
    {"ON", YAML_TYPE_BOOL, true},        {"n", YAML_TYPE_BOOL, false},
    {"N", YAML_TYPE_BOOL, false},        {"no", YAML_TYPE_BOOL, false},
    {"No", YAML_TYPE_BOOL, false},       {"NO", YAML_TYPE_BOOL, false},
    {"false", YAML_TYPE_BOOL, false},    {"False", YAML_TYPE_BOOL, false},
    {"FALSE", YAML_TYPE_BOOL, false},    {"off", YAML_TYPE_BOOL, false},
    {"Off", YAML_TYPE_BOOL, false},      {"OFF", YAML_TYPE_BOOL, false},
    {"", YAML_TYPE_NULL, false},         {"~", YAML_TYPE_NULL, false},
    {"null", YAML_TYPE_NULL, false},     {"Null", YAML_TYPE_NULL, false},
    {"NULL", YAML_TYPE_NULL, false},     {".nan", YAML_TYPE_REFUSED, false},
    {".NaN", YAML_TYPE_REFUSED, false},  {".NAN", YAML_TYPE_REFUSED, false},
    {".inf", YAML_TYPE_REFUSED, false},  {".Inf", YAML_TYPE_REFUSED, false},
    {".INF", YAML_TYPE_REFUSED, false},  {"+.inf", YAML_TYPE_REFUSED, false},
    {"+.Inf", YAML_TYPE_REFUSED, false}, {"+.INF", YAML_TYPE_REFUSED, false},
    {"-.inf", YAML_TYPE_REFUSED, false}, {"-.Inf", YAML_TYPE_REFUSED, false},
    {"-.INF", YAML_TYPE_REFUSED, false},
};

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* RFC 8259 number, whole text. */
static bool is_json_number(const char *text)
{
	const char *at = text + (*text == '-' ? 1 : 0);
	size_t whole = digits(at);
	if (whole == 0 || (at[0] == '0' && whole > 1))
		return false;
	at += whole;
	if (*at == '.') {
		size_t fraction = digits(at + 1);
		if (fraction == 0)
			return false;
		at += 1 + fraction;
	}
	if (*at == 'e' || *at == 'E') {
		at += at[1] == '+' || at[1] == '-' ? 2 : 1;
		size_t exponent = digits(at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return *at == '\0';
}

/* ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ of go-yaml. */
static bool is_yaml_float(const char *text)
{
	const char *at = text + (*text == '-' || *text == '+' ? 1 : 0);
	size_t whole = digits(at);
	at += whole;
	if (*at == '.') {
		size_t fraction = digits(at + 1);
		if (whole == 0 && fraction == 0)
			return false;
		at += 1 + fraction;
	} else if (whole == 0) {
		return false;
	}
	if (*at == 'e' || *at == 'E') {
		at += at[1] == '+' || at[1] == '-' ? 2 : 1;
		size_t exponent = digits(at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return *at == '\0';
}

/* The fewest digits that give the same double again. */
static void shortest(double value, char ret_number[YAML_NUMBER_MAX + 1])
{
	for (int precision = 1; precision <= 17; precision++) {
		(void)snprintf(ret_number, YAML_NUMBER_MAX, "%.*g", precision, value);
		double again = strtod(ret_number, NULL);
		if (again >= value && again <= value)
			return;
	}
}

/* `text` is a number in some decimal spelling; false when it is out of range (Go: not a float then). */
static bool set_float(struct yaml_scalar *scalar, const char *text)
{
	double value = strtod(text, NULL);
	if (isinf(value))
		return false;
	scalar->type = YAML_TYPE_FLOAT;
	const char *unsigned_text = *text == '+' ? text + 1 : text;
	if (is_json_number(unsigned_text))
		(void)snprintf(scalar->number, sizeof(scalar->number), "%s", unsigned_text);
	else
		shortest(value, scalar->number);
	return true;
}

/* Digits of `base` only, at least one; false also when it does not fit 64 bits. */
static bool parse_magnitude(const char *text, unsigned base, uint64_t *ret_value)
{
	uint64_t value = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		int c = tolower((unsigned char)*text);
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10U
							: 99U;
		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

/* strconv.ParseInt and, when that is out of range, ParseUint (which knows no sign). */
static bool set_int(struct yaml_scalar *scalar, bool has_sign, bool negative,
		    const char *digits_text, unsigned base)
{
	uint64_t magnitude = 0;
	if (!parse_magnitude(digits_text, base, &magnitude))
		return false;
	if (negative && magnitude > (uint64_t)INT64_MAX + 1U)
		return false;
	if (!negative && has_sign && magnitude > (uint64_t)INT64_MAX)
		return false;
	scalar->type = YAML_TYPE_INT;
	(void)snprintf(scalar->number, sizeof(scalar->number), "%s%" PRIu64,
		       negative && magnitude > 0 ? "-" : "", magnitude);
	return true;
}

/* Base 0 of Go: 0b, 0o, 0x in either case, a leading 0 is octal, else decimal. */
static bool parse_int(struct yaml_scalar *scalar, const char *text)
{
	bool has_sign = *text == '-' || *text == '+';
	bool negative = *text == '-';
	const char *at = has_sign ? text + 1 : text;
	unsigned base = 10;
	if (*at == '0' && at[1] != '\0') {
		int mark = tolower((unsigned char)at[1]);
		base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		at += strchr("xbo", mark) != NULL ? 2 : 1;
	}
	return set_int(scalar, has_sign, negative, at, base);
}

/* go-yaml's own second try for "0b…", which takes a sign after the prefix ("0b-1" is -1). */
static bool parse_binary(struct yaml_scalar *scalar, const char *text)
{
	if (!text_has_prefix(text, "0b"))
		return false;
	bool has_sign = text[2] == '-' || text[2] == '+';
	return set_int(scalar, has_sign, text[2] == '-', text + 2 + (has_sign ? 1 : 0), 2);
}

static void resolve_number(const char *text, struct yaml_scalar *scalar)
{
	char plain[YAML_NUMBER_MAX + 1] = "";
	size_t used = 0;
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '_')
			continue;
		if (used == YAML_NUMBER_MAX)
			return;
		plain[used++] = *at;
	}
	plain[used] = '\0';
	if (parse_int(scalar, plain))
		return;
	if (is_yaml_float(plain) && set_float(scalar, plain))
		return;
	(void)parse_binary(scalar, plain);
}

/* strconv.ParseFloat alone: an underscore may only stand between two digits. */
static void resolve_point(const char *text, struct yaml_scalar *scalar)
{
	char plain[YAML_NUMBER_MAX + 1];
	size_t used = 0;
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '_' && digits(at - 1) == 1 && digits(at + 1) > 0)
			continue;
		if (used == YAML_NUMBER_MAX)
			return;
		plain[used++] = *at;
	}
	plain[used] = '\0';
	if (is_yaml_float(plain))
		(void)set_float(scalar, plain);
}

static void resolve_untagged(const char *text, struct yaml_scalar *scalar)
{
	*scalar = (struct yaml_scalar){.type = YAML_TYPE_STRING};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].text, text) == 0) {
			scalar->type = words[i].type;
			scalar->truth = words[i].truth;
			return;
		}
	}
	if (*text == '.')
		resolve_point(text, scalar);
	else if (strchr("+-0123456789", *text) != NULL)
		resolve_number(text, scalar);
}

/* What an explicit tag makes of what the text alone says; an unknown tag makes it a string. */
static void apply_tag(const char *tag, const char *text, struct yaml_scalar *scalar)
{
	static const struct {
		const char *name;
		enum yaml_type type;
	} tags[] = {
	    {"null", YAML_TYPE_NULL},      {"bool", YAML_TYPE_BOOL},
	    {"int", YAML_TYPE_INT},        {"float", YAML_TYPE_FLOAT},
	    {"binary", YAML_TYPE_REFUSED}, {"timestamp", YAML_TYPE_REFUSED},
	};
	enum yaml_type wanted = YAML_TYPE_STRING;
	if (strcmp(tag, TAG_PREFIX "timestamp") == 0 && scalar->type == YAML_TYPE_STRING &&
	    digits(text) == 4 && text[4] == '-')
		return;
	if (text_has_prefix(tag, TAG_PREFIX))
		for (size_t i = 0; i < ARRAY_LEN(tags); i++)
			if (strcmp(tag + strlen(TAG_PREFIX), tags[i].name) == 0)
				wanted = tags[i].type;
	if (wanted == YAML_TYPE_FLOAT && scalar->type == YAML_TYPE_INT)
		scalar->type = YAML_TYPE_FLOAT;
	else if (wanted == YAML_TYPE_STRING)
		scalar->type = YAML_TYPE_STRING;
	else if (scalar->type != wanted)
		scalar->type = YAML_TYPE_REFUSED;
}

void yaml_resolve(const char *tag, bool plain, const char *text, struct yaml_scalar *ret_scalar)
{
	if (tag == NULL && !plain) {
		*ret_scalar = (struct yaml_scalar){.type = YAML_TYPE_STRING};
		return;
	}
	resolve_untagged(text, ret_scalar);
	if (tag != NULL)
		apply_tag(tag, text, ret_scalar);
}

void yaml_float_key(const char *number, char ret_key[64])
{
	float value = strtof(number, NULL);
	int precision = 0;
	char text[64];
	do {
		(void)snprintf(text, sizeof(text), "%.*e", precision, (double)value);
		float again = strtof(text, NULL);
		if (again >= value && again <= value)
			break;
	} while (++precision < 9);
	const char *mark = strchr(text, 'e');
	int exponent = mark != NULL ? atoi(mark + 1) : 0;
	/* With the shortest precision, Go's 'g' takes exponents of six and more apart. */
	if (exponent < -4 || exponent >= 6)
		(void)snprintf(ret_key, 64, "%s", text);
	else
		(void)snprintf(ret_key, 64, "%.*f",
			       exponent >= precision ? 0 : precision - exponent, (double)value);
}
