/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs merged and resolved as kubectl does, and the files of a pod. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "k8sclient/config.h"
#include "k8sclient/kubeconfig.h"

#define CONTEXT(CLUSTER, USER, MORE)                                                               \
	"contexts: [{name: c, context: {cluster: " CLUSTER ", user: " USER MORE "}}]\n"            \
	"current-context: c\n"
#define CLUSTER(MORE)                  "clusters: [{name: k, cluster: {server: 'https://h:1'" MORE "}}]\n"
#define USER(MORE)                     "users: [{name: u, user: {" MORE "}}]\n"
#define PLAIN(CLUSTER_MORE, USER_MORE) CONTEXT("k", "u", "") CLUSTER(CLUSTER_MORE) USER(USER_MORE)

/* Every member of a client_config that matters, in one line. */
static char *describe(const struct client_config *c)
{
	struct buffer out;
	buffer_init(&out, 1U << 16);
	const struct {
		const char *name;
		const char *value;
	} members[] = {{"server", c->server},         {"ca", c->ca_file},
		       {"ca-data", c->ca_data},       {"cert", c->cert_file},
		       {"key", c->key_file},          {"cert-data", c->cert_data},
		       {"key-data", c->key_data},     {"token", c->token},
		       {"token-file", c->token_file}, {"tls-name", c->tls_server_name},
		       {"proxy", c->proxy_url},       {"ns", c->namespace_name}};
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i].value != NULL)
			buffer_addf(&out, "%s%s=%s", out.len > 0 ? " " : "", members[i].name,
				    members[i].value);
	if (c->insecure_skip_tls_verify)
		buffer_add_str(&out, " insecure");
	if (c->exec != NULL)
		buffer_addf(&out, " exec=%s", json_str(c->exec, "command"));
	char *line = buffer_detach(&out);
	buffer_release(&out);
	return line;
}

/* Files are /home/u/.kube/a, /etc/b, … in this order. */
static const char *const paths[] = {"/home/u/.kube/a", "/etc/b", "/etc/c"};

static const struct {
	const char *name;
	const char *files[3];
	const char *context;
	const char *want; /* description, or the error's message */
} rows[] = {
    {"a token", {PLAIN("", "token: t")}, NULL, "server=https://h:1 token=t"},
    {"JSON is YAML",
     {"{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\","
      "\"user\":"
      "\"u\"}}],\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://h:1/"
      "\"}}],\"users\":[{"
      "\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}"},
     NULL,
     "server=https://h:1 token=t"},
    {"files are relative to the kubeconfig",
     {PLAIN(", certificate-authority: ca.crt",
	    "client-certificate: pki/u.crt, client-key: /abs/u.key, tokenFile: ../t")},
     NULL,
     "server=https://h:1 ca=/home/u/.kube/ca.crt cert=/home/u/.kube/pki/u.crt key=/abs/u.key "
     "token-file=/home/u/.kube/../t"},
    {"data wins over files",
     {PLAIN(", certificate-authority: ca.crt, certificate-authority-data: Q0E=",
	    "client-certificate-data: Q1JU, client-certificate: x, client-key-data: S0VZ")},
     NULL,
     "server=https://h:1 ca-data=CA cert-data=CRT key-data=KEY"},
    {"the rest of a cluster",
     {PLAIN(
	 ", tls-server-name: api.internal, proxy-url: 'http://p:3128', disable-compression: true, "
	 "extensions: [{name: x, extension: {a: 1}}]",
	 "token: t")},
     NULL,
     "server=https://h:1 token=t tls-name=api.internal proxy=http://p:3128"},
    {"insecure",
     {PLAIN(", insecure-skip-tls-verify: true", "")},
     NULL,
     "server=https://h:1 insecure"},
    {"a namespace and no user",
     {CONTEXT("k", "''", ", namespace: team") CLUSTER("")},
     NULL,
     "server=https://h:1 ns=team"},
    {"trailing slashes and a prefix",
     {CONTEXT("k", "u",
	      "") "clusters: [{name: k, cluster: {server: 'https://h/k8s/c-1//'}}]\n" USER("")},
     NULL,
     "server=https://h/k8s/c-1"},
    {"HOST:PORT is http, as for kubectl",
     {CONTEXT("k", "u",
	      "") "clusters: [{name: k, cluster: {server: 'localhost:8080'}}]\n" USER("token: t")},
     NULL,
     "server=http://localhost:8080 token=t"},
    {"exec, relative",
     {PLAIN("", "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/x, "
		"interactiveMode: Never}")},
     NULL,
     "server=https://h:1 exec=/home/u/.kube/./bin/x"},
    {"exec, from PATH",
     {PLAIN("", "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}")},
     NULL,
     "server=https://h:1 exec=x"},
    {"unknown keys are fine",
     {"apiVersion: v1\nkind: Config\npreferences: {}\nnew: {a: [1]}\n" PLAIN(", x: 1",
									     "token: t, y: 2")},
     NULL,
     "server=https://h:1 token=t"},
    {"a context by name",
     {PLAIN("", "token: t") "x: 1", "contexts: [{name: d, context: {cluster: k2}}]\nclusters: "
				    "[{name: k2, cluster: {server: 'https://i:2'}}]\n"},
     "d",
     "server=https://i:2"},
    {"the first current-context counts, over files",
     {"current-context: ''\n", PLAIN("", "token: t"), "current-context: other\n"},
     NULL,
     "server=https://h:1 token=t"},
    {"the first entry of a name wins whole",
     {"users: [{name: u, user: {token: first}}]\n",
      PLAIN("", "token: second, client-certificate: x, client-key: y")},
     NULL,
     "server=https://h:1 token=first"},
    {"paths are relative to the file that they stand in",
     {"current-context: c\n", CONTEXT("k", "u", "") CLUSTER(", certificate-authority: ca"),
      USER("tokenFile: t")},
     NULL,
     "server=https://h:1 ca=/etc/ca token-file=/etc/t"},
    {"empty and blank files are passed over",
     {"", " \n\n", PLAIN("", "token: t")},
     NULL,
     "server=https://h:1 token=t"},

    {"no context",
     {CLUSTER("")},
     NULL,
     "/home/u/.kube/a: no current-context; choose one with --context"},
    {"an unknown context",
     {PLAIN("", "")},
     "z",
     "no context \"z\" under contexts in /home/u/.kube/a"},
    {"an unknown cluster",
     {CONTEXT("zz", "u", "")},
     NULL,
     "no cluster \"zz\" under clusters in /home/u/.kube/a"},
    {"an unknown user",
     {CONTEXT("k", "zz", "") CLUSTER("")},
     NULL,
     "no user \"zz\" under users in /home/u/.kube/a"},
    {"no cluster",
     {"contexts: [{name: c, context: {user: u}}]\ncurrent-context: c\n"},
     NULL,
     "/home/u/.kube/a: context \"c\": cluster is missing"},
    {"no server",
     {CONTEXT("k", "u", "") "clusters: [{name: k, cluster: {x: 1}}]\n"},
     NULL,
     "/home/u/.kube/a: cluster \"k\": server is missing"},
    {"another scheme",
     {CONTEXT("k", "u", "") "clusters: [{name: k, cluster: {server: 'ftp://h'}}]\n"},
     NULL,
     "/home/u/.kube/a: cluster \"k\": server ftp://h: want https://HOST:PORT"},
    {"a server that is no string",
     {CONTEXT("k", "u", "") "clusters: [{name: k, cluster: {server: 1}}]\n"},
     NULL,
     "/home/u/.kube/a: cluster \"k\": server: want a string: put it in quotes"},
    {"a namespace that YAML takes for false, as kubectl finds too",
     {CONTEXT("k", "u", ", namespace: n") CLUSTER("") USER("")},
     NULL,
     "/home/u/.kube/a: context \"c\": namespace: want a string: put it in quotes"},
    {"bad base64",
     {PLAIN(", certificate-authority-data: '!!'", "")},
     NULL,
     "/home/u/.kube/a: cluster \"k\": certificate-authority-data: not base64 of PEM text"},
    {"binary in base64",
     {PLAIN(", certificate-authority-data: AAAA", "")},
     NULL,
     "/home/u/.kube/a: cluster \"k\": certificate-authority-data: not base64 of PEM text"},
    {"insecure with a CA",
     {PLAIN(", insecure-skip-tls-verify: true, certificate-authority: x", "")},
     NULL,
     "/home/u/.kube/a: cluster \"k\": insecure-skip-tls-verify and a certificate-authority exclude "
     "each "
     "other"},
    {"a certificate without its key",
     {PLAIN("", "client-certificate: x")},
     NULL,
     "/home/u/.kube/a: user \"u\": client-certificate is there, client-key is missing"},
    {"impersonation",
     {PLAIN("", "token: t, as: root")},
     NULL,
     "/home/u/.kube/a: user \"u\": as: impersonation is not supported"},
    {"a password",
     {PLAIN("", "username: a, password: b")},
     NULL,
     "/home/u/.kube/a: user \"u\": username: API servers take no passwords since 1.19; use a "
     "token, "
     "certificate or exec"},
    {"auth-provider",
     {PLAIN("", "auth-provider: {name: gcp}")},
     NULL,
     "/home/u/.kube/a: user \"u\": auth-provider: was removed from kubectl in 1.26; use an exec "
     "credential plugin"},
    {"exec of another version",
     {PLAIN("", "exec: {apiVersion: v9, command: x}")},
     NULL,
     "/home/u/.kube/a: user \"u\": exec.apiVersion v9: want client.authentication.k8s.io/v1 or "
     "v1beta1"},
    {"exec that wants a terminal",
     {PLAIN("", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: "
		"Always}")},
     NULL,
     "/home/u/.kube/a: user \"u\": exec.interactiveMode Always: an operator has no terminal"},
    {"exec without a command",
     {PLAIN("", "exec: {apiVersion: client.authentication.k8s.io/v1}")},
     NULL,
     "/home/u/.kube/a: user \"u\": exec.command is missing"},
    {"a token with a newline",
     {PLAIN("", "token: \"a\\nb\"")},
     NULL,
     "/home/u/.kube/a: user \"u\": token holds control characters"},
    {"a token over plain http",
     {CONTEXT("k", "u",
	      "") "clusters: [{name: k, cluster: {server: 'http://h:80'}}]\n" USER("token: t")},
     NULL,
     "/home/u/.kube/a: cluster \"k\": server http://h:80: a token is not sent over plain http; use "
     "https://"},
    {"a token to a host that only looks local",
     {CONTEXT("k", "u", "") "clusters: [{name: k, cluster: {server: "
			    "'http://127.0.0.1.evil:80'}}]\n" USER("token: t")},
     NULL,
     "/home/u/.kube/a: cluster \"k\": server http://127.0.0.1.evil:80: a token is not sent over "
     "plain "
     "http; use https://"},
    {"another kind", {"kind: Pod\n"}, NULL, "/home/u/.kube/a: kind is Pod, not Config"},
    {"a list", {"[1]"}, NULL, "/home/u/.kube/a: not a kubeconfig"},
};

static enum status resolve_row(size_t i, struct client_config *config, struct error *err)
{
	struct kubeconfig kubeconfig;
	enum status status = STATUS_OK;
	kubeconfig_init(&kubeconfig);
	for (size_t j = 0; j < 3 && rows[i].files[j] != NULL && status == STATUS_OK; j++)
		status = kubeconfig_add(&kubeconfig, rows[i].files[j], strlen(rows[i].files[j]),
					paths[j], err);
	if (status == STATUS_OK)
		status = kubeconfig_resolve(&kubeconfig, rows[i].context, config, err);
	kubeconfig_release(&kubeconfig);
	return status;
}

TEST(kubeconfigs)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {.message = ""};
		struct client_config config = {0};
		struct client_config copy;
		if (resolve_row(i, &config, &err) != STATUS_OK) {
			CHECK_STR_ROW(err.message, rows[i].want, rows[i].name);
			CHECK_INT_ROW(err.status, STATUS_INVALID, rows[i].name);
			continue;
		}
		client_config_copy(&config, &copy);
		client_config_release(&config);
		CLEANUP(str_freep) char *got = describe(&copy);
		CHECK_STR_ROW(got, rows[i].want, rows[i].name);
		client_config_release(&copy);
	}
}

TEST(yaml_errors_name_the_file)
{
	struct error err;
	struct kubeconfig kubeconfig;
	kubeconfig_init(&kubeconfig);
	CHECK(kubeconfig_add(&kubeconfig, "a: [", 4, "/etc/x", &err) != STATUS_OK);
	CHECK(strncmp(err.message, "/etc/x: ", 8) == 0);
	kubeconfig_release(&kubeconfig);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	CLEANUP(str_freep) char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (CHECK(file != NULL)) {
		(void)fputs(text, file);
		(void)fclose(file);
	}
}

static void remove_files(const char *folder)
{
	static const char *const names[] = {"ca.crt", "token", "namespace",
					    "a",      "b",     ".kube/config"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(str_freep) char *path = xasprintf("%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	CLEANUP(str_freep) char *kube = xasprintf("%s/.kube", folder);
	(void)rmdir(kube);
	(void)rmdir(folder);
}

static bool make_folder(char template[static 32])
{
	memcpy(template, "/tmp/llmd-config-XXXXXX", 24);
	return CHECK(mkdtemp(template) != NULL);
}

TEST(in_a_pod)
{
	static const struct {
		const char *host;
		const char *port;
		const char *server;
	} hosts[] = {{"10.96.0.1", "443", "https://10.96.0.1:443"},
		     {"fd00::1", "6443", "https://[fd00::1]:6443"},
		     {"kubernetes.default.svc", NULL, "https://kubernetes.default.svc:443"}};
	char folder[32];
	if (!make_folder(folder))
		return;
	write_file(folder, "ca.crt", "ca");
	write_file(folder, "token", "t\n");
	write_file(folder, "namespace", "llmd-system\n");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct error err = {.message = ""};
		struct client_config config;
		struct config_source source = {.home = "/nonexistent",
					       .service_host = hosts[i].host,
					       .service_port = hosts[i].port,
					       .pod_dir = folder};
		CHECK_INT(client_config_load(&source, &config, &err), STATUS_OK);
		CLEANUP(str_freep) char *got = describe(&config);
		CLEANUP(str_freep)
		char *want =
		    xasprintf("server=%s ca=%s/ca.crt token-file=%s/token proxy= ns=llmd-system",
			      hosts[i].server, folder, folder);
		CHECK_STR(got, want);
		CHECK_STR(config.source, "the pod's ServiceAccount");
		client_config_release(&config);
	}
	remove_files(folder);
}

/* Which source counts; each kubeconfig is told by the port of its server. */
TEST(order_of_sources)
{
	char folder[32];
	if (!make_folder(folder))
		return;
	static const char text[] =
	    "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
	    "clusters: [{name: k, cluster: {server: 'https://h:%d'}}]\n";
	char one[256];
	CLEANUP(str_freep) char *kube = xasprintf("%s/.kube", folder);
	CHECK_INT(mkdir(kube, 0700), 0);
	(void)snprintf(one, sizeof(one), text, 1);
	write_file(folder, "a", one);
	(void)snprintf(one, sizeof(one), text, 2);
	write_file(folder, "b", one);
	(void)snprintf(one, sizeof(one), text, 3);
	write_file(folder, ".kube/config", one);
	write_file(folder, "ca.crt", "ca");
	CLEANUP(str_freep) char *a = xasprintf("%s/a", folder);
	CLEANUP(str_freep) char *list = xasprintf("%s/absent::%s/b:%s/a", folder, folder, folder);
	CLEANUP(str_freep) char *absent = xasprintf("%s/absent", folder);
	const struct {
		struct config_source source;
		const char *server; /* NULL: error */
	} orders[] = {
	    {{.kubeconfig = a, .kubeconfig_env = list, .service_host = "10.0.0.1"}, "https://h:1"},
	    {{.kubeconfig_env = list, .service_host = "10.0.0.1"}, "https://h:2"},
	    {{.kubeconfig_env = "", .service_host = "10.0.0.1"}, "https://10.0.0.1:443"},
	    {{.service_host = "10.0.0.1", .context = "c"}, "https://h:3"},
	    {{.service_host = ""}, "https://h:3"},
	    {{.kubeconfig = absent, .service_host = "10.0.0.1"}, NULL},
	    {{.kubeconfig_env = absent}, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct error err = {.message = ""};
		struct client_config config;
		struct config_source source = orders[i].source;
		source.home = folder;
		source.pod_dir = folder;
		bool found = client_config_load(&source, &config, &err) == STATUS_OK;
		CHECK_STR(found ? config.server : NULL, orders[i].server);
		if (found)
			client_config_release(&config);
		else
			CHECK(*err.message != '\0');
	}
	remove_files(folder);
}

TEST(nothing_is_configured)
{
	struct error err;
	struct client_config config;
	struct config_source source = {.home = "/nonexistent"};
	CHECK_INT(client_config_load(&source, &config, &err), STATUS_NOT_FOUND);
	CHECK_STR(err.message,
		  "no API server is configured: not in a pod, KUBECONFIG is not set and "
		  "/nonexistent/.kube/config is absent (use --kubeconfig FILE)");
	source.kubeconfig_env = "/nonexistent/a:/nonexistent/b";
	CHECK_INT(client_config_load(&source, &config, &err), STATUS_NOT_FOUND);
	CHECK_STR(err.message, "KUBECONFIG=/nonexistent/a:/nonexistent/b: no such file");
	source.kubeconfig_env = NULL;
	source.service_host = "10.0.0.1";
	source.pod_dir = "/nonexistent";
	CHECK_INT(client_config_load(&source, &config, &err), STATUS_NOT_FOUND);
	CHECK(strstr(err.message, "automountServiceAccountToken") != NULL);
}

/* Root may read everything: it is somebody else for a moment. */
TEST(a_kubeconfig_that_may_not_be_read)
{
	char folder[32];
	struct error err = {.message = ""};
	struct client_config config;
	uid_t self = geteuid();
	if (!make_folder(folder))
		return;
	write_file(folder, "a", "");
	CLEANUP(str_freep) char *a = xasprintf("%s/a", folder);
	struct config_source source = {.kubeconfig = a};
	CHECK_INT(chmod(folder, 0711), 0);
	CHECK_INT(chmod(a, 0), 0);
	CHECK(self != 0 || seteuid(65534) == 0);
	CHECK_INT(client_config_load(&source, &config, &err), STATUS_DENIED);
	CHECK(strstr(err.message, "/a: ") != NULL);
	CHECK(self != 0 || seteuid(self) == 0);
	remove_files(folder);
}

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
} base64_rows[] = {
    {"", ""},           {"QQ==", "A"},       {"QUI=", "AB"},
    {"QUJD", "ABC"},    {"QU\nJD\n", "ABC"}, {"QUJDRA==", "ABCD"},
    {"Q", NULL},        {"QQ", NULL},        {"QQ=", NULL},
    {"QQ==QQ==", NULL}, {"=QQQ", NULL},      {"Q===", NULL},
    {"QU-D", NULL},     {"QQ=Q", NULL},      {"+/+/", "\xfb\xff\xbf"},
};

TEST(base64)
{
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		CLEANUP(str_freep) char *data = NULL;
		size_t len = 0;
		bool ok =
		    base64_decode(base64_rows[i].text, strlen(base64_rows[i].text), &data, &len);
		CHECK_STR_ROW(ok ? data : NULL, base64_rows[i].want, base64_rows[i].text);
		if (!ok || strchr(base64_rows[i].text, '\n') != NULL)
			continue;
		struct buffer back;
		buffer_init(&back, 100);
		base64_encode(data, len, &back);
		CHECK_STR(back.data, base64_rows[i].text);
		buffer_release(&back);
	}
}
