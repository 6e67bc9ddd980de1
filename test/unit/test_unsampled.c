/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are served while no span arrives: what is compared, when, and what is said of it. */
#include "hops.h"
#include "tree.h"

#include "controller/sampling_tell.h"
#include "controller/unsampled.h"

/*
 * A story, word by word:
 *   c ACCEPTED FILTERED REFUSED UPTIME   the collector's counters (UPTIME -: not shown)
 *   a POD SERVED                         a model server answers (SERVED -: it does not)
 *   t SECONDS                            time passes
 *   w, f                                 what is expected has changed; …
 */
struct story {
	const char *name;
	const char *ratio; /* of the endpoint picker; NULL: 1.0 */
	const char *text;
	const char *end; /* "told", "not", "unknown", … " asks" */
};

static const struct story stories[] = {
    {"nothing is known at first", NULL, "", "unknown"},
    {"a silent collector: asked at once", NULL, "c 0 0 0 1100", "unknown asks"},
    {"requests and no span", NULL, "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 15 t 15 c 0 0 0 1130",
     "told"},
    {"engines had been heard starting", NULL,
     "c 7 0 0 1100 t 30 c 7 0 0 1130 a p 0 t 15 c 7 0 0 1145 a p 10 t 15 c 7 0 0 1160", "told"},
    {"not while spans are moving", NULL, "c 7 0 0 1100 t 30 c 9 0 0 1130", "not"},
    {"one fewer is not enough", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 14 t 15 c 0 0 0 1130", "unknown"},
    {"few add up", NULL,
     "c 0 0 0 1100 a p 0 t 15 c 0 0 0 1115 a p 6 t 60 c 0 0 0 1175 a p 12 t 15 c 0 0 0 1190",
     "told"},
    {"spans of the last ones may be on their way", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 14 c 0 0 0 1129", "unknown"},
    {"and they came", NULL, "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 3 0 0 1130", "not"},
    {"no traffic stays no traffic", NULL,
     "c 0 0 0 1100 a p 500 t 15 c 0 0 0 1115 a p 500 t 60 c 0 0 0 1175 a p 500 t 600 c 0 0 0 1775 "
     "a p 500 t 900 c 0 0 0 2675",
     "unknown asks"},
    {"a hundredth is kept, and few were served", "0.01",
     "c 0 0 0 1100 a p 0 t 15 c 0 0 0 1115 a p 999 t 15 c 0 0 0 1130", "unknown"},
    {"a hundredth is kept, and many were served", "0.01",
     "c 0 0 0 1100 a p 0 t 15 c 0 0 0 1115 a p 1000 t 15 c 0 0 0 1130", "told"},
    {"nothing is to be kept", "0", "c 0 0 0 1100", "unknown"},
    {"scrapes are no requests", NULL,
     "c 4 4 0 1100 a p 5 t 15 c 8 8 0 1115 a p 15 t 15 c 12 12 0 1130", "told"},
    {"it turns spans away: they do come", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 15 t 15 c 0 0 6 1130", "not"},
    {"a server that began anew", NULL,
     "c 0 0 0 1100 a p 500 t 15 c 0 0 0 1115 a p 20 t 15 c 0 0 0 1130 a p 25 t 60 c 0 0 0 1190",
     "unknown asks"},
    {"another pod of that name", NULL,
     "c 0 0 0 1100 a p/1 5 t 15 c 0 0 0 1115 a p/2 50 t 15 c 0 0 0 1130", "unknown asks"},
    {"a collector that began anew may have had them", NULL,
     "c 0 0 0 1100 a p 5 t 300 c 0 0 0 200 a p 50 t 15 c 0 0 0 215", "unknown asks"},
    {"so may one between two answers", NULL,
     "c 0 0 0 200 a p 5 t 500 c 0 0 0 490 a p 50 t 15 c 0 0 0 505", "unknown asks"},
    {"a young one: senders may be on their way back to it", NULL,
     "c 0 0 0 120 a p 5 t 15 c 0 0 0 135 a p 50 t 15 c 0 0 0 150", "unknown"},
    {"one that does not say since when it runs", NULL,
     "c 0 0 0 - a p 5 t 15 c 0 0 0 - a p 50 t 15 c 0 0 0 -", "unknown"},
    {"no answer", NULL, "c 0 0 0 1100 a p - t 15 c 0 0 0 1115", "unknown"},
    {"no answer is asked for again later", NULL, "c 0 0 0 1100 a p - t 60 c 0 0 0 1160",
     "unknown asks"},
    {"no answer the second time", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p - t 60 c 0 0 0 1175 a p 50 t 60 c 0 0 0 1235",
     "unknown asks"},
    {"told until a span comes", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 0 0 0 1130 t 300 c 0 0 0 1430", "told"},
    {"a span has come", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 0 0 0 1130 t 300 c 1 0 0 1430", "not"},
    {"a restart of the collector says nothing new", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 0 0 0 1130 t 300 c 0 0 0 7", "told"},
    {"a restart, and spans since", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 0 0 0 1130 t 300 c 2 0 0 7", "not"},
    {"something else is expected", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 f t 15 c 0 0 0 1130", "unknown asks"},
    {"what is told is said of something else", NULL,
     "c 0 0 0 1100 a p 5 t 15 c 0 0 0 1115 a p 50 t 15 c 0 0 0 1130 f", "unknown asks"},
    {"traced, then unsampled", NULL,
     "c 7 0 0 1100 t 30 c 9 0 0 1130 t 30 c 9 0 0 1160 a p 30 t 15 c 9 0 0 1175 a p 60 t 15 "
     "c 9 0 0 1190",
     "told"},
};

struct telling {
	struct unsampled unsampled;
	struct trace_hops hops;
	uint64_t now_ms;
};

static double number(char **rest)
{
	const char *word = strtok_r(NULL, " ", rest);
	return word == NULL || strcmp(word, "-") == 0 ? -1 : strtod(word, NULL);
}

static void count(struct telling *telling, char **rest)
{
	struct trace_counters counters = {.calls = NULL};
	counters.value[COUNTER_ACCEPTED] = number(rest);
	counters.value[COUNTER_FILTERED] = number(rest);
	counters.value[COUNTER_REFUSED] = number(rest);
	double uptime = number(rest);
	counters.known[COUNTER_UPTIME] = uptime >= 0;
	counters.value[COUNTER_UPTIME] = uptime < 0 ? 0 : uptime;
	unsampled_expect(&telling->unsampled, &telling->hops, false);
	(void)unsampled_count(&telling->unsampled, &counters, telling->now_ms);
}

static void answer(struct telling *telling, char **rest)
{
	struct served_at at = {.port = 8000};
	char *name = strtok_r(NULL, " ", rest);
	const char *uid = strchr(name, '/');
	double served = number(rest);
	(void)snprintf(at.pod, sizeof(at.pod), "%.*s", (int)strcspn(name, "/"), name);
	(void)snprintf(at.uid, sizeof(at.uid), "%s", uid == NULL ? name : uid);
	unsampled_answer(&telling->unsampled, &at, served, 1, telling->now_ms);
}

static void play(const char *story, struct telling *telling)
{
	char *text CLEANUP(str_freep) = xstrdup(story);
	char *rest = NULL;
	for (const char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		if (*word == 'c')
			count(telling, &rest);
		else if (*word == 'a')
			answer(telling, &rest);
		else if (*word == 't')
			telling->now_ms += (uint64_t)(number(&rest) * 1000);
		else
			unsampled_forget(&telling->unsampled);
	}
}

static void tell_end(const struct telling *telling, char *text, size_t size)
{
	const struct unsampled *unsampled = &telling->unsampled;
	(void)snprintf(text, size, "%s%s",
		       unsampled->told    ? "told"
		       : unsampled->known ? "not"
					  : "unknown",
		       unsampled_wants(unsampled, telling->now_ms) ? " asks" : "");
}

TEST(what_is_said_and_when)
{
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		struct telling telling = {.now_ms = 5000000};
		char end[32];
		set_up(&telling.hops);
		if (stories[i].ratio != NULL)
			set(&telling.hops.items[0].ratio, stories[i].ratio);
		play(stories[i].text, &telling);
		tell_end(&telling, end, sizeof(end));
		CHECK_STR_ROW(end, stories[i].end, stories[i].name);
		trace_hops_release(&telling.hops);
	}
}

TEST(its_words)
{
	struct telling telling = {.now_ms = 5000000};
	set_up(&telling.hops);
	set(&telling.hops.items[0].ratio, "0.1");
	play("c 0 0 0 500 a decode-7-x 5 t 15 c 0 0 0 515 a decode-7-x 125 t 15 c 0 0 0 530",
	     &telling);
	CHECK_STR(telling.unsampled.verdict.status, "False");
	CHECK_STR(telling.unsampled.verdict.reason, "UpstreamUnsampled");
	CHECK_STR(telling.unsampled.verdict.message,
		  "requests are served, but nothing is sampled: what stands before the endpoint "
		  "picker most likely sends an unsampled traceparent (pod decode-7-x has served "
		  "120 requests within 15 s, of which about 12 should have been traced, and no "
		  "span has arrived since); let the gateway sample or send no traceparent. "
		  "`kubectl llmd-tracing verify --send URL` tells whether a sampled request comes "
		  "through");
	trace_hops_release(&telling.hops);
}

/* What would be silent for a reason of its own accuses nobody. */
TEST(silence_with_other_causes)
{
	static const struct {
		const char *name;
		int hop;
		const char *sampler, *exporter, *endpoint;
		bool engines_only, heard, want;
	} rows[] = {
	    {"all is well", -1, NULL, NULL, NULL, false, false, true},
	    {"an exporter that prints", 0, NULL, "console", NULL, false, true, false},
	    {"a sampler that keeps nothing", 2, "always_off", NULL, NULL, false, true, false},
	    {"the wrong port", 1, NULL, NULL, "http://otel-collector:4318", false, true, false},
	    {"TLS to our collector", 2, NULL, NULL, "https://otel-collector:4317", false, true,
	     false},
	    {"engines alone may be unable to", -1, NULL, NULL, NULL, true, false, false},
	    {"and were heard", -1, NULL, NULL, NULL, true, true, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_hops hops;
		struct unsampled unsampled = {.told = false};
		set_up(&hops);
		struct trace_hop *hop = &hops.items[rows[i].hop < 0 ? 0 : rows[i].hop];
		if (rows[i].sampler != NULL)
			set(&hop->sampler, rows[i].sampler);
		if (rows[i].exporter != NULL)
			set(&hop->exporter, rows[i].exporter);
		if (rows[i].endpoint != NULL)
			set(&hop->endpoint, rows[i].endpoint);
		hops.items[0].on = hops.items[1].on = !rows[i].engines_only;
		unsampled_inherit(&unsampled, "m");
		unsampled_expect(&unsampled, &hops, rows[i].heard);
		CHECK_INT_ROW(unsampled.share > 0, rows[i].want, rows[i].name);
		/* what was told before goes only when the cause is another one */
		CHECK_INT_ROW(unsampled.told, rows[i].want || rows[i].engines_only, rows[i].name);
		trace_hops_release(&hops);
	}
}

TEST(how_often_it_is_asked)
{
	static const uint64_t waits_s[] = {0, 60, 120, 240, 480, 900, 900};
	struct telling telling = {.now_ms = 5000000};
	double uptime = 100;
	set_up(&telling.hops);
	for (size_t i = 0; i < ARRAY_LEN(waits_s); i++) {
		char text[64];
		uint64_t due = telling.unsampled.due_ms;
		CHECK_INT(due == 0 ? 0 : (due - telling.now_ms) / 1000, waits_s[i]);
		telling.now_ms = due > telling.now_ms ? due : telling.now_ms;
		uptime += 10000;
		(void)snprintf(text, sizeof(text), "c 0 0 0 %.0f a p 3%s", uptime,
			       i == 0 ? " a p 3" : "");
		play(text, &telling);
	}
	/* one that answers nothing new makes room for the next, which gets its two questions */
	struct served_at at = {.pod = "q", .uid = "q"};
	size_t which = telling.unsampled.which;
	telling.now_ms = telling.unsampled.due_ms;
	at.pod[0] = at.uid[0] = 'p';
	unsampled_answer(&telling.unsampled, &at, 3, 2, telling.now_ms);
	CHECK_INT(telling.unsampled.which, which + 1);
	CHECK_INT(telling.unsampled.due_ms, telling.now_ms);
	at.pod[0] = at.uid[0] = 'q';
	unsampled_answer(&telling.unsampled, &at, 3, 2, telling.now_ms);
	CHECK_INT(telling.unsampled.due_ms, telling.now_ms + 900000);
	trace_hops_release(&telling.hops);
}

#define POD(META, ARGS, IP)                                                                        \
	"{metadata: {name: p, uid: u, labels: {role: decode}" META "}, spec: {containers: ["       \
	"{name: c, image: i, command: [vllm, serve], args: [m" ARGS                                \
	"], readinessProbe: {httpGet: {port: 8000}}}]}, status: {podIP: " IP                       \
	", containerStatuses: [{name: c, ready: true}]}}"
#define FLAG ", '--otlp-traces-endpoint=http://otel-collector:4317'"
#define DENY                                                                                       \
	"[{metadata: {name: deny}, spec: {podSelector: {matchLabels: {role: decode}}, "            \
	"policyTypes: [Egress], egress: []}}]"

TEST(whose_requests_count)
{
	static const struct {
		const char *name, *pod, *policies;
		bool want;
	} rows[] = {
	    {"traced", POD("", FLAG, "10.0.0.1"), "[]", true},
	    {"from before the injection", POD("", "", "10.0.0.1"), "[]", false},
	    {"it sends elsewhere",
	     POD("", ", --otlp-traces-endpoint, 'http://elsewhere:4317'", "10.0.0.1"), "[]", false},
	    {"on its way out", POD(", deletionTimestamp: x", FLAG, "10.0.0.1"), "[]", false},
	    {"kept in by a policy", POD("", FLAG, "10.0.0.1"), DENY, false},
	    {"no address yet", POD("", FLAG, "null"), "[]", false},
	    {"of another image",
	     "{metadata: {name: p, uid: u}, spec: {containers: [{name: c, image: other}]}, "
	     "status: {podIP: 10.0.0.1, containerStatuses: [{name: c, ready: true}]}}",
	     "[]", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct served_at at = {.port = 0};
		cJSON *pod CLEANUP(json_freep) = tree_of(rows[i].pod);
		cJSON *policies CLEANUP(json_freep) = tree_of(rows[i].policies);
		struct served_want want = {.component = COMPONENT_VLLM,
					   .image = "i",
					   .endpoint = "http://otel-collector:4317",
					   .policies = policies};
		CHECK_INT_ROW(served_counts(pod, &want, &at), rows[i].want, rows[i].name);
		CHECK_INT_ROW(at.port, rows[i].want ? 8000 : 0, rows[i].name);
	}
}
