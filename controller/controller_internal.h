/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the controller share: private to controller.c, feed.c, work.c, listing.c, changes.c. */
#ifndef LLMD_CONTROLLER_CONTROLLER_INTERNAL_H
#define LLMD_CONTROLLER_CONTROLLER_INTERNAL_H

#include "controller/act.h"
#include "controller/ask.h"
#include "controller/controller.h"
#include "controller/elsewhere.h"
#include "controller/facts.h"
#include "controller/guard.h"
#include "controller/namespace.h"
#include "controller/queue.h"
#include "controller/rehearser.h"
#include "controller/store.h"
#include "controller/surveyor.h"
#include "k8sclient/watch.h"

/* One list-and-watch, or the one-time list of a namespace that became enabled. */
struct feed {
	struct controller *controller;
	struct scope *scope;
	struct namespace *only; /* one-time list: the namespace; else NULL */
	enum resource_id resource;
	struct watch *watch; /* NULL: not started, or stopped */
	unsigned long mark;
	bool force;                /* the list under way takes older versions too */
	bool settled;              /* its first list is complete, or will not come soon */
	char *denied;              /* ACCESS_DENIED: why, in the server's words; or NULL */
	uint64_t trouble_since_ms; /* of a first list that keeps failing; 0: none */
};

/* Where is watched: the cluster, or one namespace in namespaced mode. */
struct scope {
	char *namespace_name; /* NULL: the cluster */
	struct feed feeds[RESOURCE_COUNT];
	enum access access[RESOURCE_COUNT];
	const char *denied[RESOURCE_COUNT]; /* of each feed; borrowed from it */
	bool started;                       /* all feeds, not only the first two */
	bool complete;                      /* every first list is: work may begin here */
};

struct controller {
	uv_loop_t *loop;
	struct client *client;
	const struct log *log;
	struct operator_options options;
	size_t max_concurrent;
	struct actor actor;
	struct store *store;
	struct queue *queue;
	struct base_configs *configs;
	struct events *events;
	struct asker *asker;
	struct rehearser *rehearser;
	struct surveyor *surveyor;

	struct scope *scopes;
	size_t scope_count;
	struct watch *crds;     /* CustomResourceDefinitions: kinds that come later */
	bool crds_watched;      /* it works: nothing is to be asked from time to time */
	struct feed **listings; /* one-time lists under way */
	size_t listing_count;
	struct lookout **lookouts; /* pods of workloads under rollout */
	size_t lookout_count;
	unsigned long lookouts_begun;

	struct namespace **namespaces; /* sorted by name */
	size_t namespace_count;

	struct removal_guard guard;

	uv_timer_t pump_timer;
	uv_timer_t tick_timer; /* slow: trouble of first lists, namespaced mode's reads */
	unsigned handles;      /* open handles */
	unsigned ticks;
	bool ready;
	bool draining;
	bool closing;
	size_t busy; /* keys under way */
	void (*drained)(void *context);
	void *drained_context;

	struct {
		struct metric *reconciles;
		struct metric *errors;
		struct metric *terminal_errors;
		struct metric *longest;
		struct metric *seconds;
		struct metric *active;
		struct metric *depth;
		struct metric *adds;
		struct metric *retries;
		struct metric *queue_seconds;
		struct metric *work_seconds;
		struct metric *unfinished;
		struct metric *objects;
		struct metric *bytes;
		struct metric *broken;
		struct metric *namespaces;
		struct metric *workloads;
		bool seen[WORKLOAD_STATE_COUNT][REASON_COUNT]; /* that series is shown */
		struct metric *rollouts;
		struct metric *restarts;
		struct metric *longest_wait;
		bool seen_wait[REASON_COUNT];
		struct metric *conflicts;
		struct metric *reverts;
		struct metric *proof;
		struct metric *ratio_asked;
		struct metric *ratio_kept;
		struct metric *rehearsals;
	} metrics;
	unsigned long counted_adds;
	unsigned long counted_retries;
};

struct moment controller_now(void *context);

/* metrics (measure.c) */
void measure_register(struct controller *controller, struct metrics *metrics);
struct policy;
/* Of one namespace, at each look at it. */
void measure_sampling(struct controller *controller, const struct namespace *space,
		      const struct policy *policy);

/* namespaces of interest (controller.c) */
struct namespace *controller_namespace(const struct controller *controller, const char *name);
struct namespace *controller_need_namespace(struct controller *controller, const char *name);
void controller_forget_namespace(struct controller *controller, struct namespace *space);
struct scope *controller_scope(const struct controller *controller, const char *namespace_name);

/* keys (changes.c) */
void key_of_namespace(struct buffer *key, const char *namespace_name);
void key_of_workload(struct buffer *key, enum resource_id resource, const char *namespace_name,
		     const char *name);
struct key {
	bool workload;
	enum resource_id resource;
	char *namespace_name;
	char *name;
};
bool key_parse(const char *text, struct key *ret_key);
void key_release(struct key *key);
void add_namespace_key(struct controller *controller, const char *namespace_name,
		       uint64_t delay_ms);
void add_workload_key(struct controller *controller, enum resource_id resource,
		      const char *namespace_name, const char *name);
/* All workloads of a namespace that are in the store. */
void add_workload_keys(struct controller *controller, const char *namespace_name);
/* Every workload of a namespace gets its row. */
void enroll_all(struct controller *controller, struct namespace *space);
/* The store's callback. */
void on_store_change(void *context, const struct object *before, const struct object *after);

/* watches (feed.c) */
void scope_init(struct controller *controller, struct scope *scope, const char *namespace_name);
void scope_start(struct scope *scope);
void scope_stop(struct scope *scope);
void scope_tick(struct scope *scope);
void start_crd_watch(struct controller *controller);
void feed_event(void *context, const struct watch_event *event);
/* Of a kind that is read on demand: why it may not be read there, or NULL. Conditions and /readyz say it. */
void feed_note_access(struct controller *controller, const char *namespace_name,
		      enum resource_id resource, const char *why);
/* Begins work when every first list is complete. */
void controller_check_ready(struct controller *controller);

/* namespaces that become enabled later (listing.c) */
void listing_start(struct controller *controller, struct namespace *space);
void listing_stop(struct controller *controller, struct namespace *space);
void listing_event(struct feed *feed, const struct watch_event *event);
void listing_tick(struct controller *controller);

/* whom else it concerns (wake.c) */
/* Workloads of all namespaces whose pods are being replaced by a write of ours. */
size_t wake_count_rolling(const struct controller *controller);
/* A rollout is through: room within the operator's cap. */
void wake_for_room(struct controller *controller);
/* What `changed` brings to its role is another number. */
void wake_below_floor(struct controller *controller, const struct namespace *space,
		      const struct roster_row *changed);
/* A workload is gone: the others have waited for it, or were counted together with it. NULL: it was none of them. */
void wake_without(struct controller *controller, const struct namespace *space,
		  const struct roster_row *gone);
/* A workload waits for a survey. */
void wake_surveyor(void *context);
/* There is a new report of one. */
void wake_surveying(void *context);
/* What the other namespaces know of images; free `rosters`. */
void elsewhere_gather(const struct controller *controller, const struct namespace *own,
		      struct elsewhere *ret_elsewhere);
/* What was known of a row's image before it was looked at. */
struct image_news {
	bool rolling;
	bool proven;
	enum reason reason; /* what it waited for */
	size_t refused;
};
/* More, or something else, is known now: who waits for it is looked at again. */
void wake_for_image(struct controller *controller, const struct namespace *space,
		    const struct roster_row *row, const struct image_news *before);
/* The log of a pod of a workload was read (INTENT_LOG). */
void wake_with_log(struct controller *controller, const struct intent *intent,
		   const struct response *response);
/* The namespace was looked at: did it lose its switch, and too many others too? */
void wake_guarded(struct controller *controller, struct namespace *space);

/* pods of workloads under rollout (lookout.c) */
/* INTENT_PODS: watches them. */
void lookout_begin(void *context, const struct intent *intent);
/* Ends those whose rollout is over, or whose workload is gone. */
void lookout_settle(struct controller *controller);
void lookout_stop_all(struct controller *controller);

/* images that are tried first (rehearsals.c) */
struct rehearser *rehearsals_new(struct controller *controller, bool read_nodes);
void rehearsals_begin(void *context, const struct intent *intent);
void rehearsals_end(void *context, const char *namespace_name, const struct rehearsal_of *of,
		    const struct rehearsal *result, uint64_t ms);

/* the queue's other end (work.c) */
void pump_soon(struct controller *controller);
void pump(struct controller *controller);

#endif
