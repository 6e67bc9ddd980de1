/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "controller/events.h"

static bool decide(struct events *events, const char *name, const char *note, uint64_t mono_ms,
		   struct event_request *ret_request)
{
	struct intents intents = {0};
	struct moment now = {.wall_us = INT64_C(1767225600000001), .mono_ms = mono_ms};
	intents_add_event(&intents, RESOURCE_DEPLOYMENT, "llm-d", name, "uid-1",
			  REASON_OPAQUE_COMMAND, "Skip", note);
	bool sent = events_decide(events, &intents.items[0], now, ret_request);
	intents_release(&intents);
	return sent;
}

TEST(an_event_has_all_that_the_api_asks_for)
{
	CLEANUP(events_freep) struct events *events = events_new("pod-1");
	struct event_request request;
	if (!CHECK(decide(events, "decode", "why", 1000, &request)))
		return;
	CHECK(!request.repeat);
	CHECK_STR(request.namespace_name, "llm-d");
	CHECK(strncmp(request.name, "decode.", 7) == 0);
	CHECK_STR(json_str(request.body, "eventTime"), "2026-01-01T00:00:00.000001Z");
	CHECK_STR(json_str(request.body, "reason"), "OpaqueCommand");
	CHECK_STR(json_str(request.body, "type"), "Warning");
	CHECK_STR(json_str(request.body, "action"), "Skip");
	CHECK_STR(json_str(request.body, "reportingInstance"), "pod-1");
	CHECK_STR(json_str(request.body, "regarding.kind"), "Deployment");
	CHECK_STR(json_str(request.body, "regarding.apiVersion"), "apps/v1");
	CHECK_STR(json_str(request.body, "regarding.uid"), "uid-1");
	CHECK_STR(json_str(request.body, "note"), "why");
	event_request_release(&request);
}

TEST(repetitions_become_a_series_told_once_a_minute)
{
	CLEANUP(events_freep) struct events *events = events_new("");
	struct event_request first;
	struct event_request next;
	if (!CHECK(decide(events, "decode", "why", 0, &first)))
		return;
	CHECK(!decide(events, "decode", "why", 1000, &next));
	CHECK(!decide(events, "decode", "why", 59999, &next));
	if (CHECK(decide(events, "decode", "why", 60000, &next))) {
		CHECK(next.repeat);
		CHECK_STR(next.name, first.name);
		CHECK_INT(json_int(next.body, "series.count", 0), 4);
		event_request_release(&next);
	}
	/* after six idle minutes it is a new one */
	if (CHECK(decide(events, "decode", "why", 60000 + 6 * 60000, &next))) {
		CHECK(!next.repeat);
		CHECK(strcmp(next.name, first.name) != 0);
		event_request_release(&next);
	}
	event_request_release(&first);
}

TEST(an_object_has_a_bucket_of_25)
{
	CLEANUP(events_freep) struct events *events = events_new("");
	struct event_request request;
	int sent = 0;
	char note[32];
	for (int i = 0; i < 100; i++) {
		(void)snprintf(note, sizeof(note), "note %d", i);
		if (!decide(events, "noisy", note, 1000, &request))
			continue;
		sent++;
		event_request_release(&request);
	}
	CHECK_INT(sent, 25);
	/* another object is not held back, and five minutes give one more */
	if (CHECK(decide(events, "quiet", "x", 1000, &request)))
		event_request_release(&request);
	if (CHECK(decide(events, "noisy", "later", 1000 + 300 * 1000, &request)))
		event_request_release(&request);
	CHECK(!decide(events, "noisy", "too soon", 1000 + 300 * 1000, &request));
}

TEST(memory_is_bounded_and_notes_are_cut)
{
	CLEANUP(events_freep) struct events *events = events_new("");
	struct event_request request;
	char name[32];
	char *note = xmalloc(2001);
	for (size_t i = 0; i < 2000; i += 2)
		memcpy(note + i, "\xC3\xA9", 2);
	note[2000] = '\0';
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "workload-%d", i);
		if (CHECK(decide(events, name, note, (uint64_t)i, &request))) {
			CHECK_INT(strlen(json_str(request.body, "note")), 1024);
			event_request_release(&request);
		}
	}
	free(note);
}

TEST(a_cluster_scoped_object_is_told_of_in_default)
{
	CLEANUP(events_freep) struct events *events = events_new("");
	struct intents intents = {0};
	struct event_request request;
	intents_add_event(&intents, RESOURCE_NAMESPACE, "", "team-a", "u", REASON_BAD_SWITCH_VALUE,
			  "Reconcile", "words");
	if (CHECK(events_decide(events, &intents.items[0], (struct moment){0}, &request))) {
		CHECK_STR(request.namespace_name, "default");
		CHECK(json_get(request.body, "regarding.namespace") == NULL);
		event_request_release(&request);
	}
	intents_release(&intents);
}
