/* SPDX-License-Identifier: Apache-2.0 */
/* What transport.c (loop and life time) and transfer.c (one exchange) share. */
#ifndef LLMD_K8SCLIENT_TRANSPORT_INTERNAL_H
#define LLMD_K8SCLIENT_TRANSPORT_INTERNAL_H

#include <curl/curl.h>

#include "base/buffer.h"
#include "k8sclient/credentials.h"
#include "k8sclient/transport.h"

enum transfer_state {
	TRANSFER_PENDING,  /* to be given to libcurl as soon as there is a credential */
	TRANSFER_RUNNING,  /* libcurl has it */
	TRANSFER_FINISHED, /* libcurl is done with it, its user does not know yet */
	TRANSFER_CANCELLED /* its user is done with it, libcurl may not be */
};

enum { WARNINGS_KNOWN_MAX = 64 };

struct transfer {
	struct transport *transport;
	struct transfer *next;
	struct transfer *previous;
	enum transfer_state state;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	char curl_error[CURL_ERROR_SIZE];

	/* the request */
	char *method;
	char *path;
	char *url; /* NULL: the API server */
	bool (*may_connect)(void *context, const char *address);
	void *connect_context;
	char avoided[64]; /* the address that `may_connect` said no to; "" */
	struct curl_slist *more_headers;
	char *content_type;
	char *accept;
	char *body;
	size_t body_len;
	unsigned timeout_ms;
	bool fresh_connection;
	bool streams;
	const struct transfer_handler *handler;
	void *context;

	/* this attempt */
	uint64_t started_ns;
	unsigned generation; /* of the credential that was sent */
	unsigned sent;       /* how often libcurl began to send the request */
	long code;
	unsigned retry_after_ms;
	bool encoded; /* the body is compressed although we asked for identity */
	bool has_head;
	bool head_told;

	bool rejected; /* a 401 was answered; its body waits in `refusal` */
	struct buffer refusal;
	struct transfer_end end;
};

struct transport {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's */
	uv_timer_t soon;  /* a turn that is not due to libcurl */
	int handles;      /* open ones, sockets included */
	void (*closed)(void *context);
	void *closed_context;

	struct client_config config;
	const struct log *log;
	struct credentials *credentials;
	struct transfer *transfers; /* in the order of their starts */
	struct transfer *last;
	bool closing;

	char *url;         /* scheme and host that TLS is to verify; no trailing slash */
	char *host;        /* "host:port" as the configuration has it */
	char *host_header; /* "Host: …" when `url` names tls-server-name, else NULL */
	char *connect_to;  /* CURLOPT_CONNECT_TO's value, or NULL */
	char *user_agent;

	struct metric *requests;
	struct metric *durations;
	char warnings[WARNINGS_KNOWN_MAX][17]; /* hashes of those that were logged */
	size_t warning_count;
};

uint64_t transport_now_ms(void);

/* Makes the easy handle of the next attempt, ready for curl_multi_add_handle. */
void transfer_prepare(struct transfer *transfer, const struct credential *credential);

/* After curl_multi_remove_handle: frees what the attempt needed. */
void transfer_dispose(struct transfer *transfer);

/* libcurl is done with the attempt: fills transfer->end, counts. */
void transfer_finish(struct transfer *transfer, CURLcode result);

/* Tells the user what is held back of a 401, and the end. */
void transfer_tell_end(struct transfer *transfer);

/* Has `text` of a Warning header been logged before? Remembers it. */
bool transport_knows_warning(struct transport *transport, const char *text);

#endif
