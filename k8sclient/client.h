/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server over one libuv loop: libcurl's multi interface driven by
 * uv_poll and uv_timer. One thread; callbacks run in the loop.
 *
 * GETs are retried on transport errors and on 429/5xx with Retry-After (bounded);
 * writes never are: an ambiguous write (connection lost after sending) is reported as
 * such and the caller reads again before it decides.
 */
#ifndef LLMD_K8SCLIENT_CLIENT_H
#define LLMD_K8SCLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "k8sclient/config.h"

struct client;
struct request;

#define CONTENT_JSON        "application/json"
#define CONTENT_JSON_PATCH  "application/json-patch+json"
#define CONTENT_MERGE_PATCH "application/merge-patch+json"
#define CONTENT_APPLY_PATCH "application/apply-patch+yaml"

struct request_spec {
	const char *method;       /* "GET", "POST", "PATCH", "PUT", "DELETE" */
	const char *path;         /* path and query, percent-encoded, beginning with '/' */
	const char *content_type; /* of the body; NULL without one */
	const char *body;         /* copied; NULL: none */
	size_t body_len;
	const char *accept;  /* NULL: application/json */
	unsigned timeout_ms; /* whole request; 0: 30 s */
	size_t limit;        /* most bytes of an answer; 0: LIMIT_BODY_BYTES */
	/*
	 * Another server, "http://host:port/path" (then `path` is not looked at): it gets no
	 * credential, is not asked again, and no redirect of it is followed (transport.h).
	 */
	const char *url;
	bool (*may_connect)(void *context,
			    const char *address); /* before anything is sent; or NULL */
	void *connect_context;                    /* has to last as long as the request */
	const char *const *headers; /* "Name: value", NULL-ended; copied; NULL: none */
};

struct response {
	enum status status; /* the reaction; STATUS_OK for 2xx */
	long http_code;     /* 0: no answer */
	bool ambiguous;     /* a write that may or may not have been carried out */
	char reason[64];    /* Status.reason ("AlreadyExists", "NamespaceTerminating", …) or "" */
	unsigned retry_after_ms; /* 0: none; clamped to 10 min */
	const char *body;        /* borrowed, for the callback's duration; "" when none */
	size_t body_len;
	struct error error; /* filled unless STATUS_OK: the server's own words */
};

typedef void (*response_fn)(void *context, const struct response *response);

/* `config` is copied. log, metrics and loop are borrowed and outlive the client. */
NODISCARD enum status client_new(uv_loop_t *loop, const struct client_config *config,
				 const struct log *log, struct metrics *metrics,
				 struct client **ret_client, struct error *err);

/* Cancels everything under way (no callbacks any more) and closes handles; frees itself once the loop has run their close callbacks. */
void client_close(struct client *client);

/* Sends; `done` is called exactly once, never from inside client_send, unless cancelled. */
struct request *client_send(struct client *client, const struct request_spec *spec,
			    response_fn done, void *context);

/* No callback will come. Not after `done` was called. */
void request_cancel(struct request *request);

/* Requests under way, watches not counted: for draining on SIGTERM. */
size_t client_in_flight(const struct client *client);

/* Percent-encodes one path segment or query value into `out`. */
void path_add_escaped(struct buffer *out, const char *text);

/* "/apis/apps/v1/namespaces/NS/deployments/NAME[/SUB]"; namespace_name and name may be NULL. */
void path_build(struct buffer *out, const char *api_version, const char *plural,
		const char *namespace_name, const char *name, const char *subresource);

#endif
