/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings that name Secrets. Only names and keys stand in a Tracing; the API server hands
 * the contents to the pod, never to the operator.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/settings_check.h"
#include "inject/settings_lists.h"

enum { PULL_SECRETS_MAX = 32, HEADERS_MAX = 16, SERVERS_MAX = 16, KEY_MAX = 253 };

/* All of `names` (NULL-ended) are there as texts, and nothing else is. */
static bool has_exactly(const cJSON *node, const char *const *names)
{
	int count = 0;
	for (; names[count] != NULL; count++)
		if (!cJSON_IsString(json_member(node, names[count])))
			return false;
	return cJSON_GetArraySize(node) == count;
}

enum status settings_check_pull_secrets(const cJSON *node, const char *path, struct error *err)
{
	static const char *const members[] = {"name", NULL};
	static const char wanted[] = "a list of at most 32 {name: SECRET}";
	if (!cJSON_IsArray(node) || cJSON_GetArraySize(node) > PULL_SECRETS_MAX)
		return settings_wrong_type(path, wanted, node, err);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		if (!has_exactly(item, members))
			return settings_wrong_type(path, wanted, item, err);
		if (settings_check_name(json_str(item, "name"), path, err) != STATUS_OK)
			return STATUS_INVALID;
	}
	return STATUS_OK;
}

static enum status check_key(const char *key, const char *path, struct error *err)
{
	size_t len =
	    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
	if (len > 0 && len <= KEY_MAX && key[len] == '\0')
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "%s.key: \"%.100s\" is no key of a Secret", path,
			 key);
}

enum status settings_check_secret_key(const cJSON *node, const char *path, struct error *err)
{
	static const char *const members[] = {"name", "key", NULL};
	if (!has_exactly(node, members))
		return settings_wrong_type(path, "{name: SECRET, key: KEY}", node, err);
	enum status status = settings_check_name(json_str(node, "name"), path, err);
	return status == STATUS_OK ? check_key(json_str(node, "key"), path, err) : status;
}

static enum status check_header(const cJSON *item, const char *path, struct error *err)
{
	static const char *const members[] = {"header", "name", "key", NULL};
	if (!has_exactly(item, members))
		return settings_wrong_type(path, "{header: NAME, name: SECRET, key: KEY}", item,
					   err);
	const char *header = json_str(item, "header");
	size_t len =
	    strspn(header, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	if (len == 0 || len > 100 || header[len] != '\0')
		return error_set(err, STATUS_INVALID, "%s.header: \"%.100s\" is no header's name",
				 path, header);
	for (const cJSON *other = item->prev; other->next != NULL; other = other->prev)
		if (strcasecmp(json_str(other, "header"), header) == 0)
			return error_set(err, STATUS_INVALID, "%s.header: %s is there twice", path,
					 header);
	enum status status = settings_check_name(json_str(item, "name"), path, err);
	return status == STATUS_OK ? check_key(json_str(item, "key"), path, err) : status;
}

enum status settings_check_headers(const cJSON *node, const char *path, struct error *err)
{
	int index = 0;
	if (!cJSON_IsArray(node) || cJSON_GetArraySize(node) > HEADERS_MAX)
		return settings_wrong_type(
		    path, "a list of at most 16 {header: NAME, name: SECRET, key: KEY}", node, err);
	for (const cJSON *item = node->child; item != NULL; item = item->next, index++) {
		char where[96];
		(void)snprintf(where, sizeof(where), "%s[%d]", path, index);
		if (check_header(item, where, err) != STATUS_OK)
			return STATUS_INVALID;
	}
	return STATUS_OK;
}

enum status settings_check_servers(const cJSON *node, const char *path, struct error *err)
{
	if (!cJSON_IsArray(node) || node->child == NULL || cJSON_GetArraySize(node) > SERVERS_MAX)
		return settings_wrong_type(path, "a list of 1 to 16 servers", node, err);
	for (const cJSON *item = node->child; item != NULL; item = item->next)
		if (!cJSON_IsString(item))
			return settings_wrong_type(path, "a list of 1 to 16 servers", item, err);
	return STATUS_OK;
}

/* Every field that names Secrets: the name itself, {name, …}, or a list of {name, …}. */
static const char *const secret_fields[] = {
    "collector.imagePullSecrets",
    "backend.jaeger.imagePullSecrets",
    "backend.jaeger.storage.credentialsFrom",
    "backend.jaeger.storage.tls.caFrom",
    "backend.jaeger.storage.tls.certFrom",
    "backend.jaeger.storage.tls.keyFrom",
    "backend.otlp.headersFrom",
    "backend.otlp.tls.caFrom",
    "backend.otlp.tls.certFrom",
    "backend.otlp.tls.keyFrom",
};

static size_t add_use(const char *name, const char *field, int index, size_t count,
		      struct secret_use *uses)
{
	if (name == NULL || count == SECRET_USES_MAX)
		return count;
	uses[count].name = name;
	if (index < 0)
		(void)snprintf(uses[count].path, sizeof(uses[count].path), "spec.%s", field);
	else
		(void)snprintf(uses[count].path, sizeof(uses[count].path), "spec.%s[%d]", field,
			       index);
	return count + 1;
}

size_t settings_secrets(const cJSON *tracing, struct secret_use ret_uses[SECRET_USES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(secret_fields); i++) {
		const cJSON *node = json_get(json_member(tracing, "spec"), secret_fields[i]);
		int index = 0;
		if (cJSON_IsString(node))
			count = add_use(node->valuestring, secret_fields[i], -1, count, ret_uses);
		else if (cJSON_IsObject(node))
			count =
			    add_use(json_str(node, "name"), secret_fields[i], -1, count, ret_uses);
		for (const cJSON *item = cJSON_IsArray(node) ? node->child : NULL; item != NULL;
		     item = item->next)
			count = add_use(json_str(item, "name"), secret_fields[i], index++, count,
					ret_uses);
	}
	return count;
}
