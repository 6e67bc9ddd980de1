/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "k8sclient/kubeconfig.h"

#define POD_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

void client_config_release(struct client_config *config)
{
	free(config->server);
	free(config->ca_file);
	free(config->ca_data);
	free(config->cert_file);
	free(config->key_file);
	free(config->cert_data);
	free(config->key_data);
	free(config->token);
	free(config->token_file);
	free(config->tls_server_name);
	free(config->proxy_url);
	free(config->namespace_name);
	free(config->version);
	free(config->source);
	json_freep(&config->exec);
	*config = (struct client_config){0};
}

void client_config_copy(const struct client_config *config, struct client_config *ret_copy)
{
	*ret_copy = (struct client_config){
	    .server = copy_or_null(config->server),
	    .ca_file = copy_or_null(config->ca_file),
	    .ca_data = copy_or_null(config->ca_data),
	    .cert_file = copy_or_null(config->cert_file),
	    .key_file = copy_or_null(config->key_file),
	    .cert_data = copy_or_null(config->cert_data),
	    .key_data = copy_or_null(config->key_data),
	    .token = copy_or_null(config->token),
	    .token_file = copy_or_null(config->token_file),
	    .tls_server_name = copy_or_null(config->tls_server_name),
	    .proxy_url = copy_or_null(config->proxy_url),
	    .insecure_skip_tls_verify = config->insecure_skip_tls_verify,
	    .exec = config->exec == NULL ? NULL : json_clone(config->exec),
	    .namespace_name = copy_or_null(config->namespace_name),
	    .version = copy_or_null(config->version),
	    .source = copy_or_null(config->source),
	};
}

/* Reads a whole small file. STATUS_NOT_FOUND when there is none. */
static enum status read_file(const char *path, struct buffer *out, struct error *err)
{
	buffer_init(out, LIMIT_KUBECONFIG_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err,
				 errno == ENOENT   ? STATUS_NOT_FOUND
				 : errno == EACCES ? STATUS_DENIED
						   : STATUS_INVALID,
				 "%s: %s", path, uv_strerror(-errno));
	char chunk[4096];
	ssize_t n = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && !out->full)
		buffer_add(out, chunk, (size_t)n);
	int problem = n < 0 ? errno : 0;
	(void)close(fd);
	if (problem != 0)
		return error_set(err, STATUS_INVALID, "%s: %s", path, uv_strerror(-problem));
	return buffer_check(out, path, err);
}

static char *absolute_path(const char *path)
{
	if (path[0] == '/')
		return xstrdup(path);
	CLEANUP(str_freep) char *here = getcwd(NULL, 0);
	return xasprintf("%s/%s", here == NULL ? "" : here, path);
}

static enum status add_file(struct kubeconfig *kubeconfig, const char *path, bool may_be_absent,
			    struct error *err)
{
	struct buffer text;
	CLEANUP(str_freep) char *absolute = absolute_path(path);
	enum status status = read_file(absolute, &text, err);
	if (status == STATUS_OK)
		status = kubeconfig_add(kubeconfig, text.data, text.len, absolute, err);
	else if (status == STATUS_NOT_FOUND && may_be_absent)
		status = STATUS_OK;
	buffer_release(&text);
	return status;
}

/* KUBECONFIG: files that are absent are passed over, as kubectl does. */
static enum status add_list(struct kubeconfig *kubeconfig, const char *list, struct error *err)
{
	enum status status = STATUS_OK;
	while (status == STATUS_OK && *list != '\0') {
		size_t len = strcspn(list, ":");
		CLEANUP(str_freep) char *path = xstrndup(list, len);
		if (len > 0)
			status = add_file(kubeconfig, path, true, err);
		list += len + (list[len] == ':' ? 1 : 0);
	}
	return status;
}

static enum status load_kubeconfig(const struct config_source *source,
				   struct client_config *ret_config, struct error *err)
{
	struct kubeconfig kubeconfig;
	enum status status = STATUS_OK;
	const char *env = source->kubeconfig_env;
	kubeconfig_init(&kubeconfig);
	if (source->kubeconfig != NULL) {
		status = add_file(&kubeconfig, source->kubeconfig, false, err);
	} else if (env != NULL && *env != '\0') {
		status = add_list(&kubeconfig, env, err);
		if (status == STATUS_OK && kubeconfig.count == 0)
			status =
			    error_set(err, STATUS_NOT_FOUND, "KUBECONFIG=%s: no such file", env);
	} else {
		CLEANUP(str_freep)
		char *path = xasprintf("%s/.kube/config", source->home == NULL ? "" : source->home);
		status = add_file(&kubeconfig, path, false, err);
		if (status == STATUS_NOT_FOUND)
			status = error_set(err, STATUS_NOT_FOUND,
					   "no API server is configured: not in a pod, KUBECONFIG "
					   "is not set and %s is absent (use --kubeconfig FILE)",
					   path);
	}
	if (status == STATUS_OK)
		status = kubeconfig_resolve(&kubeconfig, source->context, ret_config, err);
	kubeconfig_release(&kubeconfig);
	return status;
}

static enum status load_in_cluster(const struct config_source *source,
				   struct client_config *ret_config, struct error *err)
{
	const char *folder = source->pod_dir == NULL ? POD_DIR : source->pod_dir;
	CLEANUP(str_freep) char *namespace_file = xasprintf("%s/namespace", folder);
	CLEANUP(str_freep) char *ca_file = xasprintf("%s/ca.crt", folder);
	const char *host = source->service_host;
	const char *port = source->service_port == NULL ? "443" : source->service_port;
	bool is_ipv6 = strchr(host, ':') != NULL;
	struct buffer text;
	if (access(ca_file, R_OK) != 0)
		return error_set(
		    err, STATUS_NOT_FOUND,
		    "this looks like a pod (KUBERNETES_SERVICE_HOST is set), but %s: %s; does "
		    "its ServiceAccount have automountServiceAccountToken: false?",
		    ca_file, uv_strerror(-errno));
	*ret_config = (struct client_config){
	    .server = xasprintf(is_ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, port),
	    .ca_file = TAKE_PTR(ca_file),
	    .token_file = xasprintf("%s/token", folder),
	    .proxy_url =
		xstrdup(""), /* the API server's address is never behind the proxy of a pod */
	    .source = xstrdup("the pod's ServiceAccount"),
	};
	if (read_file(namespace_file, &text, err) == STATUS_OK && text.len > 0) {
		ret_config->namespace_name = xstrndup(text.data, strcspn(text.data, " \r\n"));
	}
	buffer_release(&text);
	return STATUS_OK;
}

enum status client_config_load(const struct config_source *source, struct client_config *ret_config,
			       struct error *err)
{
	bool has_file = source->kubeconfig != NULL ||
			(source->kubeconfig_env != NULL && *source->kubeconfig_env != '\0');
	/* A context can only stand in a kubeconfig. */
	if (!has_file && source->context == NULL && source->service_host != NULL &&
	    *source->service_host != '\0')
		return load_in_cluster(source, ret_config, err);
	return load_kubeconfig(source, ret_config, err);
}
