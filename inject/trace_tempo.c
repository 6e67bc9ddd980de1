/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/text.h"

static enum status parse(const char *body, size_t len, cJSON **ret_tree, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	if (json_parse(body, len, &tree, err) != STATUS_OK)
		return error_wrap(err, "answer of Tempo");
	if (!cJSON_IsObject(tree))
		return error_set(err, STATUS_INVALID, "answer of Tempo: not an object");
	*ret_tree = TAKE_PTR(tree);
	return STATUS_OK;
}

enum status tempo_read_names(const char *body, size_t len, struct trace_names *names,
			     struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	const cJSON *item = NULL;
	enum status status = parse(body, len, &tree, err);
	if (status != STATUS_OK)
		return status;
	const cJSON *values = json_member(tree, "tagValues");
	if (values != NULL && !cJSON_IsArray(values) && !cJSON_IsNull(values))
		return error_set(err, STATUS_INVALID,
				 "answer of Tempo: \"tagValues\" is not a list");
	cJSON_ArrayForEach(item, values)
	{
		const char *name =
		    cJSON_IsString(item) ? item->valuestring : json_str(item, "value");
		if (name != NULL && !trace_is_own_service(name))
			trace_names_add(names, name);
	}
	return STATUS_OK;
}

enum status tempo_read_search(const char *body, size_t len, struct trace_names *ids,
			      struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	const cJSON *item = NULL;
	enum status status = parse(body, len, &tree, err);
	if (status != STATUS_OK)
		return status;
	const cJSON *traces = json_member(tree, "traces");
	if (traces != NULL && !cJSON_IsArray(traces) && !cJSON_IsNull(traces))
		return error_set(err, STATUS_INVALID, "answer of Tempo: \"traces\" is not a list");
	cJSON_ArrayForEach(item, traces)
	{
		char id[TRACE_ID_SIZE];
		if (trace_id_read(json_str(item, "traceID"), sizeof(id), id))
			trace_names_add(ids, id);
	}
	return STATUS_OK;
}

/* Hex, or base64 of the bytes (protobuf's JSON form). */
static bool read_id(const char *text, size_t size, char *ret_id)
{
	CLEANUP(str_freep) char *bytes = NULL;
	size_t len = 0;
	if (text == NULL || trace_id_read(text, size, ret_id))
		return text != NULL;
	if (strlen(text) > 64 || !base64_decode(text, strlen(text), &bytes, &len) ||
	    len != (size - 1) / 2)
		return false;
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		ret_id[2 * i] = digits[(unsigned char)bytes[i] >> 4];
		ret_id[2 * i + 1] = digits[(unsigned char)bytes[i] & 15];
	}
	ret_id[size - 1] = '\0';
	return strspn(ret_id, "0") != size - 1;
}

/* 64-bit integers are strings in protobuf's JSON; nanoseconds to microseconds. */
static int64_t read_time(const cJSON *node, const char *key)
{
	const cJSON *value = json_member(node, key);
	const char *text =
	    cJSON_IsString(value) || cJSON_IsNumber(value) ? value->valuestring : NULL;
	char *end = NULL;
	if (text == NULL)
		return 0;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	return errno != 0 || end == text || number < 0 ? 0 : number / 1000;
}

static const cJSON *attribute(const cJSON *attributes, const char *key)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, attributes)
	{
		if (text_equal(json_str(item, "key"), key))
			return json_member(item, "value");
	}
	return NULL;
}

static void read_figures(const cJSON *attributes, struct span *span)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, attributes)
	{
		const char *key = json_str(item, "key");
		const cJSON *real = json_get(item, "value.doubleValue");
		const char *whole = json_str(item, "value.intValue");
		if (key == NULL)
			continue;
		if (cJSON_IsNumber(real))
			span_note_figure(span, key, real->valuedouble);
		else if (whole != NULL)
			span_note_figure(span, key, strtod(whole, NULL));
		else
			span_note_figure(span, key, (double)json_int(item, "value.intValue", -1));
	}
}

static bool is_error(const cJSON *node)
{
	return text_equal(json_str(node, "status.code"), "STATUS_CODE_ERROR") ||
	       json_int(node, "status.code", 0) == 2;
}

static void read_span(const cJSON *node, const char *service, const char *pod, struct trace *trace)
{
	char id[SPAN_ID_SIZE];
	char trace_id[TRACE_ID_SIZE];
	if (!read_id(json_str(node, "spanId"), sizeof(id), id) ||
	    !read_id(json_str(node, "traceId"), sizeof(trace_id), trace_id))
		return;
	struct span *span = trace_add(trace);
	if (span == NULL)
		return;
	memcpy(span->id, id, sizeof(id));
	memcpy(span->trace, trace_id, sizeof(trace_id));
	if (!read_id(json_str(node, "parentSpanId"), SPAN_ID_SIZE, span->parent))
		span->parent[0] = '\0';
	span->service = trace_name(service);
	span->operation = trace_name(json_str(node, "name"));
	span->pod = pod == NULL ? NULL : trace_name(pod);
	int64_t start_us = read_time(node, "startTimeUnixNano");
	span_set_times(span, start_us, read_time(node, "endTimeUnixNano") - start_us);
	span->failed = is_error(node);
	read_figures(json_member(node, "attributes"), span);
}

static void read_batch(const cJSON *batch, struct trace *trace)
{
	const cJSON *attributes = json_get(batch, "resource.attributes");
	const char *service = json_str(attribute(attributes, "service.name"), "stringValue");
	const char *pod = json_str(attribute(attributes, "k8s.pod.name"), "stringValue");
	const cJSON *scopes = json_member(batch, "scopeSpans");
	const cJSON *scope = NULL;
	const cJSON *node = NULL;
	if (service != NULL && trace_is_own_service(service))
		return;
	if (scopes == NULL)
		scopes = json_member(batch, "instrumentationLibrarySpans");
	cJSON_ArrayForEach(scope, scopes)
	{
		cJSON_ArrayForEach(node, json_member(scope, "spans"))
		{
			read_span(node, service, pod, trace);
		}
	}
}

enum status tempo_read_trace(const char *body, size_t len, struct trace *trace, struct error *err)
{
	/* v1, v2, plain OTLP, and Jaeger's own OTLP form (/api/v3/traces) */
	static const char *const places[] = {"batches", "trace.resourceSpans", "resourceSpans",
					     "result.resourceSpans"};
	CLEANUP(json_freep) cJSON *tree = NULL;
	const cJSON *batch = NULL;
	const cJSON *batches = NULL;
	enum status status = parse(body, len, &tree, err);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < ARRAY_LEN(places) && batches == NULL; i++)
		batches = json_get(tree, places[i]);
	if (batches == NULL)
		return error_set(err, STATUS_NOT_FOUND, "answer of Tempo: holds no spans");
	cJSON_ArrayForEach(batch, batches)
	{
		read_batch(batch, trace);
	}
	return STATUS_OK;
}
