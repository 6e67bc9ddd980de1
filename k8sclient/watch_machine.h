/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine behind a watch: list, then watch, for ever, by the rules of
 * KUBERNETES §1.1 (S1–S17). Pure: what happened comes in as watch_input with the time
 * and random bits as values, what is to be done comes out as watch_actions; objects and
 * transitions go to the sink while a step runs. watch.c connects it to the network.
 *
 * How it lists: the first time at resourceVersion 0 (the server's cache, of any age);
 * later "not older than" what was seen last; after a 410 or a resourceVersion that
 * the server does not know yet, the newest state, in pages. A kind that was large (or
 * whose spec asks for it) is listed anew as a stream (KEP-3157) where the server can:
 * lighter for the server, but its end mark comes a second or so late, so not at start-up.
 */
#ifndef LLMD_K8SCLIENT_WATCH_MACHINE_H
#define LLMD_K8SCLIENT_WATCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "k8sclient/frames.h"
#include "k8sclient/list_stream.h"
#include "k8sclient/watch.h"

enum {
	WATCH_PAGE_SIZE = 500,
	WATCH_TIMEOUT_MIN_S = 300, /* S5: uniformly 5 to 10 min */
	WATCH_TIMEOUT_MAX_S = 600,
	WATCH_BACKOFF_MIN_MS = 800, /* S13 */
	WATCH_BACKOFF_MAX_MS = 30000,
	WATCH_BACKOFF_RESET_MS = 120000,
	WATCH_SHORT_MS = 1000, /* S12: a stream that ends sooner, without events, is a failure */
	WATCH_HEAD_TIMEOUT_MS = 30000, /* until the first byte of a watch */
	WATCH_LIST_IDLE_MS = 60000,    /* between bytes of a list; the server's own limit is 60 s */
	WATCH_STREAM_LIST_IDLE_MS =
	    20000, /* S9: a server that ignores sendInitialEvents never marks an end */
	WATCH_IDLE_MIN_MS = 75000, /* S7: bookmarks come about every minute, history lasts 75 s */
	WATCH_IDLE_MAX_MS = 90000,
	WATCH_DEADLINE_GRACE_MS = 5000,
	WATCH_ABSENT_KICKED_MS = 1000, /* a CRD that was announced is served a moment later */
	WATCH_ABSENT_MIN_MS = 10000,
	WATCH_ABSENT_MAX_MS = 600000,
	WATCH_DENIED_MIN_MS =
	    1000, /* an API server that has just started denies for want of its roles */
	WATCH_DENIED_MAX_MS = 30000,
	WATCH_STREAM_LIST_ITEMS = 2000, /* a last list of so many makes the next one a stream */
	WATCH_REFUSAL_MAX = 65536,
	WATCH_HELD_DELETES_MAX = 1048576
};

enum watch_state {
	WATCH_STATE_NEW,
	WATCH_STATE_LISTING,
	WATCH_STATE_STREAMING, /* a streaming list before its end mark */
	WATCH_STATE_WATCHING,
	WATCH_STATE_BACKOFF, /* waits, then lists or watches */
	WATCH_STATE_ABSENT,
	WATCH_STATE_DENIED,
	WATCH_STATE_COUNT
};

enum watch_input_type {
	WATCH_INPUT_START, /* once, as the first */
	WATCH_INPUT_HEAD,  /* http_code, retry_after_ms of the request's answer */
	WATCH_INPUT_BYTES, /* of the answer's body */
	WATCH_INPUT_CLOSE, /* the request is over; error: how it broke, NULL: cleanly */
	WATCH_INPUT_TIMER, /* the time of wake_ms has come */
	WATCH_INPUT_KICK   /* do not wait any longer */
};

struct watch_input {
	enum watch_input_type type;
	uint64_t now_ms; /* monotonic */
	uint64_t random;
	long http_code;
	unsigned retry_after_ms;
	const char *data;
	size_t len;
	const struct error *error;
};

/* In this order. After `cancel` nothing of the old request is fed in any more. */
struct watch_actions {
	bool cancel;
	bool request;
	const char *path; /* of the request; borrowed until the next step */
	bool lists;       /* the request is a list (else a watch): decides the Accept header */
	bool fresh;       /* on a new connection */
	uint64_t wake_ms; /* when a TIMER is due; UINT64_MAX: never */
};

struct watch_sink {
	void (*event)(void *context, const struct watch_event *event);
	/* Every change of state, from the one place where states change. */
	void (*transition)(void *context, enum watch_state from, enum watch_state to,
			   const char *why);
	/* Something was dropped and the stream goes on: "unknown event type", "too large", … */
	void (*skipped)(void *context, const char *why);
};

enum watch_list_mode {
	WATCH_LIST_ANY,       /* resourceVersion=0 */
	WATCH_LIST_NOT_OLDER, /* resourceVersion=<last seen> */
	WATCH_LIST_NEWEST,    /* without: consistent, in pages */
	WATCH_LIST_FULL       /* consistent, in one piece: after a 410 between pages (S3) */
};

/* Private to watch_machine.c, watch_list.c and watch_stream.c, but for `state` and `resource_version`. */
struct watch_machine {
	const struct watch_sink *sink;
	void *context;
	const char *base_path; /* with selectors, borrowed */
	bool prefer_streaming;

	enum watch_state state;
	char resource_version[RESOURCE_VERSION_MAX]; /* last seen; "": none yet */

	/* the list */
	enum watch_list_mode mode;
	bool paginates;     /* the server has no watch cache: keep asking for pages (S2) */
	bool page_follows;  /* this request continues a list */
	bool list_begun;    /* LIST_BEGIN was told */
	bool list_resets;   /* … with reset */
	bool reset_pending; /* the next LIST_BEGIN says reset */
	size_t list_items;
	size_t last_list_items;
	struct list_stream list;
	bool streaming_refused;     /* 400, 422 or no end mark: never again */
	bool streaming_paused;      /* failed otherwise: a plain list next time */
	struct buffer held_deletes; /* DELETED events of a streaming list, told after its end */

	/* the request under way */
	bool under_way;
	struct buffer path;
	bool answered; /* the head came */
	bool accepted; /* … with 2xx */
	long http_code;
	unsigned retry_after_ms;
	struct buffer refusal; /* body of a refusal */
	uint64_t request_ms;
	uint64_t byte_ms;  /* last byte */
	uint64_t event_ms; /* last event */
	struct frames frames;
	size_t events;   /* of this stream, bookmarks not counted */
	bool floating;   /* S6: started at "0", so ADDED does not advance resource_version */
	bool bookmarks;  /* this server sends them */
	bool bookmarked; /* … on this stream */
	uint64_t idle_ms;
	unsigned timeout_s;

	/* waiting */
	bool then_watch; /* after the wait: watch again, else list */
	uint64_t until_ms;
	uint64_t backoff_ms;
	uint64_t backoff_at_ms;
	uint64_t absent_ms;
	uint64_t denied_ms;
	unsigned gone_in_row;
	bool fresh;    /* the last connection is suspect */
	bool troubled; /* WATCH_ALIVE is owed */
	bool told_absent;
	bool kicked; /* … while absent or being looked for: look once more soon */

	/* of the step that runs */
	const struct watch_input *input;
	struct watch_actions *actions;
};

/* `base_path` (path and, after '?', selectors) and `sink` are borrowed. */
void watch_machine_init(struct watch_machine *machine, const char *base_path, bool prefer_streaming,
			const struct watch_sink *sink, void *context);
void watch_machine_release(struct watch_machine *machine);

void watch_machine_step(struct watch_machine *machine, const struct watch_input *input,
			struct watch_actions *ret_actions);

const char *watch_state_name(enum watch_state state);

#endif
