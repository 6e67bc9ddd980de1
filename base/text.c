/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

bool text_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool text_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text);
	size_t tail = strlen(suffix);
	return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

size_t text_utf8_sequence(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	if (s[0] < 0x80U)
		return 1;
	size_t need = s[0] >= 0xF0U ? 4 : s[0] >= 0xE0U ? 3 : 2;
	if (s[0] < 0xC2U || s[0] > 0xF4U || need > len)
		return 0;
	unsigned char low = 0x80U;
	unsigned char high = 0xBFU;
	if (s[0] == 0xE0U)
		low = 0xA0U;
	else if (s[0] == 0xEDU)
		high = 0x9FU;
	else if (s[0] == 0xF0U)
		low = 0x90U;
	else if (s[0] == 0xF4U)
		high = 0x8FU;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((s[i] & 0xC0U) != 0x80U)
			return 0;
	return need;
}

size_t text_utf8_valid_prefix(const char *text, size_t len)
{
	size_t i = 0;
	while (i < len) {
		size_t n = text_utf8_sequence(text + i, len - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

bool text_has_control(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20U || *c == 0x7f)
			return true;
	return false;
}
