/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/proof_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define COLLECTOR "otel-collector"
#define JAEGER    "jaeger-collector"

enum {
	ROUND_MS = 30000,
	ROUND_LONGEST_MS = 300000,
	SOON_MS = 1000,
	SERVICES_MAX = 8, /* whose traces are asked for in a round */
	TRACES_EACH = 5,
	LOOKBACK_S = 3600,
	IDS_MAX = 20, /* traces of a round that are asked for one by one */
	SETTLE_MS = 120000,
};

static void forget_round(struct proof *proof)
{
	trace_names_release(&proof->wanted);
	trace_names_release(&proof->services);
	trace_names_release(&proof->ids);
	trace_release(&proof->trace);
	trace_counters_release(&proof->counters);
	proof->next = 0;
	proof->narrow = false;
}

void proof_release(struct proof *proof)
{
	forget_round(proof);
	free(proof->trouble);
	*proof = (struct proof){.trouble = NULL};
}

void proof_hurry(struct proof *proof, uint64_t mono_ms)
{
	if (proof->due_ms > mono_ms + SOON_MS)
		proof->due_ms = mono_ms + SOON_MS;
}

void proof_wake(struct proof *proof, uint64_t mono_ms)
{
	proof->awake = true;
	proof->idle = 0;
	unsampled_forget(&proof->unsampled);
	proof_hurry(proof, mono_ms);
}

/* Path and query of a question to the back end. */
static void add_query(const struct proof *proof, struct moment now, struct buffer *out)
{
	struct trace_search search = {.limit = proof->narrow ? 1 : TRACES_EACH};
	switch (proof->step) {
	case PROOF_NAMES:
		trace_query_names(proof->dialect, out);
		break;
	case PROOF_TRACES: /* of the last hour, once there is something to compare with */
		search.service = proof->wanted.items[proof->next];
		search.end_us = proof->judged ? now.wall_us : 0;
		search.start_us = now.wall_us - (int64_t)LOOKBACK_S * 1000000;
		trace_query_search(proof->dialect, &search, out);
		break;
	default:
		trace_query_trace(proof->dialect, proof->ids.items[proof->next], out);
	}
}

static void ask_back_end(const struct proof *proof, const struct proof_targets *targets,
			 struct moment now, struct proof_ask *ask)
{
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, sizeof(ask->path) - 1);
	*ask = (struct proof_ask){.service = JAEGER, .port = 16686};
	if (targets->url != NULL) {
		size_t len = strlen(targets->url);
		*ask = (struct proof_ask){.service = "query", .tenant = targets->tenant};
		buffer_add(&out, targets->url, targets->url[len - 1] == '/' ? len - 1 : len);
	}
	add_query(proof, now, &out);
	(void)snprintf(ask->path, sizeof(ask->path), "%s", out.data);
}

bool proof_next(const struct proof *proof, const struct proof_targets *targets, struct moment now,
		struct proof_ask *ret_ask, uint64_t *ret_again_ms)
{
	*ret_again_ms = 0;
	if (!targets->wanted || !targets->counter || proof->asking || proof->step == PROOF_JUDGE)
		return false;
	if (now.mono_ms < proof->due_ms) {
		*ret_again_ms = proof->due_ms - now.mono_ms;
		return false;
	}
	if (proof->step == PROOF_SERVED && targets->engine == NULL)
		return false; /* proof_settle goes on */
	if (proof->step == PROOF_SERVED)
		*ret_ask = (struct proof_ask){.service = "engine", .engine = targets->engine};
	else if (proof->step == PROOF_COUNTER || proof->step == PROOF_CALLS)
		*ret_ask = (struct proof_ask){.service = COLLECTOR,
					      .port = proof->step == PROOF_COUNTER ? 8888 : 8889,
					      .path = "/metrics"};
	else
		ask_back_end(proof, targets, now, ret_ask);
	return true;
}

unsigned long proof_asked(struct proof *proof, const struct trace_hops *hops)
{
	if (proof->step == PROOF_COUNTER) {
		forget_round(proof);
		unsampled_expect(&proof->unsampled, hops, proof->heard > 0);
		for (size_t i = 0; i < hops->count && proof->wanted.count < SERVICES_MAX; i++)
			if (hops->items[i].on && hops->items[i].service != NULL)
				trace_names_add(&proof->wanted, hops->items[i].service);
	}
	proof->asking = true;
	return ++proof->turn;
}

void proof_put_off(struct proof *proof, uint64_t mono_ms)
{
	proof->asking = false;
	proof->due_ms = mono_ms + SOON_MS;
}

/* Doubles with each round that brought nothing. */
static void end_round(struct proof *proof, uint64_t mono_ms)
{
	uint64_t wait = ROUND_MS;
	for (unsigned i = 0; i < proof->idle && wait < ROUND_LONGEST_MS; i++)
		wait *= 2;
	wait = wait > ROUND_LONGEST_MS ? ROUND_LONGEST_MS : wait;
	if (unsampled_hurries(&proof->unsampled) && wait > UNSAMPLED_PAUSE_MS)
		wait = UNSAMPLED_PAUSE_MS;
	proof->due_ms = mono_ms + wait;
	proof->step = PROOF_COUNTER;
	forget_round(proof);
}

static void give_up(struct proof *proof, const char *message, uint64_t mono_ms)
{
	free(proof->trouble);
	proof->trouble = xstrdup(message == NULL ? "no answer" : message);
	proof->failures++;
	proof->idle++;
	end_round(proof, mono_ms);
}

/* What was accepted a short while ago may be on its way still: batched, flushed, indexed. */
static bool is_more_to_come(const struct proof *proof, uint64_t mono_ms)
{
	return proof->accepted > 0 && mono_ms - proof->moved_ms <= SETTLE_MS &&
	       (!text_equal(proof->received.status, "True") ||
		text_equal(proof->connected.status, "False"));
}

/* The back end is asked only when there is something new to it. */
static void go_on(struct proof *proof, uint64_t mono_ms)
{
	if (!proof->look)
		end_round(proof, mono_ms);
	else if (proof->accepted <= 0)
		proof->step = PROOF_JUDGE; /* nobody can have got anything */
	else if (proof->query)
		proof->step = PROOF_NAMES;
	else
		proof->step = proof->calls ? PROOF_CALLS : PROOF_JUDGE;
}

/* Gentle where there is no traffic. */
static void take_counter(struct proof *proof, uint64_t mono_ms)
{
	double accepted = proof->counters.value[COUNTER_ACCEPTED];
	double filtered = proof->counters.value[COUNTER_FILTERED];
	double sent = proof->counters.value[COUNTER_SENT];
	bool moved = !proof->counted || accepted < proof->accepted || accepted > proof->accepted ||
		     filtered > proof->filtered;
	if (moved)
		proof->moved_ms = mono_ms;
	bool news = unsampled_count(&proof->unsampled, &proof->counters, mono_ms);
	proof->look =
	    moved || news || proof->awake || !proof->judged || is_more_to_come(proof, mono_ms);
	proof->counted = true;
	proof->accepted = accepted;
	proof->filtered = filtered;
	proof->passed = accepted - filtered;
	proof->sent = sent;
	proof->idle = moved ? 0 : proof->idle + 1;
	if (proof->engines > 0 && unsampled_wants(&proof->unsampled, mono_ms))
		proof->step = PROOF_SERVED;
	else
		go_on(proof, mono_ms);
}

/* That nobody answers is no trouble of the proof's. */
static void take_served(struct proof *proof, const struct proof_reply *reply, uint64_t mono_ms)
{
	struct trace_counters servers = {.calls = NULL};
	if (reply->status == STATUS_OK)
		trace_counters_read(reply->body, reply->len, &servers);
	unsampled_answer(&proof->unsampled, reply->server,
			 servers.known[COUNTER_SERVED] ? servers.value[COUNTER_SERVED] : -1,
			 proof->engines, mono_ms);
	trace_counters_release(&servers);
	go_on(proof, mono_ms);
}

void proof_skip_served(struct proof *proof, uint64_t mono_ms)
{
	go_on(proof, mono_ms);
}

/* On to the next service that the back end knows. */
static void next_service(struct proof *proof, size_t from)
{
	proof->next = from;
	while (proof->next < proof->wanted.count &&
	       !trace_names_has(&proof->services, proof->wanted.items[proof->next]))
		proof->next++;
	if (proof->next < proof->wanted.count) {
		proof->step = PROOF_TRACES;
		return;
	}
	proof->next = 0;
	proof->step = proof->ids.count > 0 ? PROOF_EACH : PROOF_JUDGE;
}

static void next_trace(struct proof *proof)
{
	proof->next++;
	if (proof->next >= proof->ids.count || proof->next >= IDS_MAX)
		proof->step = PROOF_JUDGE;
}

static void take_answer(struct proof *proof, const struct proof_reply *reply, struct moment now)
{
	struct error err;
	enum status status = STATUS_OK;
	switch (proof->step) {
	case PROOF_COUNTER:
	case PROOF_CALLS:
		trace_counters_read(reply->body, reply->len, &proof->counters);
		break;
	case PROOF_NAMES:
		status = trace_query_read_names(proof->dialect, reply->body, reply->len,
						&proof->services, &err);
		break;
	case PROOF_TRACES:
		status = trace_query_read_search(proof->dialect, reply->body, reply->len,
						 &proof->trace, &proof->ids, &err);
		break;
	case PROOF_EACH:
		status = trace_query_read_trace(proof->dialect, reply->body, reply->len,
						&proof->trace, &err);
		break;
	default:
		return;
	}
	if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
		give_up(proof, err.message, now.mono_ms);
		return;
	}
	proof->failures = 0;
	if (proof->step == PROOF_COUNTER)
		take_counter(proof, now.mono_ms);
	else if (proof->step == PROOF_CALLS)
		proof->step = PROOF_JUDGE;
	else if (proof->step == PROOF_EACH)
		next_trace(proof);
	else
		next_service(proof, proof->step == PROOF_NAMES ? 0 : proof->next + 1);
}

void proof_answer(struct proof *proof, unsigned long turn, const struct proof_reply *reply,
		  struct moment now)
{
	if (!proof->asking || turn != proof->turn)
		return;
	proof->asking = false;
	if (proof->step == PROOF_SERVED)
		take_served(proof, reply, now.mono_ms);
	else if (reply->status == STATUS_OK)
		take_answer(proof, reply, now);
	else if (reply->status == STATUS_LIMIT && proof->step == PROOF_TRACES && !proof->narrow)
		proof->narrow = true; /* too large: fewer at a time */
	else if (reply->status == STATUS_LIMIT && proof->step == PROOF_TRACES)
		next_service(proof, proof->next + 1);
	else if (proof->step == PROOF_EACH &&
		 (reply->status == STATUS_LIMIT || reply->status == STATUS_NOT_FOUND))
		next_trace(proof); /* too large, or gone since the search */
	else
		give_up(proof, reply->message, now.mono_ms);
}

/* --- conclusions (proof_judge.c draws them) --- */

void proof_judge(struct proof *proof, const struct proof_targets *targets,
		 const struct trace_hops *hops, int64_t *last_us, uint64_t mono_ms)
{
	bool asked = proof->query && proof->accepted > 0;
	struct trace_observation seen = {
	    .trace = asked ? &proof->trace : NULL,
	    .services = asked ? &proof->services : NULL,
	    .counters = &proof->counters,
	    .tls = targets->own ? ANSWER_NO : ANSWER_UNKNOWN,
	    .traffic = proof->unsampled.told ? ANSWER_YES : ANSWER_UNKNOWN,
	    .backend_fresh = targets->fresh && proof->accepted > 0,
	};
	proof_conclude(proof, targets, hops, &seen, last_us);
	proof->judged = true;
	proof->awake =
	    targets->fresh; /* that verdict holds for two minutes, with traffic or without */
	end_round(proof, mono_ms);
}
