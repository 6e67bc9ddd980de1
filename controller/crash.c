/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/crash.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "controller/moment.h"

static const struct crash_info classes[CRASH_CLASS_COUNT] = {
    [CRASH_NONE] = {"", "", ""},
    [CRASH_REFUSES_FLAG] = {"RefusesFlag", "The program does not know the tracing flag.",
			    "Use a newer image, or name its true version under spec.images."},
    [CRASH_NO_PACKAGES] = {"NoTracingPackages",
			   "The program knows the flag, but the image lacks OpenTelemetry.",
			   "Use an image that holds the OpenTelemetry packages."},
    [CRASH_SETUP_FAILED] = {"TracingSetupFailed",
			    "The program could not set up tracing with the values given to it.",
			    "Compare the endpoint and the sampler with what the program accepts."},
    [CRASH_OUT_OF_MEMORY] = {"OutOfMemory", "The container went over its memory limit.",
			     "Raise the limit of the container."},
    [CRASH_EXITED] = {"Exited", "The program ended without a word that is known here.",
		      "Read the container's log (kubectl logs --previous)."},
    [CRASH_IMAGE_PULL] = {"ImagePull", "The image cannot be pulled.",
			  "Look at the image's name and the pull secrets; the operator changes "
			  "neither."},
    [CRASH_BAD_CONFIG] = {"BadContainerConfig", "The kubelet cannot make the container.",
			  "See the pod's own message; a Secret or ConfigMap may be missing."},
    [CRASH_NOT_SCHEDULED] = {"NotScheduled", "No node takes the pod.",
			     "Make room, or use a strategy that needs no further pod."},
};

/* Flags that the operator adds, as programs print them. */
#define OUR_FLAG "\1"
static const char *const our_flags[] = {"--otlp-traces-endpoint", "--collect-detailed-traces",
					"--enable-trace", "--tracing", "-tracing"};

/* The one table of texts: a line that holds both parts. */
static const struct {
	const char *text;
	const char *with; /* also in that line; OUR_FLAG: one of ours; NULL: nothing */
	enum crash_class class;
	const char *who;
} texts[] = {
    {"unrecognized arguments", OUR_FLAG, CRASH_REFUSES_FLAG,
     "Python's argparse: vLLM, SGLang; exits 2"},
    {"unknown flag", OUR_FLAG, CRASH_REFUSES_FLAG,
     "Go's pflag: routing proxy up to 0.8, lwepp, old EPPs (exit 2), the simulator (exit 0)"},
    {"flag provided but not defined", OUR_FLAG, CRASH_REFUSES_FLAG, "Go's flag; exits 2"},
    {"unexpected argument", OUR_FLAG, CRASH_REFUSES_FLAG, "Rust's clap; exits 2"},
    {"invalid choice", OUR_FLAG, CRASH_REFUSES_FLAG, "argparse, a value that it does not know"},
    {"OpenTelemetry is not available", NULL, CRASH_NO_PACKAGES, "vLLM"},
    {"No module named 'opentelemetry", NULL, CRASH_NO_PACKAGES, "vLLM, SGLang"},
    {"collect_detailed_traces", "requires", CRASH_SETUP_FAILED, "vLLM"},
    {"failed to init tracing", NULL, CRASH_SETUP_FAILED, "EPP"},
};

/* Reasons of a waiting container that does not start by itself (kubelet). */
static const struct {
	const char *reason;
	enum crash_class class;
} waits[] = {
    {"ImagePullBackOff", CRASH_IMAGE_PULL},           {"ErrImagePull", CRASH_IMAGE_PULL},
    {"ErrImageNeverPull", CRASH_IMAGE_PULL},          {"InvalidImageName", CRASH_IMAGE_PULL},
    {"CreateContainerConfigError", CRASH_BAD_CONFIG}, {"CreateContainerError", CRASH_BAD_CONFIG},
    {"RunContainerError", CRASH_BAD_CONFIG},
};

enum { FIRST_SYNC_US = 2000000 };

const struct crash_info *crash_info(enum crash_class class)
{
	unsigned row = (unsigned)class;
	return &classes[row < CRASH_CLASS_COUNT ? row : CRASH_NONE];
}

bool crash_is_about_tracing(const struct crash *crash)
{
	return crash->class >= CRASH_REFUSES_FLAG && crash->class <= CRASH_SETUP_FAILED;
}

bool crash_has_ended(const struct crash *crash)
{
	return crash->class >= CRASH_REFUSES_FLAG && crash->class <= CRASH_EXITED;
}

/* --- words --- */

static bool holds(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text)) != NULL;
}

static const char *flag_in(const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(our_flags); i++)
		if (holds(line, len, our_flags[i]))
			return our_flags[i];
	return NULL;
}

static bool read_line(struct crash *crash, const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *with = texts[i].with;
		if (!holds(line, len, texts[i].text))
			continue;
		if (with != NULL && strcmp(with, OUR_FLAG) == 0)
			with = flag_in(line, len);
		else if (with != NULL && !holds(line, len, with))
			with = NULL;
		if (texts[i].with != NULL && with == NULL)
			continue;
		crash->class = texts[i].class;
		(void)snprintf(crash->said, sizeof(crash->said), "%s%s%s", texts[i].text,
			       with == NULL ? "" : " ", with == NULL ? "" : with);
		return true;
	}
	return false;
}

void crash_read_text(struct crash *crash, const char *text, size_t len)
{
	crash->needs_text = false;
	if (!crash_has_ended(crash) || crash->said[0] != '\0')
		return;
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - text);
		if (read_line(crash, text, line))
			return;
		line += end != NULL;
		text += line;
		len -= line;
	}
}

/* --- of which revision a pod is --- */

static bool holds_env(const cJSON *container, const cJSON *wanted)
{
	const cJSON *env = json_member(container, "env");
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json_member(wanted, "env"))
	{
		const cJSON *have = json_named(env, json_str(item, "name"));
		const char *value = json_str(item, "value");
		if (have == NULL)
			return false;
		/* the API server fills defaults into valueFrom, so only plain values compare */
		if (value != NULL && !text_equal(json_str(have, "value"), value))
			return false;
	}
	return true;
}

static bool same_words(const cJSON *a, const cJSON *b, const char *member)
{
	const cJSON *in_a = json_member(a, member);
	const cJSON *in_b = json_member(b, member);
	bool none_a = in_a == NULL || in_a->child == NULL;
	bool none_b = in_b == NULL || in_b->child == NULL;
	return none_a || none_b ? none_a == none_b : json_equal(in_a, in_b);
}

static bool has_containers(const cJSON *pod_spec, const cJSON *template, const char *list)
{
	const cJSON *wanted = NULL;
	cJSON_ArrayForEach(wanted, json_member(template, list))
	{
		const cJSON *have =
		    json_named(json_member(pod_spec, list), json_str(wanted, "name"));
		if (have == NULL || !same_words(have, wanted, "command") ||
		    !same_words(have, wanted, "args") || !holds_env(have, wanted))
			return false;
	}
	return true;
}

static bool is_of(const cJSON *pod_spec, const cJSON *template)
{
	return template != NULL && has_containers(pod_spec, template, "containers") &&
	       has_containers(pod_spec, template, "initContainers");
}

static bool is_new(const cJSON *pod, const struct replica_sets *sets)
{
	const cJSON *spec = json_member(pod, "spec");
	for (size_t i = 0; i < sets->count; i++)
		if (is_of(spec, sets->items[i].leader) || is_of(spec, sets->items[i].worker))
			return true;
	return false;
}

/*
 * The kubelet sets startTime and Ready=False at its first look, and Ready's time moves only
 * when Ready does.
 */
static bool was_ready(const cJSON *pod)
{
	const cJSON *item = NULL;
	int64_t start = moment_parse(json_str(pod, "status.startTime"), 0);
	cJSON_ArrayForEach(item, json_get(pod, "status.conditions"))
	{
		if (!text_equal(json_str(item, "type"), "Ready"))
			continue;
		if (text_equal(json_str(item, "status"), "True"))
			return true;
		int64_t changed = moment_parse(json_str(item, "lastTransitionTime"), 0);
		return start > 0 && changed > start + FIRST_SYNC_US;
	}
	return false;
}

/* --- containers --- */

static bool is_edited(const struct plan *plan, const char *container)
{
	for (size_t i = 0; i < plan->container_count; i++)
		if (plan->containers[i].inject && strcmp(plan->containers[i].name, container) == 0)
			return true;
	return false;
}

static enum crash_class class_of_wait(const char *reason)
{
	for (size_t i = 0; reason != NULL && i < ARRAY_LEN(waits); i++)
		if (strcmp(waits[i].reason, reason) == 0)
			return waits[i].class;
	return CRASH_NONE;
}

/* When its deletion was asked for; 0: it was not. */
static int64_t deleted_us(const cJSON *pod)
{
	const cJSON *metadata = json_member(pod, "metadata");
	const char *end = json_str(metadata, "deletionTimestamp");
	int64_t grace = json_int(metadata, "deletionGracePeriodSeconds", 0);
	return end == NULL ? 0 : moment_parse(end, 1) - grace * 1000000;
}

/*
 * How the container ended by itself the last time, or NULL. In a pod that is being deleted the
 * kubelet ends what runs, and starts nothing anew: what was started anew ended before.
 */
static const cJSON *last_end(const cJSON *status, int64_t deleted)
{
	const cJSON *now = json_get(status, "state.terminated");
	const cJSON *before = json_get(status, "lastState.terminated");
	int64_t finished = moment_parse(json_str(now, "finishedAt"), deleted);
	return now != NULL && (deleted == 0 || finished < deleted) ? now : before;
}

static void read_end(struct crash *crash, const cJSON *end)
{
	const char *message = json_str(end, "message");
	crash->exit_code = json_int(end, "exitCode", 0);
	crash->class =
	    text_equal(json_str(end, "reason"), "OOMKilled") ? CRASH_OUT_OF_MEMORY : CRASH_EXITED;
	if (message != NULL)
		crash_read_text(crash, message, strlen(message));
	crash->needs_text = crash->class == CRASH_EXITED;
}

/* Graver: first what is ours to answer for, then what ended, in the order of the classes. */
static void keep_graver(struct crash *worst, const struct crash *found)
{
	bool ours = found->edited && crash_has_ended(found);
	bool worst_ours = worst->edited && crash_has_ended(worst);
	if (found->class == CRASH_NONE || (worst_ours && !ours))
		return;
	if (worst->class == CRASH_NONE || (ours && !worst_ours) || found->class < worst->class)
		*worst = *found;
}

/* An ordinary init container ends by itself; one that ended well is none of these. */
static bool may_end(const cJSON *pod, const char *name, const cJSON *end)
{
	const cJSON *init = json_named(json_get(pod, "spec.initContainers"), name);
	return init != NULL && !text_equal(json_str(init, "restartPolicy"), "Always") &&
	       json_int(end, "exitCode", 0) == 0;
}

static void read_containers(const cJSON *pod, const char *list, const struct plan *plan,
			    struct crash *worst)
{
	const cJSON *status = NULL;
	int64_t deleted = deleted_us(pod);
	cJSON_ArrayForEach(status, json_member(json_member(pod, "status"), list))
	{
		struct crash found = {.class = CRASH_NONE};
		const char *name = json_str(status, "name");
		const cJSON *end = last_end(status, deleted);
		if (name == NULL || json_bool(status, "ready", false))
			continue;
		(void)snprintf(found.pod, sizeof(found.pod), "%s", json_str(pod, "metadata.name"));
		(void)snprintf(found.container, sizeof(found.container), "%s", name);
		found.edited = is_edited(plan, name);
		if (deleted == 0)
			found.class = class_of_wait(json_str(status, "state.waiting.reason"));
		if (found.class == CRASH_NONE && end != NULL && !may_end(pod, name, end))
			read_end(&found, end);
		keep_graver(worst, &found);
	}
}

static void read_schedule(const cJSON *pod, struct crash *worst)
{
	const cJSON *item = NULL;
	struct crash found = {.class = CRASH_NOT_SCHEDULED};
	cJSON_ArrayForEach(item, json_get(pod, "status.conditions"))
	{
		if (!text_equal(json_str(item, "type"), "PodScheduled") ||
		    !text_equal(json_str(item, "reason"), "Unschedulable"))
			continue;
		(void)snprintf(found.pod, sizeof(found.pod), "%s", json_str(pod, "metadata.name"));
		keep_graver(worst, &found);
	}
}

/* One that its node has thrown out says nothing of it. */
static bool is_telling(const cJSON *pod)
{
	return json_str(pod, "metadata.name") != NULL && json_str(pod, "status.reason") == NULL &&
	       !was_ready(pod);
}

void crash_read(const cJSON *pods, const struct replica_sets *sets, const struct plan *plan,
		struct crash *ret_crash)
{
	const cJSON *pod = NULL;
	struct crash worst = {.class = CRASH_NONE};
	cJSON_ArrayForEach(pod, pods)
	{
		if (!is_telling(pod) || !is_new(pod, sets))
			continue;
		read_containers(pod, "initContainerStatuses", plan, &worst);
		read_containers(pod, "containerStatuses", plan, &worst);
		if (deleted_us(pod) == 0)
			read_schedule(pod, &worst);
	}
	*ret_crash = worst;
}

static bool is_controlled_by(const cJSON *pod, const cJSON *owner)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json_get(pod, "metadata.ownerReferences"))
	{
		if (json_bool(item, "controller", false))
			return text_equal(json_str(item, "uid"), json_str(owner, "metadata.uid"));
	}
	return false;
}

/* Its controller knows of a newer revision, and that one is the newest template. */
static bool is_of_past_revision(const cJSON *pod, const cJSON *owner)
{
	const cJSON *labels = json_get(pod, "metadata.labels");
	const cJSON *revision = json_member(labels, "controller-revision-hash");
	const char *newest = json_str(owner, "status.updateRevision");
	return cJSON_IsString(revision) && newest != NULL &&
	       strcmp(revision->valuestring, newest) != 0 &&
	       json_int(owner, "status.observedGeneration", 0) >=
		   json_int(owner, "metadata.generation", 1);
}

const cJSON *crash_leftover(const cJSON *pods, const cJSON *owner, const struct plan *plan,
			    const struct replica_sets *crashed, const struct replica_sets *now)
{
	const cJSON *pod = NULL;
	cJSON_ArrayForEach(pod, pods)
	{
		struct crash found = {.class = CRASH_NONE};
		if (!is_telling(pod) || deleted_us(pod) != 0 || !is_new(pod, crashed) ||
		    is_new(pod, now) || !is_controlled_by(pod, owner) ||
		    !is_of_past_revision(pod, owner))
			continue;
		read_containers(pod, "initContainerStatuses", plan, &found);
		read_containers(pod, "containerStatuses", plan, &found);
		if (found.edited && crash_has_ended(&found))
			return pod;
	}
	return NULL;
}

void crash_describe(const struct crash *crash, char *text, size_t size)
{
	const struct crash_info *info = crash_info(crash->class);
	if (crash->container[0] == '\0')
		(void)snprintf(text, size, "%s: pod %s. %s %s", info->word, crash->pod,
			       info->meaning, info->advice);
	else if (!crash_has_ended(crash))
		(void)snprintf(text, size, "%s: container %s of pod %s. %s %s", info->word,
			       crash->container, crash->pod, info->meaning, info->advice);
	else
		(void)snprintf(text, size,
			       "%s: container %s of pod %s ended with exit code %ld%s%s%s before "
			       "it was ever Ready. %s %s%s",
			       info->word, crash->container, crash->pod, crash->exit_code,
			       crash->said[0] == '\0' ? "" : ", saying \"", crash->said,
			       crash->said[0] == '\0' ? "" : "\",", info->meaning, info->advice,
			       crash->unread ? " The operator may not read it (pods/log)." : "");
}

void crash_document(struct buffer *out)
{
	buffer_add_str(out, "| Word | Meaning | What to do |\n|---|---|---|\n");
	for (int i = CRASH_NONE + 1; i < CRASH_CLASS_COUNT; i++)
		buffer_addf(out, "| `%s` | %s | %s |\n", classes[i].word, classes[i].meaning,
			    classes[i].advice);
	buffer_add_str(out, "\n## Texts\n\nA line that holds both, in the termination message or "
			    "the last 50 lines of the log.\n\n"
			    "| Text | And | Word | Of |\n|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *with = texts[i].with == NULL ? "" : texts[i].with;
		bool flag = strcmp(with, OUR_FLAG) == 0;
		buffer_addf(out, "| `%s` | %s%s%s | `%s` | %s |\n", texts[i].text,
			    flag || with[0] == '\0' ? "" : "`", flag ? "a tracing flag" : with,
			    flag || with[0] == '\0' ? "" : "`", classes[texts[i].class].word,
			    texts[i].who);
	}
}
