/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/text.h"
#include "k8sclient/exec_plugin.h"
#include "k8sclient/pem.h"

enum {
	TOKEN_PERIOD_MS = 60000,
	CERTIFICATE_PERIOD_MS = 300000,
	EXPIRY_LEEWAY_S = 10,
	PLUGIN_PAUSE_MS = 10000 /* after a run that failed, or that did not help against a 401 */
};

enum watched_kind { WATCHED_TOKEN, WATCHED_CA, WATCHED_CERT, WATCHED_KEY, WATCHED_COUNT };

static const struct {
	const char *what;
	const char *pem_label; /* NULL: a token */
	uint64_t period_ms;
	size_t limit;
} watched_kinds[WATCHED_COUNT] = {
    [WATCHED_TOKEN] = {"token", NULL, TOKEN_PERIOD_MS, LIMIT_TOKEN_BYTES},
    [WATCHED_CA] = {"certificate authority", "CERTIFICATE", CERTIFICATE_PERIOD_MS,
		    LIMIT_KUBECONFIG_BYTES},
    [WATCHED_CERT] = {"client certificate", "CERTIFICATE", CERTIFICATE_PERIOD_MS,
		      LIMIT_KUBECONFIG_BYTES},
    [WATCHED_KEY] = {"client key", "PRIVATE KEY", CERTIFICATE_PERIOD_MS, LIMIT_KUBECONFIG_BYTES},
};

struct watched_file {
	const char *path; /* NULL: not a file */
	char *text;       /* last good content */
	uint64_t next_ms; /* when to read it again */
	bool complained;  /* the log knows that it cannot be read */
};

struct credentials {
	uv_loop_t *loop;
	const struct client_config *config;
	const struct log *log;
	void (*on_settled)(void *context);
	void *context;
	struct watched_file files[WATCHED_COUNT];
	unsigned generation;
	struct exec_plugin *plugin; /* running */
	struct exec_credential from_plugin;
	bool has_plugin_credential;
	bool plugin_rejected;
	uint64_t plugin_pause_until_ms;
	struct error plugin_error;
};

static enum status read_file(const char *path, size_t limit, struct buffer *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, STATUS_NOT_FOUND, "%s: %s", path, uv_strerror(-errno));
	char chunk[4096];
	ssize_t n = 0;
	buffer_init(out, limit);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && !out->full)
		buffer_add(out, chunk, (size_t)n);
	int problem = n < 0 ? errno : 0;
	(void)close(fd);
	if (problem != 0)
		return error_set(err, STATUS_NOT_FOUND, "%s: %s", path, uv_strerror(-problem));
	return buffer_check(out, path, err);
}

static void trim(struct buffer *text)
{
	size_t begin = 0;
	while (begin < text->len && strchr(" \t\r\n", text->data[begin]) != NULL)
		begin++;
	buffer_consume(text, begin);
	while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1]) != NULL)
		buffer_truncate(text, text->len - 1);
}

static enum status read_checked(enum watched_kind kind, const char *path, char **ret_text,
				struct error *err)
{
	struct buffer text = {0};
	enum status status = read_file(path, watched_kinds[kind].limit, &text, err);
	const char *label = watched_kinds[kind].pem_label;
	if (status == STATUS_OK && label == NULL) {
		trim(&text);
		if (text.len == 0 || strlen(text.data) != text.len || text_has_control(text.data))
			status = error_set(err, STATUS_INVALID, "%s: %s", path,
					   text.len == 0 ? "empty" : "not a token");
	} else if (status == STATUS_OK && !pem_is_whole(text.data, label)) {
		status = error_set(err, STATUS_INVALID, "%s: no whole PEM %s in it", path, label);
	}
	if (status == STATUS_OK)
		*ret_text = buffer_detach(&text);
	else
		(void)error_wrap(err, "read the %s", watched_kinds[kind].what);
	buffer_release(&text);
	return status;
}

/* Takes over what is new; keeps what is there when the file is bad, and says so once. */
static void refresh_file(struct credentials *c, enum watched_kind kind, uint64_t now_ms)
{
	struct watched_file *file = &c->files[kind];
	struct error err;
	char *text = NULL;
	if (file->path == NULL || now_ms < file->next_ms)
		return;
	file->next_ms = now_ms + watched_kinds[kind].period_ms;
	if (read_checked(kind, file->path, &text, &err) != STATUS_OK) {
		if (!file->complained)
			log_entry(c->log, LOG_WARN, "keeping the credential that was read before",
				  "error", err.message, NULL);
		file->complained = true;
		return;
	}
	file->complained = false;
	if (text_equal(text, file->text)) {
		free(text);
		return;
	}
	free(file->text);
	file->text = text;
	c->generation++;
	log_entry(c->log, LOG_DEBUG, "credential was rotated", "what", watched_kinds[kind].what,
		  NULL);
}

static enum status first_read(struct credentials *c, uint64_t now_ms, struct error *err)
{
	for (enum watched_kind kind = 0; kind < WATCHED_COUNT; kind++) {
		struct watched_file *file = &c->files[kind];
		if (file->path == NULL)
			continue;
		/* A static token stands in for an unreadable token file (client-go does the same). */
		enum status status = read_checked(kind, file->path, &file->text, err);
		if (status != STATUS_OK && (kind != WATCHED_TOKEN || c->config->token == NULL))
			return status;
		file->next_ms = now_ms + watched_kinds[kind].period_ms;
	}
	return STATUS_OK;
}

enum status credentials_new(uv_loop_t *loop, const struct client_config *config,
			    const struct log *log, void (*on_settled)(void *context), void *context,
			    struct credentials **ret_credentials, struct error *err)
{
	struct credentials *c = xcalloc(1, sizeof(*c));
	*c = (struct credentials){.loop = loop,
				  .config = config,
				  .log = log,
				  .on_settled = on_settled,
				  .context = context,
				  .generation = 1};
	c->files[WATCHED_TOKEN].path = config->token_file;
	c->files[WATCHED_CA].path = config->ca_data == NULL ? config->ca_file : NULL;
	c->files[WATCHED_CERT].path = config->cert_data == NULL ? config->cert_file : NULL;
	c->files[WATCHED_KEY].path = config->key_data == NULL ? config->key_file : NULL;
	enum status status = first_read(c, uv_hrtime() / 1000000U, err);
	if (status != STATUS_OK) {
		credentials_free(c);
		return status;
	}
	*ret_credentials = c;
	return STATUS_OK;
}

void credentials_free(struct credentials *c)
{
	if (c->plugin != NULL)
		exec_plugin_cancel(c->plugin);
	for (enum watched_kind kind = 0; kind < WATCHED_COUNT; kind++)
		free(c->files[kind].text);
	exec_credential_release(&c->from_plugin);
	free(c);
}

static bool plugin_credential_is_good(const struct credentials *c)
{
	int64_t expires = c->from_plugin.expires;
	return c->has_plugin_credential && !c->plugin_rejected &&
	       (expires == 0 || (int64_t)time(NULL) + EXPIRY_LEEWAY_S < expires);
}

static void on_plugin_done(void *context, struct exec_credential *credential,
			   const struct error *error)
{
	struct credentials *c = context;
	bool was_rejected = c->plugin_rejected;
	c->plugin = NULL;
	c->plugin_rejected = false;
	if (credential == NULL) {
		c->plugin_error = *error;
		c->has_plugin_credential = false;
		log_entry(c->log, LOG_WARN, "no credential from the plugin", "error",
			  error->message, NULL);
	} else {
		exec_credential_release(&c->from_plugin);
		c->from_plugin = *credential;
		*credential = (struct exec_credential){0};
		c->has_plugin_credential = true;
		c->generation++;
	}
	/* One that is refused again or born expired must not start a storm of runs. */
	if (was_rejected || !plugin_credential_is_good(c))
		c->plugin_pause_until_ms = uv_hrtime() / 1000000U + PLUGIN_PAUSE_MS;
	c->on_settled(c->context);
}

static const char *first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

static enum credentials_state get_from_plugin(struct credentials *c, uint64_t now_ms,
					      struct error *err)
{
	if (c->plugin != NULL)
		return CREDENTIALS_WAITING;
	if (plugin_credential_is_good(c))
		return CREDENTIALS_READY;
	if (now_ms < c->plugin_pause_until_ms) {
		if (c->has_plugin_credential) /* the server's word is final for now */
			return CREDENTIALS_READY;
		*err = c->plugin_error;
		return CREDENTIALS_FAILED;
	}
	const char *ca = first_of(c->config->ca_data, c->files[WATCHED_CA].text);
	if (exec_plugin_start(c->loop, c->config, ca, on_plugin_done, c, &c->plugin,
			      &c->plugin_error) == STATUS_OK)
		return CREDENTIALS_WAITING;
	c->plugin_pause_until_ms = now_ms + PLUGIN_PAUSE_MS;
	c->has_plugin_credential = false;
	*err = c->plugin_error;
	return CREDENTIALS_FAILED;
}

enum credentials_state credentials_get(struct credentials *c, uint64_t now_ms,
				       struct credential *ret_credential, struct error *err)
{
	for (enum watched_kind kind = 0; kind < WATCHED_COUNT; kind++)
		refresh_file(c, kind, now_ms);
	if (c->config->exec != NULL) {
		enum credentials_state state = get_from_plugin(c, now_ms, err);
		if (state != CREDENTIALS_READY)
			return state;
	}
	const struct client_config *config = c->config;
	const char *token = first_of(c->files[WATCHED_TOKEN].text, config->token);
	const char *cert = first_of(config->cert_data, c->files[WATCHED_CERT].text);
	const char *key = first_of(config->key_data, c->files[WATCHED_KEY].text);
	*ret_credential = (struct credential){
	    .generation = c->generation,
	    .token = first_of(c->from_plugin.token, token),
	    .ca = first_of(config->ca_data, c->files[WATCHED_CA].text),
	    .cert = first_of(c->from_plugin.cert, cert),
	    .key = first_of(c->from_plugin.key, key),
	};
	return CREDENTIALS_READY;
}

void credentials_reject(struct credentials *c, uint64_t now_ms, unsigned generation)
{
	if (generation != c->generation)
		return;
	c->files[WATCHED_TOKEN].next_ms = 0;
	c->files[WATCHED_CERT].next_ms = 0;
	c->files[WATCHED_KEY].next_ms = 0;
	if (c->config->exec != NULL && now_ms >= c->plugin_pause_until_ms)
		c->plugin_rejected = true;
}

void credentials_distrust(struct credentials *c)
{
	for (enum watched_kind kind = WATCHED_CA; kind < WATCHED_COUNT; kind++)
		c->files[kind].next_ms = 0;
}
