/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/quantity.h"

#include <stddef.h>
#include <string.h>

#include "base/util.h"

enum { DIGITS_MAX = 18 };

static const struct {
	const char *text;
	double factor;
} suffixes[] = {
    {"", 1},
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 1024.0},
    {"Mi", 1048576.0},
    {"Gi", 1073741824.0},
    {"Ti", 1099511627776.0},
    {"Pi", 1125899906842624.0},
    {"Ei", 1152921504606846976.0},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with at most one point; leaves `*text` behind them. */
static bool read_number(const char **text, double *ret_number)
{
	double number = 0;
	double place = 1;
	size_t digits = 0;
	bool point = false;
	const char *c = *text;
	for (; is_digit(*c) || (*c == '.' && !point); c++) {
		if (*c == '.') {
			point = true;
			continue;
		}
		digits++;
		number = number * 10 + (*c - '0');
		place = point ? place * 10 : place;
	}
	*text = c;
	*ret_number = number / place;
	return digits > 0 && digits <= DIGITS_MAX;
}

/* "e3", "E-2": decimal exponents. */
static bool read_exponent(const char *text, double *ret_factor)
{
	if ((*text != 'e' && *text != 'E') || text[1] == '\0')
		return false;
	bool negative = text[1] == '-';
	const char *c = text + (text[1] == '-' || text[1] == '+' ? 2 : 1);
	if (!is_digit(*c) || strspn(c, "0123456789") != strlen(c) || strlen(c) > 2)
		return false;
	int exponent = c[1] == '\0' ? c[0] - '0' : (c[0] - '0') * 10 + (c[1] - '0');
	double factor = 1;
	for (int i = 0; i < exponent; i++)
		factor *= 10;
	*ret_factor = negative ? 1 / factor : factor;
	return true;
}

static bool read_suffix(const char *text, double *ret_factor)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(text, suffixes[i].text) != 0)
			continue;
		*ret_factor = suffixes[i].factor;
		return true;
	}
	return read_exponent(text, ret_factor);
}

bool quantity_read(const char *text, double *ret_amount)
{
	double number = 0;
	double factor = 1;
	text += *text == '+' ? 1 : 0;
	if (!read_number(&text, &number) || !read_suffix(text, &factor))
		return false;
	double amount = number * factor;
	if (amount > 9.0e18)
		return false;
	*ret_amount = amount;
	return true;
}

bool quantity_read_whole(const char *text, long long *ret_amount)
{
	double amount = 0;
	if (!quantity_read(text, &amount))
		return false;
	long long whole = (long long)amount;
	*ret_amount = (double)whole < amount ? whole + 1 : whole;
	return true;
}

bool quantity_equal(const char *a, const char *b)
{
	double x = 0;
	double y = 0;
	if (!quantity_read(a, &x) || !quantity_read(b, &y))
		return false;
	double apart = x < y ? y - x : x - y;
	return apart <= 1e-9 * x;
}
