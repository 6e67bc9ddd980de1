/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "k8sclient/api_status.h"
#include "k8sclient/client_internal.h"
#include "k8sclient/slice.h"
#include "k8sclient/transport.h"

enum {
	RUNNING_MAX =
	    16,         /* fairness is the server's (APF); this only keeps a burst of ours small */
	TRIES_MAX = 10, /* as client-go */
	TIMEOUT_DEFAULT_MS = 30000,
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 5000,
	GRACE_MS =
	    500 /* libcurl keeps the time limit; we only when it does not, or a credential is awaited */
};

enum request_state { REQUEST_QUEUED, REQUEST_RUNNING, REQUEST_WAITING };

struct request {
	struct client *client;
	struct request *next;
	struct request *previous;
	enum request_state state;
	struct transfer *transfer; /* while running */
	char *method;
	char *path; /* or the whole URL */
	bool elsewhere;
	bool (*may_connect)(void *context, const char *address);
	void *connect_context;
	char **headers; /* NULL-ended, or NULL */
	size_t limit;
	char *content_type;
	char *accept;
	char *body;
	size_t body_len;
	uint64_t deadline_ms; /* of all tries together */
	uint64_t due_ms;      /* while waiting */
	unsigned tries;
	response_fn done;
	void *context;

	struct transfer_head head;
	struct buffer answer;
};

uint64_t client_random(void)
{
	uint64_t bits = 0;
	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		bits = uv_hrtime();
	return bits;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000U;
}

static bool is_write(const struct request *request)
{
	return strcmp(request->method, "GET") != 0;
}

static void unlink_request(struct client *client, struct request *request)
{
	assert((request->previous == NULL) == (client->requests == request));
	if (request->previous != NULL)
		request->previous->next = request->next;
	else
		client->requests = request->next;
	if (request->next != NULL)
		request->next->previous = request->previous;
	else
		client->last = request->previous;
	client->count--;
	if (request->state == REQUEST_RUNNING)
		client->running--;
}

static void request_free(struct request *request)
{
	free(request->method);
	free(request->path);
	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		free(request->headers[i]);
	free(request->headers);
	free(request->content_type);
	free(request->accept);
	free(request->body);
	buffer_release(&request->answer);
	free(request);
}

static void pump(struct client *client);

static void on_timer(uv_timer_t *timer)
{
	pump(timer->data);
}

/* When a request needs something of us, if nothing else happens before. */
static uint64_t due_at(const struct request *request)
{
	if (request->state == REQUEST_WAITING)
		return request->due_ms;
	if (request->state == REQUEST_QUEUED)
		return request->deadline_ms;
	return request->deadline_ms + GRACE_MS;
}

static void set_timer(struct client *client)
{
	uint64_t wake = UINT64_MAX;
	for (const struct request *request = client->requests; request != NULL;
	     request = request->next)
		wake = due_at(request) < wake ? due_at(request) : wake;
	if (wake == UINT64_MAX) {
		(void)uv_timer_stop(&client->timer);
		return;
	}
	uint64_t now = now_ms();
	uv_update_time(client->loop);
	(void)uv_timer_start(&client->timer, on_timer, wake > now ? wake - now : 0, 0);
}

static void deliver(struct client *client, struct request *request, const struct response *response)
{
	unlink_request(client, request);
	request->done(request->context, response);
	request_free(request);
}

static void fill_refusal(struct response *response, const struct request *request)
{
	struct api_status refusal;
	api_status_read(request->answer.data, request->answer.len, request->head.code, &refusal);
	if (*response->error.message == '\0')
		response->status =
		    error_set(&response->error, api_status_reaction(request->head.code), "%s",
			      refusal.message);
	(void)snprintf(response->reason, sizeof(response->reason), "%s",
		       *refusal.cause != '\0' ? refusal.cause : refusal.reason);
	if (response->retry_after_ms == 0)
		response->retry_after_ms = refusal.retry_after_ms;
}

/* An answer without Content-Length may be cut without HTTP noticing: only whole JSON counts. */
static bool is_cut(const struct buffer *answer)
{
	size_t at = 0;
	while (at < answer->len && is_json_space(answer->data[at]))
		at++;
	if (at == answer->len || answer->data[at] != '{')
		return false;
	struct json_scan scan = {0};
	bool ended = false;
	(void)json_scan_run(&scan, answer->data + at, answer->len - at, &ended);
	return !ended;
}

static void make_response(const struct request *request, const struct transfer_end *end,
			  struct response *ret_response)
{
	bool answered = end->status == STATUS_OK;
	long code = request->head.code;
	*ret_response = (struct response){.http_code = code,
					  .retry_after_ms = request->head.retry_after_ms,
					  .body = request->answer.data,
					  .body_len = request->answer.len};
	if (!answered) {
		ret_response->status = end->status;
		ret_response->error = end->error;
	} else if (request->answer.full) {
		ret_response->status =
		    buffer_check(&request->answer, "the answer", &ret_response->error);
	} else if (code < 200 || code >= 300) {
		fill_refusal(ret_response, request);
	} else if (is_cut(&request->answer)) {
		ret_response->status =
		    error_set(&ret_response->error, STATUS_RETRY, "the answer broke off");
		answered = false;
	}
	if (is_write(request))
		ret_response->ambiguous = (!answered && end->sent) || code >= 500;
	if (ret_response->status != STATUS_OK)
		(void)error_wrap(&ret_response->error, "%s %s", request->method, request->path);
}

/* How long to wait before the next try; false: this was the last one. */
static bool may_retry(const struct request *request, const struct response *response, bool answered,
		      uint64_t *ret_wait_ms)
{
	if (is_write(request) || request->elsewhere || response->status != STATUS_RETRY ||
	    request->tries >= TRIES_MAX)
		return false;
	uint64_t wait = response->retry_after_ms;
	if (answered && wait == 0)
		return false;
	if (wait == 0) {
		wait = (uint64_t)BACKOFF_FIRST_MS << (request->tries - 1);
		wait = wait > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : wait;
	}
	wait += client_random() % (wait / 4 + 1);
	*ret_wait_ms = wait;
	return now_ms() + wait < request->deadline_ms;
}

static void count_retry(const struct request *request)
{
	CLEANUP(str_freep)
	char *labels = xasprintf("%ld\x1f%s\x1f%s", request->head.code, request->method,
				 transport_host(request->client->transport));
	metric_add(request->client->retries, labels, 1);
}

static void on_head(void *context, const struct transfer_head *head)
{
	struct request *request = context;
	request->head = *head;
}

static void on_data(void *context, const char *data, size_t len)
{
	struct request *request = context;
	buffer_add(&request->answer, data, len);
}

static void on_end(void *context, const struct transfer_end *end)
{
	struct request *request = context;
	struct client *client = request->client;
	struct response response;
	uint64_t wait = 0;
	request->transfer = NULL;
	make_response(request, end, &response);
	if (may_retry(request, &response, end->status == STATUS_OK && request->head.code != 200,
		      &wait)) {
		count_retry(request);
		client->running--;
		request->state = REQUEST_WAITING;
		request->due_ms = now_ms() + wait;
	} else {
		deliver(client, request, &response);
	}
	pump(client);
}

static const struct transfer_handler transfer_handler = {on_head, on_data, on_end};

static void run(struct request *request)
{
	struct client *client = request->client;
	uint64_t now = now_ms();
	uint64_t left_ms = now < request->deadline_ms ? request->deadline_ms - now : 0;
	union {
		char **own;
		const char *const *borrowed;
	} headers = {.own = request->headers};
	struct transfer_spec spec = {.method = request->method,
				     .path = request->elsewhere ? NULL : request->path,
				     .url = request->elsewhere ? request->path : NULL,
				     .may_connect = request->may_connect,
				     .connect_context = request->connect_context,
				     .headers = headers.borrowed,
				     .content_type = request->content_type,
				     .accept = request->accept,
				     .body = request->body,
				     .body_len = request->body_len,
				     .timeout_ms = left_ms == 0 ? 1 : (unsigned)left_ms,
				     .fresh_connection = request->tries > 0};
	buffer_release(&request->answer);
	buffer_init(&request->answer, request->limit);
	request->head = (struct transfer_head){0};
	request->tries++;
	request->state = REQUEST_RUNNING;
	client->running++;
	request->transfer = transfer_start(client->transport, &spec, &transfer_handler, request);
}

static void expire(struct client *client, struct request *request)
{
	bool running = request->state == REQUEST_RUNNING;
	struct response response = {.body = "", .ambiguous = running && is_write(request)};
	if (request->transfer != NULL)
		transfer_cancel(request->transfer);
	response.status =
	    error_set(&response.error, STATUS_RETRY, "%s %s: %s", request->method, request->path,
		      running ? "no answer in time" : "not sent in time: too many requests");
	deliver(client, request, &response);
}

/* The first request that is due; those that have waited too long end. */
static struct request *next_due(struct client *client, uint64_t now, bool *ret_expired)
{
	for (struct request *request = client->requests; request != NULL; request = request->next) {
		bool running = request->state == REQUEST_RUNNING;
		*ret_expired = now >= request->deadline_ms + (running ? GRACE_MS : 0);
		bool due = !running && (request->state == REQUEST_QUEUED || now >= request->due_ms);
		if (*ret_expired || (due && client->running < RUNNING_MAX))
			return request;
	}
	return NULL;
}

static void pump(struct client *client)
{
	for (;;) {
		bool expired = false;
		struct request *request = next_due(client, now_ms(), &expired);
		if (request == NULL)
			break;
		if (expired)
			expire(client, request);
		else
			run(request);
	}
	if (client->transport != NULL)
		set_timer(client);
}

enum status client_new(uv_loop_t *loop, const struct client_config *config, const struct log *log,
		       struct metrics *metrics, struct client **ret_client, struct error *err)
{
	struct client *client = xcalloc(1, sizeof(*client));
	client->loop = loop;
	client->log = log;
	client->metrics = metrics;
	enum status status = transport_new(loop, config, log, metrics, &client->transport, err);
	if (status != STATUS_OK) {
		free(client);
		return error_wrap(err, "use %s",
				  config->source == NULL ? "configuration" : config->source);
	}
	client->retries =
	    metrics_family(metrics, METRIC_COUNTER, "rest_client_request_retries_total",
			   "Requests to the API server that were tried again.", "code,verb,host");
	(void)uv_timer_init(loop, &client->timer);
	client->timer.data = client;
	*ret_client = client;
	return STATUS_OK;
}

static void free_when_closed(struct client *client)
{
	if (client->transport_closed && client->timer_closed)
		free(client);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	client->timer_closed = true;
	free_when_closed(client);
}

static void on_transport_closed(void *context)
{
	struct client *client = context;
	client->transport_closed = true;
	free_when_closed(client);
}

static void drop(struct client *client, struct request *request)
{
	if (request->transfer != NULL)
		transfer_cancel(request->transfer);
	unlink_request(client, request);
	request_free(request);
}

void client_close(struct client *client)
{
	while (client->watches != NULL)
		watch_orphan(client->watches);
	while (client->requests != NULL)
		drop(client, client->requests);
	transport_close(client->transport, on_transport_closed, client);
	client->transport = NULL;
	uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static char **copy_headers(const char *const *headers)
{
	size_t count = 0;
	while (headers != NULL && headers[count] != NULL)
		count++;
	if (count == 0)
		return NULL;
	char **copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(headers[i]);
	return copy;
}

struct request *client_send(struct client *client, const struct request_spec *spec,
			    response_fn done, void *context)
{
	struct request *request = xcalloc(1, sizeof(*request));
	unsigned timeout_ms = spec->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : spec->timeout_ms;
	*request = (struct request){.client = client,
				    .previous = client->last,
				    .state = REQUEST_QUEUED,
				    .method = xstrdup(spec->method),
				    .path = xstrdup(spec->url != NULL ? spec->url : spec->path),
				    .elsewhere = spec->url != NULL,
				    .may_connect = spec->may_connect,
				    .connect_context = spec->connect_context,
				    .headers = copy_headers(spec->headers),
				    .limit = spec->limit == 0 ? LIMIT_BODY_BYTES : spec->limit,
				    .content_type = copy_or_null(spec->content_type),
				    .accept = copy_or_null(spec->accept),
				    .body_len = spec->body_len,
				    .deadline_ms = now_ms() + timeout_ms,
				    .done = done,
				    .context = context};
	if (spec->body != NULL) {
		request->body = xmalloc(spec->body_len + 1);
		memcpy(request->body, spec->body, spec->body_len);
	}
	if (client->last != NULL)
		client->last->next = request;
	else
		client->requests = request;
	client->last = request;
	client->count++;
	if (client->running < RUNNING_MAX)
		run(request);
	set_timer(client);
	return request;
}

void request_cancel(struct request *request)
{
	struct client *client = request->client;
	drop(client, request);
	set_timer(client);
}

size_t client_in_flight(const struct client *client)
{
	return client->count;
}
