/* SPDX-License-Identifier: Apache-2.0 */
/* The proof's talk with collector, back end and model servers, played. */
#ifndef LLMD_TEST_TALK_H
#define LLMD_TEST_TALK_H

#include "controller/proof.h"

#include "base/alloc.h"
#include "test.h"

#define START INT64_C(1767225600000000)

struct talk {
	struct proof proof;
	struct proof_targets targets;
	struct trace_hop items[2];
	struct trace_hops hops;
	struct moment now;
	int64_t last_us[2];
};

static inline void talk_init(struct talk *talk)
{
	static char epp_workload[] = "Deployment/epp";
	static char epp_name[] = "epp";
	static char epp_image[] = "llm-d-router-endpoint-picker:v0.9.0";
	static char empty[] = "";
	static char exporter[] = "otlp";
	static char epp_service[] = "llm-d-router/epp";
	static char decode_workload[] = "Deployment/decode";
	static char decode_name[] = "decode";
	static char engine_container[] = "vllm";
	static char engine_image[] = "llm-d-cuda:v0.9.0";
	static char engine_service[] = "vllm-decode";
	*talk = (struct talk){
	    .targets = {.wanted = true,
			.counter = true,
			.calls = true,
			.query = true,
			.own = true,
			.where = "http://tempo:4317"},
	    .items = {{.component = COMPONENT_EPP,
		       .workload = epp_workload,
		       .name = epp_name,
		       .container = epp_name,
		       .image = epp_image,
		       .message = empty,
		       .exporter = exporter,
		       .service = epp_service,
		       .on = true},
		      {.component = COMPONENT_VLLM,
		       .workload = decode_workload,
		       .name = decode_name,
		       .container = engine_container,
		       .image = engine_image,
		       .message = empty,
		       .service = engine_service,
		       .on = true}},
	    .now = {.wall_us = START, .mono_ms = 1000},
	};
	talk->hops = (struct trace_hops){talk->items, 2};
	talk->proof.query = true;
	talk->proof.calls = true;
}

/* The next ask as "PORT PATH", or "wait N". */
static inline const char *ask(struct talk *talk)
{
	static char text[1100];
	struct proof_ask next;
	uint64_t again = 0;
	if (!proof_next(&talk->proof, &talk->targets, talk->now, &next, &again)) {
		(void)snprintf(text, sizeof(text), "wait %llu", (unsigned long long)again);
		return text;
	}
	(void)proof_asked(&talk->proof, &talk->hops);
	(void)snprintf(text, sizeof(text), "%u %s", next.port, next.path);
	return text;
}

static inline void answer(struct talk *talk, const char *body)
{
	struct proof_reply reply = {.status = STATUS_OK, .body = body, .len = strlen(body)};
	proof_answer(&talk->proof, talk->proof.turn, &reply, talk->now);
}

static inline void fail(struct talk *talk, enum status status, const char *message)
{
	struct proof_reply reply = {.status = status, .body = "", .message = message};
	proof_answer(&talk->proof, talk->proof.turn, &reply, talk->now);
}

static inline void judge(struct talk *talk)
{
	CHECK_INT(talk->proof.step, PROOF_JUDGE);
	proof_judge(&talk->proof, &talk->targets, &talk->hops, talk->last_us, talk->now.mono_ms);
}

static inline void pass(struct talk *talk, uint64_t ms)
{
	talk->now.mono_ms += ms;
	talk->now.wall_us += (int64_t)ms * 1000;
}

#define COUNTER(N) "otelcol_receiver_accepted_spans_total " #N "\n"
#define SERVICES   "{\"data\":[\"llm-d-router/epp\",\"vllm-decode\",\"jaeger\"]}"
#define SPAN(ID, NAME)                                                                             \
	"{\"spanID\":\"" ID "\",\"operationName\":\"" NAME "\",\"processID\":\"p\",\
	\"startTime\":1767225600000000,\"duration\":5}"
#define TRACE(ID, SERVICE, SPANS)                                                                  \
	"{\"data\":[{\"traceID\":\"" ID "\",\"spans\":[" SPANS                                     \
	"],\"processes\":{\"p\":{\"serviceName\":\"" SERVICE "\"}}}]}"
#define EPP_TRACE    TRACE("1", "llm-d-router/epp", SPAN("a", "gateway.request"))
#define ENGINE_TRACE TRACE("1", "vllm-decode", SPAN("b", "llm_request"))

static inline void whole_round(struct talk *talk, const char *counter, const char *epp,
			       const char *engine)
{
	(void)ask(talk);
	answer(talk, counter);
	(void)ask(talk);
	answer(talk, SERVICES);
	(void)ask(talk);
	answer(talk, epp);
	(void)ask(talk);
	answer(talk, engine);
	judge(talk);
}

#endif
