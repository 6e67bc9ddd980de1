/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/admin_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/forbidden_host.h"
#include "inject/image.h"
#include "inject/settings_check.h"

enum { GLOBS_MAX = 64, GLOB_MAX_LEN = 512, URL_MAX_LEN = 300 };

static const struct admin_policy no_policy = {.max_ratio = NULL};

/* --- reading --- */

/* One that could never match is a mistake that is noticed when a Tracing is refused. */
static enum status check_endpoint_glob(const char *value, const char *path, struct error *err)
{
	const char *host = strstr(value, "://");
	const char *problem = NULL;
	if (strcmp(value, "*") == 0)
		return STATUS_OK;
	if (host == NULL)
		problem = "is no pattern for scheme://host:port";
	else if (strchr(host + 3, '/') != NULL)
		problem = "has a path, which no endpoint is compared with";
	else if (strpbrk(host + 3, ":*") == NULL)
		problem = "has no port, which every endpoint has here";
	else if (strpbrk(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		problem = "has capital letters; endpoints are compared in small ones";
	if (problem == NULL)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%s\" %s; write https://HOST:PORT, or *://HOST:* for every scheme "
			 "and port",
			 path, value, problem);
}

static enum status check_image_glob(const char *value, const char *path, struct error *err)
{
	return settings_check_text(value, path, err);
}

/* The lists of the file. */
static const struct {
	const char *key;
	size_t offset;
	settings_check_fn check;
} lists[] = {
    {"allowedEndpoints", offsetof(struct admin_policy, endpoints), check_endpoint_glob},
    {"allowedImages", offsetof(struct admin_policy, images), check_image_glob},
    {"allowedModes", offsetof(struct admin_policy, modes), settings_check_mode},
};

static void *member_at(struct admin_policy *policy, size_t offset)
{
	return (char *)policy + offset;
}

static enum status read_list(const cJSON *node, const char *key, settings_check_fn check,
			     struct allow_list *list, struct error *err)
{
	if (cJSON_IsNull(node)) /* nothing, or no bounds? */
		return error_set(err, STATUS_INVALID,
				 "%s: has no value; write [] to allow none, or leave it out", key);
	if (!cJSON_IsArray(node))
		return error_set(err, STATUS_INVALID, "%s: must be a list of texts", key);
	if (cJSON_GetArraySize(node) > GLOBS_MAX)
		return error_set(err, STATUS_INVALID, "%s: more than %d entries", key, GLOBS_MAX);
	list->given = true;
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		char path[64];
		(void)snprintf(path, sizeof(path), "%s[%zu]", key, list->count);
		if (!cJSON_IsString(item) || item->valuestring[0] == '\0' ||
		    strlen(item->valuestring) > GLOB_MAX_LEN)
			return error_set(err, STATUS_INVALID,
					 "%s: must be a text of 1 to %d characters", path,
					 GLOB_MAX_LEN);
		if (check(item->valuestring, path, err) != STATUS_OK)
			return STATUS_INVALID;
		list->globs = grow(list->globs, list->count, sizeof(*list->globs));
		list->globs[list->count++] = xstrdup(item->valuestring);
	}
	return STATUS_OK;
}

static enum status read_ratio(const cJSON *node, struct admin_policy *policy, struct error *err)
{
	if (!cJSON_IsString(node))
		return error_set(err, STATUS_INVALID, "maxRatio: must be a text like \"0.5\"%s",
				 cJSON_IsNumber(node) ? "; put it in quotes" : "");
	if (settings_check_ratio(node->valuestring, "maxRatio", err) != STATUS_OK)
		return STATUS_INVALID;
	policy->max_ratio = xstrdup(node->valuestring);
	return STATUS_OK;
}

static enum status read_member(const cJSON *node, struct admin_policy *policy, struct error *err)
{
	struct buffer known;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(node->string, lists[i].key) == 0)
			return read_list(node, lists[i].key, lists[i].check,
					 member_at(policy, lists[i].offset), err);
	if (strcmp(node->string, "maxRatio") == 0)
		return read_ratio(node, policy, err);
	buffer_init(&known, 256);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		buffer_addf(&known, "%s, ", lists[i].key);
	(void)error_set(err, STATUS_INVALID, "%s: no such key; there are %smaxRatio", node->string,
			known.data);
	buffer_release(&known);
	return STATUS_INVALID;
}

enum status admin_policy_read(const cJSON *tree, struct admin_policy *ret_policy, struct error *err)
{
	struct admin_policy policy = {.max_ratio = NULL};
	if (!cJSON_IsObject(tree))
		return error_set(err, STATUS_INVALID, "a policy is an object");
	for (const cJSON *node = tree->child; node != NULL; node = node->next) {
		if (read_member(node, &policy, err) == STATUS_OK)
			continue;
		admin_policy_release(&policy);
		return STATUS_INVALID;
	}
	*ret_policy = policy;
	return STATUS_OK;
}

void admin_policy_release(struct admin_policy *policy)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct allow_list *list = member_at(policy, lists[i].offset);
		for (size_t k = 0; k < list->count; k++)
			free(list->globs[k]);
		free(list->globs);
	}
	free(policy->max_ratio);
	free(policy->api_server);
	*policy = (struct admin_policy){.max_ratio = NULL};
}

/* --- checking --- */

/* Both are checked plain decimals from 0 to 1: "1.0" and "1" are equal, "0.25" < "0.3". */
static bool ratio_is_more(const char *a, const char *b)
{
	a += strspn(a, "0");
	b += strspn(b, "0");
	bool one_a = *a == '1';
	bool one_b = *b == '1';
	if (one_a || one_b)
		return one_a && !one_b;
	a += *a == '.' ? 1 : 0;
	b += *b == '.' ? 1 : 0;
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *b == '\0' ? a[strspn(a, "0")] != '\0' : *a > *b;
}

void admin_policy_limit(const struct admin_policy *policy, struct settings *defaults)
{
	if (policy->max_ratio == NULL || !ratio_is_more(defaults->ratio, policy->max_ratio))
		return;
	free(defaults->ratio);
	defaults->ratio = xstrdup(policy->max_ratio);
}

static bool matches(const struct allow_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (glob_matches(list->globs[i], text, strlen(text)))
			return true;
	return false;
}

/*
 * "https://Tempo:4317/x" as patterns have it: scheme, host and port; "tcp" where there is no
 * scheme. False when it is no such URL.
 */
static bool normalize(const char *url, struct endpoint *ret_parts, char *text, size_t size)
{
	if (!server_split(url, ret_parts))
		return false;
	bool v6 = strchr(ret_parts->host, ':') != NULL;
	const char *scheme = strstr(url, "://") == NULL ? "tcp" : ret_parts->tls ? "https" : "http";
	int len = snprintf(text, size, "%s://%s%s%s:%d", scheme, v6 ? "[" : "", ret_parts->host,
			   v6 ? "]" : "", ret_parts->port);
	for (char *c = text; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return len > 0 && (size_t)len < size;
}

/* A pattern that names the host itself, not just one that happens to take it in. */
static bool names_host(const char *glob)
{
	const char *host = strstr(glob, "://");
	if (host == NULL)
		return false;
	host += 3;
	size_t len = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
	return memchr(host, '*', len) == NULL && memchr(host, '?', len) == NULL;
}

static bool is_named(const struct allow_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (names_host(list->globs[i]) && glob_matches(list->globs[i], text, strlen(text)))
			return true;
	return false;
}

static enum status deny(const struct allow_list *list, const char *path, const char *value,
			struct error *err)
{
	struct buffer allowed;
	buffer_init(&allowed, 500);
	for (size_t i = 0; i < list->count && !allowed.full; i++)
		buffer_addf(&allowed, "%s%s", i == 0 ? "" : ", ", list->globs[i]);
	(void)error_set(
	    err, STATUS_DENIED,
	    "%s: \"%.200s\" is not allowed by the administrator's policy; allowed %s%s%s", path,
	    value, list->count == 0 ? "is none" : "are ", allowed.data, allowed.full ? ", …" : "");
	buffer_release(&allowed);
	return STATUS_DENIED;
}

static enum status check_endpoint(const struct admin_policy *policy, const char *url,
				  const char *path, struct error *err)
{
	char text[URL_MAX_LEN];
	struct endpoint parts;
	if (url == NULL)
		return STATUS_OK;
	if (!normalize(url, &parts, text, sizeof(text)))
		return error_set(err, STATUS_DENIED, "%s: \"%.200s\" names no host", path, url);
	const char *what = host_is_forbidden(parts.host, policy->api_server);
	if (what != NULL && !is_named(&policy->endpoints, text))
		return error_set(err, STATUS_DENIED,
				 "%s: \"%.200s\" leads to %s; that is allowed only where the "
				 "administrator's policy lists it by name (allowedEndpoints)",
				 path, url, what);
	if (policy->endpoints.given && !matches(&policy->endpoints, text))
		return deny(&policy->endpoints, path, url, err);
	return STATUS_OK;
}

/* The servers of Jaeger's storage. */
static enum status check_servers(const struct admin_policy *policy, const struct settings *settings,
				 struct error *err)
{
	const cJSON *servers = settings->storage.servers;
	int index = 0;
	if (settings->backend != BACKEND_JAEGER || settings->storage.type < STORAGE_ELASTICSEARCH)
		return STATUS_OK;
	for (const cJSON *s = servers == NULL ? NULL : servers->child; s != NULL;
	     s = s->next, index++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "spec.backend.jaeger.storage.servers[%d]",
			       index);
		if (check_endpoint(policy, s->valuestring, path, err) != STATUS_OK)
			return STATUS_DENIED;
	}
	return STATUS_OK;
}

/* "jaegertracing/jaeger:2" is docker.io's; patterns may say so or not. */
static enum status check_image(const struct admin_policy *policy, const char *image,
			       const char *path, struct error *err)
{
	if (image == NULL || !policy->images.given || matches(&policy->images, image))
		return STATUS_OK;
	char *full CLEANUP(str_freep) = image_full_name(image);
	if (matches(&policy->images, full))
		return STATUS_OK;
	return deny(&policy->images, path, image, err);
}

bool admin_policy_allows_image(const struct admin_policy *policy, const char *image)
{
	struct error err;
	return policy == NULL || check_image(policy, image, "", &err) == STATUS_OK;
}

enum status admin_policy_check(const struct admin_policy *policy, const struct settings *defaults,
			       const struct settings *settings, struct error *err)
{
	if (policy == NULL)
		policy = &no_policy;
	const char *collector = settings->collector_image;
	const char *jaeger = settings->jaeger_image;
	if (defaults != NULL && text_equal(collector, defaults->collector_image))
		collector = NULL;
	if (defaults != NULL && text_equal(jaeger, defaults->jaeger_image))
		jaeger = NULL;
	const struct {
		const char *path;
		const char *value;
		enum status (*check)(const struct admin_policy *policy, const char *value,
				     const char *path, struct error *err);
	} values[] = {
	    {"spec.collector.endpoint", settings->collector_endpoint, check_endpoint},
	    {"spec.backend.otlp.endpoint", settings->otlp_endpoint, check_endpoint},
	    {"spec.backend.otlp.query.endpoint", settings->otlp_query.endpoint, check_endpoint},
	    {"spec.collector.image", collector, check_image},
	    {"spec.backend.jaeger.image", jaeger, check_image},
	};
	const char *mode = collector_mode_name(settings->collector_mode);
	if (policy->modes.given && !matches(&policy->modes, mode))
		return deny(&policy->modes, "spec.collector.mode", mode, err);
	if (policy->max_ratio != NULL && ratio_is_more(settings->ratio, policy->max_ratio))
		return error_set(err, STATUS_DENIED,
				 "spec.sampling.ratio: \"%s\" is more than the administrator's "
				 "policy allows; the highest is %s",
				 settings->ratio, policy->max_ratio);
	if (policy->max_ratio != NULL && settings->boost.ratio != NULL &&
	    ratio_is_more(settings->boost.ratio, policy->max_ratio))
		return error_set(err, STATUS_DENIED,
				 "spec.sampling.boost.ratio: \"%s\" is more than the "
				 "administrator's policy allows; the highest is %s",
				 settings->boost.ratio, policy->max_ratio);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (values[i].check(policy, values[i].value, values[i].path, err) != STATUS_OK)
			return STATUS_DENIED;
	return check_servers(policy, settings, err);
}

/* --- calls of the operator itself --- */

/* NAME.NAMESPACE.svc, and nothing behind it but the cluster's own domain. */
static bool is_service_of(const char *host, const char *namespace_name, const char *cluster_domain)
{
	size_t label = strcspn(host, ".");
	size_t len = strlen(namespace_name);
	const char *rest = host + label;
	if (label == 0 || *rest != '.' || strncasecmp(rest + 1, namespace_name, len) != 0 ||
	    strncasecmp(rest + 1 + len, ".svc", 4) != 0)
		return false;
	rest += 1 + len + 4;
	return *rest == '\0' || (*rest == '.' && cluster_domain != NULL &&
				 strcasecmp(rest + 1, cluster_domain) == 0);
}

bool may_call(const struct admin_policy *policy, const char *namespace_name,
	      const char *cluster_domain, const char *url)
{
	char base[URL_MAX_LEN];
	char text[URL_MAX_LEN];
	struct endpoint parts;
	const char *host = strstr(url, "://");
	size_t len = host == NULL ? 0 : (size_t)(host + 3 - url) + strcspn(host + 3, "/");
	if (policy == NULL)
		policy = &no_policy;
	if (len == 0 || len >= sizeof(base))
		return false;
	memcpy(base, url, len);
	base[len] = '\0';
	if (!endpoint_split(base, &parts) || !normalize(base, &parts, text, sizeof(text)))
		return false;
	if (host_is_forbidden(parts.host, policy->api_server) != NULL)
		return is_named(&policy->endpoints, text);
	return is_service_of(parts.host, namespace_name, cluster_domain) ||
	       matches(&policy->endpoints, text);
}
