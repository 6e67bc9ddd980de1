/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `approve`: a person sees what the write that waits would change, and lets just that
 * write through. The word is an annotation with the hash of the plan that was shown.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cmd/command.h"
#include "cmd/diff.h"
#include "cmd/emit.h"
#include "cmd/planned.h"
#include "cmd/target.h"
#include "controller/consent.h"
#include "inject/settings_effective.h"

struct approving {
	const struct options *options;
	struct online *online;
	struct inventory inventory;
	const char *namespace_name;
	cJSON *tracing;
	struct settings settings;
	bool has_settings;
	struct target target;
	const char *pending; /* hash of the plan that waits; borrowed from the row */
	/* the plan here, when it is that one */
	bool found;
	char *resource_version;
	struct buffer shown;
};

static void approving_release(struct approving *a)
{
	inventory_release(&a->inventory);
	json_freep(&a->tracing);
	if (a->has_settings)
		settings_release(&a->settings);
	str_freep(&a->resource_version);
	buffer_release(&a->shown);
}

/* ---- what waits ---- */

static enum status read_all(struct approving *a, struct error *err)
{
	enum status status =
	    inventory_read(a->online, a->namespace_name, INVENTORY_ALL, &a->inventory, err);
	if (status != STATUS_OK)
		return status;
	const struct object *tracing =
	    store_get(a->inventory.store, RESOURCE_TRACING, a->namespace_name, TRACING_NAME);
	if (tracing == NULL && a->inventory.denied.status != STATUS_OK) {
		*err = a->inventory.denied;
		return err->status;
	}
	if (tracing == NULL)
		return error_set(err, STATUS_NOT_FOUND,
				 "namespace %s has no Tracing: nothing waits there",
				 a->namespace_name);
	a->tracing = object_parse(tracing);
	status = settings_read_effective(a->tracing, &a->settings, err);
	a->has_settings = status == STATUS_OK;
	return status;
}

/* It is traced, and newer rules or defaults would change something. */
static bool is_outdated(const struct approving *a)
{
	return text_equal(json_str(a->target.row, "reason"),
			  reason_info(REASON_PLAN_OUTDATED)->word);
}

/* Whether a person's word is what it waits for. */
static enum status check_row(struct approving *a, struct error *err)
{
	const cJSON *row = a->target.row;
	const char *reason = json_str(row, "reason");
	const char *message = json_str(row, "message");
	char *title CLEANUP(str_freep) = target_title(&a->target, a->namespace_name);
	const char *outage = reason_info(REASON_WOULD_EMPTY_ROLE)->word;
	a->pending = json_str(row, "pendingHash");
	bool waits =
	    text_equal(reason, reason_info(REASON_WAITING_FOR_APPROVAL)->word) || is_outdated(a);
	if (a->pending == NULL || (!waits && !text_equal(reason, outage)))
		return error_set(err, STATUS_CONFLICT,
				 "%s: nothing waits for approval: it is %s%s%s%s%s", title,
				 json_str(row, "state"), reason == NULL ? "" : ", ",
				 reason == NULL ? "" : reason, message == NULL ? "" : ": ",
				 message == NULL ? "" : message);
	if (!waits && !a->options->accept_outage)
		return error_set(err, STATUS_CONFLICT, "%s: %s: %s. Or: approve --accept-outage",
				 title, outage, message == NULL ? "" : message);
	return STATUS_OK;
}

static enum status show_plan(struct approving *a, const struct planned *planned, struct error *err)
{
	const cJSON *object = planned->input->object;
	cJSON *edited CLEANUP(json_freep) = NULL;
	struct buffer before CLEANUP(buffer_release) = {0};
	struct buffer after CLEANUP(buffer_release) = {0};
	char *title CLEANUP(str_freep) = target_title(&a->target, a->namespace_name);
	char *new_name CLEANUP(str_freep) = xasprintf("%s (as planned)", title);
	enum status status = plan_apply(planned->plan, object, &edited, err);
	if (status != STATUS_OK)
		return status;
	buffer_init(&before, LIMIT_OUTPUT_BYTES);
	buffer_init(&after, LIMIT_OUTPUT_BYTES);
	buffer_init(&a->shown, LIMIT_OUTPUT_BYTES);
	yaml_print(object, &before);
	yaml_print(edited, &after);
	(void)diff_unified(before.data, after.data, title, new_name, &a->shown);
	a->found = true;
	a->resource_version = xstrdup(json_str(object, "metadata.resourceVersion"));
	return STATUS_OK;
}

static enum status on_planned(void *context, const struct planned *planned, struct error *err)
{
	struct approving *a = context;
	char hash[17];
	if (planned->plan == NULL)
		return error_set(err, STATUS_INVALID, "%s", planned->trouble);
	consent_hash(planned->plan, hash);
	return strcmp(hash, a->pending) == 0 ? show_plan(a, planned, err) : STATUS_OK;
}

/* The operator's plan, made here: what is approved is what was shown. */
static enum status find_plan(struct approving *a, struct error *err)
{
	static const enum plan_want wants[] = {PLAN_INJECT, PLAN_REMOVE};
	enum status status = STATUS_OK;
	for (size_t i = 0; i < ARRAY_LEN(wants) && status == STATUS_OK && !a->found; i++) {
		struct planner planner = {.online = a->online,
					  .inventory = &a->inventory,
					  .namespace_name = a->namespace_name,
					  .settings = &a->settings,
					  .tracing = a->tracing,
					  .take_updates = is_outdated(a),
					  .rehearsals = json_get(a->tracing, "status.rehearsals"),
					  .want = wants[i]};
		status =
		    planned_one(&planner, a->target.resource, a->target.name, on_planned, a, err);
	}
	if (status != STATUS_OK || a->found)
		return status;
	char *title CLEANUP(str_freep) = target_title(&a->target, a->namespace_name);
	return error_set(
	    err, STATUS_CONFLICT,
	    "%s: what would be done is not what the operator says (%s): something has "
	    "changed just now, or it is of another version than this one (%s). Nothing "
	    "is approved",
	    title, a->pending, version_text());
}

/* ---- the word ---- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
	bool *readable = poll->data;
	(void)status;
	(void)events;
	*readable = true;
}

/* A line that begins with y. Ctrl-C and the end of input are a no. */
static bool is_confirmed(struct online *online)
{
	uv_poll_t poll;
	bool readable = false;
	char answer[16] = "";
	if (uv_poll_init(&online->loop, &poll, STDIN_FILENO) != 0)
		return false;
	poll.data = &readable;
	(void)uv_poll_start(&poll, UV_READABLE, on_readable);
	bool there = online_wait(online, &readable, false);
	(void)uv_poll_stop(&poll);
	uv_close((uv_handle_t *)&poll, NULL);
	(void)uv_run(&online->loop, UV_RUN_NOWAIT);
	return there && fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static enum status ask(struct approving *a, struct error *err)
{
	if (a->options->yes)
		return STATUS_OK;
	if (isatty(STDIN_FILENO) == 0)
		return error_set(err, STATUS_INVALID,
				 "standard input is no terminal, so nobody can be asked: --yes");
	(void)fprintf(stderr, "Approve this? [y/N] ");
	if (is_confirmed(a->online))
		return STATUS_OK;
	return a->online->interrupted ? online_interrupted(err)
				      : error_set(err, STATUS_CONFLICT, "nothing is approved");
}

static enum status approve(struct approving *a, struct error *err)
{
	cJSON *annotations CLEANUP(json_freep) = cJSON_CreateObject();
	char *title CLEANUP(str_freep) = target_title(&a->target, a->namespace_name);
	if (is_outdated(a) || text_equal(json_str(a->target.row, "reason"),
					 reason_info(REASON_WAITING_FOR_APPROVAL)->word))
		json_set_str(annotations, ANNOTATION_APPROVE, a->pending);
	if (a->options->accept_outage)
		json_set_str(annotations, ANNOTATION_ACCEPT_OUTAGE, a->pending);
	enum status status = target_annotate(a->online, &a->target, a->namespace_name,
					     a->resource_version, annotations, err);
	if (status == STATUS_OK)
		(void)printf("%s: approved (%s)\n", title, a->pending);
	return status;
}

static enum status run(struct approving *a, struct error *err)
{
	enum status status = read_all(a, err);
	if (status == STATUS_OK)
		status = target_find(a->options->workload, a->tracing, &a->target, err);
	if (status == STATUS_OK)
		status = check_row(a, err);
	if (status == STATUS_OK)
		status = find_plan(a, err);
	if (status != STATUS_OK)
		return status;
	if (is_outdated(a))
		buffer_add_str(&a->shown, "its pods will be replaced\n");
	else
		buffer_addf(&a->shown, "PendingRestart: %ld pods will be replaced\n",
			    json_int(a->target.row, "restarts", 0));
	status = emit_flush(&a->shown, err);
	if (status == STATUS_OK)
		status = ask(a, err);
	return status == STATUS_OK ? approve(a, err) : status;
}

int command_approve(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct approving a CLEANUP(approving_release) = {.options = options, .online = &online};
	enum status status = online_open(&online, options, &err);
	if (status == STATUS_OK) {
		a.namespace_name = online_namespace(&online, options);
		status = run(&a, &err);
	}
	if (status == STATUS_OK)
		return 0;
	int code = report(status, &err);
	return online.interrupted ? EXIT_INTERRUPTED : code;
}
