/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to a JSON tree: one builder per document. Knows nothing of libyaml; the
 * reader tells it what begins, ends and is named. Ceilings: depth, nodes and text with
 * aliases expanded, so an alias bomb is refused before it is copied.
 */
#ifndef LLMD_BASE_YAML_TREE_H
#define LLMD_BASE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct yaml_tree;

/* Where an event stands; goes into messages and duplicate reports. From 1. */
struct yaml_place {
	size_t line;
	size_t column;
};

/* `node_budget`: most nodes it may build (LIMIT_YAML_NODES or what the stream still has). */
NODISCARD struct yaml_tree *yaml_tree_new(size_t node_budget);
void yaml_tree_freep(struct yaml_tree **tree);

/*
 * All give STATUS_INVALID or STATUS_LIMIT with "line L column C: path: what". `anchor` and
 * `tag` may be NULL. `text` may hold NUL bytes, which are refused.
 */
NODISCARD enum status yaml_tree_scalar(struct yaml_tree *tree, struct yaml_place place,
				       const char *anchor, const char *tag, bool plain,
				       const char *text, size_t len, struct error *err);
NODISCARD enum status yaml_tree_open(struct yaml_tree *tree, struct yaml_place place,
				     const char *anchor, bool mapping, struct error *err);
NODISCARD enum status yaml_tree_close(struct yaml_tree *tree, struct error *err);
NODISCARD enum status yaml_tree_alias(struct yaml_tree *tree, struct yaml_place place,
				      const char *anchor, struct error *err);

/* Hands the finished root over (NULL when there was none). */
NODISCARD cJSON *yaml_tree_take(struct yaml_tree *tree);

/* Nodes built so far. */
size_t yaml_tree_nodes(const struct yaml_tree *tree);

#endif
