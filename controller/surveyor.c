/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/surveyor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "k8sclient/watch.h"

enum {
	TOO_LONG_MS = 120000, /* a list of 50,000 pods takes a minute */
	TRIES = 3,            /* a list that breaks off begins anew with the nodes */
	NODES_MAX = 20000,    /* four times what Kubernetes is made for */
};

struct surveyor {
	struct client *client;
	bool may_read;
	struct moment (*now)(void *context);
	surveyor_fn ended;
	void *context;
	struct watch *watch; /* under way; or NULL */
	bool pods;           /* nodes are through */
	unsigned tries;
	uint64_t began_ms;
	struct survey next;
	struct survey taken;
	struct survey_report report;
	char why[ERROR_MESSAGE_MAX + 64];
	char trouble[ERROR_MESSAGE_MAX];
};

static void on_event(void *context, const struct watch_event *event);

struct surveyor *surveyor_new(struct client *client, bool may_read,
			      struct moment (*now)(void *context), surveyor_fn ended, void *context)
{
	struct surveyor *surveyor = xcalloc(1, sizeof(*surveyor));
	*surveyor = (struct surveyor){
	    .client = client, .may_read = may_read, .now = now, .ended = ended, .context = context};
	return surveyor;
}

static void stop(struct surveyor *surveyor)
{
	if (surveyor->watch != NULL)
		watch_stop(surveyor->watch);
	surveyor->watch = NULL;
}

void surveyor_freep(struct surveyor **surveyor_pointer)
{
	struct surveyor *surveyor = *surveyor_pointer;
	*surveyor_pointer = NULL;
	if (surveyor == NULL)
		return;
	stop(surveyor);
	survey_release(&surveyor->next);
	survey_release(&surveyor->taken);
	free(surveyor);
}

static void list(struct surveyor *surveyor, bool pods)
{
	struct watch_spec spec = {.api_version = "v1", .plural = pods ? "pods" : "nodes"};
	if (pods)
		spec.field_selector =
		    "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";
	stop(surveyor);
	surveyor->pods = pods;
	surveyor->watch = watch_start(surveyor->client, &spec, on_event, surveyor);
}

static void begin_anew(struct surveyor *surveyor)
{
	survey_release(&surveyor->next);
	list(surveyor, false);
}

static void end(struct surveyor *surveyor)
{
	stop(surveyor);
	survey_release(&surveyor->next);
	surveyor->report.at_ms = surveyor->now(surveyor->context).mono_ms;
	surveyor->ended(surveyor->context);
}

static void give_up(struct surveyor *surveyor, const char *why)
{
	survey_release(&surveyor->taken);
	(void)snprintf(surveyor->why, sizeof(surveyor->why), "%s cannot be read: %s",
		       surveyor->pods ? "pods" : "nodes", why);
	surveyor->report.state = SURVEY_UNKNOWN;
	end(surveyor);
}

static void succeed(struct surveyor *surveyor)
{
	survey_release(&surveyor->taken);
	surveyor->taken = surveyor->next;
	surveyor->next = (struct survey){.nodes = NULL};
	surveyor->report.state = SURVEY_TAKEN;
	end(surveyor);
}

static void add(struct surveyor *surveyor, const struct watch_event *event)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	struct error err;
	if (json_parse(event->object, event->object_len, &tree, &err) != STATUS_OK)
		return;
	if (surveyor->pods)
		survey_add_pod(&surveyor->next, tree);
	else if (surveyor->next.count < NODES_MAX)
		survey_add_node(&surveyor->next, tree);
}

/* A cluster whose nodes are not shown (a virtual one) tells nothing. */
static void end_list(struct surveyor *surveyor)
{
	if (surveyor->pods)
		succeed(surveyor);
	else if (surveyor->next.count == 0)
		give_up(surveyor, "the list is empty");
	else if (surveyor->next.count >= NODES_MAX)
		give_up(surveyor, "there are too many");
	else
		list(surveyor, true);
}

static void on_event(void *context, const struct watch_event *event)
{
	struct surveyor *surveyor = context;
	switch (event->type) {
	case WATCH_LIST_ITEM:
		add(surveyor, event);
		break;
	case WATCH_LIST_END:
		end_list(surveyor);
		break;
	case WATCH_LIST_ABORT:
		if (++surveyor->tries < TRIES)
			begin_anew(surveyor);
		else
			give_up(surveyor, "the list breaks off");
		break;
	case WATCH_ABSENT:
		give_up(surveyor, "not served");
		break;
	case WATCH_DENIED:
		give_up(surveyor, event->error->message);
		break;
	case WATCH_TROUBLE: /* tried again by itself */
		(void)snprintf(surveyor->trouble, sizeof(surveyor->trouble), "%s",
			       event->error->message);
		break;
	case WATCH_LIST_BEGIN:
	case WATCH_PUT:
	case WATCH_DELETE:
	case WATCH_ALIVE:
		break;
	}
}

void surveyor_begin(struct surveyor *surveyor)
{
	if (surveyor->watch != NULL || !surveyor->may_read)
		return;
	surveyor->tries = 0;
	surveyor->trouble[0] = '\0';
	surveyor->began_ms = surveyor->now(surveyor->context).mono_ms;
	begin_anew(surveyor);
}

void surveyor_tick(struct surveyor *surveyor)
{
	uint64_t now = surveyor->now(surveyor->context).mono_ms;
	if (surveyor->watch == NULL || now - surveyor->began_ms < TOO_LONG_MS)
		return;
	give_up(surveyor,
		surveyor->trouble[0] == '\0' ? "the list takes too long" : surveyor->trouble);
}

struct survey_report surveyor_report(struct surveyor *surveyor)
{
	struct survey_report report = surveyor->report;
	if (!surveyor->may_read)
		return (struct survey_report){.state = SURVEY_UNKNOWN,
					      .at_ms = surveyor->now(surveyor->context).mono_ms,
					      .why = "nodes are not read in namespaced mode"};
	report.survey = report.state == SURVEY_TAKEN ? &surveyor->taken : NULL;
	report.why = report.state == SURVEY_UNKNOWN ? surveyor->why : NULL;
	return report;
}
