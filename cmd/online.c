/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/online.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "k8sclient/list_stream.h"

enum {
	HELLO_MS = 10000,              /* with some tries in it */
	HELLO_WITH_PLUGIN_MS = 120000, /* a credential plugin may ask a person */
	PAGE_ITEMS = 100,              /* of the largest Deployments that are some megabytes */
	PAGES_MAX = 100000,
	RESTARTS_MAX = 3,
};

/* ---- opening and closing ---- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct online *online = handle->data;
	(void)number;
	if (online->interrupted)
		_exit(EXIT_INTERRUPTED);
	online->interrupted = true;
}

static void watch_signal(struct online *online, uv_signal_t *handle, int number)
{
	(void)uv_signal_init(&online->loop, handle);
	handle->data = online;
	(void)uv_signal_start(handle, on_signal, number);
	uv_unref((uv_handle_t *)handle);
}

static enum status load_config(struct online *online, const struct options *options,
			       struct error *err)
{
	struct config_source source = {
	    .kubeconfig = options->kubeconfig,
	    .context = options->context,
	    .kubeconfig_env = secure_getenv("KUBECONFIG"),
	    .home = secure_getenv("HOME"),
	    .service_host = secure_getenv("KUBERNETES_SERVICE_HOST"),
	    .service_port = secure_getenv("KUBERNETES_SERVICE_PORT"),
	};
	enum status status = client_config_load(&source, &online->config, err);
	if (status == STATUS_OK)
		online->config.version = xstrdup(version_text());
	return status;
}

/*
 * Who is there and do they know us: what is wrong with the server or the credentials is
 * told at once, and once. A refusal of just this path says nothing about others.
 */
static enum status say_hello(struct online *online, struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	struct request_spec spec = {
	    .method = "GET",
	    .path = "/version",
	    .timeout_ms = online->config.exec == NULL ? HELLO_MS : HELLO_WITH_PLUGIN_MS};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.http_code != 401 && answer.http_code != 0)
		return STATUS_OK;
	*err = answer.error;
	return error_wrap(err, "the API server %s (%s) %s", online->config.server,
			  online->config.source == NULL ? "?" : online->config.source,
			  answer.http_code == 0 ? "cannot be reached"
						: "does not accept the credentials");
}

enum status online_open(struct online *online, const struct options *options, struct error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	*online = (struct online){.log = {.level = LOG_ERROR, .fd = STDERR_FILENO}, .open = true};
	(void)sigaction(SIGPIPE, &ignore, NULL); /* OpenSSL writes without MSG_NOSIGNAL */
	(void)uv_loop_init(&online->loop);
	online->metrics = metrics_new();
	watch_signal(online, &online->interrupt, SIGINT);
	watch_signal(online, &online->terminate, SIGTERM);
	enum status status = load_config(online, options, err);
	if (status == STATUS_OK)
		status = client_new(&online->loop, &online->config, &online->log, online->metrics,
				    &online->client, err);
	return status == STATUS_OK ? say_hello(online, err) : status;
}

void online_close(struct online *online)
{
	if (!online->open)
		return;
	if (online->client != NULL)
		client_close(online->client);
	uv_close((uv_handle_t *)&online->interrupt, NULL);
	uv_close((uv_handle_t *)&online->terminate, NULL);
	(void)uv_run(&online->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&online->loop);
	metrics_freep(&online->metrics);
	client_config_release(&online->config);
	*online = (struct online){.open = false};
}

const char *online_namespace(const struct online *online, const struct options *options)
{
	if (options->namespace_name != NULL)
		return options->namespace_name;
	return online->config.namespace_name != NULL ? online->config.namespace_name : "default";
}

/* ---- waiting ---- */

bool online_wait(struct online *online, const bool *done, bool finish)
{
	while (!*done && (finish || !online->interrupted))
		(void)uv_run(&online->loop, UV_RUN_ONCE);
	return *done;
}

static void on_time(uv_timer_t *timer)
{
	bool *done = timer->data;
	*done = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

/* True unless interrupted: the time is over, or *wake before. */
static bool wait_for_time(struct online *online, const bool *wake, uint64_t ms)
{
	bool done = false;
	uv_timer_t *timer = xcalloc(1, sizeof(*timer));
	(void)uv_timer_init(&online->loop, timer);
	timer->data = &done;
	uv_update_time(&online->loop);
	(void)uv_timer_start(timer, on_time, ms, 0);
	while (!done && !online->interrupted && (wake == NULL || !*wake))
		(void)uv_run(&online->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)timer, on_timer_closed);
	return !online->interrupted;
}

bool online_sleep(struct online *online, uint64_t ms)
{
	return wait_for_time(online, NULL, ms);
}

bool online_sleep_until(struct online *online, const bool *wake, uint64_t ms)
{
	return wait_for_time(online, wake, ms);
}

enum status online_interrupted(struct error *err)
{
	return error_set(err, STATUS_RETRY, "interrupted");
}

struct waiting {
	struct answer answer;
	bool done;
};

static void on_response(void *context, const struct response *response)
{
	struct waiting *waiting = context;
	struct answer *answer = &waiting->answer;
	answer->status = response->status;
	answer->http_code = response->http_code;
	answer->error = response->error;
	memcpy(answer->reason, response->reason, sizeof(answer->reason));
	buffer_init(&answer->body, LIMIT_BODY_BYTES);
	buffer_add(&answer->body, response->body, response->body_len);
	waiting->done = true;
}

void answer_release(struct answer *answer)
{
	buffer_release(&answer->body);
}

enum status online_request(struct online *online, const struct request_spec *spec,
			   struct answer *ret_answer, struct error *err)
{
	struct waiting waiting = {.done = false};
	struct request *request = client_send(online->client, spec, on_response, &waiting);
	if (!online_wait(online, &waiting.done, false)) {
		request_cancel(request);
		return online_interrupted(err);
	}
	*ret_answer = waiting.answer;
	return STATUS_OK;
}

enum status online_get(struct online *online, const char *path, cJSON **ret_tree, struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	struct request_spec spec = {.method = "GET", .path = path};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.status != STATUS_OK) {
		*err = answer.error;
		return answer.status;
	}
	status = json_parse(answer.body.data, answer.body.len, ret_tree, err);
	return status == STATUS_OK ? STATUS_OK : error_wrap(err, "GET %s", path);
}

/* ---- lists ---- */

struct listing {
	online_item_fn on_item;
	void *context;
};

static bool hand_on(void *context, struct slice item)
{
	const struct listing *listing = context;
	listing->on_item(listing->context, item.data, item.len);
	return true;
}

static void page_path(const char *path, const char *query, const struct buffer *token,
		      struct buffer *out)
{
	buffer_addf(out, "%s?limit=%d", path, PAGE_ITEMS);
	if (query != NULL)
		buffer_addf(out, "&%s", query);
	if (token->len > 0) {
		buffer_add_str(out, "&continue=");
		path_add_escaped(out, token->data);
	}
}

/* `token` becomes that of the next page; empty: this was the last one. */
static enum status read_page(struct online *online, const char *path, const char *query,
			     struct buffer *token, struct listing *listing, struct error *err)
{
	struct buffer page CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	struct list_stream list CLEANUP(list_stream_release) = {0};
	buffer_init(&page, KIB(64));
	page_path(path, query, token, &page);
	struct request_spec spec = {.method = "GET", .path = page.data};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.status != STATUS_OK) {
		*err = answer.error;
		return answer.status;
	}
	list_stream_init(&list, LIMIT_WATCH_FRAME_BYTES);
	status = list_stream_feed(&list, answer.body.data, answer.body.len, hand_on, listing, err);
	if (status == STATUS_OK)
		status = list_stream_end(&list, err);
	if (status == STATUS_OK && list.skipped > 0)
		status = error_set(err, STATUS_LIMIT, "an object is larger than %zu bytes",
				   (size_t)LIMIT_WATCH_FRAME_BYTES);
	if (status != STATUS_OK)
		return error_wrap(err, "GET %s", path);
	buffer_clear(token);
	buffer_add(token, list.continue_token.data, list.continue_token.len);
	return STATUS_OK;
}

enum status online_list(struct online *online, const char *path, const char *query,
			online_item_fn on_item, void *context, struct error *err)
{
	struct listing listing = {.on_item = on_item, .context = context};
	struct buffer token CLEANUP(buffer_release) = {0};
	unsigned restarts = 0;
	buffer_init(&token, KIB(16));
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		enum status status = read_page(online, path, query, &token, &listing, err);
		if (status == STATUS_GONE && token.len > 0 && ++restarts <= RESTARTS_MAX) {
			buffer_clear(&token);
			continue;
		}
		if (status != STATUS_OK || token.len == 0)
			return status;
	}
	return error_set(err, STATUS_LIMIT, "GET %s: more than %d pages", path, (int)PAGES_MAX);
}
