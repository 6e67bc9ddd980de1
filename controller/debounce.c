/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/debounce.h"

#include <stdbool.h>

enum {
	ROW_MS = 5000, /* after a pause like this it begins anew */
	FREE_WRITES = 4,
	FIRST_GAP_MS = 500,
	DOUBLINGS = 2, /* up to two seconds */
};

static bool is_in_a_row(const struct debounce *debounce, uint64_t mono_ms)
{
	return debounce->in_a_row > 0 && mono_ms - debounce->at_ms < ROW_MS;
}

void debounce_note(struct debounce *debounce, uint64_t mono_ms)
{
	unsigned before = is_in_a_row(debounce, mono_ms) ? debounce->in_a_row : 0;
	debounce->in_a_row = before + (before < FREE_WRITES + DOUBLINGS + 1);
	debounce->at_ms = mono_ms;
}

uint64_t debounce_wait_ms(const struct debounce *debounce, uint64_t mono_ms)
{
	if (!is_in_a_row(debounce, mono_ms) || debounce->in_a_row < FREE_WRITES)
		return 0;
	uint64_t gap = (uint64_t)FIRST_GAP_MS << (debounce->in_a_row - FREE_WRITES < DOUBLINGS
						      ? debounce->in_a_row - FREE_WRITES
						      : DOUBLINGS);
	uint64_t passed = mono_ms - debounce->at_ms;
	return passed >= gap ? 0 : gap - passed;
}
