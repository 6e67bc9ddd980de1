/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject, uninject, diff, explain, check: one batch, five ways to show it. Nothing is
 * printed before everything was read and planned.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "cmd/batch.h"
#include "cmd/command.h"
#include "cmd/diff.h"
#include "cmd/emit.h"
#include "cmd/explain.h"
#include "controller/rollout.h"

/* What a command does with the batch; adds to `out`. The exit code comes in ret_code. */
typedef enum status (*show_fn)(struct batch *batch, const struct options *options,
			       struct buffer *out, int *ret_code, struct error *err);

static int with_batch(const struct options *options, enum plan_want want, show_fn show)
{
	struct error err = {0};
	struct inputs inputs CLEANUP(inputs_release) = {0};
	struct batch batch CLEANUP(batch_release) = {0};
	int code = 0;
	enum status status = inputs_read(options, &inputs, &err);
	if (status == STATUS_OK)
		status = batch_build(options, &inputs, want, &batch, &err);
	if (status != STATUS_OK)
		return report(status, &err);
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	status = show(&batch, options, &out, &code, &err);
	if (status == STATUS_OK)
		status = emit_flush(&out, &err);
	return status == STATUS_OK ? code : report(status, &err);
}

static void print_tree(cJSON *tree, enum output output, struct buffer *out)
{
	if (output == OUTPUT_YAML) {
		yaml_print(tree, out);
	} else {
		json_print_pretty(tree, out);
		buffer_add_char(out, '\n');
	}
	json_freep(&tree);
}

/* ---- inject, uninject ---- */

/* On standard error: what could be traced but is not, since the output cannot say it. */
static void warn_missed(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		for (size_t j = 0; entry->plan != NULL && j < entry->plan->container_count; j++) {
			const struct plan_container *container = &entry->plan->containers[j];
			if (!explain_is_missed(container))
				continue;
			char *title CLEANUP(str_freep) = entry_title(batch, entry);
			char *place CLEANUP(str_freep) = entry_place(batch, entry);
			(void)fprintf(stderr,
				      "llmd-tracing: %s: %s: container %s is left out: %s: %s\n",
				      place, title, container->name,
				      reason_info(container->reason)->word, container->message);
		}
	}
}

static enum status show_edited(struct batch *batch, const struct options *options,
			       struct buffer *out, int *ret_code, struct error *err)
{
	size_t lost = 0;
	*ret_code = 0;
	if (options->output == OUTPUT_PATCH) {
		emit_patches(batch, out);
		return STATUS_OK;
	}
	if (options->output == OUTPUT_KUSTOMIZE)
		return emit_kustomize(batch, out, err);
	if (options->output == OUTPUT_TEXT) {
		explain_text(batch, out);
		return STATUS_OK;
	}
	enum status status = emit_stream(batch, options->output, out, &lost, err);
	if (status == STATUS_OK && lost > 0)
		(void)fprintf(stderr, "llmd-tracing: comments are lost in %zu edited document%s\n",
			      lost, lost == 1 ? "" : "s");
	return status;
}

static enum status show_injected(struct batch *batch, const struct options *options,
				 struct buffer *out, int *ret_code, struct error *err)
{
	warn_missed(batch);
	return show_edited(batch, options, out, ret_code, err);
}

int command_inject(const struct options *options)
{
	return with_batch(options, PLAN_INJECT, show_injected);
}

int command_uninject(const struct options *options)
{
	unsigned online = OPTIONS_CONNECT | OPTION_ALL_NAMESPACES | OPTION_DRY_RUN | OPTION_FORCE;
	if (options->cluster)
		return command_uninject_cluster(options);
	if ((options->given & online) != 0) {
		struct error err = {0};
		return report(error_set(&err, STATUS_INVALID,
					"uninject: -A, --kubeconfig, --context, --dry-run and "
					"--force go with --cluster"),
			      &err);
	}
	return with_batch(options, PLAN_REMOVE, show_edited);
}

/* ---- diff ---- */

/* What applying it costs; to whoever reads it as a patch it is a comment. */
static void tell_restart(const struct batch *batch, const struct entry *entry, struct buffer *out)
{
	struct rollout rollout;
	struct replica_sets sets;
	char *title CLEANUP(str_freep) = entry_title(batch, entry);
	if (!entry->plan->template_changes)
		return;
	replica_sets_read(entry_object(entry), &entry->facts, &sets);
	rollout_judge_sets(&sets, &rollout);
	buffer_addf(out, "# PendingRestart: %s: ", title);
	if (sets.count == 0)
		buffer_add_str(out,
			       "its pods will be replaced; how many, the input does not tell\n");
	else if (rollout.pods == 0)
		buffer_add_str(out, "no pod is replaced by itself\n");
	else
		buffer_addf(out, "%ld pod%s will be replaced\n", rollout.pods,
			    rollout.pods == 1 ? "" : "s");
}

/* Both sides are printed anew, so that only what is edited differs, not how it was written. */
static enum status diff_entry(const struct batch *batch, const struct entry *entry,
			      struct buffer *out, int *ret_code, struct error *err)
{
	cJSON *edited CLEANUP(json_freep) = NULL;
	struct buffer before CLEANUP(buffer_release) = {0};
	struct buffer after CLEANUP(buffer_release) = {0};
	char *title CLEANUP(str_freep) = entry_title(batch, entry);
	char *place CLEANUP(str_freep) = entry_place(batch, entry);
	char *old_name CLEANUP(str_freep) = xasprintf("%s: %s", place, title);
	char *new_name CLEANUP(str_freep) = xasprintf("%s: %s (traced)", place, title);
	enum status status = batch_edit(batch, entry, &edited, err);
	if (status != STATUS_OK)
		return status;
	buffer_init(&before, LIMIT_OUTPUT_BYTES);
	buffer_init(&after, LIMIT_OUTPUT_BYTES);
	yaml_print(entry->object, &before);
	yaml_print(edited, &after);
	tell_restart(batch, entry, out);
	if (diff_unified(before.data, after.data, old_name, new_name, out))
		*ret_code = EXIT_DIFFERENT;
	return STATUS_OK;
}

static enum status show_diff(struct batch *batch, const struct options *options, struct buffer *out,
			     int *ret_code, struct error *err)
{
	(void)options;
	enum status status = STATUS_OK;
	for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
		const struct entry *entry = &batch->entries[i];
		if (entry->plan != NULL && entry->plan->changes)
			status = diff_entry(batch, entry, out, ret_code, err);
	}
	return status;
}

int command_diff(const struct options *options)
{
	return with_batch(options, PLAN_INJECT, show_diff);
}

/* ---- explain, check ---- */

/* An explanation of nothing would look like success: a wrong folder, an old apiVersion. */
static void warn_empty(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->entries[i].plan != NULL)
			return;
	(void)fputs("llmd-tracing: no object of the input is of a kind that can be traced: "
		    "Deployment, StatefulSet, LeaderWorkerSet, DisaggregatedSet, ModelService, Pod "
		    "(of the apiVersion that clusters serve)\n",
		    stderr);
}

static enum status show_explanation(struct batch *batch, const struct options *options,
				    struct buffer *out, int *ret_code, struct error *err)
{
	(void)ret_code;
	(void)err;
	warn_empty(batch);
	if (options->output == OUTPUT_JSON || options->output == OUTPUT_YAML)
		print_tree(explain_tree(batch), options->output, out);
	else
		explain_text(batch, out);
	return STATUS_OK;
}

int command_explain(const struct options *options)
{
	return with_batch(options, PLAN_INJECT, show_explanation);
}

struct tally {
	size_t traced;
	size_t missed;
	size_t objects_missed; /* the object as a whole: owner, ledger, override */
};

static void count_entry(const struct entry *entry, struct tally *tally)
{
	const struct plan *plan = entry->plan;
	if (plan == NULL)
		return;
	if (reason_info(plan->reason)->warning) {
		tally->objects_missed++;
		return;
	}
	for (size_t i = 0; i < plan->container_count; i++) {
		tally->traced += plan->containers[i].inject ? 1 : 0;
		tally->missed += explain_is_missed(&plan->containers[i]) ? 1 : 0;
	}
}

static enum status show_check(struct batch *batch, const struct options *options,
			      struct buffer *out, int *ret_code, struct error *err)
{
	struct tally tally = {0};
	for (size_t i = 0; i < batch->count; i++)
		count_entry(&batch->entries[i], &tally);
	*ret_code = tally.missed + tally.objects_missed > 0 ? EXIT_DIFFERENT : 0;
	if (options->output == OUTPUT_JSON || options->output == OUTPUT_YAML) {
		int ignored;
		return show_explanation(batch, options, out, &ignored, err);
	}
	warn_empty(batch);
	explain_text(batch, out);
	buffer_addf(out, "%zu traced, %zu left out\n", tally.traced,
		    tally.missed + tally.objects_missed);
	return STATUS_OK;
}

int command_check(const struct options *options)
{
	return with_batch(options, PLAN_INJECT, show_check);
}
