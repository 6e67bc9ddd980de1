/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as one or two kubeconfigs (cut at the first NUL byte), as an ExecCredential
 * and as PEM: what comes out satisfies what the client relies on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "k8sclient/exec_credential.h"
#include "k8sclient/kubeconfig.h"
#include "k8sclient/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	if (path != NULL && path[0] != '/')
		abort();
}

static void check(const struct client_config *config)
{
	if (config->server == NULL || (!text_has_prefix(config->server, "https://") &&
				       !text_has_prefix(config->server, "http://")))
		abort();
	if (config->token != NULL && text_has_control(config->token))
		abort();
	if ((config->cert_file != NULL || config->cert_data != NULL) !=
	    (config->key_file != NULL || config->key_data != NULL))
		abort();
	check_path(config->ca_file);
	check_path(config->cert_file);
	check_path(config->key_file);
	check_path(config->token_file);
	if (config->exec != NULL && json_str(config->exec, "command") == NULL)
		abort();
}

static void resolve(const char *data, size_t first, size_t size)
{
	struct error err;
	struct client_config config = {0};
	struct kubeconfig kubeconfig;
	kubeconfig_init(&kubeconfig);
	enum status status = kubeconfig_add(&kubeconfig, data, first, "/a/b", &err);
	if (status == STATUS_OK && first < size)
		status =
		    kubeconfig_add(&kubeconfig, data + first + 1, size - first - 1, "/c", &err);
	if (status == STATUS_OK)
		status = kubeconfig_resolve(&kubeconfig, NULL, &config, &err);
	if (status == STATUS_OK)
		check(&config);
	client_config_release(&config);
	kubeconfig_release(&kubeconfig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size == 0 ? NULL : memchr(text, '\0', size);
	struct error err;
	struct exec_credential credential = {0};
	resolve(text, nul == NULL ? size : (size_t)(nul - text), size);
	if (exec_credential_read(text, size, "client.authentication.k8s.io/v1", &credential,
				 &err) == STATUS_OK &&
	    credential.token == NULL && credential.cert == NULL)
		abort();
	exec_credential_release(&credential);
	CLEANUP(str_freep) char *copy = xstrndup(text, size);
	(void)pem_is_whole(copy, "CERTIFICATE");
	(void)pem_is_whole(copy, "PRIVATE KEY");
	return 0;
}
