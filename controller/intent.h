/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reconcile wants to be done: a list that act carries out in order; the first
 * failure ends it. Events, asks, surveys and watches of pods are begun beside the list and never fail it.
 */
#ifndef LLMD_CONTROLLER_INTENT_H
#define LLMD_CONTROLLER_INTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/resource.h"
#include "inject/reason.h"

enum intent_type {
	INTENT_CREATE,    /* POST body */
	INTENT_APPLY,     /* server-side apply of body */
	INTENT_DELETE,    /* with the uid as precondition */
	INTENT_PATCH,     /* JSON Patch on a workload, field ownership given back after it */
	INTENT_GIVE_BACK, /* only the ownership: a write of ours whose second half got lost */
	INTENT_STATUS,    /* merge patch of the status subresource */
	INTENT_READ,      /* GET: a base ConfigMap of a ModelService */
	INTENT_EVENT,     /* events.k8s.io */
	INTENT_SURVEY,    /* a survey of the nodes, for whoever waits for one: beside the list */
	INTENT_REHEARSE, /* the image `name`; body {component, podSpec, container}: beside the list */
	INTENT_ASK, /* GET at a Service of the namespace, its query endpoint, or a model server (body): beside the list, as Events are */
	INTENT_PODS, /* watch the pods of the workload `owner`, by label selector: beside the list */
	INTENT_LOG,  /* GET the end of what a container of its pod `name` wrote before it ended */
};

/* Which part of the namespace's own set-up a write belongs to: where its failure is shown. */
enum intent_part {
	PART_NONE,
	PART_COLLECTOR,
	PART_BACKEND,
	PART_REMOVAL, /* deletions of either: what may not be applied may go all the same */
	PART_COUNT
};

struct intent {
	enum intent_type type;
	enum intent_part part;
	enum resource_id resource;
	char *namespace_name; /* "" for cluster-scoped objects */
	char *name;
	char *uid;          /* DELETE: precondition; EVENT: of the object it is about; or NULL */
	char *version;      /* DELETE: resourceVersion as precondition; or NULL */
	cJSON *body;        /* CREATE, APPLY, PATCH, STATUS */
	cJSON *managers;    /* PATCH: managedFields of Apply managers before it; or NULL */
	enum reason reason; /* EVENT: its word and type, unless `word` is set */
	char *
	    word; /* EVENT: another CamelCase reason; ASK: the tenant; PODS: the selector; LOG: the container; or NULL */
	enum resource_id owner; /* PODS, LOG: the workload that it is about */
	char *owner_name;       /* likewise; or NULL */
	bool warning;           /* EVENT with `word`: its type */
	bool present;           /* LOG: of the container that is there, not of the one before it */
	bool revert;            /* PATCH: takes back what did not come up; counted */
	bool is_report;         /* its failure is told at the end; the list goes on */
	unsigned
	    port; /* ASK: of the Service `name`; path and query stand in `note`; 0: a whole URL does */
	char *action; /* EVENT: "Inject", "Remove", … */
	char *note;   /* EVENT: its text; others: one phrase for the log */
};

struct intents {
	struct intent *items;
	size_t count;
	uint64_t again_ms; /* look again in this time; 0: only when something changes */
};

void intents_release(struct intents *intents);

/* A new intent at the end; borrowed until the next one is added. Texts are copied. */
struct intent *intents_add(struct intents *intents, enum intent_type type,
			   enum resource_id resource, const char *namespace_name, const char *name);

/* An event about the object; `uid` may be NULL. */
void intents_add_event(struct intents *intents, enum resource_id resource,
		       const char *namespace_name, const char *name, const char *uid,
		       enum reason reason, const char *action, const char *note);

/* An event whose reason is not one of the plan's: a condition's. */
void intents_add_event_word(struct intents *intents, enum resource_id resource,
			    const char *namespace_name, const char *name, const char *uid,
			    const char *word, bool warning, const char *note);

/* Looks again in `ms` at the latest. */
void intents_again(struct intents *intents, uint64_t ms);

#endif
