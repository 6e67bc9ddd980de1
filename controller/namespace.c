/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/namespace.h"

#include <stdlib.h>

#include "base/alloc.h"

struct namespace *namespace_new(const char *name)
{
	struct namespace *space = xcalloc(1, sizeof(*space));
	space->name = xstrdup(name);
	return space;
}

void namespace_free(struct namespace *space)
{
	if (space == NULL)
		return;
	roster_release(&space->roster);
	secrets_release(&space->secrets);
	for (size_t i = 0; i < PART_COUNT; i++)
		refusal_clear(&space->refusals[i]);
	for (size_t i = 0; i < ARRAY_LEN(space->settled); i++)
		free(space->settled[i]);
	for (size_t i = 0; i < space->held_count; i++)
		free(space->held[i]);
	free(space->held);
	origins_release(&space->origins);
	proof_release(&space->proof);
	json_freep(&space->rehearsals);
	free(space->policy_seen);
	free(space->told);
	free(space->name);
	free(space);
}
