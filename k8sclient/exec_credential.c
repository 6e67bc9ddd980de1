/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/exec_credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

void exec_credential_release(struct exec_credential *credential)
{
	free(credential->token);
	free(credential->cert);
	free(credential->key);
	*credential = (struct exec_credential){0};
}

bool rfc3339_parse(const char *text, int64_t *ret_seconds)
{
	struct tm utc = {0};
	int used = 0;
	if (sscanf(text, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &used) != 6 ||
	    used != 19)
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	const char *rest = text + used;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	int hours = 0;
	int minutes = 0;
	int offset = 0;
	if (*rest == '+' || *rest == '-') {
		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2 || strlen(rest) != 6)
			return false;
		offset = (hours * 60 + minutes) * (*rest == '-' ? -60 : 60);
	} else if ((*rest != 'Z' && *rest != 'z') || rest[1] != '\0') {
		return false;
	}
	*ret_seconds = (int64_t)timegm(&utc) - offset;
	return true;
}

static enum status read_status(const cJSON *tree, struct exec_credential *credential,
			       struct error *err)
{
	const char *token = json_str(tree, "status.token");
	const char *cert = json_str(tree, "status.clientCertificateData");
	const char *key = json_str(tree, "status.clientKeyData");
	const char *expires = json_str(tree, "status.expirationTimestamp");
	if ((cert == NULL) != (key == NULL))
		return error_set(
		    err, STATUS_INVALID,
		    "status has one of clientCertificateData and clientKeyData: both or none");
	if (cert == NULL && (token == NULL || *token == '\0'))
		return error_set(err, STATUS_INVALID,
				 "status has neither a token nor a client certificate");
	if (token != NULL && text_has_control(token))
		return error_set(err, STATUS_INVALID, "status.token holds control characters");
	if (expires != NULL && !rfc3339_parse(expires, &credential->expires))
		return error_set(err, STATUS_INVALID,
				 "status.expirationTimestamp is not an RFC 3339 time");
	if (token != NULL && *token != '\0')
		credential->token = xstrdup(token);
	if (cert != NULL) {
		credential->cert = xstrdup(cert);
		credential->key = xstrdup(key);
	}
	return STATUS_OK;
}

enum status exec_credential_read(const char *text, size_t len, const char *api_version,
				 struct exec_credential *ret_credential, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	struct exec_credential credential = {0};
	enum status status = yaml_read(text, len, &tree, err);
	if (status != STATUS_OK)
		return error_wrap(err, "read its output");
	const char *version = json_str(tree, "apiVersion");
	if (!text_equal(json_str(tree, "kind"), "ExecCredential"))
		return error_set(err, STATUS_INVALID, "its output is not an ExecCredential");
	if (!text_equal(version, api_version))
		return error_set(err, STATUS_INVALID,
				 "it answered in apiVersion %s, the kubeconfig asks for %s",
				 version == NULL ? "(none)" : version, api_version);
	status = read_status(tree, &credential, err);
	if (status == STATUS_OK)
		*ret_credential = credential;
	return status;
}
