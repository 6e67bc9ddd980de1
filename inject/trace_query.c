/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_query.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings_check.h"
#include "inject/trace_answer.h"

static void add_escaped(struct buffer *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || *c == '.';
		if (plain)
			buffer_add_char(out, *c);
		else
			buffer_addf(out, "%%%02X", (unsigned char)*c);
	}
}

void trace_query_names(enum query_type type, struct buffer *out)
{
	buffer_add_str(out, type == QUERY_JAEGER ? "/api/services"
						 : "/api/search/tag/service.name/values");
}

/* TraceQL: {resource.service.name="NAME"} */
static void add_traceql(const char *service, struct buffer *out)
{
	buffer_add_str(out, "/api/search?q=%7Bresource.service.name%3D%22");
	for (const char *c = service; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};
		if (*c == '"' || *c == '\\')
			buffer_add_str(out, "%5C");
		add_escaped(out, one);
	}
	buffer_add_str(out, "%22%7D");
}

void trace_query_search(enum query_type type, const struct trace_search *search, struct buffer *out)
{
	int64_t unit = type == QUERY_JAEGER ? 1 : 1000000; /* Tempo counts seconds */
	if (type == QUERY_JAEGER) {
		buffer_add_str(out, "/api/traces?service=");
		add_escaped(out, search->service);
	} else {
		add_traceql(search->service, out);
	}
	buffer_addf(out, "&limit=%zu", search->limit);
	if (search->end_us != 0)
		buffer_addf(out, "&start=%" PRId64 "&end=%" PRId64, search->start_us / unit,
			    search->end_us / unit);
}

void trace_query_trace(enum query_type type, const char *id, struct buffer *out)
{
	(void)type; /* the same in both */
	buffer_addf(out, "/api/traces/%s", id);
}

enum status trace_query_read_names(enum query_type type, const char *body, size_t len,
				   struct trace_names *names, struct error *err)
{
	return type == QUERY_JAEGER ? jaeger_read_names(body, len, names, err)
				    : tempo_read_names(body, len, names, err);
}

enum status trace_query_read_search(enum query_type type, const char *body, size_t len,
				    struct trace *trace, struct trace_names *ids, struct error *err)
{
	return type == QUERY_JAEGER ? jaeger_read_traces(body, len, trace, err)
				    : tempo_read_search(body, len, ids, err);
}

enum status trace_query_read_trace(enum query_type type, const char *body, size_t len,
				   struct trace *trace, struct error *err)
{
	return type == QUERY_JAEGER ? jaeger_read_traces(body, len, trace, err)
				    : tempo_read_trace(body, len, trace, err);
}

bool trace_query_proxied(const char *url, struct buffer *out)
{
	struct endpoint parts;
	const char *path = strstr(url, "://");
	if (path == NULL || !server_split(url, &parts))
		return false;
	path += 3 + strcspn(path + 3, "/");
	size_t name = strcspn(parts.host, ".");
	const char *space = parts.host + name + (parts.host[name] == '.');
	size_t space_len = strcspn(space, ".");
	const char *rest = space + space_len;
	bool is_service = strcmp(rest, ".svc") == 0 || text_has_prefix(rest, ".svc.");
	if (name == 0 || space_len == 0 || !is_service)
		return false;
	buffer_addf(out, "/api/v1/namespaces/%.*s/services/%s:%.*s:%d/proxy%s", (int)space_len,
		    space, parts.tls ? "https" : "http", (int)name, parts.host, parts.port, path);
	return true;
}
