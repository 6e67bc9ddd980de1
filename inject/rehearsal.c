/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/rehearsal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

static const char *const words[REHEARSAL_COUNT] = {
    [REHEARSAL_INCONCLUSIVE] = "Inconclusive",
    [REHEARSAL_TRACEABLE] = "Traceable",
    [REHEARSAL_REFUSES_FLAG] = "RefusesFlag",
    [REHEARSAL_LACKS_PACKAGES] = "LacksPackages",
};

const char *rehearsal_word(enum rehearsal_verdict verdict)
{
	return words[verdict];
}

static bool is_python(enum component component)
{
	return component == COMPONENT_VLLM || component == COMPONENT_SGLANG;
}

/* ---- the pod's end ---- */

static const cJSON *container_status(const cJSON *pod)
{
	const cJSON *statuses = json_get(pod, "status.containerStatuses");
	return json_named(statuses, "rehearsal");
}

static const cJSON *end_of(const cJSON *pod)
{
	return json_get(container_status(pod), "state.terminated");
}

/* Waiting for what will not come. ErrImagePull is tried again at once, so it is not one of them. */
static const char *hopeless(const cJSON *pod)
{
	static const char *const reasons[] = {"ImagePullBackOff",     "InvalidImageName",
					      "ErrImageNeverPull",    "CreateContainerConfigError",
					      "CreateContainerError", "RunContainerError"};
	const char *reason = json_str(container_status(pod), "state.waiting.reason");
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (text_equal(reason, reasons[i]))
			return reason;
	return NULL;
}

static const cJSON *unschedulable(const cJSON *pod)
{
	const cJSON *condition = NULL;
	cJSON_ArrayForEach(condition, json_get(pod, "status.conditions"))
	{
		if (text_equal(json_str(condition, "type"), "PodScheduled") &&
		    text_equal(json_str(condition, "reason"), "Unschedulable"))
			return condition;
	}
	return NULL;
}

bool rehearsal_is_over(const cJSON *pod)
{
	const char *phase = json_str(pod, "status.phase");
	return end_of(pod) != NULL || text_equal(phase, "Failed") ||
	       text_equal(phase, "Succeeded") || hopeless(pod) != NULL ||
	       unschedulable(pod) != NULL;
}

static bool did_start(const cJSON *end)
{
	const char *reason = json_str(end, "reason");
	return end != NULL && !text_equal(reason, "StartError") &&
	       !text_equal(reason, "ContainerCannotRun");
}

bool rehearsal_wants_log(enum component component, const cJSON *pod)
{
	return !is_python(component) && did_start(end_of(pod));
}

/* ---- verdicts ---- */

static void conclude(struct rehearsal *rehearsal, enum rehearsal_verdict verdict, const char *fmt,
		     ...) PRINTF_LIKE(3, 4);

static void conclude(struct rehearsal *rehearsal, enum rehearsal_verdict verdict, const char *fmt,
		     ...)
{
	va_list args;
	va_start(args, fmt);
	rehearsal->verdict = verdict;
	(void)vsnprintf(rehearsal->message, sizeof(rehearsal->message), fmt, args);
	va_end(args);
	for (char *c = rehearsal->message; *c != '\0'; c++) /* it goes on one line of a status */
		if ((unsigned char)*c < ' ')
			*c = ' ';
	rehearsal->message[text_utf8_valid_prefix(rehearsal->message, strlen(rehearsal->message))] =
	    '\0';
}

void rehearsal_fail(const char *why, struct rehearsal *ret_rehearsal)
{
	*ret_rehearsal = (struct rehearsal){.verdict = REHEARSAL_INCONCLUSIVE, .untried = true};
	conclude(ret_rehearsal, REHEARSAL_INCONCLUSIVE, "%s", why);
}

/* It did not come to an answer of the program's own. */
static bool has_no_answer(enum component component, const cJSON *pod, struct rehearsal *rehearsal)
{
	const cJSON *end = end_of(pod);
	const cJSON *waiting = json_get(container_status(pod), "state.waiting");
	const char *reason = json_str(end, "reason");
	const char *why = hopeless(pod);
	const char *message = json_str(end != NULL ? end : waiting, "message");
	bool no_start = end != NULL ? !did_start(end)
				    : text_equal(why, "CreateContainerError") ||
					  text_equal(why, "RunContainerError");
	message = message == NULL ? "" : message;
	/* containerd and CRI-O say it each in its own way */
	if (no_start && is_python(component) &&
	    (strstr(message, "not found") != NULL || strstr(message, "no such file") != NULL))
		conclude(rehearsal, REHEARSAL_REFUSES_FLAG,
			 "the image has no Python, so it holds no %s", component_name(component));
	else if (end == NULL && unschedulable(pod) != NULL)
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE, "its pod finds no node: %.200s",
			 json_str(unschedulable(pod), "message"));
	else if (end == NULL)
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE,
			 "its pod did not come to an end (%s)%s%.200s",
			 why != NULL ? why : "time is over", message[0] == '\0' ? "" : ": ",
			 message);
	else if (no_start || text_equal(reason, "OOMKilled"))
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE, "it could not run: %s %.200s",
			 reason == NULL ? "?" : reason, message);
	else
		return false;
	return true;
}

/* A version below which the flag downgrades the engine or was spelled otherwise (LLMD 1.3). */
bool rehearsal_is_old_engine(enum component component, const char *text)
{
	struct version version;
	version_read(text, strlen(text), &version);
	/* a build without the repository's tags calls itself 0.1.dev…; that says nothing */
	return component == COMPONENT_VLLM && version.kind == VERSION_EXACT &&
	       !version_is_below(&version, "0.2.0") && version_is_below(&version, "0.10.2");
}

static void judge_python(enum component component, const cJSON *end, struct rehearsal *rehearsal)
{
	struct error ignored;
	cJSON *told CLEANUP(json_freep) = NULL;
	const char *name = component_name(component);
	const char *text = json_str(end, "message");
	if (text == NULL || json_parse(text, strlen(text), &told, &ignored) != STATUS_OK ||
	    !text_equal(json_str(told, "engine"), name)) {
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE,
			 "Python ended with %ld and said: %.200s", json_int(end, "exitCode", -1),
			 text == NULL ? "nothing" : text);
		return;
	}
	const char *version = json_str(told, "version");
	const cJSON *missing = json_member(told, "missing");
	const cJSON *flag = json_member(told, "flag");
	version = version == NULL ? "" : version;
	(void)snprintf(rehearsal->version, sizeof(rehearsal->version), "%s", version);
	if (!json_bool(told, "installed", false))
		conclude(rehearsal, REHEARSAL_REFUSES_FLAG, "no Python package %s is in the image",
			 name);
	else if (rehearsal_is_old_engine(component, version))
		conclude(rehearsal, REHEARSAL_REFUSES_FLAG,
			 "vLLM %s traces in its old engine only and would fall back to it",
			 version);
	else if (cJSON_IsFalse(flag))
		conclude(rehearsal, REHEARSAL_REFUSES_FLAG, "%s %s does not know the flag", name,
			 version);
	else if (cJSON_IsArray(missing) && cJSON_IsString(missing->child))
		conclude(rehearsal, REHEARSAL_LACKS_PACKAGES, "%s %s cannot import %.200s", name,
			 version, missing->child->valuestring);
	else if (!cJSON_IsTrue(flag) || !cJSON_IsArray(missing))
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE,
			 "%s %s does not tell which flags it knows", name, version);
	else
		conclude(rehearsal, REHEARSAL_TRACEABLE,
			 "%s %s knows the flag and imports OpenTelemetry", name, version);
}

/* The flag as `--help` of Go's flag and pflag lists it: first in its line, after a short form at most. */
static bool lists_flag(const char *log, size_t len, const char *name)
{
	const char *end = log + len;
	size_t name_len = strlen(name);
	for (const char *line = log; line < end;) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next == NULL ? end : next;
		const char *word = line;
		while (word < stop && (*word == ' ' || *word == '\t'))
			word++;
		if (stop - word > 4 && word[0] == '-' && word[1] != '-' && word[2] == ',')
			word += 4;
		size_t dashes = 0;
		while (word < stop && dashes < 2 && *word == '-') {
			word++;
			dashes++;
		}
		if (dashes > 0 && (size_t)(stop - word) >= name_len &&
		    memcmp(word, name, name_len) == 0 &&
		    (word + name_len == stop || strchr(" =[\t\r", word[name_len]) != NULL))
			return true;
		line = stop + 1;
	}
	return false;
}

/* Flags that the program has had in every version: the text is its help, and whole. */
static bool is_whole_help(enum component component, const char *log, size_t len)
{
	static const char *const epp[] = {"pool-name", "poolName", "endpoint-selector"};
	static const char *const proxy[] = {"vllm-port", "model-server-port"};
	const char *const *names = component == COMPONENT_EPP ? epp : proxy;
	size_t count = component == COMPONENT_EPP ? ARRAY_LEN(epp) : ARRAY_LEN(proxy);
	bool found = false;
	for (size_t i = 0; i < count && !found; i++)
		found = lists_flag(log, len, names[i]);
	return found && len < REHEARSAL_LOG_BYTES;
}

static void judge_go(enum component component, const char *log, size_t len,
		     struct rehearsal *rehearsal)
{
	/* Of the endpoint pickers with the flag only llm-d's router surely makes spans (LLMD 3.3). */
	bool spans = component == COMPONENT_ROUTING_PROXY ||
		     lists_flag(log, len, "drain-timeout") ||
		     lists_flag(log, len, "endpoint-selector");
	if (!is_whole_help(component, log, len))
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE,
			 "what it printed for --help is not the help of %s",
			 component == COMPONENT_EPP ? "an endpoint picker" : "a routing proxy");
	else if (!lists_flag(log, len, "tracing"))
		conclude(rehearsal, REHEARSAL_REFUSES_FLAG, "its --help lists no --tracing");
	else if (!spans)
		conclude(rehearsal, REHEARSAL_INCONCLUSIVE,
			 "its --help lists --tracing; whether this version makes spans it does not "
			 "tell");
	else
		conclude(rehearsal, REHEARSAL_TRACEABLE, "its --help lists --tracing");
}

void rehearsal_judge(enum component component, const cJSON *pod, const char *log, size_t len,
		     struct rehearsal *ret_rehearsal)
{
	*ret_rehearsal = (struct rehearsal){.verdict = REHEARSAL_INCONCLUSIVE};
	rehearsal_digest(container_status(pod), ret_rehearsal->digest);
	if (has_no_answer(component, pod, ret_rehearsal)) {
		ret_rehearsal->untried = ret_rehearsal->verdict == REHEARSAL_INCONCLUSIVE;
		return;
	}
	if (is_python(component))
		judge_python(component, end_of(pod), ret_rehearsal);
	else if (text_equal(json_str(pod, "status.reason"), "DeadlineExceeded") || log == NULL)
		conclude(ret_rehearsal, REHEARSAL_INCONCLUSIVE, "it did not answer --help in time");
	else
		judge_go(component, log, len, ret_rehearsal);
}
