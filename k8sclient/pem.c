/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/pem.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/text.h"

/* One DER SEQUENCE (X.690 §8.1.3) that is exactly `len` bytes long. */
static bool is_der_sequence(const unsigned char *der, size_t len)
{
	if (len < 2 || der[0] != 0x30U)
		return false;
	if (der[1] < 0x80U)
		return len == 2U + der[1];
	size_t octets = der[1] & 0x7FU;
	if (octets == 0 || octets > 4 || len < 2 + octets)
		return false;
	size_t size = 0;
	for (size_t i = 0; i < octets; i++)
		size = size << 8 | der[2 + i];
	return len == 2 + octets + size;
}

static bool is_whole_block(const char *body, size_t len)
{
	/* Old-style encrypted keys have header lines; they cannot be used without a passphrase. */
	size_t der_len = 0;
	CLEANUP(str_freep) char *der = NULL;
	return base64_decode(body, len, &der, &der_len) &&
	       is_der_sequence((const unsigned char *)der, der_len);
}

bool pem_is_whole(const char *text, const char *label)
{
	static const char begin[] = "-----BEGIN ";
	size_t found = 0;
	for (const char *at = strstr(text, begin); at != NULL; at = strstr(at + 1, begin)) {
		const char *name = at + strlen(begin);
		const char *name_end = strstr(name, "-----");
		if (name_end == NULL)
			return false;
		CLEANUP(str_freep) char *block = xstrndup(name, (size_t)(name_end - name));
		if (!text_has_suffix(block, label))
			continue;
		CLEANUP(str_freep) char *end_line = xasprintf("-----END %s-----", block);
		const char *body = name_end + 5;
		const char *end = strstr(body, end_line);
		if (end == NULL || !is_whole_block(body, (size_t)(end - body)))
			return false;
		found++;
	}
	return found > 0;
}
