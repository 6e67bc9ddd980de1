/* SPDX-License-Identifier: Apache-2.0 */
/* A step of the proof: model servers are asked what they have served. */
#include "talk.h"

#define UPTIME(N) "otelcol_process_uptime " #N "\n"

static void served(struct talk *talk, const char *body)
{
	static const struct served_at at = {.pod = "decode-1-a", .uid = "u", .port = 8200};
	struct proof_reply reply = {
	    .status = STATUS_OK, .body = body, .len = strlen(body), .server = &at};
	proof_answer(&talk->proof, talk->proof.turn, &reply, talk->now);
}

static void silent_round(struct talk *talk, const char *uptime, const char *requests)
{
	CHECK_STR(ask(talk), "8888 /metrics");
	answer(talk, uptime);
	CHECK_STR(ask(talk), "0 "); /* a model server */
	served(talk, requests);
	if (talk->proof.step == PROOF_JUDGE)
		judge(talk);
	CHECK_STR(ask(talk), "wait 15000");
	pass(talk, 15000);
}

TEST(requests_without_spans)
{
	struct talk talk;
	talk_init(&talk);
	talk.targets.engine = &talk.items[1];
	talk.proof.engines = talk.targets.engines = 1;
	silent_round(&talk, COUNTER(0) UPTIME(660), "vllm:request_success_total 20\n");
	CHECK_STR(talk.proof.received.reason, "NoTraffic");
	silent_round(&talk, COUNTER(0) UPTIME(675), "vllm:request_success_total 40\n");
	CHECK(!talk.proof.unsampled.told);
	(void)ask(&talk);
	answer(&talk, COUNTER(0) UPTIME(690));
	judge(&talk);
	CHECK(talk.proof.unsampled.told);
	CHECK_STR(talk.proof.received.reason, "UnsampledParent");
	pass(&talk, 300000);
	CHECK_STR(ask(&talk), "8888 /metrics");
	answer(&talk, COUNTER(0) UPTIME(990));
	CHECK(strncmp(ask(&talk), "wait", 4) == 0); /* no server is asked while that holds */
	pass(&talk, 300000);
	whole_round(&talk, COUNTER(4) UPTIME(1290), EPP_TRACE, ENGINE_TRACE);
	CHECK(!talk.proof.unsampled.told);
	CHECK_STR(talk.proof.received.status, "True");
	proof_release(&talk.proof);
}

TEST(a_model_server_that_does_not_answer_is_no_trouble)
{
	struct verdict received;
	struct verdict connected;
	struct talk talk;
	talk_init(&talk);
	talk.targets.engine = &talk.items[1];
	talk.proof.engines = talk.targets.engines = 1;
	(void)ask(&talk);
	answer(&talk, COUNTER(0) UPTIME(660));
	CHECK_STR(ask(&talk), "0 ");
	fail(&talk, STATUS_RETRY, "Pod decode-1-a, port 8200: refused");
	judge(&talk);
	CHECK_INT(talk.proof.failures, 0);
	proof_tell(&talk.proof, &talk.targets, &received, &connected);
	CHECK_STR(received.reason, "NoTraffic");
	pass(&talk, 60000);
	(void)ask(&talk);
	answer(&talk, COUNTER(0) UPTIME(720));
	talk.targets.engine = NULL; /* a rollout has begun meanwhile */
	CHECK_STR(ask(&talk), "wait 0");
	proof_skip_served(&talk.proof, talk.now.mono_ms);
	CHECK(strncmp(ask(&talk), "wait", 4) == 0);
	CHECK_INT(talk.proof.step, PROOF_COUNTER);
	proof_release(&talk.proof);
}
