/* SPDX-License-Identifier: Apache-2.0 */
/* `uninject --cluster`: what the operator did in a cluster is taken back without it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/take_back.h"

#define OPERATOR_SELECTOR "app.kubernetes.io/name=" MANAGED_BY

enum presence { OPERATOR_UNSEEN, OPERATOR_NONE, OPERATOR_RUNS, OPERATOR_UNKNOWN };

struct uninjecting {
	const struct options *options;
	struct online *online;
	struct inventory inventory;
	struct outcomes outcomes;
	enum presence operator_presence; /* looked up once it matters */
	char operator_name[256];         /* "namespace/name" of RUNS */
	bool refused;
};

/* ---- is an operator there ---- */

static void note_operator(void *context, const char *json, size_t len)
{
	struct uninjecting *u = context;
	struct error ignored;
	cJSON *object CLEANUP(json_freep) = NULL;
	if (json_parse(json, len, &object, &ignored) != STATUS_OK ||
	    json_get(object, "metadata.deletionTimestamp") != NULL ||
	    json_int(object, "spec.replicas", 1) == 0)
		return;
	u->operator_presence = OPERATOR_RUNS;
	(void)snprintf(u->operator_name, sizeof(u->operator_name), "%s/%s",
		       json_str(object, "metadata.namespace"), json_str(object, "metadata.name"));
}

/* In the whole cluster: it stands in a namespace of its own. */
static void look_for_operator(struct uninjecting *u)
{
	struct error ignored;
	struct buffer query CLEANUP(buffer_release) = {0};
	if (u->operator_presence != OPERATOR_UNSEEN)
		return;
	u->operator_presence = OPERATOR_NONE;
	buffer_init(&query, KIB(1));
	buffer_add_str(&query, "labelSelector=");
	path_add_escaped(&query, OPERATOR_SELECTOR);
	if (online_list(u->online, "/apis/apps/v1/deployments", query.data, note_operator, u,
			&ignored) != STATUS_OK)
		u->operator_presence = OPERATOR_UNKNOWN;
}

enum switch_state { SWITCH_OFF, SWITCH_ON, SWITCH_UNKNOWN, SWITCH_GONE };

static enum switch_state read_switch(const struct uninjecting *u, const char *name)
{
	const struct object *object = store_get(u->inventory.store, RESOURCE_NAMESPACE, "", name);
	if (object == NULL)
		return u->inventory.access[RESOURCE_NAMESPACE] == ACCESS_READABLE ? SWITCH_GONE
										  : SWITCH_UNKNOWN;
	if (object->deleting)
		return SWITCH_GONE;
	cJSON *tree CLEANUP(json_freep) = object_parse(object);
	const cJSON *annotations = json_get(tree, "metadata.annotations");
	const cJSON *value = json_member(annotations, ANNOTATION_ENABLED);
	return value == NULL || (cJSON_IsString(value) && strcmp(value->valuestring, "false") == 0)
		   ? SWITCH_OFF
		   : SWITCH_ON;
}

/* An operator would put back what we take: two of them pulling means restarts for nothing. */
static bool is_refused(struct uninjecting *u, const char *name, enum switch_state state)
{
	if (state == SWITCH_OFF || u->options->force)
		return false;
	look_for_operator(u);
	if (u->operator_presence == OPERATOR_NONE)
		return false;
	char *who CLEANUP(str_freep) =
	    u->operator_presence == OPERATOR_RUNS
		? xasprintf("the operator runs (Deployment %s)", u->operator_name)
		: xstrdup("whether an operator runs cannot be seen (no right to list Deployments "
			  "of all namespaces)");
	char *text CLEANUP(str_freep) = xasprintf(
	    "nothing is taken back: it is%s annotated, and %s, which would put everything back. "
	    "Remove the annotation, and the operator takes it back itself: kubectl annotate "
	    "namespace %s " ANNOTATION_ENABLED "- ; or uninstall the operator; or --force",
	    state == SWITCH_UNKNOWN ? " perhaps" : "", who, name);
	outcomes_note(&u->outcomes, name, text);
	u->refused = true;
	return true;
}

/* ---- namespaces ---- */

static void uninject_namespace(struct uninjecting *u, const char *name)
{
	enum switch_state state = read_switch(u, name);
	struct take_back job = {.online = u->online,
				.inventory = &u->inventory,
				.outcomes = &u->outcomes,
				.dry_run = u->options->dry_run};
	if (!take_back_is_due(&u->inventory, name))
		return;
	if (state == SWITCH_GONE) {
		outcomes_note(&u->outcomes, name, "is being deleted; nothing is written");
		return;
	}
	if (is_refused(u, name, state))
		return;
	take_back_namespace(&job, name);
	if (state == SWITCH_ON)
		outcomes_note(&u->outcomes, name,
			      "is still annotated with " ANNOTATION_ENABLED
			      ": an operator that is installed later traces it again");
}

static void uninject_all(struct uninjecting *u)
{
	size_t count = 0;
	struct object *const *items = store_all(u->inventory.store, RESOURCE_NAMESPACE, &count);
	char **names = xcalloc(count + 1, sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = xstrdup(items[i]->name);
	for (size_t i = 0; i < count; i++) {
		if (!u->online->interrupted)
			uninject_namespace(u, names[i]);
		str_freep(&names[i]);
	}
	free(names);
}

static enum status run(struct uninjecting *u, struct error *err)
{
	const struct options *options = u->options;
	struct inventory *inventory = &u->inventory;
	const char *name = options->all_namespaces ? NULL : online_namespace(u->online, options);
	enum status status = inventory_read(u->online, name, INVENTORY_OURS, inventory, err);
	if (status != STATUS_OK)
		return status;
	if (name == NULL && inventory->access[RESOURCE_NAMESPACE] != ACCESS_READABLE) {
		*err = inventory->denied;
		return err->status;
	}
	if (name == NULL)
		uninject_all(u);
	else
		uninject_namespace(u, name);
	status = outcomes_end(&u->outcomes, err);
	if (status == STATUS_OK && u->online->interrupted)
		status = online_interrupted(err);
	if (status == STATUS_OK && inventory->denied.status != STATUS_OK) {
		*err = inventory->denied;
		status = error_wrap(err, "not everything could be looked at");
	}
	return status;
}

static enum status check_options(const struct options *options, struct error *err)
{
	if (options->file_count > 0 || options->settings != NULL || options->recursive)
		return error_set(
		    err, STATUS_INVALID,
		    "uninject: --cluster reads no files: leave out -f, -R, --settings");
	if (options->output == OUTPUT_YAML || options->output == OUTPUT_PATCH)
		return error_set(err, STATUS_INVALID, "uninject --cluster: -o: text or json");
	return STATUS_OK;
}

int command_uninject_cluster(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct uninjecting u = {.options = options, .online = &online};
	enum status status = check_options(options, &err);
	if (status == STATUS_OK)
		status = online_open(&online, options, &err);
	outcomes_init(&u.outcomes, options->output == OUTPUT_JSON, options->dry_run);
	if (status == STATUS_OK)
		status = run(&u, &err);
	bool left = u.refused || u.outcomes.counts[OUTCOME_LEFT] > 0;
	outcomes_release(&u.outcomes);
	inventory_release(&u.inventory);
	if (online.interrupted)
		return report(status, &err), EXIT_INTERRUPTED;
	return status == STATUS_OK ? (left ? EXIT_DIFFERENT : 0) : report(status, &err);
}
