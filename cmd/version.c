/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd/command.h"
#include "inject/plan.h"

const char *version_text(void)
{
	return LLMD_VERSION;
}

int command_version(const struct options *options)
{
	(void)options;
	(void)printf("llmd-tracing %s (rules %d)\n", version_text(), PLAN_RULES_REVISION);
	return 0;
}
