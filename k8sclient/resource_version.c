/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "k8sclient/watch.h"

/* KEP-5504: digits without a leading zero; "0" and "" stand for "any" and "newest". */
static bool is_comparable(const char *version)
{
	size_t digits = strspn(version, "0123456789");
	return digits > 0 && version[digits] == '\0' && version[0] != '0';
}

int resource_version_compare(const char *a, const char *b, bool *ret_comparable)
{
	*ret_comparable = a != NULL && b != NULL && is_comparable(a) && is_comparable(b);
	if (!*ret_comparable)
		return 0;
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	int order = strcmp(a, b);
	return (order > 0) - (order < 0);
}
