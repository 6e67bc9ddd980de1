/* SPDX-License-Identifier: Apache-2.0 */
/* The places of the time zone database, by the rule that their clocks follow from now on. */
#ifndef LLMD_INJECT_ZONE_NAMES_H
#define LLMD_INJECT_ZONE_NAMES_H

#include <stddef.h>

struct zone_names {
	const char *rule;  /* as POSIX writes TZ, without abbreviations: "X-1Y,M3.5.0,M10.5.0/3" */
	const char *names; /* " Africa/Ceuta Arctic/Longyearbyen … " */
};

extern const struct zone_names zone_names[];
extern const size_t zone_names_count;

#endif
