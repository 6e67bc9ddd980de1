/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "webhook/server.h"

enum { LARGE = 50000 };

static void health(void *context, struct server_answer *answer)
{
	(void)context;
	buffer_add_str(&answer->body, "ok\n");
}

static void not_ready(void *context, struct server_answer *answer)
{
	answer->code = 503;
	buffer_addf(&answer->body, "waiting for %s\n", (const char *)context);
}

static void large(void *context, struct server_answer *answer)
{
	(void)context;
	for (int i = 0; i < LARGE; i++)
		buffer_add_char(&answer->body, 'x');
}

static const struct server_route routes[] = {
    {"/healthz", health}, {"/readyz", not_ready}, {"/large", large}, {NULL, NULL}};

struct fixture {
	uv_loop_t loop;
	struct server *server;
	struct log log;
	char context[8];
};

static bool fixture_init(struct fixture *f)
{
	struct error err = {.message = ""};
	*f = (struct fixture){.log = {.level = LOG_ERROR, .fd = 2}, .context = "lists"};
	uv_loop_init(&f->loop);
	return CHECK_INT(
	    server_new(&f->loop, "127.0.0.1:0", routes, f->context, &f->log, &f->server, &err),
	    STATUS_OK);
}

static void fixture_release(struct fixture *f)
{
	server_close(f->server);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	server_free(f->server);
	CHECK_INT(uv_loop_close(&f->loop), 0);
}

/* Until the server's loop or the client has something to do; its timers are not asked for, hence the bound. */
static void wait_for_either(const uv_loop_t *loop, int client, bool sends)
{
	struct pollfd fds[] = {
	    {.fd = uv_backend_fd(loop), .events = POLLIN},
	    {.fd = client, .events = (short)(sends ? POLLIN | POLLOUT : POLLIN)},
	};
	(void)poll(fds, ARRAY_LEN(fds), 10);
}

/* Sends `request` and runs the loop until the peer closes or `want` stands in the answer. */
static void talk(struct fixture *f, const char *request, const char *want, char *answer,
		 size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)server_port(f->server)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	(void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
	size_t sent = 0;
	size_t used = 0;
	for (int turn = 0; turn < 20000 && strstr(answer, want) == NULL; turn++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		if (sent < strlen(request)) {
			ssize_t n = send(fd, request + sent, strlen(request) - sent, MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
		}
		ssize_t n = recv(fd, answer + used, size - used - 1, 0);
		if (n == 0)
			break;
		if (n < 0) {
			wait_for_either(&f->loop, fd, sent < strlen(request));
			continue;
		}
		used += (size_t)n;
		answer[used] = '\0';
	}
	close(fd);
}

static const struct {
	const char *request;
	const char *status_line;
	const char *body;
} table[] = {
    {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "\r\n\r\nok\n"},
    {"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 503", "\r\n\r\nwaiting for lists\n"},
    {"GET /other HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "no such path\n"},
    {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405",
     "not allowed\n"},
    {"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "content-length: 3"},
};

TEST(routes)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char answer[4096] = "";
		talk(&f, table[i].request, table[i].body, answer, sizeof(answer));
		if (!CHECK(strncmp(answer, table[i].status_line, strlen(table[i].status_line)) ==
			       0 &&
			   strstr(answer, table[i].body) != NULL))
			printf("  %s -> %s\n", table[i].request, answer);
	}
	fixture_release(&f);
}

TEST(large_body_is_whole)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	char *answer = calloc(1, (size_t)LARGE + 4096);
	talk(&f, "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "\1", answer,
	     (size_t)LARGE + 4096);
	const char *body = strstr(answer, "\r\n\r\n");
	CHECK(body != NULL);
	if (body != NULL)
		CHECK_INT(strspn(body + 4, "x"), LARGE);
	free(answer);
	fixture_release(&f);
}

TEST(upgrades_are_refused)
{
	static const char *const upgrades[] = {
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
	    "h2c\r\n"
	    "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(upgrades); i++) {
		struct fixture f;
		if (!fixture_init(&f))
			return;
		char answer[4096] = "";
		talk(&f, upgrades[i], "\r\n\r\n", answer, sizeof(answer));
		if (!CHECK(strstr(answer, " 101 ") == NULL))
			printf("  %s\n", answer);
		fixture_release(&f);
	}
}

TEST(bad_binds)
{
	static const char *const binds[] = {"", "8080", "127.0.0.1:", "127.0.0.1:70000",
					    "127.0.0.1:x"};
	uv_loop_t loop;
	uv_loop_init(&loop);
	const struct log log = {.level = LOG_ERROR, .fd = 2};
	for (size_t i = 0; i < ARRAY_LEN(binds); i++) {
		struct server *server = NULL;
		struct error err = {.message = ""};
		CHECK_INT_ROW(server_new(&loop, binds[i], routes, NULL, &log, &server, &err),
			      STATUS_INVALID, binds[i]);
		CHECK(strstr(err.message, "ADDRESS:PORT") != NULL);
	}
	CHECK_INT(uv_loop_close(&loop), 0);
}

/* A peer that asks for the end and goes must not keep its place: many more than there are places. */
TEST(closed_connections_give_their_place_back)
{
	static const char *const requests[] = {
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n"};
	struct fixture f;
	if (!fixture_init(&f))
		return;
	for (int i = 0; i < 200; i++) {
		char answer[4096] = "";
		talk(&f, requests[i % 3], "\r\n\r\nok\n", answer, sizeof(answer));
		if (!CHECK(strstr(answer, "\r\n\r\nok\n") != NULL))
			break;
	}
	fixture_release(&f);
}
