/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_tool --kubeconfig FILE [--cluster] GROUP/PLURAL/VERSION[,VERSION…] …
 * One line on stdout for each discovery_fn call: "GROUP/PLURAL=VERSION|absent|unknown …".
 * Ends when stdin does; a line there asks at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "k8sclient/discovery.h"

enum { KINDS_MAX = 16 };

struct tool {
	uv_loop_t loop;
	uv_poll_t input;
	struct client *client;
	struct discovery *discovery;
	struct discovery_kind kinds[KINDS_MAX];
	size_t count;
};

static void on_change(void *context, const struct discovery_state *states)
{
	struct tool *tool = context;
	for (size_t i = 0; i < tool->count; i++)
		printf("%s%s/%s=%s", i > 0 ? " " : "", tool->kinds[i].group, tool->kinds[i].plural,
		       states[i].answer == DISCOVERY_SERVED   ? states[i].version
		       : states[i].answer == DISCOVERY_ABSENT ? "absent"
							      : "unknown");
	printf("\n");
	(void)fflush(stdout);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	struct tool *tool = poll->data;
	char line[64];
	(void)status;
	(void)events;
	if (read(0, line, sizeof(line)) > 0) {
		discovery_kick(tool->discovery);
		return;
	}
	discovery_stop(tool->discovery);
	client_close(tool->client);
	uv_close((uv_handle_t *)poll, NULL);
}

/* Cuts "a/b/c" in place. */
static bool add_kind(struct tool *tool, char *text)
{
	char *plural = strchr(text, '/');
	char *versions = plural == NULL ? NULL : strchr(plural + 1, '/');
	if (versions == NULL || tool->count == KINDS_MAX)
		return false;
	*plural++ = '\0';
	*versions++ = '\0';
	tool->kinds[tool->count++] = (struct discovery_kind){text, plural, versions};
	return true;
}

static int run(struct tool *tool, const struct client_config *config, bool cluster)
{
	struct error err;
	struct log log = {.level = LOG_INFO, .fd = 2};
	CLEANUP(metrics_freep) struct metrics *metrics = metrics_new();
	(void)uv_loop_init(&tool->loop);
	if (client_new(&tool->loop, config, &log, metrics, &tool->client, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	tool->discovery =
	    discovery_start(tool->client, tool->kinds, tool->count, cluster, on_change, tool);
	(void)uv_poll_init(&tool->loop, &tool->input, 0);
	tool->input.data = tool;
	(void)uv_poll_start(&tool->input, UV_READABLE | UV_DISCONNECT, on_input);
	(void)uv_run(&tool->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&tool->loop) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	struct tool tool = {.count = 0};
	struct config_source source = {.kubeconfig = NULL};
	bool cluster = false;
	bool fine = true;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--kubeconfig") == 0 && i + 1 < argc)
			source.kubeconfig = argv[++i];
		else if (strcmp(argv[i], "--cluster") == 0)
			cluster = true;
		else
			fine = fine && add_kind(&tool, argv[i]);
	}
	struct error err;
	struct client_config config = {0};
	if (!fine || client_config_load(&source, &config, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", fine ? err.message : "usage: see the source");
		return 1;
	}
	int result = run(&tool, &config, cluster);
	client_config_release(&config);
	return result;
}
