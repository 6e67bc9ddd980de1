/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/guard.h"

#include "base/util.h"

bool guard_note(struct removal_guard *guard, uint64_t mono_ms)
{
	size_t next = guard->count++ % ARRAY_LEN(guard->lost_ms);
	guard->lost_ms[next] = mono_ms;
	uint64_t oldest = guard->lost_ms[guard->count % ARRAY_LEN(guard->lost_ms)];
	return guard->count >= ARRAY_LEN(guard->lost_ms) && mono_ms - oldest <= GUARD_SPAN_MS;
}
