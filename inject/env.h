/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portable OTEL_ variables: which ones a container gets, in which order, and what
 * those that the user set mean. What the user set is never replaced; only gaps are
 * filled (DESIGN §4.5). Kubelet expands $(NAME) only from entries that stand earlier, so
 * the helpers come before OTEL_RESOURCE_ATTRIBUTES.
 */
#ifndef LLMD_INJECT_ENV_H
#define LLMD_INJECT_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "inject/patch.h"

enum env_name {
	/* in the order in which they are added */
	ENV_SERVICE_NAME = 0,
	ENV_ENDPOINT,
	ENV_TRACES_EXPORTER,
	ENV_RESOURCE_NAMESPACE,
	ENV_RESOURCE_NODE,
	ENV_RESOURCE_POD,
	ENV_RESOURCE,
	ENV_SAMPLER,
	ENV_SAMPLER_ARG,
	ENV_ADDED_COUNT,
	/* only read */
	ENV_TRACES_ENDPOINT = ENV_ADDED_COUNT,
	ENV_TRACES_PROTOCOL,
	ENV_SDK_DISABLED,
	ENV_COUNT
};

struct env_rule {
	const char *name;
	const char *field; /* downward API field path, NULL: a literal */
	const char *why;   /* one phrase for `explain` */
};

extern const struct env_rule env_rules[ENV_COUNT];

/* The row of a variable's name, NULL for any other. */
const struct env_rule *env_rule_of(const char *name);

/* The entries of a container's env that matter here: the last of each name, as kubelet reads it. */
struct env_known {
	const cJSON *entry[ENV_COUNT]; /* NULL: not set */
};

void env_read(const struct list_view *env, struct env_known *ret_known);

bool env_is_set(const struct env_known *known, enum env_name name);
/* The literal value ("" for an entry without one); NULL when it is absent or a valueFrom. */
const char *env_literal(const struct env_known *known, enum env_name name);
/* True when it is set by valueFrom. */
bool env_is_reference(const struct env_known *known, enum env_name name);

/*
 * The first source of `env_from` (the container's envFrom) that may set one of our names,
 * NULL when none can: a prefix that no such name begins with rules it out.
 */
const cJSON *env_hidden_source(const cJSON *env_from);

/* True when `item` is what env_entry makes, or what the API server makes of that. */
bool env_entry_is(const cJSON *item, enum env_name name, const char *value);

/* A new env entry: {name, value} or {name, valueFrom.fieldRef}. Owned. */
NODISCARD cJSON *env_entry(enum env_name name, const char *value);

#endif
