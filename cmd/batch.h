/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All objects of the input, planned: lists opened, namespaces told apart, surroundings and
 * settings of each worked out, one plan for each workload. What the offline commands share.
 */
#ifndef LLMD_CMD_BATCH_H
#define LLMD_CMD_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/admin.h"
#include "cmd/input.h"
#include "cmd/options.h"
#include "inject/plan.h"

/* One object of the input: a document, or an item of a list in it. */
struct entry {
	size_t input;    /* index into inputs->items */
	size_t document; /* index into its stream */
	cJSON *object;   /* in the document's tree */
	cJSON
	    *typed; /* owned copy with apiVersion and kind, for an item of a typed list; or NULL */
	size_t space; /* index into batch->spaces */
	struct facts facts;
	struct plan *plan; /* NULL: not a kind with pods */
};

struct space;

struct batch {
	struct inputs *inputs; /* borrowed */
	struct entry *entries;
	size_t count;
	struct space *spaces; /* one for each namespace */
	size_t space_count;
	size_t *slots; /* hash table of their names: index + 1, 0 is empty */
	size_t slot_count;
	cJSON *settings;    /* of --settings, or NULL */
	struct admin admin; /* of --policy */
};

/* Plans everything. Nothing of the input is changed. Messages: "FILE: document N: Kind/ns/name: …". */
NODISCARD enum status batch_build(const struct options *options, struct inputs *inputs,
				  enum plan_want want, struct batch *ret_batch, struct error *err);
void batch_release(struct batch *batch);

/* The entry's object as the plan saw it. */
const cJSON *entry_object(const struct entry *entry);

/* A new object with the entry's plan applied; owned. */
NODISCARD enum status batch_edit(const struct batch *batch, const struct entry *entry,
				 cJSON **ret_object, struct error *err);

/* "Kind/namespace/name"; free() it. */
NODISCARD char *entry_title(const struct batch *batch, const struct entry *entry);
const char *entry_namespace(const struct batch *batch, const struct entry *entry);
/* "FILE: document N" (or "FILE" alone when it has but one); free() it. */
NODISCARD char *entry_place(const struct batch *batch, const struct entry *entry);

#endif
