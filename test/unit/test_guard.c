/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/guard.h"

TEST(more_than_three_within_ten_minutes)
{
	struct removal_guard guard = {0};
	CHECK(!guard_note(&guard, "a", 1000));
	CHECK(!guard_note(&guard, "b", 1001));
	CHECK(!guard_note(&guard, "c", 2000));
	CHECK(guard_note(&guard, "d", 1000 + GUARD_SPAN_MS));      /* four, ten minutes apart */
	CHECK(guard_note(&guard, "e", 1001 + GUARD_SPAN_MS));      /* and every further one */
	CHECK(!guard_note(&guard, "f", 2001 + 2 * GUARD_SPAN_MS)); /* later, one by one */
}

/* Somebody tries it out, on and off again. */
TEST(one_that_loses_it_again_and_again_is_one)
{
	struct removal_guard guard = {0};
	for (uint64_t i = 0; i < 10; i++)
		CHECK(!guard_note(&guard, "a", 1000 + i));
	CHECK(!guard_note(&guard, "b", 2000));
	CHECK(!guard_note(&guard, "c", 2001));
	CHECK(!guard_note(&guard, "b", 2002));
	CHECK(guard_note(&guard, "d", 1009 + GUARD_SPAN_MS)); /* its last time counts */
	CHECK(!guard_note(&guard, "d", 1010 + GUARD_SPAN_MS));
}
