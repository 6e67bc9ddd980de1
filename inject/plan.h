/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what is to be changed in one object, and why, container by container.
 *
 * Model (DESIGN §4.6): pristine = object - ledger; wanted = pristine + decisions;
 * patch = wanted - object. So first injection, changed settings, removal and "nothing
 * to do" are one code path, and always: the plan of an injected object is empty;
 * removing after injecting gives back the original; nothing outside the planned
 * pointers changes; flags, env and ledger travel in one write.
 *
 * Pure: same input, same plan. Shells: controller, webhook, CLI.
 */
#ifndef LLMD_INJECT_PLAN_H
#define LLMD_INJECT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/component.h"
#include "inject/reason.h"
#include "inject/settings.h"
#include "inject/surroundings.h"

/* Raised when the rules (gates, dialects, env) change so that plans may differ. Stands in the ledger. */
enum { PLAN_RULES_REVISION = 1 };

enum plan_want {
	PLAN_INJECT, /* enabled */
	PLAN_REMOVE, /* take back everything that the ledger records */
};

struct plan_input {
	const cJSON *object;             /* as the API gives it; borrowed for plan_build only */
	const struct settings *settings; /* borrowed */
	const char *settings_hash;       /* settings_user_hash of the Tracing */
	const char *led_hash;            /* settings_led_hash of it; NULL: the other in its place */
	const struct facts *facts;       /* borrowed */
	const cJSON *rehearsals; /* status.rehearsals (inject/rehearsal.h) or NULL; borrowed */
	enum plan_want want;
	bool
	    take_updates; /* take along changes that come only from new rules or defaults (PlanOutdated); false
			      for the controller unless approved, true for the CLI */
};

struct plan_edit {
	char *pointer; /* RFC 6901, into the object */
	char *what;    /* one phrase: "add --otlp-traces-endpoint=http://…" */
	char *why;     /* one phrase: "vLLM traces only when this flag is given" */
};

/* One container's decision. */
struct plan_container {
	char *template_path; /* pointer of the pod spec, e.g. "/spec/template/spec" */
	char *name;
	bool init;   /* stands in initContainers (native sidecar) */
	char *image; /* "" when it has none */
	enum component component;
	bool inject;        /* false: skipped, see reason */
	bool decides;       /* on sampling, where an endpoint picker should (inject/sampling.h) */
	enum reason reason; /* REASON_INJECTED, REASON_INJECTED_UNVERIFIED, or why not */
	char *message;      /* one sentence for people, with the manual edit where there is one */
	size_t first_edit;  /* its edits: plan->edits[first_edit .. first_edit + edit_count) */
	size_t edit_count;
};

struct plan {
	enum reason reason; /* of the object as a whole; REASON_NONE when containers tell */
	char *message;
	struct plan_container *containers;
	size_t container_count;
	struct plan_edit *edits;
	size_t edit_count;
	bool injected;         /* after the plan at least one container is traced by us */
	bool changes;          /* the patch is not empty */
	bool template_changes; /* the patch touches a pod template (pods will restart) */
	bool
	    changes_lists; /* command or args of some container change (field ownership, DESIGN §6) */
	bool outdated; /* PlanOutdated: newer rules or defaults would change something; held back */
	bool undone;   /* something that the ledger records is no longer in place */
	bool ledger_newer; /* LedgerNewer: written by a newer operator; read-only */
	char pristine[17]; /* of the pod templates without what is ours; "" when left alone */
	char hash[17];     /* of the wanted ledger: 16 hex digits; "" when nothing is injected */
	cJSON *operations; /* JSON Patch without guards; array */
	cJSON *tests;      /* `test` operations on every old value that is touched; array */
	char *resource_version; /* of the object planned on, or NULL */
};

/*
 * Builds the plan. STATUS_INVALID: the object is not one we can read (names the path).
 * A kind without pod templates gives an empty plan with REASON_NOT_A_WORKLOAD.
 */
NODISCARD enum status plan_build(const struct plan_input *input, struct plan **ret_plan,
				 struct error *err);
void plan_freep(struct plan **plan);

enum patch_guard {
	PATCH_GUARD_RESOURCE_VERSION, /* first op: replace /metadata/resourceVersion (controller) */
	PATCH_GUARD_TESTS,            /* `test` ops (CLI output, admission) */
	PATCH_GUARD_NONE,
};

/* The JSON Patch (RFC 6902) as an array; owned by the caller. Empty array when nothing changes. */
NODISCARD cJSON *plan_patch(const struct plan *plan, enum patch_guard guard);

/*
 * What the manifest's source needs so that the object comes out like that by itself: the
 * patch without guards and without what stands in the object's own metadata (ledger). Owned.
 */
NODISCARD cJSON *plan_source_patch(const struct plan *plan);

/* The edited object: a clone of `object` (the one planned on) with the patch applied. Owned. */
NODISCARD enum status plan_apply(const struct plan *plan, const cJSON *object, cJSON **ret_object,
				 struct error *err);

/*
 * Explanation: {object: "Kind/namespace/name", reason, message, evidence, containers:
 * [{path, container, component, decision, reason, message, edits: [{path, what, why}]}]}. Owned.
 */
NODISCARD cJSON *plan_explain(const struct plan *plan, const cJSON *object,
			      const struct facts *facts);

/* Containers that a person would ask about: ours, or a component that was left out. */
bool plan_container_is_told(const struct plan_container *container);

/* True when plan_build knows pod templates for this kind. */
bool plan_is_workload_kind(const char *api_version, const char *kind);

/* True when the object carries our ledger. */
bool plan_has_ledger(const cJSON *object);

#endif
