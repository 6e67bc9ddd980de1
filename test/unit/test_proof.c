/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the proof asks and when, and what it says of the answers. */
#include "talk.h"

TEST(a_round_with_tempo)
{
	static const char found[] = "{\"traces\":[{\"traceID\":\"1\"},{\"traceID\":\"2\"}]}";
	static const char *const spans[] = {"llm-d-router/epp", "vllm-decode"};
	struct talk talk;
	struct proof_ask next;
	uint64_t again = 0;
	talk_init(&talk);
	talk.targets.url = "http://tempo.shop.svc:3200/";
	talk.targets.tenant = "team";
	talk.targets.dialect = talk.proof.dialect = QUERY_TEMPO;
	CHECK_STR(ask(&talk), "8888 /metrics");
	answer(&talk, COUNTER(4));
	CHECK(proof_next(&talk.proof, &talk.targets, talk.now, &next, &again));
	CHECK_STR(next.tenant, "team");
	CHECK_STR(ask(&talk), "0 http://tempo.shop.svc:3200/api/search/tag/service.name/values");
	answer(&talk, "{\"tagValues\":[\"llm-d-router/epp\",\"vllm-decode\"]}");
	CHECK_STR(ask(&talk),
		  "0 http://tempo.shop.svc:3200/api/search?q=%7Bresource.service.name%3D"
		  "%22llm-d-router%2Fepp%22%7D&limit=5");
	answer(&talk, found);
	CHECK_STR(ask(&talk),
		  "0 http://tempo.shop.svc:3200/api/search?q=%7Bresource.service.name%3D"
		  "%22vllm-decode%22%7D&limit=5");
	answer(&talk, found);
	CHECK_STR(ask(&talk),
		  "0 http://tempo.shop.svc:3200/api/traces/00000000000000000000000000000001");
	fail(&talk, STATUS_NOT_FOUND, "gone since");
	CHECK_STR(ask(&talk),
		  "0 http://tempo.shop.svc:3200/api/traces/00000000000000000000000000000002");
	char body[1024] = "";
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		size_t len = strlen(body);
		(void)snprintf(
		    body + len, sizeof(body) - len,
		    "%s{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
		    "\"stringValue\":\"%s\"}}]},\"scopeSpans\":[{\"spans\":[{\"traceId\":\"2\","
		    "\"spanId\":\"%zu\",\"name\":\"%s\",\"startTimeUnixNano\":\"1000\","
		    "\"endTimeUnixNano\":\"2000\"}]}]}",
		    i == 0 ? "{\"batches\":[" : ",", spans[i], i + 1,
		    i == 0 ? "gateway.request" : "llm_request");
	}
	(void)strncat(body, "]}", sizeof(body) - strlen(body) - 1);
	answer(&talk, body);
	judge(&talk);
	CHECK_STR(talk.proof.received.status, "True");
	CHECK_STR(talk.proof.connected.status, "True");
	proof_release(&talk.proof);
}

TEST(a_round)
{
	struct talk talk;
	talk_init(&talk);
	CHECK_STR(ask(&talk), "8888 /metrics");
	CHECK_STR(ask(&talk), "wait 0"); /* one at a time */
	answer(&talk, COUNTER(4));
	CHECK_STR(ask(&talk), "16686 /api/services");
	answer(&talk, SERVICES);
	CHECK_STR(ask(&talk), "16686 /api/traces?service=llm-d-router%2Fepp&limit=5");
	answer(&talk, EPP_TRACE);
	CHECK_STR(ask(&talk), "16686 /api/traces?service=vllm-decode&limit=5");
	answer(&talk, ENGINE_TRACE);
	CHECK_STR(ask(&talk), "wait 0");
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "SpansReceived");
	CHECK_STR(talk.proof.connected.reason, "Connected");
	CHECK_INT(talk.proof.heard, 2);
	CHECK_STR(ask(&talk), "wait 30000");
	pass(&talk, 30000);
	CHECK_STR(ask(&talk), "8888 /metrics");
	answer(&talk, COUNTER(6));
	(void)ask(&talk);
	answer(&talk, SERVICES);
	CHECK_STR(ask(&talk), "16686 /api/traces?service=llm-d-router%2Fepp&limit=5"
			      "&start=1767222030000000&end=1767225630000000");
	proof_release(&talk.proof);
}

TEST(no_traffic_is_asked_about_less_and_less)
{
	static const char *const waits[] = {"wait 60000", "wait 120000", "wait 240000",
					    "wait 300000", "wait 300000"};
	struct talk talk;
	talk_init(&talk);
	whole_round(&talk, COUNTER(4), EPP_TRACE, ENGINE_TRACE);
	pass(&talk, 30000);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		CHECK_STR(ask(&talk), "8888 /metrics");
		answer(&talk, COUNTER(4));
		CHECK_STR(ask(&talk), waits[i]); /* the back end is left alone */
		pass(&talk, 300000);
	}
	(void)ask(&talk);
	answer(&talk, COUNTER(5)); /* it moves: at once the back end, and the short pause again */
	CHECK_STR(ask(&talk), "16686 /api/services");
	answer(&talk, "{\"data\":null}");
	judge(&talk);
	CHECK_STR(ask(&talk), "wait 30000");
	pass(&talk, 30000);
	(void)ask(&talk);
	answer(&talk,
	       COUNTER(5)); /* what was accepted may have been on its way: looked at once more */
	CHECK_STR(ask(&talk), "16686 /api/services");
	answer(&talk, "{\"data\":null}");
	judge(&talk);
	CHECK_STR(ask(&talk), "wait 60000");
	pass(&talk, 60000);
	(void)ask(&talk);
	answer(&talk, COUNTER(5)); /* for two minutes after it has moved */
	CHECK_STR(ask(&talk), "16686 /api/services");
	answer(&talk, "{\"data\":null}");
	judge(&talk);
	CHECK_STR(ask(&talk), "wait 120000");
	pass(&talk, 120000);
	(void)ask(&talk);
	answer(&talk, COUNTER(5));
	CHECK_STR(ask(&talk), "wait 240000");
	proof_wake(&talk.proof, talk.now.mono_ms); /* a new workload */
	CHECK_STR(ask(&talk), "wait 1000");
	pass(&talk, 1000);
	CHECK_STR(ask(&talk), "8888 /metrics");
	answer(&talk, COUNTER(5));
	CHECK_STR(ask(&talk), "16686 /api/services");
	proof_release(&talk.proof);
}

TEST(nothing_accepted_means_nobody_else_is_asked)
{
	struct talk talk;
	talk_init(&talk);
	(void)ask(&talk);
	answer(&talk, COUNTER(0));
	judge(&talk);
	CHECK_STR(talk.proof.received.status, "False");
	CHECK_STR(talk.proof.received.reason, "NoTraffic");
	CHECK_STR(talk.proof.connected.status, "Unknown");
	CHECK_STR(
	    talk.proof.received.message,
	    "spans of 0 of 2 traced containers have arrived; missing: llm-d-router/epp, "
	    "vllm-decode. no span of a request has arrived: none was served since, or all came "
	    "with an unsampled traceparent; send one: `kubectl llmd-tracing verify --send "
	    "URL`");
	proof_release(&talk.proof);
}

TEST(who_cannot_be_asked)
{
	struct verdict received;
	struct verdict connected;
	struct talk talk;
	talk_init(&talk);
	talk.targets.wanted = false;
	CHECK_STR(ask(&talk), "wait 0");
	proof_tell(&talk.proof, &talk.targets, &received, &connected);
	CHECK_STR(received.reason, "NothingTraced");
	talk.targets.wanted = true;
	talk.targets.counter = false;
	CHECK_STR(ask(&talk), "wait 0");
	proof_tell(&talk.proof, &talk.targets, &received, &connected);
	CHECK_STR(connected.reason, "CollectorNotQueryable");
	talk.targets.counter = true;
	proof_tell(&talk.proof, &talk.targets, &received, &connected);
	CHECK_STR(received.status, NULL); /* not asked yet: what was said before holds */
	talk.proof.query = false;
	(void)ask(&talk);
	answer(&talk, COUNTER(7));
	CHECK_STR(ask(&talk), "8889 /metrics");
	answer(&talk, "calls_total{service_name=\"vllm-decode\"} 7\n");
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "Silent");
	CHECK_STR(talk.proof.connected.status, "Unknown");
	CHECK_STR(talk.proof.connected.reason, "BackendNotQueryable");
	CHECK_STR(talk.proof.connected.message,
		  "whether spans form one trace cannot be asked of http://tempo:4317");
	talk.proof.calls = false;
	pass(&talk, 30000);
	(void)ask(&talk);
	answer(&talk, COUNTER(9));
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "BackendNotQueryable");
	proof_release(&talk.proof);
}

TEST(answers_that_do_not_come)
{
	struct verdict received;
	struct verdict connected;
	struct talk talk;
	talk_init(&talk);
	for (int i = 0; i < 3; i++) {
		proof_tell(&talk.proof, &talk.targets, &received, &connected);
		CHECK_STR(received.status, NULL); /* once or twice is nothing to tell */
		CHECK_STR(ask(&talk), "8888 /metrics");
		fail(&talk, STATUS_RETRY, "Service otel-collector, port 8888: refused");
		pass(&talk, 300000);
	}
	proof_tell(&talk.proof, &talk.targets, &received, &connected);
	CHECK_STR(received.reason, "NotAnswering");
	CHECK_STR(received.message, "Service otel-collector, port 8888: refused");
	(void)ask(&talk);
	answer(&talk, COUNTER(4));
	(void)ask(&talk);
	answer(&talk, "<html>");
	CHECK_STR(ask(&talk), "wait 60000"); /* the round is given up */
	CHECK_INT(talk.proof.step, PROOF_COUNTER);
	pass(&talk, 60000);
	CHECK_STR(ask(&talk), "8888 /metrics");
	unsigned long late = talk.proof.turn - 1;
	struct proof_reply reply = {.status = STATUS_OK, .body = COUNTER(9), .len = 40};
	proof_answer(&talk.proof, late, &reply, talk.now);
	CHECK(talk.proof.asking);
	proof_put_off(&talk.proof, talk.now.mono_ms);
	CHECK_STR(ask(&talk), "wait 1000");
	proof_release(&talk.proof);
}

TEST(answers_that_are_too_large)
{
	struct talk talk;
	talk_init(&talk);
	(void)ask(&talk);
	answer(&talk, COUNTER(4));
	(void)ask(&talk);
	answer(&talk, SERVICES);
	(void)ask(&talk);
	fail(&talk, STATUS_LIMIT, "the answer: larger than 1048576 bytes");
	CHECK_STR(ask(&talk), "16686 /api/traces?service=llm-d-router%2Fepp&limit=1");
	fail(&talk, STATUS_LIMIT, "the answer: larger than 1048576 bytes");
	CHECK_STR(ask(&talk), "16686 /api/traces?service=vllm-decode&limit=1");
	answer(&talk, ENGINE_TRACE);
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "SpansReceived"); /* the list of services knew them */
	CHECK_STR(talk.proof.connected.reason, "NotConnected");
	proof_release(&talk.proof);
}

TEST(a_back_end_that_came_up_just_now)
{
	struct talk talk;
	talk_init(&talk);
	talk.targets.fresh = true;
	(void)ask(&talk);
	answer(&talk, COUNTER(4));
	(void)ask(&talk);
	answer(&talk, "{\"data\":null}");
	judge(&talk);
	CHECK_STR(talk.proof.received.status, "Unknown");
	CHECK_STR(talk.proof.received.reason, "BackendRestarted");
	CHECK_STR(talk.proof.connected.reason, "BackendRestarted");
	/* that is no answer for ever: it is asked again, also when nobody sends anything meanwhile */
	talk.targets.fresh = false;
	pass(&talk, 30000);
	CHECK_STR(ask(&talk), "8888 /metrics");
	answer(&talk, COUNTER(4));
	CHECK_STR(ask(&talk), "16686 /api/services");
	answer(&talk, "{\"data\":null}");
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "Silent");
	pass(&talk, 300000);
	(void)ask(&talk);
	answer(&talk, COUNTER(4));
	CHECK(strncmp(ask(&talk), "wait", 4) == 0);
	proof_release(&talk.proof);
	talk_init(&talk); /* where nothing was accepted, nothing can have been lost */
	talk.targets.fresh = true;
	(void)ask(&talk);
	answer(&talk, COUNTER(0));
	judge(&talk);
	CHECK_STR(talk.proof.received.reason, "NoTraffic");
	proof_release(&talk.proof);
}

TEST(an_old_proxy_is_not_called_broken)
{
	struct talk talk;
	talk_init(&talk);
	talk.items[0].component = COMPONENT_ROUTING_PROXY;
	talk.items[0].detached = true;
	whole_round(&talk, COUNTER(4),
		    TRACE("2", "llm-d-router/epp", SPAN("a", "llm_d.pd_proxy.POST /v1")),
		    ENGINE_TRACE);
	CHECK_STR(talk.proof.received.status, "True");
	CHECK_STR(talk.proof.connected.status, "False");
	CHECK_STR(talk.proof.connected.reason, "ProxyHandsNoContextOn");
	proof_release(&talk.proof);
}

/* Under traffic only what people may act upon changes; times and ids once a minute. */
TEST(what_changes_with_each_request_moves_once_a_minute)
{
	char first[TRACE_ID_SIZE];
	struct talk talk;
	talk_init(&talk);
	whole_round(&talk, COUNTER(4), EPP_TRACE, ENGINE_TRACE);
	int64_t shown = talk.proof.shown_us;
	CHECK_INT(talk.last_us[0], START + 5);
	memcpy(first, talk.proof.trace_id, sizeof(first));
	pass(&talk, 30000);
	static const char later[] = TRACE(
	    "2", "llm-d-router/epp",
	    "{\"spanID\":\"c\",\"operationName\":\"gateway.request\","
	    "\"processID\":\"p\",\"startTime\":1767225630000000,\"duration\":5},"
	    "{\"spanID\":\"d\",\"operationName\":\"llm_request\",\"process\":{\"serviceName\":"
	    "\"vllm-decode\"},\"startTime\":1767225630000000,\"duration\":5}");
	whole_round(&talk, COUNTER(6), later, later);
	CHECK_INT(talk.proof.shown_us, shown);
	CHECK_INT(talk.last_us[0], START + 5);
	CHECK_STR(talk.proof.trace_id, first);
	CHECK(strstr(talk.proof.connected.message, first) != NULL);
	pass(&talk, 30000);
	static const char much_later[] = TRACE(
	    "3", "llm-d-router/epp",
	    "{\"spanID\":\"c\",\"operationName\":\"gateway.request\","
	    "\"processID\":\"p\",\"startTime\":1767225660000000,\"duration\":5},"
	    "{\"spanID\":\"d\",\"operationName\":\"llm_request\",\"process\":{\"serviceName\":"
	    "\"vllm-decode\"},\"startTime\":1767225660000000,\"duration\":5}");
	whole_round(&talk, COUNTER(8), much_later, much_later);
	CHECK_INT(talk.last_us[0], START + 60000005);
	CHECK_STR(talk.proof.trace_id, "00000000000000000000000000000003");
	CHECK(strstr(talk.proof.connected.message, "00000003") != NULL);
	proof_release(&talk.proof);
}
