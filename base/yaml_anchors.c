/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_anchors.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct anchor {
	char *name;
	const cJSON *node;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

static void free_anchor(void *item)
{
	struct anchor *anchor = item;
	free(anchor->name);
	free(anchor);
}

static struct anchor *find(const struct yaml_anchors *anchors, const char *name)
{
	struct anchor wanted = {.name = xstrdup(name)};
	struct anchor *const *found = tfind(&wanted, &anchors->tree, compare);
	free(wanted.name);
	return found != NULL ? *found : NULL;
}

void yaml_anchors_set(struct yaml_anchors *anchors, const char *name, const cJSON *node)
{
	if (name == NULL)
		return;
	struct anchor *anchor = find(anchors, name);
	if (anchor == NULL) {
		anchor = xcalloc(1, sizeof(*anchor));
		anchor->name = xstrdup(name);
		if (tsearch(anchor, &anchors->tree, compare) == NULL)
			abort();
	}
	anchor->node = node;
}

bool yaml_anchors_find(const struct yaml_anchors *anchors, const char *name, const cJSON **ret_node)
{
	const struct anchor *found = find(anchors, name);
	if (found != NULL)
		*ret_node = found->node;
	return found != NULL;
}

void yaml_anchors_release(struct yaml_anchors *anchors)
{
	tdestroy(anchors->tree, free_anchor);
	anchors->tree = NULL;
}
