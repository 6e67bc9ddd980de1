/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of spec.sampling must make true; crds/tracing.yaml says the same where it can. */
#include <stdlib.h>
#include <string.h>

#include "inject/settings_fields.h"

/* Digits for '0', anything else for itself; the numbers' ranges come after. */
static bool has_form(const char *value)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	if (strlen(value) != strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == '0' ? value[i] < '0' || value[i] > '9' : value[i] != form[i])
			return false;
	return true;
}

enum status settings_check_time(const char *value, const char *path, struct error *err)
{
	static const struct {
		size_t at;
		long low, high;
	} parts[] = {{5, 1, 12}, {8, 1, 31}, {11, 0, 23}, {14, 0, 59}, {17, 0, 59}};
	bool good = has_form(value);
	for (size_t i = 0; good && i < ARRAY_LEN(parts); i++) {
		long number = strtol(value + parts[i].at, NULL, 10);
		good = number >= parts[i].low && number <= parts[i].high;
	}
	if (good)
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%s\" is no time; write it in UTC like \"2026-01-31T18:00:00Z\"",
			 path, value);
}

static enum status check_boost(const struct settings *settings, struct error *err)
{
	static const char path[] = "spec.sampling.boost";
	const struct boost_settings *boost = &settings->boost;
	if (boost->ratio == NULL && boost->until == NULL)
		return STATUS_OK;
	if (boost->ratio == NULL || boost->until == NULL)
		return error_set(err, STATUS_INVALID,
				 "%s: needs ratio and until, like {ratio: \"1.0\", until: "
				 "\"2026-01-31T18:00:00Z\"}",
				 path);
	if (settings->where == SAMPLING_PODS)
		return error_set(err, STATUS_INVALID,
				 "%s: with where: Pods it would restart every model server, and "
				 "once more at its end; use where: Root or Collector",
				 path);
	return STATUS_OK;
}

enum status settings_check_sampling(const struct settings *settings, const cJSON *spec,
				    struct error *err)
{
	bool collector = settings->where == SAMPLING_COLLECTOR;
	const cJSON *said = json_member(spec, "sampling");
	if (!settings_has_collector(settings) && collector && json_str(said, "where") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.sampling.where: Collector needs the operator's own "
		    "collector; one of mode Shared or External is not configured by it, "
		    "and everything would be sent on");
	if (!settings_has_collector(settings) && json_member(said, "maxSpansPerSecond") != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.sampling.maxSpansPerSecond: needs the operator's own "
		    "collector; one of mode Shared or External is not configured by it");
	if (collector && json_str(said, "ratio") != NULL && settings->tail.ratio != NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.sampling.ratio: with where: Collector and "
		    "spec.collector.tailSampling the share is that one's ratio; say it "
		    "there only");
	return check_boost(settings, err);
}

bool ratio_is_one(const char *ratio)
{
	return ratio[strspn(ratio, "0")] == '1';
}
