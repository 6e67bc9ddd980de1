/* SPDX-License-Identifier: Apache-2.0 */
/* `retry`: what the operator has given up on, it tries again. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/target.h"
#include "controller/moment.h"
#include "controller/undo.h"
#include "inject/reason.h"
#include "inject/rehearsal.h"
#include "inject/settings.h"

static bool has_inconclusive(const cJSON *tracing)
{
	const cJSON *row = NULL;
	cJSON_ArrayForEach(row, json_get(tracing, "status.rehearsals"))
	{
		if (rehearsal_is_inconclusive(row))
			return true;
	}
	return false;
}

/*
 * Given up: others undo it, the write or what came of it was refused, here or elsewhere; or
 * nothing could be learned of its image.
 */
static bool is_given_up(const cJSON *row, bool inconclusive)
{
	const char *state = json_str(row, "state");
	enum reason reason = reason_find(json_str(row, "reason"));
	bool unlearned = reason == REASON_UNKNOWN_VERSION || reason == REASON_ENGINE_TOO_OLD ||
			 reason == REASON_REHEARSING;
	return text_equal(state, "Conflicting") || text_equal(state, "Failed") ||
	       reason == REASON_IMAGE_REFUSED || (inconclusive && unlearned);
}

/* The annotation counts when it has another value than the one that was obeyed. */
static cJSON *new_word(void)
{
	char text[MOMENT_TEXT_MAX];
	struct timespec at = {0};
	cJSON *annotations = cJSON_CreateObject();
	(void)clock_gettime(CLOCK_REALTIME, &at);
	moment_format_micro((int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000, text);
	json_set_str(annotations, ANNOTATION_RETRY, text);
	return annotations;
}

static enum status retry(struct online *online, const char *namespace_name,
			 const struct target *target, struct error *err)
{
	cJSON *annotations CLEANUP(json_freep) = new_word();
	char *title CLEANUP(str_freep) = target_title(target, namespace_name);
	const char *reason = json_str(target->row, "reason");
	enum status status =
	    target_annotate(online, target, namespace_name, NULL, annotations, err);
	if (status != STATUS_OK)
		return status;
	(void)printf("%s: asked to try again (it was %s%s%s)\n", title,
		     json_str(target->row, "state"), reason == NULL ? "" : ": ",
		     reason == NULL ? "" : reason);
	(void)fflush(stdout);
	return STATUS_OK;
}

/* One that fails stops no other; the first failure is told. */
static enum status retry_all(struct online *online, const char *namespace_name,
			     const cJSON *tracing, struct error *err)
{
	const cJSON *row = NULL;
	struct target target;
	enum status first = STATUS_OK;
	size_t asked = 0;
	bool inconclusive = has_inconclusive(tracing);
	cJSON_ArrayForEach(row, json_get(tracing, "status.workloads"))
	{
		struct error own = {0};
		if (!is_given_up(row, inconclusive) || !target_of_row(row, &target))
			continue;
		if (online->interrupted)
			return first == STATUS_OK ? online_interrupted(err) : first;
		enum status status = retry(online, namespace_name, &target, &own);
		asked++;
		if (first != STATUS_OK || status == STATUS_OK)
			continue;
		first = status;
		*err = own;
	}
	if (asked == 0)
		(void)printf("namespace %s: nothing is given up on\n", namespace_name);
	return first;
}

static enum status run(struct online *online, const struct options *options, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	cJSON *tracing CLEANUP(json_freep) = NULL;
	struct target target;
	const char *name = online_namespace(online, options);
	const struct resource *resource = resource_get(RESOURCE_TRACING);
	buffer_init(&path, KIB(4));
	path_build(&path, resource->api_version, resource->plural, name, TRACING_NAME, NULL);
	enum status status = online_get(online, path.data, &tracing, err);
	if (status != STATUS_OK)
		return error_wrap(err, "Tracing %s/" TRACING_NAME, name);
	if (options->workload == NULL)
		return retry_all(online, name, tracing, err);
	status = target_find(options->workload, tracing, &target, err);
	return status == STATUS_OK ? retry(online, name, &target, err) : status;
}

int command_retry(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	enum status status = online_open(&online, options, &err);
	if (status == STATUS_OK)
		status = run(&online, options, &err);
	if (status == STATUS_OK)
		return 0;
	int code = report(status, &err);
	return online.interrupted ? EXIT_INTERRUPTED : code;
}
