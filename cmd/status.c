/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: how a namespace stands, once or for as long as somebody looks. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "cmd/status_tree.h"
#include "k8sclient/watch.h"

enum {
	GATHER_MS = 300,   /* one event seldom comes alone */
	REREAD_MS = 30000, /* what cannot be watched from here is read again */
};

struct looking {
	const struct options *options;
	struct online *online;
	const char *namespace_name;
	cJSON *shown; /* last time; NULL: nothing yet */
	bool terminal;
	bool stirred; /* something has changed */
	struct watch *watches[RESOURCE_COUNT];
};

/* ---- showing ---- */

static void show_json(const struct looking *l, const cJSON *tree, struct buffer *out)
{
	if (l->options->watch)
		json_print(tree, out); /* one line each */
	else
		json_print_pretty(tree, out);
	buffer_add_char(out, '\n');
}

/* On a terminal the screen is drawn anew; else what is new is added. */
static void show_text(const struct looking *l, const cJSON *tree, struct buffer *out)
{
	if (l->options->watch && l->terminal)
		buffer_add_str(out, "\033[H\033[2J\033[3J");
	if (l->shown == NULL || l->terminal)
		status_show(tree, out);
	else
		status_show_changes(l->shown, tree, out);
}

static enum status look(struct looking *l, struct error *err)
{
	struct inventory inventory = {.store = NULL};
	struct buffer out CLEANUP(buffer_release) = {0};
	cJSON *tree CLEANUP(json_freep) = NULL;
	l->stirred = false;
	enum status status =
	    inventory_read(l->online, l->namespace_name, INVENTORY_ALL, &inventory, err);
	if (status == STATUS_OK)
		status = status_tree_build(l->online, &inventory, l->namespace_name, &tree, err);
	inventory_release(&inventory);
	if (status != STATUS_OK || (l->shown != NULL && json_equal(l->shown, tree)))
		return status;
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	if (l->options->output == OUTPUT_JSON)
		show_json(l, tree, &out);
	else
		show_text(l, tree, &out);
	status = emit_flush(&out, err);
	json_freep(&l->shown);
	l->shown = TAKE_PTR(tree);
	return status;
}

/* ---- watching ---- */

static void on_event(void *context, const struct watch_event *event)
{
	struct looking *l = context;
	switch (event->type) {
	case WATCH_LIST_END: /* what came between our own list and this one */
	case WATCH_PUT:
	case WATCH_DELETE:
		l->stirred = true;
		break;
	default:
		break;
	}
}

static bool is_watched(const struct resource *resource)
{
	unsigned wanted = RESOURCE_WORKLOAD | RESOURCE_SURROUNDING | RESOURCE_ALWAYS_KEPT;
	return (resource->flags & wanted) != 0 &&
	       (resource->flags & (RESOURCE_CLUSTER_SCOPED | RESOURCE_ON_DEMAND)) == 0;
}

static void start_watches(struct looking *l)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		const struct resource *resource = resource_get((enum resource_id)i);
		struct watch_spec spec = {.api_version = resource->api_version,
					  .plural = resource->plural,
					  .namespace_name = l->namespace_name};
		if (is_watched(resource))
			l->watches[i] = watch_start(l->online->client, &spec, on_event, l);
	}
}

static void looking_release(struct looking *l)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++)
		if (l->watches[i] != NULL)
			watch_stop(l->watches[i]);
	json_freep(&l->shown);
}

/* Trouble with the server passes, or a person ends it. */
static bool is_passing(const struct looking *l, enum status status)
{
	return status == STATUS_RETRY && !l->online->interrupted;
}

static enum status go_on(struct looking *l, struct error *err)
{
	uint64_t begin = uv_hrtime() / 1000000U;
	uint64_t limit = l->options->timeout_ms;
	start_watches(l);
	for (;;) {
		uint64_t passed = uv_hrtime() / 1000000U - begin;
		uint64_t left =
		    limit == 0 || limit - passed > REREAD_MS ? REREAD_MS : limit - passed;
		if (limit > 0 && passed >= limit)
			return STATUS_OK;
		if (!online_sleep_until(l->online, &l->stirred, left) ||
		    !online_sleep(l->online, GATHER_MS))
			return online_interrupted(err);
		enum status status = look(l, err);
		if (status == STATUS_OK)
			continue;
		if (!is_passing(l, status))
			return status;
		(void)fprintf(stderr, "llmd-tracing: %s\n", err->message);
	}
}

int command_status(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct looking l CLEANUP(looking_release) = {
	    .options = options, .online = &online, .terminal = isatty(STDOUT_FILENO) != 0};
	enum status status = STATUS_OK;
	if (options->timeout_ms > 0 && !options->watch)
		status = error_set(&err, STATUS_INVALID, "status: --timeout goes with --watch");
	if (status == STATUS_OK)
		status = online_open(&online, options, &err);
	if (status == STATUS_OK) {
		l.namespace_name = online_namespace(&online, options);
		status = look(&l, &err);
	}
	if (status == STATUS_OK && options->watch)
		status = go_on(&l, &err);
	if (status == STATUS_OK)
		return 0;
	int code = report(status, &err);
	return online.interrupted ? EXIT_INTERRUPTED : code;
}
