/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of Jaeger, Tempo and a collector: shapes that the real ones give, and what is no answer. */
#include "inject/trace_answer.h"
#include "inject/trace_counters.h"
#include "inject/trace_query.h"
#include "inject/trace_tree.h"

#include "base/alloc.h"
#include "test.h"

typedef enum status reader(const char *body, size_t len, struct trace_names *names,
			   struct error *err);

static char *joined(const struct trace_names *names)
{
	struct buffer out;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < names->count; i++)
		buffer_addf(&out, "%s%s", i == 0 ? "" : ",", names->items[i]);
	return buffer_detach(&out);
}

TEST(names)
{
	static const struct {
		const char *row;
		reader *read;
		const char *body;
		enum status status;
		const char *names; /* or the message */
	} rows[] = {
	    {"services", jaeger_read_names,
	     "{\"data\":[\"vllm-decode\",\"jaeger\",\"llm-d-router/epp\"],\"total\":3,\"errors\":"
	     "null}",
	     STATUS_OK, "vllm-decode,llm-d-router/epp"},
	    {"none yet", jaeger_read_names, "{\"data\":null,\"total\":0,\"errors\":null}",
	     STATUS_OK, ""},
	    {"twice", jaeger_read_names, "{\"data\":[\"a\",\"a\"]}", STATUS_OK, "a"},
	    {"operations with kinds", jaeger_read_names,
	     "{\"data\":[{\"name\":\"llm_request\",\"spanKind\":\"server\"}]}", STATUS_OK,
	     "llm_request"},
	    {"numbers among names", jaeger_read_names, "{\"data\":[1,null,\"a\"]}", STATUS_OK, "a"},
	    {"an error", jaeger_read_names,
	     "{\"data\":null,\"errors\":[{\"code\":500,\"msg\":\"storage is away\"}]}",
	     STATUS_RETRY, "Jaeger says: storage is away"},
	    {"a web page", jaeger_read_names, "<html>", STATUS_INVALID,
	     "answer of Jaeger: JSON line 1 column 1: not a JSON value"},
	    {"another shape", jaeger_read_names, "{\"data\":{}}", STATUS_INVALID,
	     "answer of Jaeger: no list under \"data\""},
	    {"a list", jaeger_read_names, "[]", STATUS_INVALID,
	     "answer of Jaeger: no list under \"data\""},
	    {"tempo v2", tempo_read_names,
	     "{\"tagValues\":[{\"type\":\"string\",\"value\":\"vllm-decode\"}],\"metrics\":{}}",
	     STATUS_OK, "vllm-decode"},
	    {"tempo v1", tempo_read_names, "{\"tagValues\":[\"a\",\"tempo\"]}", STATUS_OK, "a"},
	    {"tempo empty", tempo_read_names, "{\"metrics\":{}}", STATUS_OK, ""},
	    {"tempo other", tempo_read_names, "{\"tagValues\":7}", STATUS_INVALID,
	     "answer of Tempo: \"tagValues\" is not a list"},
	    {"search", tempo_read_search,
	     "{\"traces\":[{\"traceID\":\"2F3E0CEE77AE5DC9C17ADE3689EB2E54\"},{\"traceID\":\"1a\"},"
	     "{\"traceID\":\"none\"}]}",
	     STATUS_OK, "2f3e0cee77ae5dc9c17ade3689eb2e54,0000000000000000000000000000001a"},
	    {"search finds nothing", tempo_read_search, "{\"traces\":[]}", STATUS_OK, ""},
	    {"search other", tempo_read_search, "{\"traces\":{}}", STATUS_INVALID,
	     "answer of Tempo: \"traces\" is not a list"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_names names = {0};
		struct error err = {.message = ""};
		CHECK_INT_ROW(rows[i].read(rows[i].body, strlen(rows[i].body), &names, &err),
			      rows[i].status, rows[i].row);
		char *text CLEANUP(str_freep) = joined(&names);
		CHECK_STR_ROW(rows[i].status == STATUS_OK ? text : err.message, rows[i].names,
			      rows[i].row);
		trace_names_release(&names);
	}
}

#define ID "0af7651916cd43dd8448eb211c80319c"

static const char jaeger_body[] =
    "{\"data\":[{\"traceID\":\"af7651916cd43dd8448eb211c80319c\",\"spans\":["
    "{\"traceID\":\"" ID "\",\"spanID\":\"B1\",\"operationName\":\"gateway.request\","
    "\"references\":[],\"startTime\":1700000000000000,\"duration\":900,\"tags\":[],"
    "\"processID\":\"p1\"},"
    "{\"traceID\":\"" ID "\",\"spanID\":\"b2\",\"operationName\":\"llm_request\",\"references\":["
    "{\"refType\":\"CHILD_OF\",\"traceID\":\"" ID "\",\"spanID\":\"b1\"},"
    "{\"refType\":\"CHILD_OF\",\"traceID\":\"ff\",\"spanID\":\"ee\"}],"
    "\"startTime\":1700000000000100,\"duration\":500,\"tags\":["
    "{\"key\":\"gen_ai.latency.time_to_first_token\",\"type\":\"float64\",\"value\":0.25},"
    "{\"key\":\"gen_ai.prompt\",\"type\":\"string\",\"value\":\"secret words\"},"
    "{\"key\":\"error\",\"type\":\"bool\",\"value\":true}],\"processID\":\"p2\"},"
    "{\"spanID\":\"b3\",\"operationName\":\"/api/services\",\"processID\":\"p3\"},"
    "{\"spanID\":\"none\",\"operationName\":\"x\",\"processID\":\"p1\"}],"
    "\"processes\":{\"p1\":{\"serviceName\":\"llm-d-router/epp\",\"tags\":[]},"
    "\"p2\":{\"serviceName\":\"vllm-decode\",\"tags\":[{\"key\":\"k8s.pod.name\",\"value\":"
    "\"decode-5-x\"}]},\"p3\":{\"serviceName\":\"jaeger\"}}}],\"errors\":null}";

static void check_spans(const struct trace *trace)
{
	if (!CHECK(trace->count == 2))
		return;
	const struct span *epp = &trace->spans[0];
	const struct span *engine = &trace->spans[1];
	CHECK_STR(epp->trace, ID);
	CHECK_STR(epp->id, "00000000000000b1");
	CHECK_STR(epp->parent, "");
	CHECK_STR(epp->service, "llm-d-router/epp");
	CHECK_STR(epp->pod, NULL);
	CHECK(!epp->failed && epp->figure_ms[FIGURE_TTFT] < 0);
	CHECK_STR(engine->parent, "00000000000000b1");
	CHECK_STR(engine->operation, "llm_request");
	CHECK_STR(engine->pod, "decode-5-x");
	CHECK_INT(engine->start_us, 1700000000000100);
	CHECK_INT(engine->duration_us, 500);
	CHECK(engine->failed);
	CHECK_INT(engine->figure_ms[FIGURE_TTFT], 250);
}

TEST(a_trace_of_jaeger)
{
	struct trace trace = {0};
	struct error err;
	CHECK_INT(jaeger_read_traces(jaeger_body, strlen(jaeger_body), &trace, &err), STATUS_OK);
	check_spans(&trace);
	trace_release(&trace);
	static const char gone[] =
	    "{\"data\":null,\"errors\":[{\"code\":404,\"msg\":\"trace not found\"}]}";
	CHECK_INT(jaeger_read_traces(gone, strlen(gone), &trace, &err), STATUS_NOT_FOUND);
	CHECK_INT(trace.count, 0);
}

static char *tempo_body(const char *before, const char *after, bool base64)
{
	const char *trace = base64 ? "CvdlGRbNQ92ESOshHIAxnA==" : ID;
	return xasprintf(
	    "%s[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	    "\"stringValue\":\"llm-d-router/epp\"}}]},\"scopeSpans\":[{\"spans\":[{\"traceId\":"
	    "\"%s\",\"spanId\":\"%s\",\"name\":\"gateway.request\",\"startTimeUnixNano\":"
	    "\"1700000000000000000\",\"endTimeUnixNano\":\"1700000000000900000\"}]}]},"
	    "{\"resource\":{\"attributes\":[{\"key\":\"k8s.pod.name\",\"value\":{\"stringValue\":"
	    "\"decode-5-x\"}},{\"key\":\"service.name\",\"value\":{\"stringValue\":\"vllm-decode\"}"
	    "}]},\"scopeSpans\":[{\"spans\":[{\"traceId\":\"%s\",\"spanId\":\"%s\","
	    "\"parentSpanId\":\"%s\",\"name\":\"llm_request\",\"startTimeUnixNano\":"
	    "\"1700000000000100000\",\"endTimeUnixNano\":\"1700000000000600000\",\"attributes\":[{"
	    "\"key\":\"gen_ai.latency.time_to_first_token\",\"value\":{\"doubleValue\":0.25}},{"
	    "\"key\":\"gen_ai.prompt\",\"value\":{\"stringValue\":\"secret words\"}}],\"status\":{"
	    "\"code\":\"STATUS_CODE_ERROR\"}}]}]}]%s",
	    before, trace, base64 ? "AAAAAAAAALE=" : "00000000000000b1", trace,
	    base64 ? "AAAAAAAAALI=" : "00000000000000b2",
	    base64 ? "AAAAAAAAALE=" : "00000000000000B1", after);
}

TEST(a_trace_of_tempo)
{
	static const struct {
		const char *before, *after;
		bool base64;
	} rows[] = {
	    {"{\"batches\":", "}", true},
	    {"{\"trace\":{\"resourceSpans\":", "}}", true},
	    {"{\"resourceSpans\":", "}", false},
	    {"{\"result\":{\"resourceSpans\":", "}}", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace trace = {0};
		struct error err;
		char *body CLEANUP(str_freep) =
		    tempo_body(rows[i].before, rows[i].after, rows[i].base64);
		CHECK_INT_ROW(tempo_read_trace(body, strlen(body), &trace, &err), STATUS_OK,
			      rows[i].before);
		check_spans(&trace);
		trace_release(&trace);
	}
	struct trace none = {0};
	struct error err;
	CHECK_INT(tempo_read_trace("{}", 2, &none, &err), STATUS_NOT_FOUND);
	CHECK_INT(tempo_read_trace("7", 1, &none, &err), STATUS_INVALID);
}

TEST(an_answer_has_a_ceiling)
{
	struct buffer body;
	struct trace trace = {0};
	struct error err;
	buffer_init(&body, 4 << 20);
	buffer_add_str(&body, "{\"data\":[{\"traceID\":\"1\",\"spans\":[");
	for (int i = 1; i <= LIMIT_TRACE_SPANS + 5; i++)
		buffer_addf(&body, "%s{\"spanID\":\"%x\"}", i == 1 ? "" : ",", i);
	buffer_add_str(&body, "]}]}");
	CHECK_INT(jaeger_read_traces(body.data, body.len, &trace, &err), STATUS_OK);
	CHECK_INT(trace.count, LIMIT_TRACE_SPANS);
	CHECK(trace.cut);
	trace_release(&trace);
	buffer_release(&body);
	struct trace_names names = {0};
	for (int i = 0; i < LIMIT_TRACE_NAMES + 5; i++) {
		char *name CLEANUP(str_freep) = xasprintf("s%d", i);
		trace_names_add(&names, name);
	}
	CHECK_INT(names.count, LIMIT_TRACE_NAMES);
	trace_names_release(&names);
	char *cut CLEANUP(str_freep) = trace_name("a\nb\x1b");
	CHECK_STR(cut, "a?b?");
}

static const char own_metrics[] =
    "# HELP otelcol_receiver_accepted_spans Number of spans\n"
    "# TYPE otelcol_receiver_accepted_spans counter\n"
    "otelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"grpc\"} 40\n"
    "otelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"http\"} 2\r\n"
    "otelcol_receiver_refused_spans{receiver=\"otlp\"} 3\n"
    "otelcol_receiver_accepted_metric_points{receiver=\"otlp\"} 99\n"
    "otelcol_processor_filter_spans_filtered_total{filter=\"filter/drop\"} 7\n"
    "otelcol_exporter_sent_spans_total{exporter=\"otlp/jaeger\"} 1.5e1 1700000000000\n"
    "otelcol_exporter_send_failed_spans_total{exporter=\"otlp/jaeger\"} 0\n"
    "otelcol_exporter_sent_spans_total{exporter=\"x\"} NaN\n"
    "otelcol_exporter_sent_spans_total{exporter=\"x\"\n"
    "otelcol_exporter_sent_spans_total{exporter=\"unended} 5\n"
    "otelcol_exporter_sent_spans_total five\n";

static const char span_metrics[] =
    "traces_span_metrics_calls_total{service_name=\"vllm-decode\",span_name=\"llm_request\"} 4\n"
    "traces_span_metrics_calls_total{span_kind=\"a\\\"b\\\\\",service_name=\"vllm-decode\",span_"
    "name=\"start\"} 2\n"
    "calls_total{service_name=\"llm-d-router/epp\", span_name=\"gateway.request\",} 1\n"
    "calls_total{service_name=\"jaeger\",span_name=\"x\"} 1\n"
    "calls_total{span_name=\"x\"} 1\n"
    "phone_callsx{service_name=\"a\"} 1\n";

TEST(counters)
{
	static const struct {
		enum trace_counter counter;
		long want;
	} rows[] = {{COUNTER_ACCEPTED, 42},
		    {COUNTER_REFUSED, 3},
		    {COUNTER_FILTERED, 7},
		    {COUNTER_SENT, 15},
		    {COUNTER_SEND_FAILED, 0}};
	struct trace_counters counters = {.calls = NULL};
	trace_counters_read(own_metrics, strlen(own_metrics), &counters);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(counters.value[rows[i].counter], rows[i].want);
		CHECK(counters.known[rows[i].counter]);
	}
	CHECK_INT(counters.call_count, 0);
	trace_counters_read(span_metrics, strlen(span_metrics), &counters);
	CHECK_INT(counters.call_count, 3);
	CHECK_STR(counters.calls[0].operation, "llm_request");
	CHECK_INT(counters.calls[0].spans, 4);
	CHECK(trace_counters_know(&counters, "vllm-decode"));
	CHECK(trace_counters_know(&counters, "llm-d-router/epp"));
	CHECK(!trace_counters_know(&counters, "jaeger"));
	trace_counters_release(&counters);
	trace_counters_read("", 0, &counters);
	CHECK(!counters.known[COUNTER_ACCEPTED]);
}

static void add_span(struct trace *trace, const char *id, const char *parent, const char *service,
		     const char *operation, long start, long duration)
{
	struct span *span = trace_add(trace);
	CHECK(trace_id_read("1", TRACE_ID_SIZE, span->trace));
	CHECK(trace_id_read(id, SPAN_ID_SIZE, span->id));
	if (parent != NULL)
		CHECK(trace_id_read(parent, SPAN_ID_SIZE, span->parent));
	span->service = trace_name(service);
	span->operation = trace_name(operation);
	span_set_times(span, start, duration);
}

TEST(a_tree)
{
	struct trace trace = {0};
	struct buffer out;
	buffer_init(&out, 1 << 16);
	add_span(&trace, "4", "3", "vllm-decode", "llm_request", 400, 600);
	add_span(&trace, "1", NULL, "llm-d-router/epp", "gateway.request", 0, 1000);
	add_span(&trace, "3", "1", "routing-proxy", "decode", 300, 700);
	add_span(&trace, "2", "1", "llm-d-router/epp", "llm_d.epp.scoring", 50, 0);
	add_span(&trace, "8", "9", "vllm-prefill", "llm_request", 100, 150);
	add_span(&trace, "a", "b", "x", "circle", 900, 10);
	add_span(&trace, "b", "a", "", "circle", 910, 10);
	trace.spans[4].failed = true;
	trace_tree_print(&trace, "00000000000000000000000000000001", &out);
	CHECK_STR(
	    out.data,
	    "|==============================| llm-d-router/epp  gateway.request                    "
	    "         1.00 ms\n"
	    "|  =                           |   llm-d-router/epp  llm_d.epp.scoring                "
	    "         0.00 ms\n"
	    "|         =====================|   routing-proxy  decode                              "
	    "         0.70 ms\n"
	    "|            ==================|     vllm-decode  llm_request                         "
	    "         0.60 ms\n"
	    "|   =====                      | vllm-prefill  llm_request                            "
	    "         0.15 ms  error  (parent not seen)\n"
	    "|                           =  | x  circle                                            "
	    "         0.01 ms  (parent not seen)\n"
	    "|                           =  |   (no service)  circle                               "
	    "         0.01 ms\n");
	buffer_clear(&out);
	trace_tree_print(&trace, "00000000000000000000000000000002", &out);
	CHECK_STR(out.data, "");
	struct trace more = {0};
	trace_take(&more, &trace);
	CHECK_INT(more.count, 7);
	CHECK_INT(trace.count, 0);
	trace_release(&more);
	buffer_release(&out);
}

TEST(questions)
{
	static const struct {
		enum query_type type;
		const char *service;
		int64_t end_us;
		const char *want;
	} rows[] = {
	    {QUERY_JAEGER, "llm-d-router/epp", 0, "/api/traces?service=llm-d-router%2Fepp&limit=5"},
	    {QUERY_JAEGER, "a b", 7000000,
	     "/api/traces?service=a%20b&limit=5&start=1000000&end=7000000"},
	    {QUERY_TEMPO, "vllm-decode", 7000000,
	     "/api/search?q=%7Bresource.service.name%3D%22vllm-decode%22%7D&limit=5&start=1&end=7"},
	    {QUERY_TEMPO, "a\"||true", 0,
	     "/api/search?q=%7Bresource.service.name%3D%22a%5C%22%7C%7Ctrue%22%7D&limit=5"},
	};
	static const struct {
		const char *url, *want;
	} ways[] = {
	    {"http://tempo.monitoring.svc:3200/api/search?q=1",
	     "/api/v1/namespaces/monitoring/services/http:tempo:3200/proxy/api/search?q=1"},
	    {"https://tempo.monitoring.svc.cluster.local/x",
	     "/api/v1/namespaces/monitoring/services/https:tempo:443/proxy/x"},
	    {"http://tempo.example.com:3200/x", ""},
	    {"http://10.0.0.1:3200/x", ""},
	    {"http://tempo.svc:3200/x", ""},
	    {"http://tempo.monitoring.service.example:3200/x", ""},
	    {"tempo", ""},
	};
	struct buffer out;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_search search = {.service = rows[i].service,
					      .limit = 5,
					      .start_us = 1000000,
					      .end_us = rows[i].end_us};
		buffer_clear(&out);
		trace_query_search(rows[i].type, &search, &out);
		CHECK_STR(out.data, rows[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		buffer_clear(&out);
		CHECK_INT(trace_query_proxied(ways[i].url, &out), ways[i].want[0] != '\0');
		CHECK_STR_ROW(out.data, ways[i].want, ways[i].url);
	}
	buffer_release(&out);
}
