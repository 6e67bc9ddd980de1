/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum option_id {
	OPTION_KUBECONFIG,
	OPTION_CONTEXT,
	OPTION_NAMESPACES,
	OPTION_DRY_RUN,
	OPTION_REMOVAL_GRACE,
	OPTION_COLLECTOR_TIMEOUT,
	OPTION_SHUTDOWN_GRACE,
	OPTION_HEALTH_BIND,
	OPTION_LOG_LEVEL,
	OPTION_LOG_FORMAT,
	OPTION_MAX_CONCURRENT,
	OPTION_SETTINGS,
	OPTION_POLICY,
	OPTION_IMAGE_REGISTRY,
	OPTION_ENABLE_FROM_TRACING,
	OPTION_REHEARSE,
	OPTION_HELP,
	OPTION_COUNT
};

static const struct {
	const char *name;
	const char *argument; /* NULL: a switch */
	const char *help;
} rows[OPTION_COUNT] = {
    [OPTION_KUBECONFIG] = {"--kubeconfig", "FILE",
			   "default: KUBECONFIG, the pod's files, ~/.kube/config"},
    [OPTION_CONTEXT] = {"--context", "NAME", "context of the kubeconfig"},
    [OPTION_NAMESPACES] = {"--namespaces", "NS,NS",
			   "look after these only (Roles instead of ClusterRoles)"},
    [OPTION_DRY_RUN] = {"--dry-run", NULL, "plan and log, write nothing"},
    [OPTION_REMOVAL_GRACE] = {"--removal-grace", "60s",
			      "from the annotation's absence to taking back"},
    [OPTION_COLLECTOR_TIMEOUT] = {"--collector-timeout", "60s",
				  "for an OpenTelemetryCollector to become available"},
    [OPTION_SHUTDOWN_GRACE] = {"--shutdown-grace", "15s",
			       "for writes under way when asked to stop"},
    [OPTION_HEALTH_BIND] = {"--health-bind", "ADDR:PORT",
			    "/healthz, /readyz, /metrics (default :8080)"},
    [OPTION_LOG_LEVEL] = {"--log-level", "LEVEL", "debug, info, warn, error (default info)"},
    [OPTION_LOG_FORMAT] = {"--log-format", "FORMAT", "logfmt or json (default logfmt)"},
    [OPTION_MAX_CONCURRENT] =
	{"--max-concurrent", "N",
	 "namespaces worked on, and workloads rolled out, at the same time (default 10)"},
    [OPTION_SETTINGS] = {"--settings", "FILE",
			 "defaults of every namespace: a Tracing, or its spec alone"},
    [OPTION_POLICY] = {"--policy", "FILE", "what Tracings may ask for (docs/policy.md)"},
    [OPTION_IMAGE_REGISTRY] = {"--image-registry", "HOST[/PATH]",
			       "where default images come from instead"},
    [OPTION_ENABLE_FROM_TRACING] = {"--enable-from-tracing", NULL,
				    "with --namespaces: spec.enabled of a Tracing stands in for "
				    "the annotation"},
    [OPTION_REHEARSE] =
	{"--rehearse", NULL,
	 "try images about which nothing is known in short pods (needs the right to "
	 "make pods)"},
    [OPTION_HELP] = {"--help", NULL, "print this"},
};

void run_options_help(FILE *out)
{
	(void)fputs("usage: llmd-tracing run [OPTION]…\n\nThe operator.\n\n", out);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "%s %s", rows[i].name,
			       rows[i].argument == NULL ? "" : rows[i].argument);
		(void)fprintf(out, "  %-30s %s\n", left, rows[i].help);
	}
}

bool duration_parse(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	double total = 0;
	bool any = false;
	while (*text >= '0' && *text <= '9') {
		char *end = NULL;
		double number = strtod(text, &end);
		size_t len = strcspn(end, "0123456789");
		bool known = len == 0 && !any; /* a bare number: seconds */
		double factor = 1000;
		for (size_t i = 0; i < ARRAY_LEN(units) && !known; i++) {
			known =
			    strlen(units[i].unit) == len && strncmp(units[i].unit, end, len) == 0;
			factor = units[i].ms;
		}
		total += number * factor;
		if (!known || total > 1e12)
			return false;
		any = true;
		text = end + len;
	}
	if (!any || *text != '\0')
		return false;
	*ret_ms = (uint64_t)total;
	return true;
}

enum status namespace_name_check(const char *name, const char *option, struct error *err)
{
	size_t len = strlen(name);
	if (len > 0 && len <= 63 && name[0] != '-' && name[len - 1] != '-' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s \"%.100s\": no name of a namespace (small letters, digits and - "
			 "between them, up to 63)",
			 option, name);
}

static enum status read_namespaces(const char *value, struct run_options *options,
				   struct error *err)
{
	enum status status = STATUS_OK;
	while (*value != '\0' && status == STATUS_OK) {
		size_t len = strcspn(value, ",");
		if (len > 0) {
			char *name = xstrndup(value, len);
			options->namespaces =
			    grow(options->namespaces, options->namespace_count, sizeof(char *));
			options->namespaces[options->namespace_count++] = name;
			status = namespace_name_check(name, "--namespaces", err);
		}
		value += len + (value[len] == ',');
	}
	if (status != STATUS_OK)
		return status;
	if (options->namespace_count == 0)
		return error_set(err, STATUS_INVALID, "--namespaces: names none");
	return STATUS_OK;
}

static enum status read_duration(enum option_id id, const char *value, uint64_t *ret_ms,
				 struct error *err)
{
	if (duration_parse(value, ret_ms))
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "%s: \"%s\" is no duration (like 60s, 1m30s, 500ms)",
			 rows[id].name, value);
}

static enum status read_number(const char *value, long *ret_number, struct error *err)
{
	char *end = NULL;
	long number = strtol(value, &end, 10);
	if (end == value || *end != '\0' || number < 1 || number > 1000)
		return error_set(err, STATUS_INVALID,
				 "--max-concurrent: \"%s\" is no number from 1 to 1000", value);
	*ret_number = number;
	return STATUS_OK;
}

static enum status set(struct run_options *options, enum option_id id, const char *value,
		       struct error *err)
{
	switch (id) {
	case OPTION_KUBECONFIG:
		options->kubeconfig = value;
		return STATUS_OK;
	case OPTION_CONTEXT:
		options->context = value;
		return STATUS_OK;
	case OPTION_NAMESPACES:
		return read_namespaces(value, options, err);
	case OPTION_DRY_RUN:
		options->dry_run = true;
		return STATUS_OK;
	case OPTION_REMOVAL_GRACE:
		return read_duration(id, value, &options->removal_grace_ms, err);
	case OPTION_COLLECTOR_TIMEOUT:
		return read_duration(id, value, &options->collector_timeout_ms, err);
	case OPTION_SHUTDOWN_GRACE:
		return read_duration(id, value, &options->shutdown_grace_ms, err);
	case OPTION_HEALTH_BIND:
		options->health_bind = value;
		return STATUS_OK;
	case OPTION_LOG_LEVEL:
		if (log_level_from_name(value, &options->log_level))
			return STATUS_OK;
		return error_set(err, STATUS_INVALID, "--log-level: \"%s\" is no level", value);
	case OPTION_LOG_FORMAT:
		options->log_json = strcmp(value, "json") == 0;
		if (options->log_json || strcmp(value, "logfmt") == 0)
			return STATUS_OK;
		return error_set(err, STATUS_INVALID,
				 "--log-format: \"%s\" is neither logfmt nor json", value);
	case OPTION_MAX_CONCURRENT:
		return read_number(value, &options->max_concurrent, err);
	case OPTION_SETTINGS:
		options->settings = value;
		return STATUS_OK;
	case OPTION_POLICY:
		options->policy = value;
		return STATUS_OK;
	case OPTION_IMAGE_REGISTRY:
		options->image_registry = value;
		return STATUS_OK;
	case OPTION_ENABLE_FROM_TRACING:
		options->enable_from_tracing = true;
		return STATUS_OK;
	case OPTION_REHEARSE:
		options->rehearse = true;
		return STATUS_OK;
	case OPTION_HELP:
		options->help = true;
		return STATUS_OK;
	case OPTION_COUNT:
		break;
	}
	return error_set(err, STATUS_BUG, "option without meaning");
}

/* `--name=value`, `--name value`, `--switch`. Advances *at past what was used. */
static enum status read_one(int argc, char **argv, int *at, struct run_options *options,
			    struct error *err)
{
	const char *word = argv[*at];
	size_t len = strcspn(word, "=");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strlen(rows[i].name) != len || strncmp(rows[i].name, word, len) != 0)
			continue;
		const char *value = word[len] == '=' ? word + len + 1 : NULL;
		(*at)++;
		if (rows[i].argument == NULL)
			return value == NULL ? set(options, (enum option_id)i, NULL, err)
					     : error_set(err, STATUS_INVALID, "%s takes no value",
							 rows[i].name);
		if (value == NULL && *at < argc)
			value = argv[(*at)++];
		if (value == NULL)
			return error_set(err, STATUS_INVALID, "%s needs a value", rows[i].name);
		return set(options, (enum option_id)i, value, err);
	}
	return error_set(err, STATUS_INVALID, "unknown option %s (see llmd-tracing run --help)",
			 word);
}

enum status run_options_read(int argc, char **argv, struct run_options *ret_options,
			     struct error *err)
{
	*ret_options = (struct run_options){.health_bind = ":8080",
					    .log_level = LOG_INFO,
					    .removal_grace_ms = 60000,
					    .collector_timeout_ms = 60000,
					    .shutdown_grace_ms = 15000,
					    .max_concurrent = 10};
	int at = 1;
	enum status status = STATUS_OK;
	while (at < argc && status == STATUS_OK)
		status = read_one(argc, argv, &at, ret_options, err);
	if (status == STATUS_OK && ret_options->enable_from_tracing &&
	    ret_options->namespace_count == 0)
		status = error_set(err, STATUS_INVALID,
				   "--enable-from-tracing: is for --namespaces only; elsewhere the "
				   "switch is the namespace's annotation");
	if (status != STATUS_OK)
		run_options_release(ret_options);
	return status;
}

void run_options_release(struct run_options *options)
{
	for (size_t i = 0; i < options->namespace_count; i++)
		free(options->namespaces[i]);
	free(options->namespaces);
	options->namespaces = NULL;
	options->namespace_count = 0;
}
