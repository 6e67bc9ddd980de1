/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_counters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/trace.h"

/*
 * Names without the "_total" that newer collectors end them with. Exporters of spans are
 * told from those of metrics by the name alone.
 */
static const struct {
	const char *name;
	enum trace_counter counter;
} names[] = {
    {"otelcol_receiver_accepted_spans", COUNTER_ACCEPTED},
    {"otelcol_receiver_refused_spans", COUNTER_REFUSED},
    {"otelcol_receiver_failed_spans", COUNTER_REFUSED},
    {"otelcol_processor_filter_spans_filtered", COUNTER_FILTERED},
    {"otelcol_processor_filter_spans.filtered", COUNTER_FILTERED},
    {"otelcol_exporter_sent_spans", COUNTER_SENT},
    {"otelcol_exporter_send_failed_spans", COUNTER_SEND_FAILED},
    {"otelcol_exporter_enqueue_failed_spans", COUNTER_SEND_FAILED},
    {"vllm:request_success", COUNTER_SERVED},
    {"sglang:num_requests", COUNTER_SERVED},
    {"otelcol_process_uptime", COUNTER_UPTIME},
    {"otelcol_process_uptime_seconds", COUNTER_UPTIME},
};

enum { LINE_MAX_BYTES = 4096, VALUE_MAX = 64 };

/* A line of the text format, being read. */
struct cursor {
	const char *at;
	const char *end;
};

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == ':' || c == '.';
}

static void skip_blanks(struct cursor *line)
{
	while (line->at < line->end && (*line->at == ' ' || *line->at == '\t'))
		line->at++;
}

static size_t read_name(struct cursor *line, const char **ret_name)
{
	*ret_name = line->at;
	while (line->at < line->end && is_name(*line->at))
		line->at++;
	return (size_t)(line->at - *ret_name);
}

/* "…" with \\, \" and \n; false at the line's end. Owned. */
static bool read_quoted(struct cursor *line, char **ret_text)
{
	if (line->at == line->end || *line->at != '"')
		return false;
	line->at++;
	size_t len = 0;
	char *text = xmalloc((size_t)(line->end - line->at) + 1);
	while (line->at < line->end && *line->at != '"') {
		char c = *line->at++;
		if (c == '\\' && line->at < line->end) {
			c = *line->at++;
			if (c == 'n')
				c = '\n';
		}
		text[len++] = c;
	}
	text[len] = '\0';
	if (line->at == line->end) {
		free(text);
		return false;
	}
	line->at++;
	*ret_text = text;
	return true;
}

static bool is_label(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(name, want, len) == 0;
}

/* `{a="b",…}`: keeps the two labels that matter. */
static bool read_labels(struct cursor *line, char **service, char **operation)
{
	if (line->at == line->end || *line->at != '{')
		return true;
	line->at++;
	for (;;) {
		const char *name = NULL;
		CLEANUP(str_freep) char *value = NULL;
		skip_blanks(line);
		if (line->at < line->end && *line->at == '}') {
			line->at++;
			return true;
		}
		size_t len = read_name(line, &name);
		skip_blanks(line);
		if (len == 0 || line->at == line->end || *line->at++ != '=')
			return false;
		skip_blanks(line);
		if (!read_quoted(line, &value))
			return false;
		char **keep = is_label(name, len, "service_name") ? service
			      : is_label(name, len, "span_name")  ? operation
								  : NULL;
		if (keep != NULL) {
			free(*keep);
			*keep = TAKE_PTR(value);
		}
		skip_blanks(line);
		if (line->at < line->end && *line->at == ',')
			line->at++;
	}
}

static bool read_value(struct cursor *line, double *ret_value)
{
	char text[VALUE_MAX];
	skip_blanks(line);
	size_t len = 0;
	while (line->at + len < line->end && len < sizeof(text) - 1 && line->at[len] != ' ')
		len++;
	memcpy(text, line->at, len);
	text[len] = '\0';
	char *end = NULL;
	double value = strtod(text, &end);
	if (len == 0 || *end != '\0' || !isfinite(value) || value < 0)
		return false;
	*ret_value = value;
	return true;
}

static void add_call(struct trace_counters *counters, const char *service, const char *operation,
		     double spans)
{
	CLEANUP(str_freep) char *service_name = trace_name(service);
	CLEANUP(str_freep) char *operation_name = trace_name(operation);
	for (size_t i = 0; i < counters->call_count; i++) {
		struct trace_call *call = &counters->calls[i];
		if (strcmp(call->service, service_name) != 0 ||
		    strcmp(call->operation, operation_name) != 0)
			continue;
		call->spans += spans;
		return;
	}
	if (counters->call_count == LIMIT_TRACE_CALLS)
		return;
	counters->calls = grow(counters->calls, counters->call_count, sizeof(*counters->calls));
	counters->calls[counters->call_count++] =
	    (struct trace_call){TAKE_PTR(service_name), TAKE_PTR(operation_name), spans};
}

/* The name without "_total". */
static size_t stem_of(const char *name, size_t len)
{
	static const char total[] = "_total";
	size_t tail = sizeof(total) - 1;
	return len > tail && memcmp(name + len - tail, total, tail) == 0 ? len - tail : len;
}

/* `calls` of the span metrics connector, whatever namespace stands before it. */
static bool is_calls(const char *name, size_t len)
{
	return is_label(name, len, "calls") ||
	       (len > 6 && memcmp(name + len - 6, "_calls", 6) == 0);
}

static void read_line(struct cursor line, struct trace_counters *counters)
{
	const char *name = NULL;
	CLEANUP(str_freep) char *service = NULL;
	CLEANUP(str_freep) char *operation = NULL;
	double value = 0;
	size_t len = read_name(&line, &name);
	len = stem_of(name, len);
	bool calls = is_calls(name, len);
	size_t row = 0;
	while (row < ARRAY_LEN(names) && !is_label(name, len, names[row].name))
		row++;
	if ((!calls && row == ARRAY_LEN(names)) || !read_labels(&line, &service, &operation) ||
	    !read_value(&line, &value))
		return;
	if (!calls) {
		counters->value[names[row].counter] += value;
		counters->known[names[row].counter] = true;
	} else if (service != NULL && !trace_is_own_service(service)) {
		add_call(counters, service, operation == NULL ? "" : operation, value);
	}
}

void trace_counters_read(const char *text, size_t len, struct trace_counters *counters)
{
	const char *end = text + len;
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		stop = stop == NULL ? end : stop;
		const char *last = stop > text && stop[-1] == '\r' ? stop - 1 : stop;
		if (last > text && *text != '#' && last - text <= LINE_MAX_BYTES)
			read_line((struct cursor){text, last}, counters);
		text = stop == end ? end : stop + 1;
	}
}

void trace_counters_release(struct trace_counters *counters)
{
	for (size_t i = 0; i < counters->call_count; i++) {
		free(counters->calls[i].service);
		free(counters->calls[i].operation);
	}
	free(counters->calls);
	*counters = (struct trace_counters){0};
}

bool trace_counters_know(const struct trace_counters *counters, const char *service)
{
	for (size_t i = 0; i < counters->call_count; i++)
		if (strcmp(counters->calls[i].service, service) == 0)
			return true;
	return false;
}
