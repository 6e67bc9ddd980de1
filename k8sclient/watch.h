/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List and watch of one kind in one scope, for ever, by the rules of KUBERNETES §1.
 * Pages, bookmarks, both 410 shapes, too-large resourceVersion, streaming lists with
 * fallback, Retry-After, own backoff with jitter, own idle timer. Objects are handed
 * on one at a time as raw JSON while they arrive; a whole list is never held.
 *
 * The machine itself (watch_machine.h) is pure; this file connects it to libcurl.
 */
#ifndef LLMD_K8SCLIENT_WATCH_H
#define LLMD_K8SCLIENT_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "k8sclient/client.h"

struct watch;

struct watch_spec {
	const char *api_version;    /* "apps/v1" */
	const char *plural;         /* "deployments" */
	const char *namespace_name; /* NULL: cluster scope */
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none */
	bool metadata_only;         /* PartialObjectMetadata */
	bool
	    streaming_list; /* list as a stream where the server can (KEP-3157), also the first time */
};

enum watch_event_type {
	WATCH_LIST_BEGIN, /* items follow; what is not among them by WATCH_LIST_END is deleted */
	WATCH_LIST_ITEM,
	WATCH_LIST_ABORT, /* the list broke off: forget the items since WATCH_LIST_BEGIN */
	WATCH_LIST_END,   /* complete; the store is now as of resource_version */
	WATCH_PUT,        /* added or modified */
	WATCH_DELETE,     /* object: the last state */
	WATCH_ABSENT,     /* 404: the kind is not served; looked for again by itself (>= 10 s) */
	WATCH_DENIED,     /* 401/403: says why in `error`; tried again slowly */
	WATCH_TROUBLE,    /* any other error, once per failure: for metrics and status */
	WATCH_ALIVE,      /* first byte after trouble */
};

struct watch_event {
	enum watch_event_type type;
	const char
	    *object; /* raw JSON of one object, borrowed for the call; NULL where there is none */
	size_t object_len;
	const char *resource_version; /* WATCH_LIST_END */
	bool
	    reset; /* WATCH_LIST_BEGIN: resourceVersions may have gone back (etcd restored): drop all gates */
	const struct error *error; /* WATCH_DENIED, WATCH_TROUBLE */
};

typedef void (*watch_fn)(void *context, const struct watch_event *event);

/* Starts at once. Callbacks come from the loop, never from inside watch_start. `spec` is copied. */
struct watch *watch_start(struct client *client, const struct watch_spec *spec, watch_fn on_event,
			  void *context);

/* No further callbacks. Frees the watch. */
void watch_stop(struct watch *watch);

/*
 * Leaves WATCH_ABSENT's or any backoff's waiting at once (a CRD appeared). A kind that is
 * not served then is looked for once more a second later: CRDs are announced before they
 * are served.
 */
void watch_kick(struct watch *watch);

/*
 * Compares resourceVersions by KEP-5504 (decimal strings of any length). Returns <0, 0, >0;
 * sets *ret_comparable to false (and returns 0) when one is "", "0" or not such a string.
 */
int resource_version_compare(const char *a, const char *b, bool *ret_comparable);

#endif
