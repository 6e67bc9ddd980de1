/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/server.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

enum {
	CONNECTIONS_MAX = 64, /* lws sizes its tables by it; the default follows RLIMIT_NOFILE */
	RX_BUFFER_BYTES = 4096,
};

struct server {
	struct lws_context *context;
	struct lws_vhost *vhost;
	const struct server_route *routes;
	void *handler_context;
	struct lws_protocols protocols[2];
};

/* One request: what is left to send. lws zeroes it. */
struct exchange {
	struct buffer body;
	size_t sent;
	bool head_only;
};

static const struct server_route *find_route(const struct server *server, const char *path)
{
	for (const struct server_route *route = server->routes; route->path != NULL; route++)
		if (strcmp(route->path, path) == 0)
			return route;
	return NULL;
}

static void answer_request(const struct server *server, const char *path, int method,
			   struct server_answer *answer)
{
	const struct server_route *route = find_route(server, path);
	if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
		answer->code = HTTP_STATUS_METHOD_NOT_ALLOWED;
		buffer_add_str(&answer->body, "method not allowed\n");
	} else if (route == NULL) {
		answer->code = HTTP_STATUS_NOT_FOUND;
		buffer_add_str(&answer->body, "no such path\n");
	} else {
		route->handle(server->handler_context, answer);
	}
}

static int send_headers(struct lws *wsi, const struct server_answer *answer)
{
	unsigned char headers[LWS_PRE + 1024];
	unsigned char *start = headers + LWS_PRE;
	unsigned char *at = start;
	unsigned char *end = headers + sizeof(headers);
	if (lws_add_http_common_headers(wsi, (unsigned)answer->code, answer->content_type,
					answer->body.len, &at, end) != 0)
		return 1;
	return lws_finalize_write_http_header(wsi, start, &at, end);
}

/* Non-zero closes the connection, as everywhere in lws callbacks. */
static int on_request(const struct server *server, struct lws *wsi, struct exchange *exchange)
{
	char *path = NULL;
	int path_len = 0;
	int method = lws_http_get_uri_and_method(wsi, &path, &path_len);
	if (path == NULL)
		return 1;
	struct server_answer answer = {.code = HTTP_STATUS_OK,
				       .content_type = "text/plain; charset=utf-8"};
	buffer_init(&answer.body, LIMIT_METRICS_BYTES);
	answer_request(server, path, method, &answer);
	if (send_headers(wsi, &answer) != 0) {
		buffer_release(&answer.body);
		return 1;
	}
	exchange->body = answer.body;
	exchange->sent = 0;
	exchange->head_only = method == LWSHUMETH_HEAD;
	lws_callback_on_writable(wsi);
	return 0;
}

/* Only a negative result closes from here: lws takes 1 for success and would then spin on a closed peer. */
static int on_writable(struct lws *wsi, struct exchange *exchange)
{
	if (exchange->body.data == NULL)
		return -1;
	unsigned char chunk[LWS_PRE + RX_BUFFER_BYTES];
	size_t left = exchange->head_only ? 0 : exchange->body.len - exchange->sent;
	size_t len = left < RX_BUFFER_BYTES ? left : RX_BUFFER_BYTES;
	bool last = len == left;
	memcpy(chunk + LWS_PRE, exchange->body.data + exchange->sent, len);
	int written =
	    lws_write(wsi, chunk + LWS_PRE, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
	if (written < 0 || (size_t)written != len)
		return -1;
	exchange->sent += len;
	if (!last) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	buffer_release(&exchange->body);
	return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		  size_t len)
{
	(void)in;
	(void)len;
	const struct lws_protocols *protocol = wsi != NULL ? lws_get_protocol(wsi) : NULL;
	const struct server *server = protocol != NULL ? protocol->user : NULL;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return server == NULL ? 1 : on_request(server, wsi, user);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return on_writable(wsi, user);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return 1; /* neither WebSocket nor h2c: their code paths stay unreachable */
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return 0;
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		if (user != NULL)
			buffer_release(&((struct exchange *)user)->body);
		return 0;
	default:
		return 0;
	}
}

/* "ADDR:PORT" → address (NULL: all) and port. The address is owned by the caller. */
static enum status split_bind(const char *bind, char **ret_address, int *ret_port,
			      struct error *err)
{
	const char *colon = strrchr(bind, ':');
	char *end = NULL;
	long port = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
	if (port < 0 || port > 65535 || end == colon + 1 || *end != '\0')
		return error_set(
		    err, STATUS_INVALID,
		    "\"%s\" is not ADDRESS:PORT (like 127.0.0.1:8080, [::1]:8080 or :8080)", bind);
	size_t len = (size_t)(colon - bind);
	const char *address = bind;
	if (len >= 2 && bind[0] == '[' && bind[len - 1] == ']') {
		address++;
		len -= 2;
	}
	*ret_address = len == 0 ? NULL : xstrndup(address, len);
	*ret_port = (int)port;
	return STATUS_OK;
}

enum status server_new(uv_loop_t *loop, const char *bind, const struct server_route *routes,
		       void *context, const struct log *log, struct server **ret_server,
		       struct error *err)
{
	CLEANUP(str_freep) char *address = NULL;
	int port = 0;
	enum status status = split_bind(bind, &address, &port, err);
	if (status != STATUS_OK)
		return status;
	lws_set_log_level(log->level == LOG_DEBUG ? LLL_ERR : 0, NULL);
	struct server *server = xcalloc(1, sizeof(*server));
	server->routes = routes;
	server->handler_context = context;
	server->protocols[0] =
	    (struct lws_protocols){.name = "http",
				   .callback = on_lws,
				   .per_session_data_size = sizeof(struct exchange),
				   .rx_buffer_size = RX_BUFFER_BYTES,
				   .user = server};
	void *loops[1] = {loop};
	struct lws_context_creation_info info = {
	    .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		       LWS_SERVER_OPTION_HTTP_HEADERS_SECURITY_BEST_PRACTICES_ENFORCE,
	    .foreign_loops = loops,
	    .port = port,
	    .iface = address,
	    .protocols = server->protocols,
	    .fd_limit_per_thread = CONNECTIONS_MAX,
	    .server_string = "llmd-tracing",
	    .keepalive_timeout = 60,
	    .timeout_secs = 10,
	};
	server->context = lws_create_context(&info);
	if (server->context != NULL)
		server->vhost = lws_create_vhost(server->context, &info);
	if (server->vhost == NULL) {
		if (server->context != NULL)
			lws_context_destroy(server->context);
		free(server);
		return error_set(err, STATUS_INVALID,
				 "cannot listen on %s: is the address ours and the port free?",
				 bind);
	}
	*ret_server = server;
	return STATUS_OK;
}

int server_port(const struct server *server)
{
	return lws_get_vhost_listen_port(server->vhost);
}

void server_close(struct server *server)
{
	lws_context_destroy(server->context);
}

void server_free(struct server *server)
{
	/* The second call finishes what the first could only begin (warmcat/libwebsockets#1969). */
	lws_context_destroy(server->context);
	free(server);
}
