/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_tool --kubeconfig FILE API_VERSION PLURAL [-n NAMESPACE] [-l LABELS] [-f FIELDS]
 *            [--metadata] [--streaming] [--once] [--quiet] [--debug]
 * One line on stdout for each watch_event. --once ends after the first complete list; else it
 * ends when stdin does, and prints the metrics last (a line "METRICS" before them).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "k8sclient/slice.h"
#include "k8sclient/watch.h"

static const char *const names[] = {[WATCH_LIST_BEGIN] = "LIST_BEGIN",
				    [WATCH_LIST_ITEM] = "LIST_ITEM",
				    [WATCH_LIST_ABORT] = "LIST_ABORT",
				    [WATCH_LIST_END] = "LIST_END",
				    [WATCH_PUT] = "PUT",
				    [WATCH_DELETE] = "DELETE",
				    [WATCH_ABSENT] = "ABSENT",
				    [WATCH_DENIED] = "DENIED",
				    [WATCH_TROUBLE] = "TROUBLE",
				    [WATCH_ALIVE] = "ALIVE"};

struct tool {
	uv_loop_t loop;
	uv_poll_t input;
	struct client *client;
	struct watch *watch;
	bool reads; /* stdin is a pipe */
	bool once;
	bool quiet;
	bool ended;
};

static void print_object(const struct watch_event *event)
{
	struct slice object = {event->object, event->object_len};
	struct slice metadata;
	struct slice value;
	char name[256] = "";
	char space[256] = "";
	char version[64] = "";
	if (slice_member(object, "metadata", &metadata)) {
		if (!slice_member(metadata, "name", &value) ||
		    !slice_string(value, name, sizeof(name)))
			name[0] = '\0';
		if (!slice_member(metadata, "namespace", &value) ||
		    !slice_string(value, space, sizeof(space)))
			space[0] = '\0';
	}
	if (!slice_resource_version(object, version, sizeof(version)))
		version[0] = '\0';
	printf(" %s/%s rv=%s bytes=%zu", space, name, version, event->object_len);
}

static void end(struct tool *tool)
{
	if (tool->ended)
		return;
	tool->ended = true;
	watch_stop(tool->watch);
	client_close(tool->client);
	if (tool->reads)
		uv_close((uv_handle_t *)&tool->input, NULL);
}

static void on_event(void *context, const struct watch_event *event)
{
	struct tool *tool = context;
	if (!tool->quiet || event->type != WATCH_LIST_ITEM) {
		printf("%s", names[event->type]);
		if (event->object != NULL)
			print_object(event);
		if (event->type == WATCH_LIST_BEGIN)
			printf(" reset=%d", event->reset);
		if (event->resource_version != NULL)
			printf(" rv=%s", event->resource_version);
		if (event->error != NULL)
			printf(" %s", event->error->message);
		printf("\n");
		(void)fflush(stdout);
	}
	if (event->type == WATCH_LIST_END && tool->once)
		end(tool);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	struct tool *tool = poll->data;
	char line[64];
	(void)status;
	(void)events;
	ssize_t n = read(0, line, sizeof(line));
	if (n > 0 && memchr(line, 'k', (size_t)n) != NULL)
		watch_kick(tool->watch);
	if (n <= 0)
		end(tool);
}

static void print_metrics(const struct metrics *metrics)
{
	struct buffer out;
	buffer_init(&out, 1U << 20);
	metrics_print(metrics, &out);
	printf("METRICS\n%s", out.data);
	buffer_release(&out);
}

static int run(struct tool *tool, const struct client_config *config, const struct watch_spec *spec,
	       const struct log *log)
{
	struct error err;
	CLEANUP(metrics_freep) struct metrics *metrics = metrics_new();
	(void)uv_loop_init(&tool->loop);
	if (client_new(&tool->loop, config, log, metrics, &tool->client, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	tool->watch = watch_start(tool->client, spec, on_event, tool);
	tool->reads = !tool->once && uv_poll_init(&tool->loop, &tool->input, 0) == 0;
	tool->input.data = tool;
	if (tool->reads)
		(void)uv_poll_start(&tool->input, UV_READABLE | UV_DISCONNECT, on_input);
	(void)uv_run(&tool->loop, UV_RUN_DEFAULT);
	print_metrics(metrics);
	return uv_loop_close(&tool->loop) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	struct tool tool = {.once = false};
	struct watch_spec spec = {.metadata_only = false};
	struct config_source source = {.kubeconfig = NULL};
	struct log log = {.level = LOG_INFO, .fd = 2};
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--metadata") == 0)
			spec.metadata_only = true;
		else if (strcmp(argv[i], "--streaming") == 0)
			spec.streaming_list = true;
		else if (strcmp(argv[i], "--once") == 0)
			tool.once = true;
		else if (strcmp(argv[i], "--quiet") == 0)
			tool.quiet = true;
		else if (strcmp(argv[i], "--debug") == 0)
			log.level = LOG_DEBUG;
		else if (strcmp(argv[i], "--kubeconfig") == 0)
			source.kubeconfig = next, i++;
		else if (strcmp(argv[i], "-n") == 0)
			spec.namespace_name = next, i++;
		else if (strcmp(argv[i], "-l") == 0)
			spec.label_selector = next, i++;
		else if (strcmp(argv[i], "-f") == 0)
			spec.field_selector = next, i++;
		else if (spec.api_version == NULL)
			spec.api_version = argv[i];
		else
			spec.plural = argv[i];
	}
	struct error err;
	struct client_config config = {0};
	if (spec.plural == NULL || client_config_load(&source, &config, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n",
			spec.plural == NULL ? "usage: see the source" : err.message);
		return 1;
	}
	int result = run(&tool, &config, &spec, &log);
	client_config_release(&config);
	return result;
}
