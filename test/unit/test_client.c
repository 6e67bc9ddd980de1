/* SPDX-License-Identifier: Apache-2.0 */
/* The small pure parts of the client: paths, PEM, ExecCredential. The network is test/scenario's. */
#include "test.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "k8sclient/client.h"
#include "k8sclient/exec_credential.h"
#include "k8sclient/pem.h"

static const struct {
	const char *api_version, *plural, *namespace_name, *name, *subresource;
	const char *want;
} path_rows[] = {
    {"v1", "namespaces", NULL, NULL, NULL, "/api/v1/namespaces"},
    {"v1", "configmaps", "n", "a", NULL, "/api/v1/namespaces/n/configmaps/a"},
    {"apps/v1", "deployments", NULL, NULL, NULL, "/apis/apps/v1/deployments"},
    {"apps/v1", "deployments", "n", "a", "status",
     "/apis/apps/v1/namespaces/n/deployments/a/status"},
    {"v1", "x", "a/b", "..?#%", NULL, "/api/v1/namespaces/a%2Fb/x/..%3F%23%25"},
};

TEST(paths)
{
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
		struct buffer path;
		buffer_init(&path, 1000);
		path_build(&path, path_rows[i].api_version, path_rows[i].plural,
			   path_rows[i].namespace_name, path_rows[i].name,
			   path_rows[i].subresource);
		CHECK_STR(path.data, path_rows[i].want);
		buffer_release(&path);
	}
	struct buffer text;
	buffer_init(&text, 1000);
	path_add_escaped(&text, "a=b,c in (d) \xc3\xa9~._-");
	CHECK_STR(text.data, "a%3Db%2Cc%20in%20%28d%29%20%C3%A9~._-");
	buffer_release(&text);
}

/* MAMBAQA= is the DER of SEQUENCE { BOOLEAN FALSE }. */
#define BLOCK(LABEL, BODY) "-----BEGIN " LABEL "-----\n" BODY "\n-----END " LABEL "-----\n"

static const struct {
	const char *name;
	const char *text;
	const char *label;
	bool want;
} pem_rows[] = {
    {"a certificate", BLOCK("CERTIFICATE", "MAMBAQA="), "CERTIFICATE", true},
    {"text before", "subject=x\n" BLOCK("CERTIFICATE", "MAMBAQA="), "CERTIFICATE", true},
    {"two", BLOCK("CERTIFICATE", "MAMBAQA=") BLOCK("CERTIFICATE", "MAMBAQA="), "CERTIFICATE", true},
    {"the second is cut", BLOCK("CERTIFICATE", "MAMBAQA=") "-----BEGIN CERTIFICATE-----\nMAM",
     "CERTIFICATE", false},
    {"a key", BLOCK("EC PRIVATE KEY", "MAMBAQA="), "PRIVATE KEY", true},
    {"a key beside its parameters",
     BLOCK("EC PARAMETERS", "BggqhkjOPQMBBw==") BLOCK("EC PRIVATE KEY", "MAMBAQA="), "PRIVATE KEY",
     true},
    {"a certificate is no key", BLOCK("CERTIFICATE", "MAMBAQA="), "PRIVATE KEY", false},
    {"empty", "", "CERTIFICATE", false},
    {"words", "not a certificate", "CERTIFICATE", false},
    {"no end", "-----BEGIN CERTIFICATE-----\nMAMBAQA=\n", "CERTIFICATE", false},
    {"an end of another kind", "-----BEGIN CERTIFICATE-----\nMAMBAQA=\n-----END X-----",
     "CERTIFICATE", false},
    {"cut DER", BLOCK("CERTIFICATE", "MAMBAQ=="), "CERTIFICATE", false},
    {"bytes after the DER", BLOCK("CERTIFICATE", "MAMBAQAA"), "CERTIFICATE", false},
    {"no DER", BLOCK("CERTIFICATE", "AAAA"), "CERTIFICATE", false},
    {"no base64", BLOCK("CERTIFICATE", "!!!!"), "CERTIFICATE", false},
    {"nothing inside", BLOCK("CERTIFICATE", ""), "CERTIFICATE", false},
    {"a begin without dashes", "-----BEGIN CERTIFICATE", "CERTIFICATE", false},
};

TEST(pem)
{
	for (size_t i = 0; i < ARRAY_LEN(pem_rows); i++)
		CHECK_INT_ROW(pem_is_whole(pem_rows[i].text, pem_rows[i].label), pem_rows[i].want,
			      pem_rows[i].name);
}

static const struct {
	const char *text;
	bool ok;
	long long want;
} time_rows[] = {
    {"1970-01-01T00:00:00Z", true, 0},
    {"2026-01-02T03:04:05Z", true, 1767323045},
    {"2026-01-02T03:04:05.999999Z", true, 1767323045},
    {"2026-01-02T05:04:05+02:00", true, 1767323045},
    {"2026-01-01T21:34:05-05:30", true, 1767323045},
    {"2026-01-02 03:04:05Z", false, 0},
    {"2026-01-02T03:04:05", false, 0},
    {"2026-01-02T03:04:05Zjunk", false, 0},
    {"2026-01-02T03:04:05+2", false, 0},
    {"tomorrow", false, 0},
    {"", false, 0},
};

TEST(rfc3339)
{
	for (size_t i = 0; i < ARRAY_LEN(time_rows); i++) {
		int64_t got = 0;
		CHECK_INT_ROW(rfc3339_parse(time_rows[i].text, &got), time_rows[i].ok,
			      time_rows[i].text);
		CHECK_INT_ROW(got, time_rows[i].want, time_rows[i].text);
	}
}

#define V1 "client.authentication.k8s.io/v1"
#define CREDENTIAL(STATUS)                                                                         \
	"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{" STATUS "}}"

static const struct {
	const char *name;
	const char *text;
	const char *token;
	const char *cert;
	long long expires;
	const char *error;
} credential_rows[] = {
    {"a token", CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:01:00Z\""), "t",
     NULL, 60, NULL},
    {"a certificate", CREDENTIAL("\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""), NULL,
     "C", 0, NULL},
    {"both", CREDENTIAL("\"token\":\"t\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""),
     "t", "C", 0, NULL},
    {"YAML", "apiVersion: " V1 "\nkind: ExecCredential\nstatus:\n  token: t\n", "t", NULL, 0, NULL},
    {"another version",
     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}", NULL,
     NULL, 0,
     "it answered in apiVersion client.authentication.k8s.io/v1beta1, the kubeconfig asks for " V1},
    {"another kind", "{\"kind\":\"Pod\"}", NULL, NULL, 0, "its output is not an ExecCredential"},
    {"nothing in it", CREDENTIAL(""), NULL, NULL, 0,
     "status has neither a token nor a client certificate"},
    {"half a certificate", CREDENTIAL("\"clientCertificateData\":\"C\""), NULL, NULL, 0,
     "status has one of clientCertificateData and clientKeyData: both or none"},
    {"a bad time", CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"soon\""), NULL, NULL, 0,
     "status.expirationTimestamp is not an RFC 3339 time"},
    {"a token that would split a header", CREDENTIAL("\"token\":\"t\\r\\nX: y\""), NULL, NULL, 0,
     "status.token holds control characters"},
};

TEST(exec_credentials)
{
	for (size_t i = 0; i < ARRAY_LEN(credential_rows); i++) {
		struct error err = {.message = ""};
		struct exec_credential credential = {0};
		enum status status =
		    exec_credential_read(credential_rows[i].text, strlen(credential_rows[i].text),
					 V1, &credential, &err);
		CHECK_STR_ROW(status == STATUS_OK ? NULL : err.message, credential_rows[i].error,
			      credential_rows[i].name);
		CHECK_STR_ROW(credential.token, credential_rows[i].token, credential_rows[i].name);
		CHECK_STR_ROW(credential.cert, credential_rows[i].cert, credential_rows[i].name);
		CHECK_INT_ROW(credential.expires, credential_rows[i].expires,
			      credential_rows[i].name);
		exec_credential_release(&credential);
	}
}
