/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/yaml.h"

struct kubeconfig_file {
	char *path;
	char *folder;
	cJSON *tree; /* NULL: empty file */
};

/* One entry of clusters, users or contexts, with the file that it stands in. */
struct entry {
	const char *what; /* "cluster", "user", "context" */
	const char *name;
	const cJSON *value; /* the member of that name */
	const struct kubeconfig_file *file;
};

void kubeconfig_init(struct kubeconfig *kubeconfig)
{
	*kubeconfig = (struct kubeconfig){0};
}

void kubeconfig_release(struct kubeconfig *kubeconfig)
{
	for (size_t i = 0; i < kubeconfig->count; i++) {
		free(kubeconfig->files[i].path);
		free(kubeconfig->files[i].folder);
		json_freep(&kubeconfig->files[i].tree);
	}
	free(kubeconfig->files);
	kubeconfig_init(kubeconfig);
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0')
			return false;
	return true;
}

enum status kubeconfig_add(struct kubeconfig *kubeconfig, const char *text, size_t len,
			   const char *path, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	if (!is_blank(text, len) && yaml_read(text, len, &tree, err) != STATUS_OK)
		return error_wrap(err, "%s", path);
	if (tree != NULL && !cJSON_IsObject(tree))
		return error_set(err, STATUS_INVALID, "%s: not a kubeconfig", path);
	const char *kind = json_str(tree, "kind");
	if (kind != NULL && *kind != '\0' && strcmp(kind, "Config") != 0)
		return error_set(err, STATUS_INVALID, "%s: kind is %s, not Config", path, kind);
	const char *slash = strrchr(path, '/');
	kubeconfig->files = grow(kubeconfig->files, kubeconfig->count, sizeof(*kubeconfig->files));
	kubeconfig->files[kubeconfig->count++] = (struct kubeconfig_file){
	    .path = xstrdup(path),
	    .folder = xstrndup(path, slash == NULL ? 0 : (size_t)(slash - path)),
	    .tree = TAKE_PTR(tree),
	};
	return STATUS_OK;
}

/* `list` is "clusters", "users" or "contexts", `what` the member inside an entry. */
static enum status find_entry(const struct kubeconfig *kubeconfig, const char *list,
			      const char *what, const char *name, struct entry *ret_entry,
			      struct error *err)
{
	for (size_t i = 0; i < kubeconfig->count; i++) {
		const cJSON *row = json_named(json_member(kubeconfig->files[i].tree, list), name);
		const cJSON *value = json_member(row, what);
		if (value == NULL)
			continue;
		*ret_entry = (struct entry){what, name, value, &kubeconfig->files[i]};
		return STATUS_OK;
	}
	(void)error_set(err, STATUS_INVALID, "no %s \"%s\" under %s in %s", what, name, list,
			kubeconfig->count == 0 ? "(no file)" : kubeconfig->files[0].path);
	return STATUS_INVALID;
}

static enum status at(struct error *err, const struct entry *entry)
{
	return error_wrap(err, "%s: %s \"%s\"", entry->file->path, entry->what, entry->name);
}

/* A string member, "" counting as absent. STATUS_INVALID for another type. */
static enum status get_text(const struct entry *entry, const char *key, const char **ret_text,
			    struct error *err)
{
	const cJSON *node = json_member(entry->value, key);
	*ret_text = NULL;
	if (node == NULL || cJSON_IsNull(node))
		return STATUS_OK;
	if (!cJSON_IsString(node)) {
		(void)error_set(err, STATUS_INVALID, "%s: want a string: put it in quotes", key);
		return at(err, entry);
	}
	if (*node->valuestring != '\0')
		*ret_text = node->valuestring;
	return STATUS_OK;
}

static enum status copy_text(const struct entry *entry, const char *key, char **ret_text,
			     struct error *err)
{
	const char *text = NULL;
	enum status status = get_text(entry, key, &text, err);
	if (status == STATUS_OK && text != NULL)
		*ret_text = xstrdup(text);
	return status;
}

static char *resolve_path(const struct entry *entry, const char *path)
{
	return path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", entry->file->folder, path);
}

static enum status copy_path(const struct entry *entry, const char *key, char **ret_path,
			     struct error *err)
{
	const char *path = NULL;
	enum status status = get_text(entry, key, &path, err);
	if (status == STATUS_OK && path != NULL)
		*ret_path = resolve_path(entry, path);
	return status;
}

/* `key`-data wins over `key` (kubectl). */
static enum status copy_pem(const struct entry *entry, const char *key, char **ret_file,
			    char **ret_data, struct error *err)
{
	CLEANUP(str_freep) char *data_key = xasprintf("%s-data", key);
	const char *encoded = NULL;
	enum status status = get_text(entry, data_key, &encoded, err);
	if (status != STATUS_OK)
		return status;
	if (encoded == NULL)
		return copy_path(entry, key, ret_file, err);
	size_t len = 0;
	CLEANUP(str_freep) char *data = NULL;
	if (!base64_decode(encoded, strlen(encoded), &data, &len) || strlen(data) != len) {
		(void)error_set(err, STATUS_INVALID, "%s: not base64 of PEM text", data_key);
		return at(err, entry);
	}
	*ret_data = TAKE_PTR(data);
	return STATUS_OK;
}

static enum status read_cluster(const struct entry *entry, struct client_config *config,
				struct error *err)
{
	const char *server = NULL;
	enum status status = get_text(entry, "server", &server, err);
	if (status == STATUS_OK && server == NULL) {
		(void)error_set(err, STATUS_INVALID, "server is missing");
		return at(err, entry);
	}
	if (status == STATUS_OK && strstr(server, "://") != NULL &&
	    !text_has_prefix(server, "https://") && !text_has_prefix(server, "http://")) {
		(void)error_set(err, STATUS_INVALID, "server %s: want https://HOST:PORT", server);
		return at(err, entry);
	}
	if (status != STATUS_OK)
		return status;
	/* kubectl takes HOST:PORT for http. */
	config->server =
	    strstr(server, "://") != NULL ? xstrdup(server) : xasprintf("http://%s", server);
	for (size_t len = strlen(config->server); len > 0 && config->server[len - 1] == '/';)
		config->server[--len] = '\0';
	config->insecure_skip_tls_verify =
	    json_bool(entry->value, "insecure-skip-tls-verify", false);
	status = copy_pem(entry, "certificate-authority", &config->ca_file, &config->ca_data, err);
	if (status == STATUS_OK)
		status = copy_text(entry, "tls-server-name", &config->tls_server_name, err);
	if (status == STATUS_OK)
		status = copy_text(entry, "proxy-url", &config->proxy_url, err);
	if (status == STATUS_OK && config->insecure_skip_tls_verify &&
	    (config->ca_file != NULL || config->ca_data != NULL)) {
		(void)error_set(
		    err, STATUS_INVALID,
		    "insecure-skip-tls-verify and a certificate-authority exclude each other");
		return at(err, entry);
	}
	return status;
}

/* What would be silently something else than the user thinks. */
static enum status refuse_unsupported(const struct entry *entry, struct error *err)
{
	static const struct {
		const char *key;
		const char *advice;
	} unsupported[] = {
	    {"as", "impersonation is not supported"},
	    {"as-uid", "impersonation is not supported"},
	    {"as-groups", "impersonation is not supported"},
	    {"username",
	     "API servers take no passwords since 1.19; use a token, certificate or exec"},
	    {"auth-provider", "was removed from kubectl in 1.26; use an exec credential plugin"},
	};
	for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
		const cJSON *node = json_member(entry->value, unsupported[i].key);
		if (node == NULL || cJSON_IsNull(node) ||
		    (cJSON_IsString(node) && *node->valuestring == '\0'))
			continue;
		(void)error_set(err, STATUS_INVALID, "%s: %s", unsupported[i].key,
				unsupported[i].advice);
		return at(err, entry);
	}
	return STATUS_OK;
}

static enum status read_exec(const struct entry *entry, struct client_config *config,
			     struct error *err)
{
	const cJSON *exec = json_member(entry->value, "exec");
	if (exec == NULL || cJSON_IsNull(exec))
		return STATUS_OK;
	const char *command = json_str(exec, "command");
	const char *version = json_str(exec, "apiVersion");
	const char *mode = json_str(exec, "interactiveMode");
	if (command == NULL || *command == '\0')
		(void)error_set(err, STATUS_INVALID, "exec.command is missing");
	else if (!text_equal(version, "client.authentication.k8s.io/v1") &&
		 !text_equal(version, "client.authentication.k8s.io/v1beta1"))
		(void)error_set(
		    err, STATUS_INVALID,
		    "exec.apiVersion %s: want client.authentication.k8s.io/v1 or v1beta1",
		    version == NULL ? "(none)" : version);
	else if (text_equal(mode, "Always"))
		(void)error_set(err, STATUS_INVALID,
				"exec.interactiveMode Always: an operator has no terminal");
	else {
		config->exec = json_clone(exec);
		/* A command with a slash is a path, relative to the file; one without is looked for in PATH. */
		if (strchr(command, '/') != NULL && command[0] != '/') {
			CLEANUP(str_freep) char *path = resolve_path(entry, command);
			json_set_str(config->exec, "command", path);
		}
		return STATUS_OK;
	}
	return at(err, entry);
}

static enum status read_user(const struct entry *entry, struct client_config *config,
			     struct error *err)
{
	enum status status = refuse_unsupported(entry, err);
	if (status == STATUS_OK)
		status = copy_pem(entry, "client-certificate", &config->cert_file,
				  &config->cert_data, err);
	if (status == STATUS_OK)
		status = copy_pem(entry, "client-key", &config->key_file, &config->key_data, err);
	if (status == STATUS_OK)
		status = copy_text(entry, "token", &config->token, err);
	if (status == STATUS_OK)
		status = copy_path(entry, "tokenFile", &config->token_file, err);
	if (status == STATUS_OK)
		status = read_exec(entry, config, err);
	if (status != STATUS_OK)
		return status;
	bool has_cert = config->cert_file != NULL || config->cert_data != NULL;
	bool has_key = config->key_file != NULL || config->key_data != NULL;
	if (has_cert != has_key)
		(void)error_set(err, STATUS_INVALID, "%s is there, %s is missing",
				has_cert ? "client-certificate" : "client-key",
				has_cert ? "client-key" : "client-certificate");
	else if (config->token != NULL && text_has_control(config->token))
		(void)error_set(err, STATUS_INVALID, "token holds control characters");
	else
		return STATUS_OK;
	return at(err, entry);
}

static bool is_loopback(const char *server)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
	const char *host = strstr(server, "://") + 3;
	size_t len = host[0] == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (strlen(hosts[i]) == len && strncmp(hosts[i], host, len) == 0)
			return true;
	return false;
}

/* A secret never leaves this machine unencrypted. */
static enum status check_plain_http(const struct client_config *config, const struct entry *cluster,
				    struct error *err)
{
	bool has_secret =
	    config->token != NULL || config->token_file != NULL || config->exec != NULL;
	if (!has_secret || text_has_prefix(config->server, "https://") ||
	    is_loopback(config->server))
		return STATUS_OK;
	(void)error_set(err, STATUS_INVALID,
			"server %s: a token is not sent over plain http; use https://",
			config->server);
	return at(err, cluster);
}

static const char *current_context(const struct kubeconfig *kubeconfig)
{
	for (size_t i = 0; i < kubeconfig->count; i++) {
		const char *name = json_str(kubeconfig->files[i].tree, "current-context");
		if (name != NULL && *name != '\0')
			return name;
	}
	return NULL;
}

static enum status resolve(const struct kubeconfig *kubeconfig, const char *name,
			   struct client_config *config, struct error *err)
{
	struct entry context = {0};
	struct entry cluster = {0};
	struct entry user = {0};
	const char *cluster_name = NULL;
	const char *user_name = NULL;
	enum status status = find_entry(kubeconfig, "contexts", "context", name, &context, err);
	if (status == STATUS_OK)
		status = get_text(&context, "cluster", &cluster_name, err);
	if (status == STATUS_OK)
		status = get_text(&context, "user", &user_name, err);
	if (status == STATUS_OK)
		status = copy_text(&context, "namespace", &config->namespace_name, err);
	if (status != STATUS_OK)
		return status;
	if (cluster_name == NULL) {
		(void)error_set(err, STATUS_INVALID, "cluster is missing");
		return at(err, &context);
	}
	config->source = xasprintf("context %s of %s", name, context.file->path);
	status = find_entry(kubeconfig, "clusters", "cluster", cluster_name, &cluster, err);
	if (status == STATUS_OK)
		status = read_cluster(&cluster, config, err);
	if (status == STATUS_OK && user_name != NULL)
		status = find_entry(kubeconfig, "users", "user", user_name, &user, err);
	if (status == STATUS_OK && user_name != NULL)
		status = read_user(&user, config, err);
	if (status == STATUS_OK)
		status = check_plain_http(config, &cluster, err);
	return status;
}

enum status kubeconfig_resolve(const struct kubeconfig *kubeconfig, const char *context,
			       struct client_config *ret_config, struct error *err)
{
	struct client_config config = {0};
	const char *name = context != NULL ? context : current_context(kubeconfig);
	if (name == NULL)
		return error_set(err, STATUS_INVALID,
				 "%s: no current-context; choose one with --context",
				 kubeconfig->count == 0 ? "kubeconfig" : kubeconfig->files[0].path);
	enum status status = resolve(kubeconfig, name, &config, err);
	if (status != STATUS_OK) {
		client_config_release(&config);
		return status;
	}
	*ret_config = config;
	return STATUS_OK;
}
