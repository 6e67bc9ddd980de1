/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a Tracing's spec, one row each: what is not in the table is an unknown
 * field. crds/tracing.yaml has the same fields and docs/tracing-api.md explains them.
 * Private to inject/settings*.c.
 */
#ifndef LLMD_INJECT_SETTINGS_FIELDS_H
#define LLMD_INJECT_SETTINGS_FIELDS_H

#include <stddef.h>

#include "inject/settings.h"
#include "inject/settings_check.h"
#include "inject/settings_lists.h"
#include "inject/settings_rollout.h"

enum settings_field_type {
	SETTINGS_TEXT,   /* char *, owned; `check` */
	SETTINGS_WORD,   /* a text that stands for a value; `check`, then `take` in settings.c */
	SETTINGS_CHOICE, /* an enum, by the place of the word in `words` */
	SETTINGS_BOOL,   /* bool */
	SETTINGS_NUMBER, /* long; `low` to `high` */
	SETTINGS_TREE,   /* cJSON *, owned; `check_tree` */
	SETTINGS_LIST,   /* read by `read_list` */
};

struct settings_field {
	const char *path; /* below spec */
	enum settings_field_type type;
	size_t offset; /* into struct settings; unused for WORD and LIST */
	settings_check_fn check;
	const char *const *words; /* NULL-ended */
	settings_check_tree_fn check_tree;
	settings_read_list_fn read_list;
	long low;
	long high;
};

extern const struct settings_field settings_fields[];
extern const size_t settings_field_count;

/* STATUS_INVALID names the first member of `spec` that no row knows, and the nearest one that some does. */
NODISCARD enum status settings_check_known(const cJSON *spec, struct error *err);

/* What the fields of spec.sampling make true, together and with the collector. */
NODISCARD enum status settings_check_sampling(const struct settings *settings, const cJSON *spec,
					      struct error *err);

/* What the fields of spec.backend together must make true. */
NODISCARD enum status settings_check_backends(const struct settings *settings, const cJSON *spec,
					      struct error *err);

#endif
