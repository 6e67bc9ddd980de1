/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the API server is and who we are: kubeconfig (KUBECONFIG lists, contexts,
 * client certificates, tokens, token files, exec plugins, tls-server-name, proxy-url)
 * or the in-cluster files of a pod. Paths inside are absolute after loading.
 */
#ifndef LLMD_K8SCLIENT_CONFIG_H
#define LLMD_K8SCLIENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct client_config {
	char *server;               /* https://host:port[/prefix], no trailing slash */
	char *ca_file;              /* re-read every 5 min and after a TLS failure; or */
	char *ca_data;              /* PEM; NULL with ca_file */
	char *cert_file, *key_file; /* or */
	char *cert_data, *key_data; /* PEM */
	char *token;                /* static, or */
	char *token_file;           /* re-read every 60 s and after a 401 */
	char *tls_server_name;
	char *proxy_url; /* NULL: as the environment says (HTTPS_PROXY, NO_PROXY); "": none */
	bool insecure_skip_tls_verify;
	cJSON *exec;          /* users[].user.exec as it stands, or NULL */
	char *namespace_name; /* of the context or of the pod; NULL when it has none */
	char *version; /* of this program, for the User-Agent; set by the shell, NULL: unknown */
	char *source;  /* for people: "context kind-a of ~/.kube/config" */
};

/* What the shell was told. NULL members mean "not said". */
struct config_source {
	const char *kubeconfig;     /* --kubeconfig: one file */
	const char *context;        /* --context */
	const char *kubeconfig_env; /* value of KUBECONFIG: list separated by ':' */
	const char *home;           /* value of HOME */
	const char *service_host;   /* KUBERNETES_SERVICE_HOST */
	const char *service_port;   /* KUBERNETES_SERVICE_PORT */
	const char *
	    pod_dir; /* folder with token, ca.crt, namespace; default /var/run/secrets/kubernetes.io/serviceaccount */
};

/*
 * Order: --kubeconfig, KUBECONFIG, in-cluster, ~/.kube/config. Messages name file, key
 * and what to do. Unknown keys are fine.
 */
NODISCARD enum status client_config_load(const struct config_source *source,
					 struct client_config *ret_config, struct error *err);
void client_config_release(struct client_config *config);

/* A copy that shares nothing. */
void client_config_copy(const struct client_config *config, struct client_config *ret_copy);

#endif
