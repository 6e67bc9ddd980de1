/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Act: carries a list of intents out against the API server, one after the other; the
 * first failure ends the list (that of a report, like status, only counts at its end). The object in a 2xx answer is handed on at once, so that
 * the next reconcile sees it. A write whose outcome is not known is read again before
 * anything is decided. Events go beside the list: sent, counted, never waited for.
 */
#ifndef LLMD_CONTROLLER_ACT_H
#define LLMD_CONTROLLER_ACT_H

#include <stdbool.h>

#include "base/log.h"
#include "base/metrics.h"
#include "controller/events.h"
#include "controller/intent.h"
#include "controller/moment.h"
#include "k8sclient/client.h"

/* What act needs; one for all lists. All borrowed. */
struct actor {
	struct client *client;
	const struct log *log;
	struct events *events;
	struct metric *writes; /* llmd_tracing_writes_total{action,result} */
	bool dry_run;
	bool
	    namespaced; /* Events about Namespaces stand in "default", where a Role does not reach */
	struct moment (*now)(void *context);
	/* The object as it is now (raw JSON), after a write or a read. */
	void (*on_object)(void *context, enum resource_id resource, const char *json, size_t len);
	/* It is not there. */
	void (*on_missing)(void *context, enum resource_id resource, const char *namespace_name,
			   const char *name);
	/* A write succeeded, with its answer. */
	void (*on_written)(void *context, const struct intent *intent, const char *json,
			   size_t len);
	/* INTENT_ASK: sends it and brings the answer in later, as an observation. */
	void (*on_ask)(void *context, const struct intent *intent);
	/* INTENT_REHEARSE: begins one, unless it is under way. */
	void (*on_rehearse)(void *context, const struct intent *intent);
	/* INTENT_SURVEY: begins one. */
	void (*on_survey)(void *context);
	/* INTENT_PODS: begins to watch them. */
	void (*on_pods)(void *context, const struct intent *intent);
	/* INTENT_READ, INTENT_LOG: it is there (STATUS_OK), it is not, or it may not be read (STATUS_DENIED). */
	void (*on_read)(void *context, const struct intent *intent,
			const struct response *response);
	void *context;
	size_t running;    /* lists under way */
	char (*would)[17]; /* dry run: what was told already, by hash; a ring */
	size_t would_count;
	size_t would_next;
};

struct act_result {
	enum status status;
	const struct intent *failed; /* NULL when all went well */
	bool wrote;                  /* at least one write was carried out (or would have been) */
	bool terminating;            /* refused since the namespace is being deleted */
	unsigned retry_after_ms;
	char message[ERROR_MESSAGE_MAX];
};

typedef void (*act_fn)(void *context, const struct act_result *result);

/*
 * Takes the intents over (the struct is emptied). `done` is called exactly once, possibly
 * before this returns.
 */
void act_start(struct actor *actor, struct intents *intents, act_fn done, void *context);

/* Sends Events (other intents are dropped) and empties the list. */
void act_tell(struct actor *actor, struct intents *events);

/* Reads one object and hands it on; `done` may be NULL. */
void act_refresh(struct actor *actor, enum resource_id resource, const char *namespace_name,
		 const char *name, act_fn done, void *context);

#endif
