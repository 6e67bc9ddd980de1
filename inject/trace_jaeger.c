/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_answer.h"

#include <string.h>

#include "base/text.h"

/* The answer's `data`: an array, or NULL for an empty answer. */
static enum status read_data(const char *body, size_t len, cJSON **ret_tree, const cJSON **ret_data,
			     struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	if (json_parse(body, len, &tree, err) != STATUS_OK)
		return error_wrap(err, "answer of Jaeger");
	const cJSON *data = json_member(tree, "data");
	const cJSON *errors = json_member(tree, "errors");
	if (cJSON_IsArray(errors) && errors->child != NULL && !cJSON_IsArray(data)) {
		const char *message = json_str(errors->child, "msg");
		return error_set(err,
				 json_int(errors->child, "code", 0) == 404 ? STATUS_NOT_FOUND
									   : STATUS_RETRY,
				 "Jaeger says: %.200s", message == NULL ? "an error" : message);
	}
	if (!cJSON_IsObject(tree) || data == NULL || !(cJSON_IsArray(data) || cJSON_IsNull(data)))
		return error_set(err, STATUS_INVALID, "answer of Jaeger: no list under \"data\"");
	*ret_data = cJSON_IsNull(data) ? NULL : data;
	*ret_tree = TAKE_PTR(tree);
	return STATUS_OK;
}

enum status jaeger_read_names(const char *body, size_t len, struct trace_names *names,
			      struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	const cJSON *data = NULL;
	const cJSON *item = NULL;
	enum status status = read_data(body, len, &tree, &data, err);
	if (status != STATUS_OK)
		return status;
	cJSON_ArrayForEach(item, data)
	{
		/* operations of newer versions are objects with a name */
		const char *name =
		    cJSON_IsString(item) ? item->valuestring : json_str(item, "name");
		if (name != NULL && !trace_is_own_service(name))
			trace_names_add(names, name);
	}
	return STATUS_OK;
}

static void read_tags(const cJSON *tags, struct span *span)
{
	const cJSON *tag = NULL;
	cJSON_ArrayForEach(tag, tags)
	{
		const char *key = json_str(tag, "key");
		const cJSON *value = json_member(tag, "value");
		if (key == NULL)
			continue;
		if (cJSON_IsNumber(value))
			span_note_figure(span, key, value->valuedouble);
		else if (strcmp(key, "error") == 0)
			span->failed |=
			    cJSON_IsTrue(value) || text_equal(json_str(tag, "value"), "true");
		else if (strcmp(key, "otel.status_code") == 0)
			span->failed |= text_equal(json_str(tag, "value"), "ERROR");
	}
}

static void read_parent(const cJSON *node, struct span *span)
{
	const cJSON *reference = NULL;
	(void)trace_id_read(json_str(node, "parentSpanID"), SPAN_ID_SIZE, span->parent);
	cJSON_ArrayForEach(reference, json_member(node, "references"))
	{
		char trace[TRACE_ID_SIZE];
		if (!text_equal(json_str(reference, "refType"), "CHILD_OF") ||
		    !trace_id_read(json_str(reference, "traceID"), sizeof(trace), trace) ||
		    strcmp(trace, span->trace) != 0)
			continue; /* a link to another trace makes no parent */
		(void)trace_id_read(json_str(reference, "spanID"), SPAN_ID_SIZE, span->parent);
	}
}

static const char *pod_of(const cJSON *process)
{
	const cJSON *tag = NULL;
	cJSON_ArrayForEach(tag, json_member(process, "tags"))
	{
		if (text_equal(json_str(tag, "key"), "k8s.pod.name"))
			return json_str(tag, "value");
	}
	return NULL;
}

static void read_span(const cJSON *node, const char *trace_id, const cJSON *processes,
		      struct trace *trace)
{
	char id[SPAN_ID_SIZE];
	const char *process_id = json_str(node, "processID");
	const cJSON *process = json_member(node, "process");
	if (process == NULL && process_id != NULL)
		process = json_member(processes, process_id);
	const char *service = json_str(process, "serviceName");
	if (!trace_id_read(json_str(node, "spanID"), sizeof(id), id) ||
	    (service != NULL && trace_is_own_service(service)))
		return;
	struct span *span = trace_add(trace);
	if (span == NULL)
		return;
	const char *pod = pod_of(process);
	memcpy(span->id, id, sizeof(id));
	memcpy(span->trace, trace_id, TRACE_ID_SIZE);
	span->service = trace_name(service);
	span->operation = trace_name(json_str(node, "operationName"));
	span->pod = pod == NULL ? NULL : trace_name(pod);
	span_set_times(span, json_int(node, "startTime", 0), json_int(node, "duration", 0));
	read_parent(node, span);
	read_tags(json_member(node, "tags"), span);
}

enum status jaeger_read_traces(const char *body, size_t len, struct trace *trace, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	const cJSON *data = NULL;
	const cJSON *item = NULL;
	const cJSON *node = NULL;
	enum status status = read_data(body, len, &tree, &data, err);
	if (status != STATUS_OK)
		return status;
	cJSON_ArrayForEach(item, data)
	{
		char id[TRACE_ID_SIZE];
		if (!trace_id_read(json_str(item, "traceID"), sizeof(id), id))
			continue;
		cJSON_ArrayForEach(node, json_member(item, "spans"))
		{
			read_span(node, id, json_member(item, "processes"), trace);
		}
	}
	return STATUS_OK;
}
