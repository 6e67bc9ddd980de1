/* SPDX-License-Identifier: Apache-2.0 */
/* What refusals mean: Status objects, Retry-After, reactions. */
#include "test.h"

#include "k8sclient/api_status.h"

static const struct {
	const char *name;
	const char *body;
	long http_code;
	long code;
	const char *reason;
	const char *cause;
	const char *message;
	unsigned retry_after_ms;
	bool gone;
	bool too_large;
} rows[] = {
    {"not found",
     "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"pods \\\"x\\\" not "
     "found\",\"reason\":\"NotFound\",\"code\":404}",
     404, 404, "NotFound", "", "pods \"x\" not found", 0, false, false},
    {"expired", "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"too old\",\"code\":410}",
     410, 410, "Expired", "", "too old", 0, true, false},
    {"gone, in an ERROR event of an old server",
     "{\"kind\":\"Status\",\"reason\":\"Gone\",\"message\":\"too old\",\"code\":410}", 0, 410,
     "Gone", "", "too old", 0, true, false},
    {"expired without a code", "{\"kind\":\"Status\",\"reason\":\"Expired\"}", 0, 410, "Expired",
     "", "the server answered 410 Expired", 0, true, false},
    {"gone by code alone", "{\"kind\":\"Status\",\"code\":410}", 0, 410, "", "",
     "the server answered 410", 0, true, false},
    {"too large by its cause",
     "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"later\",\"code\":504,\"details\":{"
     "\"causes\":"
     "[{\"reason\":\"ResourceVersionTooLarge\"}],\"retryAfterSeconds\":1}}",
     504, 504, "Timeout", "ResourceVersionTooLarge", "later", 1000, false, true},
    {"too large by its words",
     "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large resource version: 9, "
     "current: "
     "5\",\"code\":504}",
     504, 504, "Timeout", "", "Too large resource version: 9, current: 5", 0, false, true},
    {"another timeout",
     "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"slow\",\"code\":504}", 504, 504,
     "Timeout", "", "slow", 0, false, false},
    {"namespace goes away",
     "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"m\",\"code\":403,\"details\":{"
     "\"causes\":[{"
     "\"reason\":\"Other\"},{\"reason\":\"NamespaceTerminating\",\"field\":\"metadata.namespace\"}]"
     "}}",
     403, 403, "Forbidden", "NamespaceTerminating", "m", 0, false, false},
    {"huge wait is clamped",
     "{\"kind\":\"Status\",\"reason\":\"TooManyRequests\",\"message\":\"m\",\"code\":429,"
     "\"details\":{"
     "\"retryAfterSeconds\":99999999}}",
     429, 429, "TooManyRequests", "", "m", RETRY_AFTER_MAX_MS, false, false},
    {"negative wait", "{\"code\":429,\"message\":\"m\",\"details\":{\"retryAfterSeconds\":-5}}",
     429, 429, "", "", "m", 0, false, false},
    {"the body contradicts HTTP", "{\"kind\":\"Status\",\"code\":200,\"message\":\"m\"}", 503, 503,
     "", "", "m", 0, false, false},
    {"wrong types", "{\"code\":\"410\",\"reason\":7,\"message\":[],\"details\":[]}", 500, 500, "",
     "", "the server answered 500", 0, false, false},
    {"html of a proxy", "<html>\r\n<b>Bad Gateway</b>", 502, 502, "", "", "<html>", 0, false,
     false},
    {"plain text", "404 page not found\n", 404, 404, "", "", "404 page not found", 0, false, false},
    {"nothing", "", 503, 503, "", "", "the server answered 503", 0, false, false},
    {"control characters and broken UTF-8", "a\tb\x01\xc3", 500, 500, "", "", "ab", 0, false,
     false},
};

TEST(statuses)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_status status;
		api_status_read(rows[i].body, strlen(rows[i].body), rows[i].http_code, &status);
		CHECK_INT_ROW(status.code, rows[i].code, rows[i].name);
		CHECK_STR_ROW(status.reason, rows[i].reason, rows[i].name);
		CHECK_STR_ROW(status.cause, rows[i].cause, rows[i].name);
		CHECK_STR_ROW(status.message, rows[i].message, rows[i].name);
		CHECK_INT_ROW(status.retry_after_ms, rows[i].retry_after_ms, rows[i].name);
		CHECK_INT_ROW(api_status_is_gone(&status), rows[i].gone, rows[i].name);
		CHECK_INT_ROW(api_status_is_too_large_version(&status), rows[i].too_large,
			      rows[i].name);
	}
}

TEST(a_long_message_is_cut_at_a_whole_character)
{
	struct api_status status;
	char body[4000] = "";
	for (size_t i = 0; i < 1200; i++)
		memcpy(body + i * 2, "\xc3\xa9", 3);
	api_status_read(body, strlen(body), 500, &status);
	CHECK_INT(strlen(status.message), 200);
	char json[4100]; /* the message begins at an odd place of its room */
	(void)snprintf(json, sizeof(json), "{\"message\":\"%s\"}", body);
	api_status_read(json, strlen(json), 500, &status);
	CHECK_INT(strlen(status.message), sizeof(status.message) - 2);
}

static const struct {
	long code;
	enum status want;
} reactions[] = {
    {200, STATUS_OK},      {201, STATUS_OK},      {0, STATUS_RETRY},     {301, STATUS_INVALID},
    {400, STATUS_INVALID}, {401, STATUS_DENIED},  {403, STATUS_DENIED},  {404, STATUS_NOT_FOUND},
    {405, STATUS_INVALID}, {406, STATUS_INVALID}, {408, STATUS_RETRY},   {409, STATUS_CONFLICT},
    {410, STATUS_GONE},    {413, STATUS_LIMIT},   {415, STATUS_INVALID}, {422, STATUS_INVALID},
    {429, STATUS_RETRY},   {500, STATUS_RETRY},   {501, STATUS_INVALID}, {502, STATUS_RETRY},
    {503, STATUS_RETRY},   {504, STATUS_RETRY},
};

TEST(reactions_to_codes)
{
	for (size_t i = 0; i < ARRAY_LEN(reactions); i++)
		CHECK_INT(api_status_reaction(reactions[i].code), reactions[i].want);
}

/* Sun, 06 Nov 1994 08:49:37 GMT is 784111777. */
static const struct {
	const char *value;
	unsigned want;
} retry_after_rows[] = {
    {"1", 1000},
    {" 30 ", 30000},
    {"0", 0},
    {"-1", 0},
    {"1.5", 0},
    {"soon", 0},
    {"", 0},
    {"599", 599000},
    {"601", RETRY_AFTER_MAX_MS},
    {"99999999999999999999", RETRY_AFTER_MAX_MS},
    {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:27 GMT", 0},
    {"Sun, 06 Nov 2094 08:49:37 GMT", RETRY_AFTER_MAX_MS},
    {"Sun, 06 Foo 1994 08:49:47 GMT", 0},
    {"Sun, 06 ovD 1994 08:49:47 GMT", 0},
    {"06 Nov 1994 08:49:47 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:47 CET", 0},
};

TEST(retry_after)
{
	for (size_t i = 0; i < ARRAY_LEN(retry_after_rows); i++)
		CHECK_INT_ROW(retry_after_parse(retry_after_rows[i].value, 784111777),
			      retry_after_rows[i].want, retry_after_rows[i].value);
}

/* Words that the API server of 1.34 frames a policy's answer with, and others like them. */
static const struct {
	const char *what;
	const char *message;
	bool policy;
} denials[] = {
    {"ValidatingAdmissionPolicy",
     "deployments.apps \"decode\" is forbidden: ValidatingAdmissionPolicy 'no-otel' with binding "
     "'all' denied request: no tracing here",
     true},
    {"webhook",
     "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource is frozen",
     true},
    {"webhook that says nothing",
     "admission webhook \"check.gatekeeper.sh\" denied the request without explanation", true},
    {"webhook that cannot be reached",
     "Internal error occurred: failed calling webhook \"check.gatekeeper.sh\": context deadline "
     "exceeded",
     false},
    {"no right",
     "deployments.apps \"decode\" is forbidden: User \"x\" cannot patch resource \"deployments\" "
     "in API group \"apps\" in the namespace \"team\"",
     false},
    {"quota", "deployments.apps \"a\" is forbidden: exceeded quota: q, requested: 1, used: 1",
     false},
    {"schema", "Deployment.apps \"a\" is invalid: spec.replicas: Invalid value: -1", false},
    {"nothing", "", false},
};

TEST(denials_by_policy)
{
	for (size_t i = 0; i < ARRAY_LEN(denials); i++)
		CHECK_INT_ROW(api_message_is_policy_denial(denials[i].message), denials[i].policy,
			      denials[i].what);
}
