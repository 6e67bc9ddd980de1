/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around an object in its namespace, worked out once for all shells: which
 * InferencePools select it, which Service makes it a pool's endpoint picker, which
 * ModelService renders it, which role it plays (DESIGN §6, LLMD §3.4, §4, §5).
 * Pure: objects go in, facts come out.
 */
#ifndef LLMD_INJECT_SURROUNDINGS_H
#define LLMD_INJECT_SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "inject/settings.h"

enum role { ROLE_NONE, ROLE_PREFILL, ROLE_DECODE, ROLE_ENCODE };

enum evidence {
	EVIDENCE_NONE,         /* nothing leads to it */
	EVIDENCE_EXPLICIT,     /* tracing.llm-d.io/inject: "true" */
	EVIDENCE_POOL,         /* an InferencePool's selector */
	EVIDENCE_EPP,          /* a pool's endpoint picker reference */
	EVIDENCE_MODELSERVICE, /* it is one */
	EVIDENCE_LABEL,        /* llm-d labels (set-ups without a pool, standalone EPP) */
	EVIDENCE_LEDGER,       /* it carries our ledger: stays managed whatever else is gone */
};

/* Why the object itself is not to be edited although something leads to it. */
enum standing {
	STANDING_EDITABLE, /* the top editable owner */
	STANDING_OWNED, /* rendered by an editable owner (ModelService, LWS, DisaggregatedSet, Deployment) */
	STANDING_KSERVE,        /* rendered by KServe's LLMInferenceService */
	STANDING_UNKNOWN_OWNER, /* a controller owner of a kind that we do not edit */
};

struct surroundings;

struct facts {
	enum evidence evidence;
	enum standing standing;
	char why[256];   /* one phrase for people: "selected by InferencePool llm-d/pool" */
	char owner[256]; /* "Kind/name" for STANDING_OWNED and the two after it */
	enum role
	    role; /* of the whole object, from labels/names; templates may say more precisely */
	bool epp; /* reached as an endpoint picker */
	bool epp_fail_close; /* its pool's failureMode is FailClose (API default) */
	char pools[512];     /* names of pools, comma separated */
	bool
	    pool_excluded; /* settings.selector leaves it out (set by the caller's selector check) */
	const cJSON *
	    base_config; /* ModelService: decoded base ConfigMap or NULL. Borrowed from the surroundings */
	const cJSON *children
	    [3]; /* ModelService: child Deployments prefill, decode, epp or NULL. Borrowed */
	const struct surroundings *surroundings; /* that gave them, or NULL. Borrowed */
};

NODISCARD struct surroundings *surroundings_new(void);
void surroundings_freep(struct surroundings **surroundings);

/*
 * Adds one object of the namespace: InferencePool (both groups), Service, ModelService,
 * ConfigMap (base configs), any workload. Other kinds are ignored. `object` is borrowed
 * and must outlive the surroundings.
 */
void surroundings_add(struct surroundings *surroundings, const cJSON *object);

/* The facts about `object` (which need not have been added itself). */
void surroundings_facts(const struct surroundings *surroundings, const cJSON *object,
			struct facts *ret_facts);

/* Facts for an object seen alone: labels, owner references and annotations only. */
void facts_from_object(const cJSON *object, struct facts *ret_facts);

/*
 * settings.selector: true when it names nothing, or names a pool of the object and labels that
 * its pods (or the object) carry, or when the object asks for itself by inject: "true". An
 * object with our ledger that no pool leads to any more is not left out for want of a pool that
 * is gone (DESIGN §4.6). The caller sets facts.pool_excluded from it.
 */
bool facts_selected(const struct facts *facts, const cJSON *object,
		    const struct settings *settings);

/* True when a pool of that name was added. */
bool surroundings_has_pool(const struct surroundings *surroundings, const char *name);

/*
 * The role of a pod template: its label llm-d.ai/role, else the name of its role in a
 * DisaggregatedSet, else how its object's name ends ("…-prefill"). Each may be NULL.
 */
enum role role_of_template(const cJSON *labels, const char *role_of_set, const char *object_name);

/* "prefill" | "decode" | "encode" | "" */
const char *role_name(enum role role);

#endif
