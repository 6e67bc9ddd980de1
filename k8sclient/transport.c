/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/transport.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "k8sclient/transport_internal.h"

#if defined(__x86_64__)
#define GO_ARCH "amd64"
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#else
#define GO_ARCH "unknown"
#endif

/* libcurl's view of one socket. */
struct socket_poll {
	uv_poll_t poll;
	curl_socket_t fd;
	struct transport *transport;
};

static void turn(struct transport *transport);

uint64_t transport_now_ms(void)
{
	return uv_hrtime() / 1000000U;
}

static void transport_free(struct transport *transport)
{
	client_config_release(&transport->config);
	free(transport->url);
	free(transport->host);
	free(transport->host_header);
	free(transport->connect_to);
	free(transport->user_agent);
	free(transport);
	curl_global_cleanup();
}

static void handle_closed(struct transport *transport)
{
	if (--transport->handles > 0 || transport->closed == NULL)
		return;
	void (*closed)(void *context) = transport->closed;
	void *context = transport->closed_context;
	transport_free(transport);
	closed(context);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct socket_poll *socket_poll = handle->data;
	struct transport *transport = socket_poll->transport;
	free(socket_poll);
	handle_closed(transport);
}

static void act(struct transport *transport, curl_socket_t fd, int events)
{
	int running = 0;
	(void)curl_multi_socket_action(transport->multi, fd, events, &running);
	turn(transport);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct socket_poll *socket_poll = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
	flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
	act(socket_poll->transport, socket_poll->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_soon(uv_timer_t *timer)
{
	turn(timer->data);
}

static void soon(struct transport *transport)
{
	if (!transport->closing)
		(void)uv_timer_start(&transport->soon, on_soon, 0, 0);
}

static struct socket_poll *socket_poll_new(struct transport *transport, curl_socket_t fd)
{
	struct socket_poll *socket_poll = xcalloc(1, sizeof(*socket_poll));
	socket_poll->fd = fd;
	socket_poll->transport = transport;
	socket_poll->poll.data = socket_poll;
	if (uv_poll_init_socket(transport->loop, &socket_poll->poll, fd) != 0) {
		free(socket_poll);
		return NULL;
	}
	transport->handles++;
	return socket_poll;
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int wish, void *context, void *known)
{
	struct transport *transport = context;
	struct socket_poll *socket_poll = known;
	(void)easy;
	if (wish == CURL_POLL_REMOVE) {
		if (socket_poll != NULL) {
			(void)uv_poll_stop(&socket_poll->poll);
			uv_close((uv_handle_t *)&socket_poll->poll, on_poll_closed);
			(void)curl_multi_assign(transport->multi, fd, NULL);
		}
		return 0;
	}
	if (socket_poll == NULL) {
		socket_poll = socket_poll_new(transport, fd);
		if (socket_poll == NULL)
			return -1;
		(void)curl_multi_assign(transport->multi, fd, socket_poll);
	}
	int events = 0;
	events |= wish != CURL_POLL_OUT ? UV_READABLE : 0;
	events |= wish != CURL_POLL_IN ? UV_WRITABLE : 0;
	return uv_poll_start(&socket_poll->poll, events, on_ready) == 0 ? 0 : -1;
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *context)
{
	struct transport *transport = context;
	(void)multi;
	if (timeout_ms < 0)
		(void)uv_timer_stop(&transport->timer);
	else
		(void)uv_timer_start(&transport->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static void unlink_transfer(struct transport *transport, struct transfer *transfer)
{
	assert((transfer->previous == NULL) == (transport->transfers == transfer));
	if (transfer->previous != NULL)
		transfer->previous->next = transfer->next;
	else
		transport->transfers = transfer->next;
	if (transfer->next != NULL)
		transfer->next->previous = transfer->previous;
	else
		transport->last = transfer->previous;
}

static void transfer_free(struct transport *transport, struct transfer *transfer)
{
	unlink_transfer(transport, transfer);
	if (transfer->easy != NULL) {
		(void)curl_multi_remove_handle(transport->multi, transfer->easy);
		transfer_dispose(transfer);
	}
	buffer_release(&transfer->refusal);
	free(transfer->method);
	free(transfer->path);
	free(transfer->url);
	curl_slist_free_all(transfer->more_headers);
	free(transfer->content_type);
	free(transfer->accept);
	free(transfer->body);
	free(transfer);
}

static void collect_messages(struct transport *transport)
{
	int left = 0;
	for (;;) {
		CURLMsg *message = curl_multi_info_read(transport->multi, &left);
		if (message == NULL)
			return;
		struct transfer *transfer = NULL;
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
		if (transfer->state == TRANSFER_RUNNING) {
			transfer_finish(transfer, result);
			transfer->state = TRANSFER_FINISHED;
		}
		(void)curl_multi_remove_handle(transport->multi, easy);
		transfer_dispose(transfer);
	}
}

/* True when a 401 leads to another attempt, now or once the credential is renewed. */
static bool renews(struct transfer *transfer)
{
	struct transport *transport = transfer->transport;
	if (transfer->code != 401 || transfer->rejected || transfer->url != NULL ||
	    transfer->end.status != STATUS_OK)
		return false;
	transfer->rejected = true;
	transfer->fresh_connection = true;
	transfer->state = TRANSFER_PENDING;
	credentials_reject(transport->credentials, transport_now_ms(), transfer->generation);
	return true;
}

/* A pending transfer for which there is no (newer) credential ends here. */
static bool ends_without_credential(struct transfer *transfer, enum credentials_state state,
				    const struct credential *credential, const struct error *err)
{
	bool refused = transfer->rejected && (state == CREDENTIALS_FAILED ||
					      credential->generation == transfer->generation);
	if (!refused && state != CREDENTIALS_FAILED)
		return false;
	if (!refused)
		transfer->end = (struct transfer_end){.status = err->status, .error = *err};
	transfer->state = TRANSFER_FINISHED;
	return true;
}

static void begin(struct transfer *transfer, const struct credential *credential)
{
	buffer_release(&transfer->refusal);
	transfer_prepare(transfer, credential);
	transfer->state = TRANSFER_RUNNING;
	(void)curl_multi_add_handle(transfer->transport->multi, transfer->easy);
}

static void start_pending(struct transport *transport)
{
	const struct credential none = {.token = NULL};
	bool waiting = false;
	for (struct transfer *transfer = transport->transfers; transfer != NULL;
	     transfer = transfer->next) {
		struct error err;
		struct credential credential;
		if (transfer->state == TRANSFER_PENDING && transfer->url != NULL)
			begin(transfer, &none);
		if (transfer->state != TRANSFER_PENDING || waiting)
			continue;
		enum credentials_state state =
		    credentials_get(transport->credentials, transport_now_ms(), &credential, &err);
		waiting = state == CREDENTIALS_WAITING;
		if (!waiting && !ends_without_credential(transfer, state, &credential, &err))
			begin(transfer, &credential);
	}
}

static struct transfer *find_state(const struct transport *transport, enum transfer_state state)
{
	struct transfer *transfer = transport->transfers;
	while (transfer != NULL && transfer->state != state)
		transfer = transfer->next;
	return transfer;
}

/*
 * Everything that must not happen inside libcurl's callbacks: ends are told, cancelled
 * ones freed, new ones begun. The callbacks may change the list at will; what they
 * start is begun in the same turn.
 */
static void turn(struct transport *transport)
{
	if (transport->closing)
		return;
	collect_messages(transport);
	for (;;) {
		struct transfer *transfer = find_state(transport, TRANSFER_CANCELLED);
		if (transfer == NULL)
			transfer = find_state(transport, TRANSFER_FINISHED);
		if (transfer == NULL)
			break;
		if (transfer->state == TRANSFER_FINISHED && renews(transfer))
			continue;
		if (transfer->state == TRANSFER_FINISHED)
			transfer_tell_end(transfer);
		transfer_free(transport, transfer);
	}
	if (transport->closing)
		return;
	start_pending(transport);
	if (find_state(transport, TRANSFER_FINISHED) != NULL)
		soon(transport);
}

static void on_settled(void *context)
{
	soon(context);
}

/* With tls-server-name, that name goes into the URL (SNI and verification) and the connection is sent to the real host. */
static enum status set_server(struct transport *transport, struct error *err)
{
	const struct client_config *config = &transport->config;
	CURLU *url = curl_url();
	char *host = NULL;
	char *port = NULL;
	char *scheme = NULL;
	enum status status = STATUS_OK;
	if (curl_url_set(url, CURLUPART_URL, config->server, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
		status = error_set(err, STATUS_INVALID, "server %s: not a URL", config->server);
	} else {
		transport->host = xasprintf("%s:%s", host, port);
		transport->url = xstrdup(config->server);
		if (config->tls_server_name != NULL && strcmp(scheme, "https") == 0) {
			char *changed = NULL;
			(void)curl_url_set(url, CURLUPART_HOST, config->tls_server_name, 0);
			(void)curl_url_get(url, CURLUPART_URL, &changed, 0);
			free(transport->url);
			transport->url = xstrdup(changed);
			transport->host_header = xstrdup(transport->host);
			transport->connect_to = xasprintf("::%s", transport->host);
			curl_free(changed);
		}
		size_t len = strlen(transport->url);
		while (len > 0 && transport->url[len - 1] == '/')
			transport->url[--len] = '\0';
	}
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	curl_url_cleanup(url);
	return status;
}

static void add_metrics(struct transport *transport, struct metrics *metrics)
{
	transport->requests = metrics_family(
	    metrics, METRIC_COUNTER, "rest_client_requests_total",
	    "HTTP requests to the API server by code, method and host.", "code,method,host");
	transport->durations =
	    metrics_family(metrics, METRIC_HISTOGRAM, "rest_client_request_duration_seconds",
			   "Duration of requests to the API server without watches.", "verb,host");
}

static void open_multi(struct transport *transport)
{
	transport->multi = curl_multi_init();
	if (transport->multi == NULL)
		abort();
	(void)curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	(void)curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
	(void)curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	(void)curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
	(void)uv_timer_init(transport->loop, &transport->timer);
	(void)uv_timer_init(transport->loop, &transport->soon);
	transport->timer.data = transport->soon.data = transport;
	transport->handles = 2;
}

enum status transport_new(uv_loop_t *loop, const struct client_config *config,
			  const struct log *log, struct metrics *metrics,
			  struct transport **ret_transport, struct error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, STATUS_BUG, "libcurl cannot be initialised");
	struct transport *transport = xcalloc(1, sizeof(*transport));
	transport->loop = loop;
	transport->log = log;
	client_config_copy(config, &transport->config);
	transport->user_agent = xasprintf("llmd-tracing/%s (linux/" GO_ARCH ")",
					  config->version == NULL ? "unknown" : config->version);
	add_metrics(transport, metrics);
	enum status status = set_server(transport, err);
	if (status == STATUS_OK)
		status = credentials_new(loop, &transport->config, log, on_settled, transport,
					 &transport->credentials, err);
	if (status != STATUS_OK) {
		transport_free(transport);
		return status;
	}
	open_multi(transport);
	*ret_transport = transport;
	return STATUS_OK;
}

/* From the loop and not from the closer's stack, which may be deep inside a callback of ours. */
static void close_now(uv_timer_t *timer)
{
	struct transport *transport = timer->data;
	while (transport->transfers != NULL)
		transfer_free(transport, transport->transfers);
	/* Closes the pooled connections too, which ends their polls. */
	(void)curl_multi_cleanup(transport->multi);
	credentials_free(transport->credentials);
	uv_close((uv_handle_t *)&transport->timer, on_timer_closed);
	uv_close((uv_handle_t *)&transport->soon, on_timer_closed);
}

void transport_close(struct transport *transport, void (*closed)(void *context), void *context)
{
	transport->closed = closed;
	transport->closed_context = context;
	transport->closing = true;
	for (struct transfer *transfer = transport->transfers; transfer != NULL;
	     transfer = transfer->next)
		transfer->state = TRANSFER_CANCELLED;
	(void)uv_timer_start(&transport->soon, close_now, 0, 0);
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

struct transfer *transfer_start(struct transport *transport, const struct transfer_spec *spec,
				const struct transfer_handler *handler, void *context)
{
	struct transfer *transfer = xcalloc(1, sizeof(*transfer));
	*transfer = (struct transfer){
	    .transport = transport,
	    .previous = transport->last,
	    .state = TRANSFER_PENDING,
	    .method = xstrdup(spec->method),
	    .path = copy_or_null(spec->path),
	    .url = copy_or_null(spec->url),
	    .may_connect = spec->may_connect,
	    .connect_context = spec->connect_context,
	    .content_type = copy_or_null(spec->content_type),
	    .accept = xstrdup(spec->accept == NULL ? "application/json" : spec->accept),
	    .body_len = spec->body_len,
	    .timeout_ms = spec->timeout_ms,
	    .fresh_connection = spec->fresh_connection,
	    .streams = spec->streams,
	    .handler = handler,
	    .context = context};
	if (spec->body != NULL) {
		transfer->body = xmalloc(spec->body_len + 1);
		memcpy(transfer->body, spec->body, spec->body_len);
	}
	for (size_t i = 0; spec->headers != NULL && spec->headers[i] != NULL; i++)
		transfer->more_headers =
		    curl_slist_append(transfer->more_headers, spec->headers[i]);
	if (transport->last != NULL)
		transport->last->next = transfer;
	else
		transport->transfers = transfer;
	transport->last = transfer;
	soon(transport);
	return transfer;
}

void transfer_cancel(struct transfer *transfer)
{
	transfer->state = TRANSFER_CANCELLED;
	soon(transfer->transport);
}

const char *transport_host(const struct transport *transport)
{
	return transport->host;
}
