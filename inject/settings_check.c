/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inject/quantity.h"
#include "inject/settings.h"

enum {
	OTLP_GRPC_PORT = 4317,
	OTLP_HTTP_PORT = 4318,
	HTTP_PORT = 80,
	HTTPS_PORT = 443,
	CASSANDRA_PORT = 9042,
	PORT_MAX = 65535,
	DURATION_MS_MAX = 3600 * 1000,
};

static const char letters_and_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static const char endpoint_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._-[]%?=~";

enum status settings_check_text(const char *value, const char *path, struct error *err)
{
	if (*value == '\0')
		return error_set(err, STATUS_INVALID, "%s: is empty; leave the field out instead",
				 path);
	if (text_has_control(value))
		return error_set(err, STATUS_INVALID, "%s: holds a control character", path);
	if (strstr(value, "{{") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "%s: holds \"{{\", which the ModelService controller would evaluate", path);
	if (strstr(value, "$(") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "%s: holds \"$(\", which the kubelet would expand; write the value itself",
		    path);
	return STATUS_OK;
}

/* Begins with a letter or digit and holds nothing but those and `more`. */
static enum status check_characters(const char *value, const char *more, size_t max,
				    const char *path, struct error *err)
{
	const char *c = value;
	if (settings_check_text(value, path, err) != STATUS_OK)
		return STATUS_INVALID;
	while (*c != '\0' &&
	       (strchr(letters_and_digits, *c) != NULL || (c > value && strchr(more, *c) != NULL)))
		c++;
	if (*c != '\0')
		return error_set(err, STATUS_INVALID,
				 "%s: \"%s\" may only hold letters, digits and %s, and begins with "
				 "one of the first two",
				 path, value, more);
	if ((size_t)(c - value) > max)
		return error_set(err, STATUS_INVALID, "%s: is longer than %zu characters", path,
				 max);
	return STATUS_OK;
}

enum status settings_check_service_name(const char *value, const char *path, struct error *err)
{
	return check_characters(value, "._/:-", 128, path, err);
}

enum status settings_check_image(const char *value, const char *path, struct error *err)
{
	return check_characters(value, "._/:@-", 512, path, err);
}

/* Digits, and behind a point more digits; without strtod, which has a locale. */
static bool is_plain_decimal(const char *value, size_t whole)
{
	size_t fraction = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") : 0;
	return whole > 0 && whole + fraction < 31 &&
	       (value[whole] == '\0' ||
		(value[whole] == '.' && fraction > 0 && value[whole + 1 + fraction] == '\0'));
}

enum status settings_check_ratio(const char *value, const char *path, struct error *err)
{
	size_t whole = strspn(value, "0123456789");
	if (!is_plain_decimal(value, whole))
		return error_set(
		    err, STATUS_INVALID,
		    "%s: \"%s\" is not a plain decimal; write a number from 0 to 1 like \"0.1\" "
		    "(no sign, no exponent, a point and no comma): an unreadable ratio silently "
		    "becomes 0.1 in the EPP",
		    path, value);
	size_t zeros = strspn(value, "0");
	size_t behind = value[whole] == '.' ? strspn(value + whole + 1, "0") + whole + 1 : whole;
	bool below_one = zeros >= whole;
	bool is_one = zeros + 1 == whole && value[zeros] == '1' && value[behind] == '\0';
	if (!below_one && !is_one)
		return error_set(err, STATUS_INVALID,
				 "%s: \"%s\" is more than 1; it is the share of requests to trace",
				 path, value);
	return STATUS_OK;
}

/* The names that OpenTelemetry knows, and what says the same to every component. */
static const struct {
	const char *name;
	const char *instead;
} other_samplers[] = {
    {"always_on", "use it with spec.sampling.ratio \"1.0\""},
    {"parentbased_always_on", "use it with spec.sampling.ratio \"1.0\""},
    {"always_off", "use it with spec.sampling.ratio \"0\""},
    {"parentbased_always_off", "use it with spec.sampling.ratio \"0\""},
    {"traceidratio", "use it with the same ratio"},
    {"jaeger_remote", "use it with spec.sampling.ratio"},
    {"parentbased_jaeger_remote", "use it with spec.sampling.ratio"},
    {"xray", "use it with spec.sampling.ratio"},
};

enum status settings_check_sampler(const char *value, const char *path, struct error *err)
{
	const char *instead = NULL;
	if (strcmp(value, "parentbased_traceidratio") == 0)
		return STATUS_OK;
	for (size_t i = 0; i < ARRAY_LEN(other_samplers); i++)
		if (strcmp(value, other_samplers[i].name) == 0)
			instead = other_samplers[i].instead;
	if (instead == NULL)
		return error_set(err, STATUS_INVALID,
				 "%s: \"%s\" is no sampler that every component knows; the only "
				 "one is parentbased_traceidratio",
				 path, value);
	return error_set(
	    err, STATUS_INVALID,
	    "%s: \"%s\" is not portable: the EPP and the routing proxy up to v0.10 ignore every "
	    "sampler but parentbased_traceidratio and would trace a tenth; %s",
	    path, value, instead);
}

enum status settings_check_choice(const char *value, const char *const *words, const char *path,
				  struct error *err)
{
	struct buffer all;
	buffer_init(&all, 200);
	for (const char *const *word = words; *word != NULL; word++) {
		if (strcmp(*word, value) == 0) {
			buffer_release(&all);
			return STATUS_OK;
		}
		buffer_addf(&all, "%s%s", word == words ? "" : ", ", *word);
	}
	(void)error_set(err, STATUS_INVALID, "%s: \"%s\" is none of %s", path, value, all.data);
	buffer_release(&all);
	return STATUS_INVALID;
}

enum status settings_check_detailed(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {"all", "model", "worker", "none", NULL};
	if (strcmp(value, "scheduler") == 0)
		return error_set(
		    err, STATUS_INVALID,
		    "%s: \"scheduler\" makes vLLM exit (argparse knows model, worker and all); "
		    "use one of those, or none",
		    path);
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_mode(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {"Auto",   "Deployment", "OpenTelemetryCollector",
					    "Shared", "External",   NULL};
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_pull_policy(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {"Always", "IfNotPresent", "Never", NULL};
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_name(const char *value, const char *path, struct error *err)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(value);
	bool good = len > 0 && len <= 253 &&
		    value[strspn(value, "-.abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
	for (size_t i = 0; good && i < len; i++) {
		bool edge = i == 0 || i + 1 == len || value[i - 1] == '.' || value[i + 1] == '.';
		good = !edge || strchr(inner, value[i]) != NULL ||
		       (value[i] == '.' && i > 0 && i + 1 < len && value[i - 1] != '.' &&
			value[i + 1] != '.');
	}
	if (!good)
		return error_set(err, STATUS_INVALID,
				 "%s: \"%.100s\" is no name of an object of this namespace (small "
				 "letters, digits, - and . between them)",
				 path, value);
	return STATUS_OK;
}

enum status settings_check_version(const char *value, const char *path, struct error *err)
{
	const char *rest = value + strspn(value, "0123456789.");
	if (value[0] >= '0' && value[0] <= '9' && *rest == '\0' && strstr(value, "..") == NULL)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "%s: \"%s\" is not a version like \"0.23.0\"", path,
			 value);
}

enum status settings_check_quantity(const char *value, const char *path, struct error *err)
{
	double amount = 0;
	if (quantity_read(value, &amount) && amount > 0)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "%s: \"%.40s\" is no size like \"10Gi\"", path,
			 value);
}

enum status settings_check_hours(const char *value, const char *path, struct error *err)
{
	size_t digits = strspn(value, "0123456789");
	bool good = digits > 0 && digits < 6 && value[0] != '0' &&
		    (strcmp(value + digits, "h") == 0 || strcmp(value + digits, "m") == 0);
	if (good)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "%s: \"%.40s\" is no time like \"72h\" or \"90m\"",
			 path, value);
}

long duration_ms(const char *value)
{
	static const struct {
		const char *unit;
		long ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
	size_t digits = strspn(value, "0123456789");
	if (digits == 0 || digits > 7)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(value + digits, units[i].unit) == 0)
			return strtol(value, NULL, 10) * units[i].ms;
	return 0;
}

enum status settings_check_duration(const char *value, const char *path, struct error *err)
{
	long ms = duration_ms(value);
	if (value[0] != '0' && ms > 0 && ms <= DURATION_MS_MAX)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.40s\" is no time up to an hour like \"500ms\", \"5s\" or \"2m\"",
			 path, value);
}

enum status settings_check_suffix(const char *value, const char *path, struct error *err)
{
	size_t len = strlen(value);
	size_t good = 0;
	while (value[good] != '\0' && (strchr(letters_and_digits, value[good]) != NULL ||
				       strchr("._/:-", value[good]) != NULL))
		good++;
	if (len > 0 && len <= 64 && good == len)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.64s\" may only hold letters, digits and . _ / : - (1 to 64)",
			 path, value);
}

enum status settings_check_word(const char *value, const char *path, struct error *err)
{
	return check_characters(value, "._-", 64, path, err);
}

enum status settings_check_tenant(const char *value, const char *path, struct error *err)
{
	return check_characters(value, "._|-", 150, path, err);
}

/* The length of the address in brackets at `text`, brackets included; 0 when it is none. */
static size_t address_length(const char *text)
{
	size_t len = strspn(text + 1, "0123456789abcdefABCDEF:.");
	return text[1 + len] == ']' && memchr(text + 1, ':', len) != NULL ? len + 2 : 0;
}

/* The length of the host at `text`; 0 when there is none. */
static size_t host_length(const char *text)
{
	if (*text == '[')
		return address_length(text);
	size_t len = strcspn(text, ":/?");
	bool good = len > 0 && strchr(letters_and_digits, text[0]) != NULL &&
		    strchr(letters_and_digits, text[len - 1]) != NULL;
	for (size_t i = 0; good && i < len; i++)
		good =
		    strchr(letters_and_digits, text[i]) != NULL || strchr("._-", text[i]) != NULL;
	return good ? len : 0;
}

bool endpoint_split(const char *text, struct endpoint *ret_endpoint)
{
	struct endpoint endpoint = {.tls = text_has_prefix(text, "https://")};
	if (!endpoint.tls && !text_has_prefix(text, "http://"))
		return false;
	const char *host = strstr(text, "//") + 2;
	size_t len = host_length(host);
	size_t bracket = *host == '[' ? 1 : 0;
	if (len == 0 || len - 2 * bracket >= sizeof(endpoint.host) || host[len] != ':')
		return false;
	memcpy(endpoint.host, host + bracket, len - 2 * bracket);
	const char *port = host + len + 1;
	size_t digits = strspn(port, "0123456789");
	if (digits == 0 || digits > 5 || (port[digits] != '\0' && strcmp(port + digits, "/") != 0))
		return false;
	endpoint.port = (int)strtol(port, NULL, 10);
	if (endpoint.port < 1 || endpoint.port > PORT_MAX)
		return false;
	*ret_endpoint = endpoint;
	return true;
}

enum status settings_check_endpoint(const char *endpoint, const char *path, struct error *err)
{
	struct endpoint parts;
	if (settings_check_text(endpoint, path, err) != STATUS_OK)
		return STATUS_INVALID;
	if (endpoint[strspn(endpoint, endpoint_characters)] != '\0')
		return error_set(
		    err, STATUS_INVALID,
		    "%s: \"%s\" holds a character that is not safe in a shell script; allowed are "
		    "letters, digits and : / . _ - [ ] %% ? = ~",
		    path, endpoint);
	if (!text_has_prefix(endpoint, "http://") && !text_has_prefix(endpoint, "https://"))
		return error_set(err, STATUS_INVALID,
				 "%s: \"%s\" is no absolute URL; write http://HOST:4317 or "
				 "https://HOST:4317 (the "
				 "Go components read nothing else)",
				 path, endpoint);
	if (!endpoint_split(endpoint, &parts))
		return error_set(
		    err, STATUS_INVALID,
		    "%s: \"%s\" is not SCHEME://HOST:PORT; OTLP over gRPC needs the port (usually "
		    "4317) and takes no path",
		    path, endpoint);
	if (parts.port == OTLP_HTTP_PORT)
		return error_set(
		    err, STATUS_INVALID,
		    "%s: port 4318 is OTLP over HTTP, and the components send gRPC; use port 4317",
		    path);
	return STATUS_OK;
}

bool endpoint_external_name(const struct endpoint *endpoint, const char *cluster_domain,
			    char ret_host[256])
{
	size_t dots = 0;
	bool service = text_has_suffix(endpoint->host, ".svc");
	for (const char *c = endpoint->host; *c != '\0'; c++)
		dots += *c == '.' ? 1 : 0;
	bool address = endpoint->host[strspn(endpoint->host, "0123456789.")] == '\0' ||
		       strchr(endpoint->host, ':') != NULL;
	if (endpoint->tls || endpoint->port != OTLP_GRPC_PORT || dots < 2 || address ||
	    (service && cluster_domain == NULL))
		return false;
	char full[512];
	int len = snprintf(full, sizeof(full), "%s%s%s", endpoint->host, service ? "." : "",
			   service ? cluster_domain : "");
	if (len < 0 || len > 253)
		return false;
	memcpy(ret_host, full, (size_t)len + 1);
	return true;
}

/* What follows a host: "", ":4317", and with `with_path` "/any/thing" behind either. */
static bool is_url_tail(const char *tail, bool with_path)
{
	if (*tail == ':') {
		long port = strtol(tail + 1, NULL, 10);
		size_t digits = strspn(tail + 1, "0123456789");
		if (digits == 0 || digits > 5 || port < 1 || port > PORT_MAX)
			return false;
		tail += 1 + digits;
	}
	return *tail == '\0' || (with_path && *tail == '/');
}

bool server_split(const char *text, struct endpoint *ret_endpoint)
{
	struct endpoint endpoint = {.tls = text_has_prefix(text, "https://")};
	bool url = endpoint.tls || text_has_prefix(text, "http://");
	const char *host = url ? strstr(text, "//") + 2 : text;
	size_t len = host_length(host);
	size_t bracket = *host == '[' ? 1 : 0;
	if (len == 0 || len - 2 * bracket >= sizeof(endpoint.host) || !is_url_tail(host + len, url))
		return false;
	memcpy(endpoint.host, host + bracket, len - 2 * bracket);
	endpoint.port = !url ? CASSANDRA_PORT : endpoint.tls ? HTTPS_PORT : HTTP_PORT;
	if (host[len] == ':')
		endpoint.port = (int)strtol(host + len + 1, NULL, 10);
	*ret_endpoint = endpoint;
	return true;
}

enum status settings_check_url(const char *value, const char *path, struct error *err)
{
	if (settings_check_text(value, path, err) != STATUS_OK)
		return STATUS_INVALID;
	bool absolute = text_has_prefix(value, "http://") || text_has_prefix(value, "https://");
	const char *host = absolute ? strstr(value, "//") + 2 : value;
	size_t len = absolute ? host_length(host) : 0;
	bool safe = value[strspn(value, endpoint_characters)] == '\0';
	if (absolute && safe && len > 0 && strlen(value) <= 300 && is_url_tail(host + len, true))
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.300s\" is no absolute URL; write http://HOST:PORT or "
			 "https://HOST:PORT (letters, digits and : / . _ - [ ] %% ? = ~)",
			 path, value);
}

enum status settings_check_query(const char *value, const char *path, struct error *err)
{
	if (settings_check_url(value, path, err) != STATUS_OK)
		return STATUS_INVALID;
	const char *host = strstr(value, "//") + 2;
	if (host[host_length(host)] == ':')
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.300s\" says no port; write it as http://HOST:3200 (Tempo) or "
			 "http://HOST:16686 (Jaeger)",
			 path, value);
}

enum status settings_check_host(const char *value, const char *path, struct error *err)
{
	size_t len = host_length(value);
	if (len > 0 && strlen(value) <= 260 && is_url_tail(value + len, false))
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.260s\" is no host like cassandra.storage.svc or 10.0.0.1:9042",
			 path, value);
}
