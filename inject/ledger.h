/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what this operator put into an object, in the annotation
 * tracing.llm-d.io/ledger of the object itself (not of its pod template, so that writing
 * it restarts nothing). Compact JSON:
 *
 *   {"v":1, "rules":1, "settings":"<hash>", "inputs":"<hash>", "annotations":"absent",
 *    "containers": {"template/vllm": {
 *        "edits": [{"op":"insert","list":"args","at":4,"put":["--a=b"]},
 *                  {"op":"replace", …, "took":["--tracing=false"]},
 *                  {"op":"splice", …, "offset":77, "put":[" --a=b"]}],
 *        "env": {"OTEL_SERVICE_NAME":"vllm-decode", "X":{"fieldRef":"metadata.name"}},
 *        "was": {"args":"absent","env":"null"},
 *        "made": "absent"}}}
 *
 * "annotations" and "was" hold only what was absent or null (an empty list is the rest);
 * "made" (ModelService): the whole container was added, to a list that was so before.
 * Keys are template id and container name, never an index.
 *
 * Rule of taking back: a value that is ours goes; one that is gone or as before is
 * pristine; anything else is the user's and stays.
 */
#ifndef LLMD_INJECT_LEDGER_H
#define LLMD_INJECT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/launch.h"
#include "inject/patch.h"

enum { LEDGER_VERSION = 1 };

enum ledger_state {
	LEDGER_NONE,
	LEDGER_OK,
	LEDGER_NEWER, /* its format is of a newer operator: cannot be read */
	LEDGER_BAD,   /* err says why */
};

struct ledger {
	cJSON *tree;      /* owned; NULL unless LEDGER_OK */
	const char *text; /* the annotation; borrowed from the object; NULL: none */
	long rules;
	const char *settings; /* borrowed from tree, never NULL */
	const char *inputs;
	enum list_state annotations; /* what metadata.annotations was; LIST_ARRAY: there */
};

enum ledger_state ledger_read(const cJSON *object, struct ledger *ret_ledger, struct error *err);
void ledger_release(struct ledger *ledger);

/* The entry of a container, NULL when there is none. Borrowed. */
const cJSON *ledger_entry(const struct ledger *ledger, const char *key);

/* True when `item` of a container's env is what the entry says we put there. */
bool ledger_owns_env(const cJSON *entry, const cJSON *item);
/* How many variables the entry records. */
size_t ledger_env_count(const cJSON *entry);
/* True when the entry records an edit of that list. */
bool ledger_has_edits(const cJSON *entry, enum launch_list list);

/*
 * Takes the entry's edits of `list` back from its elements `node` (edited in place); one
 * that is no longer there exactly is left. False when one was not there.
 */
bool ledger_revert(const cJSON *entry, enum launch_list list, cJSON *node);

/* What a member ("command", "args", "env") was when it held nothing. */
enum list_state ledger_was(const cJSON *entry, const char *member);
/* True when the container itself was made by us; then what its list was. */
bool ledger_made(const cJSON *entry, enum list_state *ret_list);

/* Writing: a new ledger, entries, its text. */
NODISCARD cJSON *ledger_new(long rules, const char *settings, const char *inputs,
			    enum list_state annotations);
/* A new entry under `key`; borrowed. */
cJSON *ledger_add(cJSON *ledger, const char *key);
void ledger_add_edit(cJSON *entry, const struct launch_edit *edit);
void ledger_add_env(cJSON *entry, const cJSON *item);
/* Nothing is recorded for LIST_ARRAY. */
void ledger_add_was(cJSON *entry, const char *member, enum list_state state);
void ledger_add_made(cJSON *entry, enum list_state list);

#endif
