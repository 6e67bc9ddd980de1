/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_rollout.h"

#include <string.h>

#include "inject/settings.h"
#include "inject/settings_check.h"
#include "inject/settings_lists.h"
#include "inject/window.h"
#include "inject/zone.h"

enum { MIN_READY_MAX = 10000, DAYS_MAX = 7 };

enum status settings_check_rollout_policy(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {ROLLOUT_IMMEDIATE, ROLLOUT_ON_NEXT_CHANGE,
					    ROLLOUT_ON_APPROVAL, ROLLOUT_NEVER, NULL};
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_gitops(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {GITOPS_LEAVE_ALONE, GITOPS_PATCH, NULL};
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_rehearse(const char *value, const char *path, struct error *err)
{
	static const char *const words[] = {REHEARSE_AUTO, REHEARSE_OFF, NULL};
	return settings_check_choice(value, words, path, err);
}

enum status settings_check_window_hours(const char *value, const char *path, struct error *err)
{
	int from = 0;
	int to = 0;
	if (window_read_hours(value, &from, &to))
		return STATUS_OK;
	return error_set(err, STATUS_INVALID,
			 "%s: \"%.40s\" is no span of a day like \"22:00-06:00\"", path, value);
}

enum status settings_check_window_zone(const char *value, const char *path, struct error *err)
{
	struct zone zone;
	if (zone_find(value, &zone))
		return STATUS_OK;
	return error_set(
	    err, STATUS_INVALID,
	    "%s: \"%.40s\" is no place whose clock is known here, like \"Europe/Berlin\", and "
	    "no distance from UTC like \"UTC\", \"UTC+2\" or \"UTC-05:30\"",
	    path, value);
}

enum status settings_check_window_days(const cJSON *node, const char *path, struct error *err)
{
	const cJSON *item = NULL;
	int day = 0;
	if (!cJSON_IsArray(node) || cJSON_GetArraySize(node) > DAYS_MAX)
		return settings_wrong_type(path, "a list of days like [Mon, Tue]", node, err);
	cJSON_ArrayForEach(item, node)
	{
		if (!cJSON_IsString(item) || !window_read_day(item->valuestring, &day))
			return error_set(err, STATUS_INVALID,
					 "%s: days are Mon, Tue, Wed, Thu, Fri, Sat, Sun", path);
	}
	return STATUS_OK;
}

enum status settings_check_min_ready(const cJSON *node, const char *path, struct error *err)
{
	if (cJSON_IsNumber(node) && json_int(node, "", -1) >= 0 &&
	    json_int(node, "", -1) <= MIN_READY_MAX)
		return STATUS_OK;
	if (cJSON_IsString(node)) {
		const char *text = node->valuestring;
		size_t digits = strspn(text, "0123456789");
		bool hundred = digits == 3 && strncmp(text, "100", 3) == 0;
		if (digits >= 1 && (digits <= 2 || hundred) && strcmp(text + digits, "%") == 0)
			return STATUS_OK;
	}
	return error_set(err, STATUS_INVALID,
			 "%s: must be a whole number up to %d, or a share like \"50%%\"", path,
			 (int)MIN_READY_MAX);
}
