/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/forbidden_host.h"
#include "inject/settings_check.h"
#include "inject/trace_query.h"
#include "k8sclient/list_stream.h"

/* Few of the client's connections at a time: a Service that does not answer holds one for seconds. */
enum { ASKS_MAX = 4, URL_MAX_BYTES = 2048 };

/* Of a model server. */
enum { PODS_MAX = 250, ENGINE_MS = 3000, ENGINE_ANSWER_MAX = MIB(4) };

struct ask {
	struct asker *asker;
	struct ask *next;
	struct request *request;
	char *namespace_name;
	char *service;
	unsigned port;
	bool elsewhere; /* the settings' query endpoint */
	cJSON *engine;  /* of struct asking; or NULL */
	struct served_at server;
	unsigned long turn;
};

struct asker {
	struct client *client;
	const struct operator_options *options;
	struct metric *results;
	asker_fn answered;
	void *context;
	struct ask *asks;
	size_t count;
};

struct asker *asker_new(struct client *client, const struct operator_options *options,
			struct metrics *metrics, asker_fn answered, void *context)
{
	struct asker *asker = xcalloc(1, sizeof(*asker));
	*asker = (struct asker){
	    .client = client,
	    .options = options,
	    .answered = answered,
	    .context = context,
	    .results = metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_proof_requests_total",
				      "Questions to collectors and back ends.", "service,result")};
	return asker;
}

static void ask_free(struct ask *ask)
{
	struct ask **place = &ask->asker->asks;
	while (*place != ask)
		place = &(*place)->next;
	*place = ask->next;
	ask->asker->count--;
	free(ask->namespace_name);
	free(ask->service);
	json_freep(&ask->engine);
	free(ask);
}

void asker_freep(struct asker **asker_pointer)
{
	struct asker *asker = *asker_pointer;
	*asker_pointer = NULL;
	if (asker == NULL)
		return;
	while (asker->asks != NULL) {
		request_cancel(asker->asks->request);
		ask_free(asker->asks);
	}
	free(asker);
}

bool asker_may_send(const struct asker *asker)
{
	return asker->count < ASKS_MAX;
}

/* The server's own words, without the URL before and the time behind, which differ each time. */
static void explain(const struct ask *ask, const struct response *response, char *text, size_t size)
{
	const char *words = strstr(response->error.message, ": ");
	words = words == NULL ? response->error.message : words + 2;
	const char *time = strstr(words, " after ");
	size_t len = time == NULL ? strlen(words) : (size_t)(time - words);
	int shown = len > INT16_MAX ? INT16_MAX : (int)len;
	if (ask->engine != NULL)
		(void)snprintf(text, size, "Pod %s, port %u: %.*s", ask->server.pod, ask->port,
			       shown, words);
	else if (ask->elsewhere)
		(void)snprintf(text, size, "spec.backend.otlp.query: %.*s", shown, words);
	else
		(void)snprintf(text, size, "Service %s, port %u: %.*s", ask->service, ask->port,
			       shown, words);
}

static void on_answer(void *context, const struct response *response)
{
	struct ask *ask = context;
	struct asker *asker = ask->asker;
	char message[ERROR_MESSAGE_MAX];
	char labels[128];
	struct proof_reply reply = {.status = response->status,
				    .body = response->body,
				    .len = response->body_len,
				    .server = ask->server.port != 0 ? &ask->server : NULL};
	if (reply.status != STATUS_OK) {
		explain(ask, response, message, sizeof(message));
		reply.message = message;
	}
	(void)snprintf(labels, sizeof(labels), "%s\x1f%s", ask->service,
		       status_info(reply.status)->name);
	metric_add(asker->results, labels, 1);
	asker->answered(asker->context, ask->namespace_name, ask->turn, &reply);
	ask_free(ask);
}

/* A Service may be an alias, and its endpoints anything: the address itself is looked at too. */
static bool may_connect(void *context, const char *address)
{
	const struct ask *ask = context;
	const struct admin_policy *admin = ask->asker->options->admin;
	char url[URL_MAX_BYTES];
	bool ipv6 = strchr(address, ':') != NULL;
	if (ask->engine != NULL && strcmp(address, ask->server.address) != 0)
		return false;
	if (host_is_forbidden(address, admin == NULL ? NULL : admin->api_server) == NULL)
		return true;
	(void)snprintf(url, sizeof(url), ipv6 ? "http://[%s]:%u" : "http://%s:%u", address,
		       ask->port);
	return may_call(admin, ask->namespace_name, NULL, url);
}

/* The URL and the API server's way to it ("" when it is no Service); false: it may not be called. */
static bool find_way(struct ask *ask, const struct asking *asking, struct buffer *url,
		     struct buffer *proxied)
{
	struct endpoint parts;
	if (asking->port != 0)
		buffer_addf(url, "http://%s.%s.svc:%u", ask->service, ask->namespace_name,
			    ask->port);
	buffer_add_str(url, asking->path);
	if (url->full ||
	    !may_call(ask->asker->options->admin, ask->namespace_name, NULL, url->data))
		return false;
	if (server_split(url->data, &parts))
		ask->port = (unsigned)parts.port;
	(void)trace_query_proxied(url->data, proxied);
	return true;
}

/* ---- a model server ---- */

static bool look_at_pod(void *context, struct slice item)
{
	struct ask *ask = context;
	struct error ignored;
	cJSON *pod CLEANUP(json_freep) = NULL;
	struct served_want want = {.image = json_str(ask->engine, "image"),
				   .endpoint = json_str(ask->engine, "endpoint"),
				   .policies = json_member(ask->engine, "policies")};
	if (json_parse(item.data, item.len, &pod, &ignored) != STATUS_OK ||
	    !component_from_name(json_str(ask->engine, "component"), &want.component))
		return true;
	return !served_counts(pod, &want, &ask->server);
}

static void on_pods(void *context, const struct response *response)
{
	struct ask *ask = context;
	struct list_stream list CLEANUP(list_stream_release) = {0};
	struct buffer url CLEANUP(buffer_release) = {0};
	struct error ignored;
	list_stream_init(&list, MIB(1));
	if (response->status == STATUS_OK)
		(void)!list_stream_feed(&list, response->body, response->body_len, look_at_pod, ask,
					&ignored);
	if (ask->server.port == 0) {
		struct response none = {.status = STATUS_NOT_FOUND, .body = ""};
		(void)error_set(&none.error, STATUS_NOT_FOUND, "no pod can be asked");
		on_answer(ask, response->status == STATUS_OK ? &none : response);
		return;
	}
	buffer_init(&url, URL_MAX_BYTES);
	bool ipv6 = strchr(ask->server.address, ':') != NULL;
	ask->port = ask->server.port;
	buffer_addf(&url, ipv6 ? "http://[%s]:%u/metrics" : "http://%s:%u/metrics",
		    ask->server.address, ask->port);
	struct request_spec spec = {.method = "GET",
				    .url = url.data,
				    .accept = "text/plain",
				    .timeout_ms = ENGINE_MS,
				    .limit = ENGINE_ANSWER_MAX,
				    .may_connect = may_connect,
				    .connect_context = ask};
	ask->request = client_send(ask->asker->client, &spec, on_answer, ask);
}

/* The one that was asked before, or any. */
static void find_pod(struct ask *ask)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	const char *pod = json_str(ask->engine, "pod");
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "pods", ask->namespace_name, NULL, NULL);
	buffer_addf(&path, "?limit=%d", (int)PODS_MAX);
	if (pod != NULL) {
		buffer_add_str(&path, "&fieldSelector=metadata.name%3D");
		path_add_escaped(&path, pod);
	}
	struct request_spec spec = {
	    .method = "GET", .path = path.data, .timeout_ms = PROOF_TIMEOUT_MS, .limit = MIB(8)};
	ask->request = client_send(ask->asker->client, &spec, on_pods, ask);
}

void asker_send(struct asker *asker, const char *namespace_name, const struct asking *asking,
		unsigned long turn)
{
	struct buffer url CLEANUP(buffer_release) = {0};
	struct buffer proxied CLEANUP(buffer_release) = {0};
	struct ask *ask = xcalloc(1, sizeof(*ask));
	*ask = (struct ask){.asker = asker,
			    .next = asker->asks,
			    .namespace_name = xstrdup(namespace_name),
			    .service = xstrdup(asking->service),
			    .port = asking->port,
			    .elsewhere = asking->port == 0,
			    .engine = asking->engine == NULL ? NULL : json_clone(asking->engine),
			    .turn = turn};
	asker->asks = ask;
	asker->count++;
	if (ask->engine != NULL) {
		find_pod(ask);
		return;
	}
	buffer_init(&url, URL_MAX_BYTES);
	buffer_init(&proxied, URL_MAX_BYTES);
	if (!find_way(ask, asking, &url, &proxied)) {
		static const char refusal[] = "the administrator's policy forbids to call it";
		struct proof_reply reply = {.status = STATUS_DENIED, .message = refusal};
		asker->answered(asker->context, namespace_name, turn, &reply);
		ask_free(ask);
		return;
	}
	char *tenant CLEANUP(str_freep) =
	    asking->tenant == NULL ? NULL : xasprintf("X-Scope-OrgID: %s", asking->tenant);
	struct request_spec spec = {.method = "GET",
				    .path = proxied.data,
				    .accept = "application/json, text/plain;version=0.0.4;q=0.9",
				    .timeout_ms = PROOF_TIMEOUT_MS,
				    .limit = PROOF_ANSWER_MAX,
				    .headers = (const char *const[]){tenant, NULL}};
	if (asker->options->in_cluster || proxied.len == 0) {
		spec.url = url.data;
		spec.may_connect = may_connect;
		spec.connect_context = ask;
	}
	ask->request = client_send(asker->client, &spec, on_answer, ask);
}
