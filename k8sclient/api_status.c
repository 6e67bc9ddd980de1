/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/api_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/text.h"

/* Causes on which somebody acts; the others (field paths) stand in the message anyway. */
static const char *const telling_causes[] = {"NamespaceTerminating", "ResourceVersionTooLarge",
					     "FieldManagerConflict"};

static const struct {
	long code;
	enum status reaction;
} reactions[] = {
    {401, STATUS_DENIED}, {403, STATUS_DENIED},   {404, STATUS_NOT_FOUND},
    {408, STATUS_RETRY},  {409, STATUS_CONFLICT}, {410, STATUS_GONE},
    {413, STATUS_LIMIT},  {429, STATUS_RETRY},    {501, STATUS_INVALID},
};

static const struct {
	const char *reason;
	long code;
} reasons[] = {
    {"Expired", 410},         {"Gone", 410},
    {"Timeout", 504},         {"ServerTimeout", 500},
    {"TooManyRequests", 429}, {"InternalError", 500},
    {"Unauthorized", 401},    {"Forbidden", 403},
    {"NotFound", 404},        {"ServiceUnavailable", 503},
    {"Conflict", 409},        {"AlreadyExists", 409},
    {"BadRequest", 400},      {"Invalid", 422},
};

enum status api_status_reaction(long code)
{
	if (code >= 200 && code < 300)
		return STATUS_OK;
	for (size_t i = 0; i < ARRAY_LEN(reactions); i++)
		if (reactions[i].code == code)
			return reactions[i].reaction;
	return code >= 500 || code == 0 ? STATUS_RETRY : STATUS_INVALID;
}

/* Cut at a whole character when it is too long. */
static void copy_text(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return;
	size_t len = strnlen(from, size - 1);
	len = text_utf8_valid_prefix(from, len);
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The first line of a body that is not a Status, without control characters. */
static void copy_first_line(char *to, size_t size, const char *body, size_t len)
{
	size_t used = 0;
	size_t valid = text_utf8_valid_prefix(body, len);
	for (size_t i = 0; i < valid && used + 1 < size && used < 200; i++) {
		if (body[i] == '\n' && used > 0)
			break;
		if ((unsigned char)body[i] >= 0x20U && body[i] != 0x7f)
			to[used++] = body[i];
	}
	while (used > 0 && text_utf8_valid_prefix(to, used) != used)
		used--;
	to[used] = '\0';
}

/* Details of a Status may be missing or odd: what is not understood is left out. */
static void read_details(const cJSON *details, struct api_status *status)
{
	long seconds = json_int(details, "retryAfterSeconds", 0);
	if (seconds > RETRY_AFTER_MAX_MS / 1000)
		seconds = RETRY_AFTER_MAX_MS / 1000;
	if (seconds > 0)
		status->retry_after_ms = (unsigned)seconds * 1000U;
	const cJSON *causes = json_member(details, "causes");
	if (!cJSON_IsArray(causes))
		return;
	for (const cJSON *cause = causes->child; cause != NULL; cause = cause->next) {
		const char *reason = json_str(cause, "reason");
		for (size_t i = 0; i < ARRAY_LEN(telling_causes); i++) {
			if (*status->cause == '\0' && text_equal(reason, telling_causes[i]))
				copy_text(status->cause, sizeof(status->cause), reason);
		}
	}
}

void api_status_read(const char *body, size_t len, long http_code, struct api_status *ret_status)
{
	struct error ignored;
	CLEANUP(json_freep) cJSON *tree = NULL;
	*ret_status = (struct api_status){.code = http_code};
	if (json_parse(body, len, &tree, &ignored) == STATUS_OK && cJSON_IsObject(tree)) {
		ret_status->code = json_int(tree, "code", http_code);
		copy_text(ret_status->reason, sizeof(ret_status->reason), json_str(tree, "reason"));
		copy_text(ret_status->message, sizeof(ret_status->message),
			  json_str(tree, "message"));
		read_details(json_member(tree, "details"), ret_status);
	} else {
		copy_first_line(ret_status->message, sizeof(ret_status->message), body, len);
	}
	if (http_code != 0)
		ret_status->code = http_code;
	for (size_t i = 0; i < ARRAY_LEN(reasons) && ret_status->code <= 0; i++)
		if (strcmp(reasons[i].reason, ret_status->reason) == 0)
			ret_status->code = reasons[i].code;
	if (*ret_status->message == '\0')
		(void)snprintf(ret_status->message, sizeof(ret_status->message),
			       "the server answered %ld%s%s", ret_status->code,
			       *ret_status->reason != '\0' ? " " : "", ret_status->reason);
}

bool api_status_is_gone(const struct api_status *status)
{
	return status->code == 410 || strcmp(status->reason, "Expired") == 0 ||
	       strcmp(status->reason, "Gone") == 0;
}

/* Servers before 1.18 give no cause, so the words count as well (client-go does the same). */
bool api_status_is_too_large_version(const struct api_status *status)
{
	if (strcmp(status->cause, "ResourceVersionTooLarge") == 0)
		return true;
	return (status->code == 504 || strcmp(status->reason, "Timeout") == 0) &&
	       strstr(status->message, "Too large resource version") != NULL;
}

bool api_message_is_policy_denial(const char *message)
{
	/* k8s.io/apiserver: plugin/policy/validating and plugin/webhook/errors */
	static const char *const frames[][2] = {
	    {"ValidatingAdmissionPolicy '", "' denied request: "},
	    {"admission webhook \"", "\" denied the request"},
	};
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		const char *begin = strstr(message, frames[i][0]);
		if (begin != NULL && strstr(begin, frames[i][1]) != NULL)
			return true;
	}
	return false;
}

static unsigned clamp(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	if (seconds > RETRY_AFTER_MAX_MS / 1000)
		return RETRY_AFTER_MAX_MS;
	return (unsigned)seconds * 1000U;
}

/* IMF-fixdate only: "Sun, 06 Nov 1994 08:49:37 GMT"; by hand, since strptime obeys the locale. */
static bool parse_date(const char *value, struct tm *ret_utc)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	struct tm utc = {0};
	int year = 0;
	char end = '\0';
	if (sscanf(value, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GM%c", &utc.tm_mday, month, &year,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &end) != 7 ||
	    end != 'T' || strlen(month) != 3)
		return false;
	const char *found = strstr(months, month);
	if (found == NULL || (found - months) % 3 != 0)
		return false;
	utc.tm_mon = (int)(found - months) / 3;
	utc.tm_year = year - 1900;
	*ret_utc = utc;
	return true;
}

unsigned retry_after_parse(const char *value, int64_t now)
{
	while (*value == ' ' || *value == '\t')
		value++;
	size_t digits = strspn(value, "0123456789");
	if (digits > 0 && value[digits + strspn(value + digits, " \t")] == '\0')
		return digits > 9 ? RETRY_AFTER_MAX_MS : clamp(strtol(value, NULL, 10));
	struct tm utc;
	if (!parse_date(value, &utc))
		return 0;
	return clamp((int64_t)timegm(&utc) - now);
}
