/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/reason.h"

#include <ctype.h>

#include "test.h"

TEST(every_reason_has_a_row)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		const struct reason_info *info = reason_info((enum reason)i);
		if (!CHECK(info->word != NULL && info->meaning != NULL && info->advice != NULL)) {
			printf("  reason %d has no row\n", i);
			continue;
		}
		CHECK(isupper((unsigned char)info->word[0]) != 0);
		for (const char *c = info->word; *c != '\0'; c++)
			CHECK(isalpha((unsigned char)*c) != 0);
		CHECK(info->meaning[strlen(info->meaning) - 1] == '.');
		for (int k = 0; k < i; k++)
			CHECK(strcmp(info->word, reason_info((enum reason)k)->word) != 0);
	}
	CHECK_STR(reason_info((enum reason)9999)->word, "None");
}
