/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of YAML. */
#ifndef LLMD_TEST_UNIT_TREE_H
#define LLMD_TEST_UNIT_TREE_H

#include "base/yaml.h"
#include "test.h"

/* NULL and a failed check when it is none. */
__attribute__((unused)) static cJSON *tree_of(const char *yaml)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	if (!CHECK_INT_ROW(yaml_read(yaml, strlen(yaml), &tree, &err), STATUS_OK, yaml))
		printf("  %s\n", err.message);
	return tree;
}

#endif
