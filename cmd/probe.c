/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

enum {
	REQUEST_MS = 120000, /* a cold engine compiles first */
	ANSWER_MAX = 1 << 20,
	TOKENS = 8,
};

static void random_hex(char *text, size_t digits)
{
	unsigned char bytes[16] = {0};
	do {
		if (getrandom(bytes, digits / 2, 0) != (ssize_t)(digits / 2))
			abort();
	} while (memcmp(bytes, (unsigned char[16]){0}, digits / 2) == 0); /* all zeros is "none" */
	for (size_t i = 0; i < digits / 2; i++) {
		text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	text[digits] = '\0';
}

enum status probe_check_url(const char *url, struct error *err)
{
	bool known = text_has_prefix(url, "http://") || text_has_prefix(url, "https://");
	const char *host = known ? strstr(url, "://") + 3 : "";
	if (strchr("/:", host[0]) != NULL || text_has_control(url) || strpbrk(url, " ?#@") != NULL)
		return error_set(err, STATUS_INVALID,
				 "--send %s: no URL like http://host:port (without user, query or "
				 "spaces)",
				 url);
	return STATUS_OK;
}

/* Without the slashes at its end, and without the API's own path if somebody gave it. Owned. */
static enum status read_base(const char *url, char **ret_base, struct error *err)
{
	static const char *const tails[] = {"/", "/v1/chat/completions", "/v1/completions", "/v1"};
	enum status status = probe_check_url(url, err);
	if (status != STATUS_OK)
		return status;
	char *base = xstrdup(url);
	for (bool cut = true; cut;) {
		cut = false;
		for (size_t i = 0; i < ARRAY_LEN(tails); i++)
			if (text_has_suffix(base, tails[i])) {
				base[strlen(base) - strlen(tails[i])] = '\0';
				cut = true;
			}
	}
	*ret_base = base;
	return STATUS_OK;
}

static enum status read_model(struct online *online, const char *base, char **ret_model,
			      struct error *err)
{
	struct answer answer CLEANUP(answer_release) = {0};
	cJSON *tree CLEANUP(json_freep) = NULL;
	char *url CLEANUP(str_freep) = xasprintf("%s/v1/models", base);
	struct request_spec spec = {
	    .method = "GET", .url = url, .timeout_ms = REQUEST_MS, .limit = ANSWER_MAX};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.status == STATUS_OK)
		answer.status = json_parse(answer.body.data, answer.body.len, &tree, &answer.error);
	const cJSON *data = json_member(tree, "data");
	const char *id = cJSON_IsArray(data) ? json_str(data->child, "id") : NULL;
	if (answer.status == STATUS_OK && id == NULL)
		(void)error_set(&answer.error, STATUS_INVALID, "it names no model");
	if (id == NULL) {
		*err = answer.error;
		return error_wrap(err, "ask %s for a model (or name one by --model)", url);
	}
	*ret_model = xstrdup(id);
	return STATUS_OK;
}

static char *make_body(const char *model)
{
	cJSON *body CLEANUP(json_freep) = cJSON_CreateObject();
	json_set_str(body, "model", model);
	json_set_str(body, "prompt", "Say that tracing works.");
	json_set_int(body, "max_tokens", TOKENS);
	return json_to_string(body);
}

static enum status post(struct online *online, struct probe *probe, struct error *err)
{
	char span[SPAN_ID_SIZE];
	struct answer answer CLEANUP(answer_release) = {0};
	random_hex(probe->trace, TRACE_ID_SIZE - 1);
	random_hex(span, SPAN_ID_SIZE - 1);
	char *context CLEANUP(str_freep) =
	    xasprintf("traceparent: 00-%s-%s-01", probe->trace, span);
	char *body CLEANUP(str_freep) = make_body(probe->model);
	struct request_spec spec = {.method = "POST",
				    .url = probe->url,
				    .headers = (const char *const[]){context, NULL},
				    .content_type = CONTENT_JSON,
				    .body = body,
				    .body_len = strlen(body),
				    .timeout_ms = REQUEST_MS,
				    .limit = ANSWER_MAX};
	uint64_t started = uv_hrtime();
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	probe->took_ms = (uv_hrtime() - started) / 1000000U;
	probe->http_code = answer.http_code;
	if (answer.http_code == 0) {
		*err = answer.error;
		return answer.status;
	}
	if (answer.http_code < 200 || answer.http_code >= 300)
		probe->trouble = xstrdup(answer.error.message);
	return STATUS_OK;
}

enum status probe_send(struct online *online, const char *url, const char *model,
		       struct probe *ret_probe, struct error *err)
{
	struct probe probe = {.model = model == NULL ? NULL : xstrdup(model)};
	char *base CLEANUP(str_freep) = NULL;
	enum status status = read_base(url, &base, err);
	if (status == STATUS_OK && model == NULL)
		status = read_model(online, base, &probe.model, err);
	if (status == STATUS_OK) {
		probe.url = xasprintf("%s/v1/completions", base);
		status = post(online, &probe, err);
	}
	if (status != STATUS_OK) {
		probe_release(&probe);
		return status;
	}
	*ret_probe = probe;
	return STATUS_OK;
}

void probe_release(struct probe *probe)
{
	free(probe->url);
	free(probe->model);
	free(probe->trouble);
	*probe = (struct probe){.url = NULL};
}
