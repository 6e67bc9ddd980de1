/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life times: what may be stopped, cancelled or closed from inside which callback. A small
 * HTTP server lives in the same loop; the sanitizers see what is used after its end, and
 * the loop closes only when every handle is gone.
 */
#include "test.h"

#include <stdint.h>
#include <uv.h>

#include "base/alloc.h"
#include "k8sclient/watch.h"

#define LIST "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"a\":1},{\"b\":2}]}"
#define EVENT                                                                                      \
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"11\"}" \
	"}}\n"

struct fixture {
	uv_loop_t loop;
	uv_tcp_t listener;
	int requests; /* that the server has read */
	bool silent;  /* it answers nothing */
	struct metrics *metrics;
	struct log log;
	struct client *client;
	struct request *request;
	struct request *other;
	struct watch *watch;
	int answers;
	int events;
	int told;
	enum watch_event_type end_at;
	void (*at_end)(struct fixture *f);
};

struct peer {
	uv_tcp_t tcp;
	struct fixture *fixture;
	char chunk[4096];
};

static void on_peer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_peer(struct peer *peer)
{
	if (!uv_is_closing((uv_handle_t *)&peer->tcp))
		uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct peer *peer = handle->data;
	(void)size;
	*buf = uv_buf_init(peer->chunk, sizeof(peer->chunk) - 1);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write);
}

static void say(struct peer *peer, const char *text)
{
	uv_write_t *write = xcalloc(1, sizeof(*write));
	char *unconst = NULL;
	memcpy(&unconst, &text, sizeof(text));
	uv_buf_t buf = uv_buf_init(unconst, (unsigned)strlen(text));
	(void)uv_write(write, (uv_stream_t *)&peer->tcp, &buf, 1, on_written);
}

#define ANSWER(BODY)                                                                               \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" BODY

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct peer *peer = stream->data;
	(void)buf;
	if (n < 0) {
		close_peer(peer);
		return;
	}
	peer->chunk[n] = '\0';
	peer->fixture->requests++;
	if (peer->fixture->silent)
		return;
	if (strstr(peer->chunk, "watch=1") != NULL) {
		say(peer, ANSWER(EVENT));
		return;
	}
	say(peer, strstr(peer->chunk, "limit=") != NULL ? ANSWER(LIST) : ANSWER("{}"));
	close_peer(peer);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fixture *f = listener->data;
	struct peer *peer = xcalloc(1, sizeof(*peer));
	(void)status;
	(void)uv_tcp_init(&f->loop, &peer->tcp);
	peer->tcp.data = peer;
	peer->fixture = f;
	(void)uv_accept(listener, (uv_stream_t *)&peer->tcp);
	(void)uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
}

static bool fixture_init(struct fixture *f)
{
	struct sockaddr_in address;
	struct sockaddr_storage bound;
	int size = sizeof(bound);
	struct error err = {.message = ""};
	*f = (struct fixture){.log = {.level = LOG_ERROR, .fd = 2}, .metrics = metrics_new()};
	(void)uv_loop_init(&f->loop);
	(void)uv_tcp_init(&f->loop, &f->listener);
	f->listener.data = f;
	(void)uv_ip4_addr("127.0.0.1", 0, &address);
	(void)uv_tcp_bind(&f->listener, (const struct sockaddr *)&address, 0);
	(void)uv_listen((uv_stream_t *)&f->listener, 8, on_connection);
	(void)uv_tcp_getsockname(&f->listener, (struct sockaddr *)&bound, &size);
	memcpy(&address, &bound, sizeof(address));
	CLEANUP(str_freep) char *server = xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
	CLEANUP(str_freep) char *proxy = xstrdup("");
	struct client_config config = {.server = server, .proxy_url = proxy};
	return CHECK_INT(client_new(&f->loop, &config, &f->log, f->metrics, &f->client, &err),
			 STATUS_OK);
}

static void on_walk(uv_handle_t *handle, void *context)
{
	(void)context;
	/* Peers whose other side is gone get their end of file soon; only the listener stays. */
	if (handle->type == UV_TCP && handle->data != NULL && !uv_is_closing(handle) &&
	    uv_is_readable((uv_stream_t *)handle) != 0)
		close_peer(handle->data);
}

static void fixture_release(struct fixture *f)
{
	uv_close((uv_handle_t *)&f->listener, NULL);
	for (int turn = 0; turn < 100; turn++)
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_walk(&f->loop, on_walk, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&f->loop), 0);
	metrics_freep(&f->metrics);
}

/* Turns of the loop until the condition holds; each waits for something to happen. */
#define RUN_UNTIL(F, CONDITION)                                                                    \
	do {                                                                                       \
		for (int turn_ = 0; turn_ < 10000 && !(CONDITION); turn_++)                        \
			(void)uv_run(&(F)->loop, UV_RUN_ONCE);                                     \
		CHECK(CONDITION);                                                                  \
	} while (0)

static void close_client(struct fixture *f)
{
	client_close(f->client);
	f->client = NULL;
}

static void on_response(void *context, const struct response *response)
{
	struct fixture *f = context;
	f->answers++;
	CHECK_INT(response->status, STATUS_OK);
	CHECK_STR(response->body, "{}");
	f->request = NULL;
	if (f->at_end != NULL)
		f->at_end(f);
}

static void send_one(struct fixture *f, struct request **ret_request)
{
	struct request_spec spec = {.method = "GET", .path = "/x"};
	*ret_request = client_send(f->client, &spec, on_response, f);
}

TEST(a_request_is_answered_once)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	send_one(&f, &f.request);
	CHECK_INT(f.answers, 0);
	CHECK_INT(client_in_flight(f.client), 1);
	RUN_UNTIL(&f, f.answers == 1);
	CHECK_INT(client_in_flight(f.client), 0);
	close_client(&f);
	fixture_release(&f);
	CHECK_INT(f.answers, 1);
}

TEST(the_client_may_be_closed_inside_an_answer)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	f.at_end = close_client;
	send_one(&f, &f.request);
	send_one(&f, &f.other);
	RUN_UNTIL(&f, f.answers == 1);
	fixture_release(&f);
	CHECK_INT(f.answers, 1);
}

static void cancel_other(struct fixture *f)
{
	if (f->other != NULL)
		request_cancel(f->other);
	f->other = NULL;
}

TEST(another_request_may_be_cancelled_inside_an_answer)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	f.at_end = cancel_other;
	send_one(&f, &f.request);
	f.silent = false;
	RUN_UNTIL(&f, f.requests == 1);
	f.silent = true;
	send_one(&f, &f.other);
	RUN_UNTIL(&f, f.answers == 1);
	CHECK_INT(client_in_flight(f.client), 0);
	close_client(&f);
	fixture_release(&f);
	CHECK_INT(f.answers, 1);
}

static void send_another(struct fixture *f)
{
	if (f->answers < 3)
		send_one(f, &f->request);
}

TEST(a_request_may_be_sent_inside_an_answer)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	f.at_end = send_another;
	send_one(&f, &f.request);
	RUN_UNTIL(&f, f.answers == 3);
	close_client(&f);
	fixture_release(&f);
}

TEST(cancelled_before_and_while_it_runs)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	f.silent = true;
	send_one(&f, &f.request);
	request_cancel(f.request);
	send_one(&f, &f.request);
	RUN_UNTIL(&f, f.requests == 1);
	request_cancel(f.request);
	CHECK_INT(client_in_flight(f.client), 0);
	close_client(&f);
	fixture_release(&f);
	CHECK_INT(f.answers, 0);
}

static bool count_late(void *context, const char *address)
{
	struct fixture *f = context;
	CHECK_STR(address, "127.0.0.1");
	f->events += f->told; /* its context may be gone by then */
	return true;
}

static void cancel_from_outside(uv_async_t *async)
{
	struct fixture *f = async->data;
	request_cancel(f->request);
	f->told = 1;
	uv_close((uv_handle_t *)async, NULL);
}

/* The word and the socket's readiness come in one turn of the loop. */
TEST(cancelled_while_it_connects)
{
	struct fixture f;
	struct sockaddr_in bound;
	int size = sizeof(bound);
	uv_async_t async;
	if (!fixture_init(&f))
		return;
	(void)uv_tcp_getsockname(&f.listener, (struct sockaddr *)&bound, &size);
	CLEANUP(str_freep) char *url = xasprintf("http://127.0.0.1:%d/x", ntohs(bound.sin_port));
	struct request_spec spec = {
	    .method = "GET", .url = url, .may_connect = count_late, .connect_context = &f};
	(void)uv_async_init(&f.loop, &async, cancel_from_outside);
	async.data = &f;
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	f.request = client_send(f.client, &spec, on_response, &f);
	(void)uv_async_send(&async);
	RUN_UNTIL(&f, f.told == 1);
	for (int turn = 0; turn < 10; turn++)
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	CHECK_INT(f.events, 0);
	CHECK_INT(f.requests, 0);
	close_client(&f);
	fixture_release(&f);
	CHECK_INT(f.answers, 0);
}

TEST(closed_with_requests_and_watches_under_way)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	f.silent = true;
	send_one(&f, &f.request);
	RUN_UNTIL(&f, f.requests == 1);
	for (int i = 0; i < 40; i++)
		send_one(&f, &f.other);
	close_client(&f);
	fixture_release(&f);
	CHECK_INT(f.answers, 0);
}

static void stop_watch(struct fixture *f)
{
	watch_stop(f->watch);
	f->watch = NULL;
}

static void stop_watch_and_client(struct fixture *f)
{
	stop_watch(f);
	close_client(f);
}

static void close_client_then_stop_watch(struct fixture *f)
{
	close_client(f);
	stop_watch(f);
}

static void kick(struct fixture *f)
{
	watch_kick(f->watch);
	watch_kick(f->watch);
}

static void on_event(void *context, const struct watch_event *event)
{
	struct fixture *f = context;
	f->events++;
	if (event->type == f->end_at && f->at_end != NULL) {
		void (*at_end)(struct fixture *) = f->at_end;
		f->at_end = NULL;
		at_end(f);
		f->told = f->events;
	}
}

static void start_watch(struct fixture *f)
{
	struct watch_spec spec = {.api_version = "v1", .plural = "xs"};
	f->watch = watch_start(f->client, &spec, on_event, f);
	CHECK_INT(f->events, 0);
}

static const struct {
	const char *name;
	void (*at_end)(struct fixture *f);
	bool stops;
} ends[] = {
    {"stop", stop_watch, true},
    {"stop and close", stop_watch_and_client, true},
    {"close and stop", close_client_then_stop_watch, true},
    {"close", close_client, true},
    {"kick", kick, false},
};

/* Inside each kind of event; nothing is told afterwards. */
TEST(a_watch_may_end_inside_any_of_its_events)
{
	static const enum watch_event_type types[] = {WATCH_LIST_BEGIN, WATCH_LIST_ITEM,
						      WATCH_LIST_END, WATCH_PUT};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		for (size_t j = 0; j < ARRAY_LEN(types); j++) {
			struct fixture f;
			if (!fixture_init(&f))
				return;
			f.end_at = types[j];
			f.at_end = ends[i].at_end;
			start_watch(&f);
			RUN_UNTIL(&f, f.told > 0);
			int told = f.told;
			for (int turn = 0; turn < 20; turn++)
				(void)uv_run(&f.loop, UV_RUN_NOWAIT);
			if (ends[i].stops)
				CHECK_INT_ROW(f.events, told, ends[i].name);
			if (f.watch != NULL)
				watch_stop(f.watch);
			if (f.client != NULL)
				client_close(f.client);
			fixture_release(&f);
		}
	}
}

TEST(a_watch_that_never_began)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	start_watch(&f);
	stop_watch(&f);
	start_watch(&f);
	close_client(&f);
	watch_kick(f.watch);
	stop_watch(&f);
	fixture_release(&f);
	CHECK_INT(f.events, 0);
}
