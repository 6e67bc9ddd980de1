/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: /healthz, /readyz, /metrics (plain HTTP/1.1 on libwebsockets in the
 * caller's libuv loop). TLS and admission routes come with the webhook.
 */
#ifndef LLMD_WEBHOOK_SERVER_H
#define LLMD_WEBHOOK_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"

struct server;

struct server_answer {
	int code;                 /* HTTP status; 200 when untouched */
	const char *content_type; /* static; text/plain when untouched */
	struct buffer body;       /* initialised with a ceiling; written by the handler */
};

struct server_route {
	const char *path; /* exact; ended by a NULL row */
	void (*handle)(void *context, struct server_answer *answer);
};

/*
 * Listens on "ADDR:PORT" ("127.0.0.1:0", "[::]:8080", ":8080" = all addresses). GET and
 * HEAD only; other methods 405, other paths 404, Upgrade refused. `routes` and
 * `context` are borrowed and outlive the server.
 */
NODISCARD enum status server_new(uv_loop_t *loop, const char *bind,
				 const struct server_route *routes, void *context,
				 const struct log *log, struct server **ret_server,
				 struct error *err);

/* The port it listens on (for ":0"). */
int server_port(const struct server *server);

/*
 * Leaving takes two steps, since libuv closes handles only while its loop runs:
 * server_close stops listening and begins to close; when the loop has run dry (or after
 * its next few turns), server_free releases what is left.
 */
void server_close(struct server *server);
void server_free(struct server *server);

#endif
