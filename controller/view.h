/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather: everything that reconcile may look at for one namespace, taken from the store
 * and from what is remembered, as one immutable value. Reconcile and everything below it
 * sees the cluster through this only.
 */
#ifndef LLMD_CONTROLLER_VIEW_H
#define LLMD_CONTROLLER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "controller/moment.h"
#include "controller/namespace.h"
#include "controller/phase.h"
#include "controller/store.h"
#include "inject/admin_policy.h"
#include "inject/settings.h"

/* Of the command line; borrowed by all. */
struct operator_options {
	uint64_t removal_grace_ms;
	uint64_t collector_timeout_ms;    /* of an OpenTelemetryCollector without effect: 60 s */
	uint64_t teardown_timeout_ms;     /* collector goes although workloads are left: 15 min */
	const char *version;              /* of this operator; NULL: not known */
	const char *operator_namespace;   /* NULL: not known */
	const struct settings *defaults;  /* NULL: the built-in ones */
	const struct admin_policy *admin; /* NULL: none was given */
	bool dry_run;
	bool enable_from_tracing; /* spec.enabled stands in where there is no annotation */
	bool rehearse;            /* pods may be made (controller/rehearser.h) */
	bool in_cluster;          /* Services can be reached by their names */
};

/* How far a kind can be read. */
enum access {
	ACCESS_PENDING, /* not listed yet */
	ACCESS_READABLE,
	ACCESS_ABSENT, /* not served */
	ACCESS_DENIED, /* or failing for long */
};

struct view {
	const char *name;
	struct moment now;
	const struct operator_options *options;
	const enum access *access; /* by resource */
	const char *const *denied; /* by resource: why it cannot be read, or NULL; may be NULL */

	/* the Namespace */
	bool exists;
	bool terminating;
	char *uid;
	cJSON *labels;            /* those that a mesh goes by, or NULL */
	char *switch_value;       /* NULL: missing */
	bool switched_by_tracing; /* it is spec.enabled of the Tracing */

	/* the Tracing */
	cJSON *tracing; /* NULL: none, or being deleted */
	bool tracing_seen;
	uint64_t missing_ms;
	uint64_t removing_ms; /* for how long it is being taken back; 0: not */

	/* What stands under the names of the objects that we may own, ours or not: by row of owned_objects. */
	cJSON **live;
	size_t live_count;
	cJSON *slices;               /* array: EndpointSlices of the two Services */
	cJSON *network_policies;     /* array: all that the namespace has */
	cJSON *peer_authentications; /* array: those of the namespace and of the mesh */

	size_t ledgers; /* workloads that carry a ledger */
	size_t managed; /* objects with our label, the Tracing not counted */

	const struct namespace *memory;
};

void view_gather(struct view *view, const struct store *store, struct namespace *memory,
		 const enum access *access, const struct operator_options *options,
		 struct moment now);
void view_release(struct view *view);

/* Reason of the condition Enabled while everything is being taken back. */
#define REASON_WORD_REMOVING "Removing"

/* What the switch means, from the view. */
struct phase_result view_phase(const struct view *view);

/*
 * Its workloads are to be known, also those that carry nothing of ours: while it is on, held, or being
 * taken back, since what was taken back still counts for turn and floor.
 */
bool view_wants_workloads(const struct view *view);

/* The live object under an owned name, or NULL. `ret_index`: its row (may be NULL). */
const cJSON *view_live(const struct view *view, const char *kind, const char *name,
		       size_t *ret_index);

/* On every object that we apply: hash of what was applied. */
#define ANNOTATION_APPLIED "tracing.llm-d.io/applied"

/* True when the object carries our managed-by label. */
bool object_is_managed(const cJSON *object);

/*
 * True when it was applied by an operator. What `llmd-tracing render` printed and somebody
 * else applied has the label only: that is theirs to take away.
 */
bool object_is_applied(const cJSON *object);

/* The same of what goes when everything goes: not a claim that is kept (storage.retain). */
bool object_is_removable(const cJSON *object);

/* A Tracing that we made and nobody changed. */
bool tracing_is_untouched(const cJSON *tracing);

/* metadata.generation as text: what a refusal is about. */
void object_generation(const cJSON *object, char *text, size_t size);

/* The condition of that type in an object's status.conditions, or NULL. */
const cJSON *object_condition(const cJSON *object, const char *type);

#endif
