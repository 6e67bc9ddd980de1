/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_tool --kubeconfig FILE [--pod-dir DIR HOST PORT] [--timeout MS] [--each MS]
 *              METHOD PATH [CONTENT_TYPE BODY] …
 * Sends the requests one after the other (METHOD PATH, for methods other than GET and DELETE
 * with CONTENT_TYPE and BODY), waiting --each milliseconds in between, and prints for each
 * one line: STATUS HTTP_CODE ambiguous=0|1 retry_after=MS reason=… error=… body=…
 * A PATH that is a URL goes to another server, with "Traceparent: t", an answer of at most
 * 1000 bytes, and never to the address of --avoid ADDRESS.
 * Ends with the metrics after a line "METRICS". "*N" before METHOD sends it N times at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "k8sclient/client.h"

struct tool {
	uv_loop_t loop;
	uv_timer_t timer;
	struct client *client;
	char **args;
	int left;
	unsigned timeout_ms;
	unsigned each_ms;
	const char *avoid;
	size_t waiting;
};

static void send_next(struct tool *tool);

static void on_timer(uv_timer_t *timer)
{
	send_next(timer->data);
}

static void print_body(const struct response *response)
{
	for (size_t i = 0; i < response->body_len && i < 300; i++)
		(void)putchar(response->body[i] == '\n' ? ' ' : response->body[i]);
	(void)putchar('\n');
}

static void on_response(void *context, const struct response *response)
{
	struct tool *tool = context;
	printf("%s %ld ambiguous=%d retry_after=%u reason=%s error=%s body=",
	       status_info(response->status)->name, response->http_code, response->ambiguous,
	       response->retry_after_ms, response->reason,
	       response->status == STATUS_OK ? "" : response->error.message);
	print_body(response);
	(void)fflush(stdout);
	if (--tool->waiting == 0)
		(void)uv_timer_start(&tool->timer, on_timer, tool->each_ms, 0);
}

static const char *take(struct tool *tool)
{
	if (tool->left == 0)
		return NULL;
	tool->left--;
	return *tool->args++;
}

static bool may_connect(void *context, const char *address)
{
	const struct tool *tool = context;
	return tool->avoid == NULL || strcmp(tool->avoid, address) != 0;
}

static void send_elsewhere(struct tool *tool, struct request_spec *spec)
{
	static const char *const headers[] = {"Traceparent: t", NULL};
	spec->url = spec->path;
	spec->headers = headers;
	spec->limit = 1000;
	spec->may_connect = may_connect;
	spec->connect_context = tool;
}

static void send_next(struct tool *tool)
{
	const char *method = take(tool);
	size_t times = 1;
	if (method != NULL && *method == '*') {
		times = strtoul(method + 1, NULL, 10);
		method = take(tool);
	}
	if (method == NULL) {
		client_close(tool->client);
		uv_close((uv_handle_t *)&tool->timer, NULL);
		return;
	}
	struct request_spec spec = {
	    .method = method, .path = take(tool), .timeout_ms = tool->timeout_ms};
	if (strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0) {
		spec.content_type = take(tool);
		spec.body = take(tool);
		spec.body_len = strlen(spec.body);
	}
	if (strncmp(spec.path, "http", 4) == 0)
		send_elsewhere(tool, &spec);
	tool->waiting = times;
	for (size_t i = 0; i < times; i++)
		(void)client_send(tool->client, &spec, on_response, tool);
}

static void print_metrics(const struct metrics *metrics)
{
	struct buffer out;
	buffer_init(&out, 1U << 20);
	metrics_print(metrics, &out);
	printf("METRICS\n%s", out.data);
	buffer_release(&out);
}

static int run(struct tool *tool, const struct client_config *config)
{
	struct error err;
	struct log log = {.level = LOG_INFO, .fd = 2};
	CLEANUP(metrics_freep) struct metrics *metrics = metrics_new();
	(void)uv_loop_init(&tool->loop);
	if (client_new(&tool->loop, config, &log, metrics, &tool->client, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	(void)uv_timer_init(&tool->loop, &tool->timer);
	tool->timer.data = tool;
	send_next(tool);
	(void)uv_run(&tool->loop, UV_RUN_DEFAULT);
	print_metrics(metrics);
	return uv_loop_close(&tool->loop) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	struct tool tool = {.args = argv + 1, .left = argc - 1};
	struct config_source source = {.kubeconfig = NULL};
	while (tool.left > 1 && strncmp(*tool.args, "--", 2) == 0) {
		const char *option = take(&tool);
		if (strcmp(option, "--kubeconfig") == 0) {
			source.kubeconfig = take(&tool);
		} else if (strcmp(option, "--timeout") == 0) {
			tool.timeout_ms = (unsigned)strtoul(take(&tool), NULL, 10);
		} else if (strcmp(option, "--avoid") == 0) {
			tool.avoid = take(&tool);
		} else if (strcmp(option, "--each") == 0) {
			tool.each_ms = (unsigned)strtoul(take(&tool), NULL, 10);
		} else if (strcmp(option, "--pod-dir") == 0) {
			source.pod_dir = take(&tool);
			source.service_host = take(&tool);
			source.service_port = take(&tool);
		}
	}
	struct error err;
	struct client_config config = {0};
	if (client_config_load(&source, &config, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	int result = run(&tool, &config);
	client_config_release(&config);
	return result;
}
