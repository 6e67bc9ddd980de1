/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len)
{
	CLEANUP(str_freep) char *data = xmalloc(len / 4 * 3 + 4);
	size_t used = 0;
	size_t padding = 0;
	size_t count = 0;
	uint32_t bits = 0;
	for (size_t at = 0; at < len; at++) {
		char c = text[at];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		const char *found = c == '\0' ? NULL : strchr(alphabet, c);
		if (c == '=' && count % 4 >= 2)
			padding++;
		else if (found == NULL || padding > 0)
			return false;
		bits = bits << 6 | (found == NULL ? 0U : (uint32_t)(found - alphabet));
		count++;
		if (count % 4 != 0)
			continue;
		for (size_t i = 0; i < 3 - padding; i++)
			data[used++] = (char)(bits >> (16 - 8 * i) & 0xFFU);
	}
	if (count % 4 != 0)
		return false;
	data[used] = '\0';
	*ret_len = used;
	*ret_data = TAKE_PTR(data);
	return true;
}

void base64_encode(const char *data, size_t len, struct buffer *out)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < len ? (unsigned char)data[i + j] : 0U);
		for (size_t j = 0; j < 4; j++) {
			bool pads = j > len - i;
			buffer_add_char(
			    out, (char)(pads ? '=' : alphabet[bits >> (18 - 6 * j) & 0x3FU]));
		}
	}
}
