/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/guard.h"

TEST(more_than_three_within_ten_minutes)
{
	struct removal_guard guard = {.count = 0};
	CHECK(!guard_note(&guard, 1000));
	CHECK(!guard_note(&guard, 1001));
	CHECK(!guard_note(&guard, 2000));
	CHECK(guard_note(&guard, 1000 + GUARD_SPAN_MS));      /* four, ten minutes apart */
	CHECK(guard_note(&guard, 1001 + GUARD_SPAN_MS));      /* and every further one */
	CHECK(!guard_note(&guard, 2001 + 2 * GUARD_SPAN_MS)); /* later, one by one */
}
