/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "k8sclient/api_status.h"
#include "k8sclient/transport_internal.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 15,
	KEEPALIVE_PROBES = 3,
	USER_TIMEOUT_MS = 45000,
	POOL_AGE_S = 60, /* the API server closes idle connections after 90 s */
	REFUSAL_MAX = 65536
};

/* A half-open connection is given up by the kernel: 30 s idle + 3 probes, or 45 s without an ACK. */
static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	(void)context;
	if (purpose == CURLSOCKTYPE_IPCXN) {
		int probes = KEEPALIVE_PROBES;
		int timeout = USER_TIMEOUT_MS;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	}
	return CURL_SOCKOPT_OK;
}

static bool is_write(const struct transfer *transfer)
{
	return strcmp(transfer->method, "GET") != 0;
}

/*
 * libcurl sends a request anew by itself when a pooled connection turns out dead. For a
 * write that is a silent repetition of something that may have been carried out: refused.
 */
static int before_request(void *context, char *remote_ip, char *local_ip, int remote_port,
			  int local_port)
{
	struct transfer *transfer = context;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (transfer->state !=
	    TRANSFER_RUNNING) /* its user may be gone, and what it holds for him */
		return CURL_PREREQFUNC_ABORT;
	if (transfer->may_connect != NULL &&
	    !transfer->may_connect(transfer->connect_context, remote_ip)) {
		(void)snprintf(transfer->avoided, sizeof(transfer->avoided), "%s", remote_ip);
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->sent++;
	return is_write(transfer) && transfer->sent > 1 ? CURL_PREREQFUNC_ABORT
							: CURL_PREREQFUNC_OK;
}

static void tell_head(struct transfer *transfer)
{
	if (transfer->head_told)
		return;
	struct transfer_head head = {transfer->code, transfer->retry_after_ms};
	transfer->head_told = true;
	transfer->handler->head(transfer->context, &head);
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;
	if (transfer->state != TRANSFER_RUNNING || transfer->encoded)
		return CURL_WRITEFUNC_ERROR;
	if (transfer->code == 401)
		buffer_add(&transfer->refusal, data, len);
	else
		transfer->handler->data(transfer->context, data, len);
	return transfer->state == TRANSFER_RUNNING ? len : CURL_WRITEFUNC_ERROR;
}

/* The value of header `name` in `line`, else NULL. `line` is NUL-terminated and trimmed. */
static const char *header_value(const char *line, const char *name)
{
	size_t len = strlen(name);
	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

/* RFC 9111 removed the header, Kubernetes uses it: `299 - "text"` (deprecated versions and the like). */
static void log_warning(struct transfer *transfer, const char *value)
{
	const char *begin = strchr(value, '"');
	const char *end = strrchr(value, '"');
	if (begin == NULL || end == begin)
		return;
	CLEANUP(str_freep) char *text = xstrndup(begin + 1, (size_t)(end - begin - 1));
	if (transfer->url == NULL && !transport_knows_warning(transfer->transport, text))
		log_entry(transfer->transport->log, LOG_WARN, "the API server warns", "warning",
			  text, NULL);
}

/* By code as soon as there is one: a watch may go on for minutes, and be cancelled then. */
static void count_request(const struct transfer *transfer)
{
	const struct transport *transport = transfer->transport;
	if (transfer->url != NULL)
		return;
	CLEANUP(str_freep)
	char *labels =
	    transfer->code == 0
		? xasprintf("<error>\x1f%s\x1f%s", transfer->method, transport->host)
		: xasprintf("%ld\x1f%s\x1f%s", transfer->code, transfer->method, transport->host);
	metric_add(transport->requests, labels, 1);
}

static void measure(const struct transfer *transfer)
{
	const struct transport *transport = transfer->transport;
	CLEANUP(str_freep) char *labels = xasprintf("%s\x1f%s", transfer->method, transport->host);
	if (!transfer->streams && transfer->url == NULL)
		metric_observe(transport->durations, labels,
			       (double)(uv_hrtime() - transfer->started_ns) / 1e9);
}

/* Told at once: a quiet watch may send its first byte of body minutes later. Trailers end here again. */
static void end_of_headers(struct transfer *transfer)
{
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->code);
	if (transfer->code >= 200 && !transfer->has_head)
		count_request(transfer);
	transfer->has_head = transfer->code >= 200;
	if (transfer->has_head && transfer->code != 401 && !transfer->encoded &&
	    transfer->state == TRANSFER_RUNNING)
		tell_head(transfer);
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;
	size_t trimmed = len;
	while (trimmed > 0 && strchr("\r\n \t", data[trimmed - 1]) != NULL)
		trimmed--;
	CLEANUP(str_freep) char *line = xstrndup(data, trimmed);
	const char *value = NULL;
	if (text_has_prefix(line, "HTTP/")) {
		transfer->retry_after_ms = 0;
		transfer->encoded = false;
	} else if ((value = header_value(line, "Retry-After")) != NULL) {
		transfer->retry_after_ms = retry_after_parse(value, (int64_t)time(NULL));
	} else if ((value = header_value(line, "Content-Encoding")) != NULL) {
		transfer->encoded = *value != '\0' && strcasecmp(value, "identity") != 0;
	} else if ((value = header_value(line, "Warning")) != NULL) {
		log_warning(transfer, value);
	} else if (*line == '\0') {
		end_of_headers(transfer);
	}
	return transfer->state == TRANSFER_RUNNING ? len : CURL_WRITEFUNC_ERROR;
}

static void append_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *more = curl_slist_append(transfer->headers, line);
	if (more == NULL)
		abort();
	transfer->headers = more;
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
	CLEANUP(str_freep) char *line = xasprintf("%s: %s", name, value);
	append_header(transfer, line);
}

static void set_blob(CURL *easy, CURLoption option, const char *pem)
{
	/* libcurl's type has no const; with COPY it does not write. */
	struct curl_blob blob = {.len = strlen(pem), .flags = CURL_BLOB_COPY};
	memcpy(&blob.data, &pem, sizeof(pem));
	(void)curl_easy_setopt(easy, option, &blob);
}

static void set_tls(struct transfer *transfer, const struct credential *credential)
{
	CURL *easy = transfer->easy;
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (transfer->url != NULL)
		return; /* the system's own authorities; nothing of ours is shown */
	(void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	if (credential->ca != NULL) {
		/* A blob, since paths are cached for a day; and the distribution's folder is not to be trusted besides. */
		set_blob(easy, CURLOPT_CAINFO_BLOB, credential->ca);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (transfer->transport->config.insecure_skip_tls_verify) {
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (credential->cert != NULL && credential->key != NULL) {
		set_blob(easy, CURLOPT_SSLCERT_BLOB, credential->cert);
		set_blob(easy, CURLOPT_SSLKEY_BLOB, credential->key);
	}
}

static void set_connection(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	const struct transport *transport = transfer->transport;
	CLEANUP(str_freep)
	char *url = transfer->url != NULL ? xstrdup(transfer->url)
					  : xasprintf("%s%s", transport->url, transfer->path);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
			       text_has_prefix(url, "http:") ? "http" : "https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)POOL_AGE_S);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, transfer->fresh_connection ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (transfer->url != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	else if (transport->config.proxy_url != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, transport->config.proxy_url);
	if (transport->connect_to != NULL && transfer->url == NULL) {
		transfer->connect_to = curl_slist_append(NULL, transport->connect_to);
		(void)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
	}
}

static void set_headers(struct transfer *transfer, const struct credential *credential)
{
	const struct transport *transport = transfer->transport;
	add_header(transfer, "Accept", transfer->accept);
	/* Said aloud: some proxies compress when nothing is said, and watches must not be. */
	add_header(transfer, "Accept-Encoding", "identity");
	add_header(transfer, "Expect", "");
	if (transport->host_header != NULL && transfer->url == NULL)
		add_header(transfer, "Host", transport->host_header);
	if (transfer->content_type != NULL)
		add_header(transfer, "Content-Type", transfer->content_type);
	for (const struct curl_slist *more = transfer->more_headers; more != NULL;
	     more = more->next)
		append_header(transfer, more->data);
	if (credential->token != NULL && transfer->url == NULL) {
		CLEANUP(str_freep) char *bearer = xasprintf("Bearer %s", credential->token);
		add_header(transfer, "Authorization", bearer);
	}
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_USERAGENT, transport->user_agent);
}

static void set_request(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	if (transfer->body != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)transfer->body_len);
	}
	if (is_write(transfer))
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
}

void transfer_prepare(struct transfer *transfer, const struct credential *credential)
{
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL)
		abort();
	transfer->curl_error[0] = '\0';
	transfer->started_ns = uv_hrtime();
	transfer->generation = credential->generation;
	transfer->sent = 0;
	transfer->code = 0;
	transfer->has_head = false;
	transfer->encoded = false;
	buffer_init(&transfer->refusal, REFUSAL_MAX);
	set_connection(transfer);
	set_tls(transfer, credential);
	set_headers(transfer, credential);
	set_request(transfer);
}

void transfer_dispose(struct transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	transfer->easy = NULL;
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	curl_slist_free_all(transfer->connect_to);
	transfer->connect_to = NULL;
}

static bool is_tls_failure(CURLcode result)
{
	return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CONNECT_ERROR ||
	       result == CURLE_SSL_CERTPROBLEM || result == CURLE_SSL_CACERT_BADFILE;
}

void transfer_finish(struct transfer *transfer, CURLcode result)
{
	struct transfer_end *end = &transfer->end;
	*end = (struct transfer_end){.status = STATUS_OK, .sent = transfer->sent > 0};
	const char *host = transfer->url != NULL ? "the server" : transfer->transport->host;
	if (transfer->encoded)
		end->status = error_set(&end->error, STATUS_RETRY,
					"%s compressed its answer although it was asked not to "
					"(a proxy in between?)",
					host);
	else if (transfer->avoided[0] != '\0')
		end->status =
		    error_set(&end->error, STATUS_DENIED, "%s is at %s, where nothing is sent",
			      host, transfer->avoided);
	else if (result != CURLE_OK)
		end->status = error_set(&end->error, STATUS_RETRY, "%s: %s", host,
					*transfer->curl_error != '\0' ? transfer->curl_error
								      : curl_easy_strerror(result));
	else if (!transfer->has_head)
		end->status = error_set(&end->error, STATUS_RETRY, "%s: no HTTP answer", host);
	if (is_tls_failure(result) && transfer->url == NULL)
		credentials_distrust(transfer->transport->credentials);
	if (!transfer->has_head)
		count_request(transfer);
	measure(transfer);
}

void transfer_tell_end(struct transfer *transfer)
{
	if (transfer->has_head && transfer->end.status == STATUS_OK)
		tell_head(transfer);
	if (transfer->refusal.len > 0 && transfer->state != TRANSFER_CANCELLED &&
	    transfer->head_told)
		transfer->handler->data(transfer->context, transfer->refusal.data,
					transfer->refusal.len);
	if (transfer->state != TRANSFER_CANCELLED)
		transfer->handler->end(transfer->context, &transfer->end);
}

bool transport_knows_warning(struct transport *transport, const char *text)
{
	char hash[17];
	hash_short(text, strlen(text), hash);
	for (size_t i = 0; i < transport->warning_count; i++)
		if (strcmp(transport->warnings[i], hash) == 0)
			return true;
	/* Full: silence is better than a log that a server can fill. */
	if (transport->warning_count == WARNINGS_KNOWN_MAX)
		return true;
	memcpy(transport->warnings[transport->warning_count++], hash, sizeof(hash));
	return false;
}
