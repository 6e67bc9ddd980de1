/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 exchanges with one API server, and now and then another one: libcurl's multi interface driven by uv_poll and
 * uv_timer of the caller's loop. It knows connections, TLS, credentials and time limits;
 * retries, Status objects and watches are its users' matter.
 *
 * libcurl is entered from the loop only, and calls of its functions from inside its own
 * callbacks are put off to the next turn; so transfer_start and transfer_cancel may be
 * called from anywhere, also from the callbacks below.
 *
 * The process has to ignore SIGPIPE: OpenSSL writes without MSG_NOSIGNAL.
 *
 * A 401 is settled here: the credential is renewed (credentials.h), and when there is
 * a new one the request is made once more on a new connection. The server did not carry
 * out what it answered with 401, so this holds for writes too.
 */
#ifndef LLMD_K8SCLIENT_TRANSPORT_H
#define LLMD_K8SCLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "k8sclient/config.h"

struct transport;
struct transfer;

struct transfer_spec {
	const char *method;
	const char *path; /* path and query, percent-encoded, beginning with '/' */
	/*
	 * Another server than the API server, "http://host:port/path" (then `path` is not looked
	 * at): it gets no credential of ours, is reached by no proxy, and is not measured.
	 */
	const char *url;
	/* With `url`: asked about the address before anything is sent to it; NULL: all are fine. */
	bool (*may_connect)(void *context, const char *address);
	void *connect_context;
	const char *const *headers; /* more of them, "Name: value", NULL-ended; NULL: none */
	const char *content_type;
	const char *accept;
	const char *body; /* copied */
	size_t body_len;
	unsigned timeout_ms;   /* 0: none (watches) */
	bool fresh_connection; /* not one of the pool: the last one may be dead */
	bool streams;          /* a watch: its duration tells nothing and is not measured */
};

struct transfer_head {
	long code;
	unsigned retry_after_ms; /* 0: none */
};

struct transfer_end {
	enum status status; /* STATUS_OK: the answer came to its end as HTTP sees it */
	bool sent;          /* the request may have reached the server */
	struct error error; /* unless STATUS_OK */
};

struct transfer_handler {
	void (*head)(void *context, const struct transfer_head *head);
	void (*data)(void *context, const char *data, size_t len);
	/* Once, as the last; the transfer is gone afterwards. */
	void (*end)(void *context, const struct transfer_end *end);
};

/* `config` is copied. The rest is borrowed and outlives it. */
NODISCARD enum status transport_new(uv_loop_t *loop, const struct client_config *config,
				    const struct log *log, struct metrics *metrics,
				    struct transport **ret_transport, struct error *err);

/* Ends all transfers without callbacks; calls `closed` when the loop has closed the handles. */
void transport_close(struct transport *transport, void (*closed)(void *context), void *context);

/* Never calls back from inside. `handler` is static. */
struct transfer *transfer_start(struct transport *transport, const struct transfer_spec *spec,
				const struct transfer_handler *handler, void *context);

/* No callback comes any more; frees it. */
void transfer_cancel(struct transfer *transfer);

/* "host:port", for messages and metrics. */
const char *transport_host(const struct transport *transport);

#endif
