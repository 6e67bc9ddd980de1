/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container while a plan is made: what it is now, what it was before us (pristine),
 * what it is to be (wanted). Private to the plan.
 */
#ifndef LLMD_INJECT_PLAN_WORK_H
#define LLMD_INJECT_PLAN_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/kind.h"
#include "inject/ledger.h"
#include "inject/patch.h"
#include "inject/plan_decide.h"

/* The three lists of a container that are ever edited. The first two are enum launch_list. */
enum member {
	MEMBER_COMMAND = LAUNCH_COMMAND,
	MEMBER_ARGS = LAUNCH_ARGS,
	MEMBER_ENV,
	MEMBER_COUNT
};

extern const char *const member_names[MEMBER_COUNT];

enum { KEY_MAX = TEMPLATE_ID_MAX + 256, LIMIT_CONTAINERS = 512 };

struct work {
	const struct pod_template *template;
	const char *name;
	char key[KEY_MAX];  /* in the ledger */
	bool init;          /* stands in initContainers */
	const cJSON *node;  /* in the object; NULL: only in the base (ModelService) */
	size_t index;       /* of node in its list */
	const cJSON *base;  /* ModelService: in the child or the base configuration; or NULL */
	const cJSON *entry; /* in the old ledger, or NULL */
	bool intact;        /* everything that the entry records is still in place */
	bool words_intact;  /* of these, command and args */
	bool kept_edit;     /* what the decision wants in command or args stands there already */
	struct list_view now[MEMBER_COUNT];
	struct list_view pristine[MEMBER_COUNT];
	struct list_view wanted[MEMBER_COUNT];
	bool wants_node; /* false: the container itself goes (it was made by us) */
	cJSON *pool;     /* owns what pristine and wanted point to and the object does not hold */
	struct decision decision;
	size_t edits_from; /* its rows of plan->edits */
	size_t edits_to;
};

/* All containers of an object. */
struct works {
	struct work *items;
	size_t count;
};

/*
 * Reads the containers of all templates and takes the ledger back from each.
 * STATUS_INVALID: a container that cannot be read (the message names the path).
 */
NODISCARD enum status works_read(const struct plan_input *input,
				 const struct pod_templates *templates, const struct ledger *ledger,
				 struct works *ret_works, struct error *err);
void works_release(struct works *works);

/* Hands a tree to the work; its elements may be pointed to from then on. Borrowed back. */
cJSON *work_keep(struct work *work, cJSON *tree);

/* The list that holds the container: "containers" or "initContainers". */
const char *work_list(const struct work *work);

/* True when the container is in the pristine object. */
bool work_was_there(const struct work *work);

/* Decides on the pristine container and works out what is wanted. */
void work_decide(struct work *work, const struct plan_input *input);
/* Nothing of ours is wanted: the pristine container it is. */
void work_restore(struct work *work);

/* True when something in the container would change. */
bool work_differs(const struct work *work);
/* True when the wanted container holds something of ours. */
bool work_is_injected(const struct work *work);

/* Writes the container's entry into a new ledger. */
void work_record(const struct work *work, cJSON *ledger);

#endif
