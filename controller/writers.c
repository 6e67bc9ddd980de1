/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/writers.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/gitops.h"

/* What is longer says less in a status row than the command that prints it. */
enum { PATCH_TEXT_MAX = 480 };

bool writers_on_accelerators(const struct replica_sets *sets)
{
	/* none: a ModelService without its Deployments */
	return sets->count == 0 || replica_sets_want_accelerator(sets);
}

/* Of others' Update entries the store keeps those that edited the spec, without their fields. */
static bool may_have_edited(const cJSON *entry)
{
	const char *subresource = json_str(entry, "subresource");
	const cJSON *fields = json_member(entry, "fieldsV1");
	return !text_equal(json_str(entry, "manager"), FIELD_MANAGER) &&
	       (subresource == NULL || subresource[0] == '\0') &&
	       (fields == NULL || json_member(fields, "f:spec") != NULL);
}

const char *writers_last(const cJSON *object)
{
	const char *last = NULL;
	const char *newest = "";
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, json_get(object, "metadata.managedFields"))
	{
		const char *time = json_str(entry, "time");
		if (time == NULL || !may_have_edited(entry) || strcmp(time, newest) < 0)
			continue;
		newest = time;
		last = json_str(entry, "manager");
	}
	return last;
}

/* The operations on flags, which whoever applies the manifest takes away. Owned. */
static char *patch_of_flags(const struct reconciling *r)
{
	const cJSON *operation = NULL;
	CLEANUP(json_freep) cJSON *patch = plan_source_patch(r->plan);
	CLEANUP(json_freep) cJSON *flags = cJSON_CreateArray();
	cJSON_ArrayForEach(operation, patch)
	{
		if (strstr(json_str(operation, "path"), "/env") == NULL)
			(void)cJSON_AddItemToArray(flags, json_clone(operation));
	}
	char *text = json_to_string(flags);
	if (flags->child == NULL || strlen(text) > PATCH_TEXT_MAX || strchr(text, '\'') != NULL)
		text[0] = '\0';
	return text;
}

/* The lists of flags as JSON pointers: "/spec/template/spec/containers/0/args, …". Owned. */
static char *pointers_of_flags(const struct reconciling *r)
{
	static const char *const lists[] = {"/command", "/args"};
	struct buffer text;
	const cJSON *operation = NULL;
	buffer_init(&text, PATCH_TEXT_MAX);
	cJSON_ArrayForEach(operation, r->plan->operations)
	{
		const char *path = json_str(operation, "path");
		for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
			const char *at = strstr(path, lists[i]);
			if (at == NULL)
				continue;
			int len = (int)(at - path) + (int)strlen(lists[i]);
			CLEANUP(str_freep) char *pointer = xasprintf("%.*s", len, path);
			if (text.len == 0 || strstr(text.data, pointer) == NULL)
				buffer_addf(&text, "%s%s", text.len == 0 ? "" : ", ", pointer);
		}
	}
	char *copy = xstrdup(text.data);
	buffer_release(&text);
	return copy;
}

/* The command that prints all of what the manifest's source needs, from the live objects. */
static void add_command(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	reconciling_add_words(r,
			      "`kubectl get -n %s %s/%s tracings/" TRACING_NAME
			      " -o yaml | llmd-tracing inject -o kustomize -f -` prints all of it",
			      json_str(object, "metadata.namespace"),
			      resource_get(r->input->resource)->plural,
			      json_str(object, "metadata.name"));
}

bool writers_keep_out(struct reconciling *r)
{
	const struct policy *policy = r->input->policy;
	struct gitops gitops;
	if (!r->plan->injected || r->ledger != NULL || !r->plan->template_changes)
		return false;
	if (policy->has_settings && text_equal(policy->settings.rollout.gitops, GITOPS_PATCH))
		return false;
	gitops_read(r->input->object, &gitops);
	if (gitops.tool == GITOPS_NONE || !writers_on_accelerators(&r->sets))
		return false;
	CLEANUP(str_freep) char *patch = patch_of_flags(r);
	r->words[0] = '\0';
	reconciling_add_words(r, "%s applies it and would put its own version back. For Git: %s%s",
			      gitops.source, patch, patch[0] == '\0' ? "" : "; ");
	add_command(r);
	reconciling_add_words(r, ". spec.rollout.gitops: " GITOPS_PATCH
				 " has it written all the same");
	reconciling_tell(r, WORKLOAD_SKIPPED, REASON_GITOPS_OWNED, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_GITOPS_OWNED, "Inject", r->words);
	return true;
}

/* --- fights --- */

const char *writers_name(const char *manager)
{
	return manager == NULL ? "somebody else" : manager;
}

static const char *group_of(const cJSON *object, char *group, size_t size)
{
	const char *version = json_str(object, "apiVersion");
	const char *slash = strchr(version, '/');
	(void)snprintf(group, size, "%.*s", slash == NULL ? 0 : (int)(slash - version), version);
	return group;
}

static void add_source(struct reconciling *r, const char *where)
{
	CLEANUP(str_freep) char *patch = patch_of_flags(r);
	reconciling_add_words(r, "%s%s%s", where, patch[0] == '\0' ? "" : ": ", patch);
}

static void add_argo(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	char group[256];
	CLEANUP(str_freep) char *pointers = pointers_of_flags(r);
	if (pointers[0] == '\0') { /* containers as a whole: a ModelService's */
		add_source(r, "the flags in Git");
		return;
	}
	reconciling_add_words(
	    r,
	    "in its Application spec.syncPolicy.syncOptions: [RespectIgnoreDifferences=true] and "
	    "spec.ignoreDifferences: [{group: %s, kind: %s, name: %s, jsonPointers: [%s]}] (flags "
	    "in Git then count no more), or put them into Git",
	    group_of(object, group, sizeof(group)), json_str(object, "kind"),
	    json_str(object, "metadata.name"), pointers);
}

/* As a Kustomization of Flux and a post-renderer of its HelmRelease list patches. */
static void add_flux(struct reconciling *r, const char *before, const char *after)
{
	CLEANUP(str_freep) char *patch = patch_of_flags(r);
	reconciling_add_words(r, "%s{target: {kind: %s, name: %s}, patch: '%s'}%s", before,
			      json_str(r->input->object, "kind"),
			      json_str(r->input->object, "metadata.name"),
			      patch[0] == '\0' ? "..." : patch, after);
}

/* What whoever writes like that has to be told. */
static void add_way_out(struct reconciling *r, const char *manager)
{
	struct gitops gitops = {.tool = gitops_of_manager(manager)};
	if (manager == NULL)
		gitops_read(r->input->object, &gitops);
	if (gitops.tool == GITOPS_ARGO_CD)
		add_argo(r);
	else if (gitops.tool == GITOPS_FLUX_KUSTOMIZE)
		add_flux(r, "in its Kustomization spec.patches: [", "]");
	else if (gitops.tool == GITOPS_FLUX_HELM)
		add_flux(r, "in its HelmRelease spec.postRenderers: [{kustomize: {patches: [",
			 "]}}]");
	else if (text_equal(manager, "helm"))
		add_source(r, "the flags in the release's values");
	else if (text_equal(manager, "kubectl") || text_equal(manager, "kubectl-rollout"))
		/* `rollout undo` names no field manager; kubectl's other writers of specs do */
		add_source(r, "`kubectl rollout undo` goes back to pods without tracing; the "
			      "annotation brings it again, or the flags in the manifest's source");
	else
		add_source(r, "the flags in the manifest's source");
}

void writers_tell_conflict(struct reconciling *r)
{
	const struct undo_record *undo = &r->row->undo;
	bool deploys = !undo_is_fight(undo, writers_on_accelerators(&r->sets));
	r->words[0] = '\0';
	reconciling_add_words(
	    r,
	    "%s took the injection away%s; nothing is written until the settings "
	    "change or the annotation " ANNOTATION_RETRY " gets another value. What ends it: ",
	    writers_name(undo->by),
	    deploys           ? " with too many deploys within a day"
	    : undo->count > 1 ? " twice within 24 hours"
			      : ", and a restart on accelerators is not paid for twice");
	add_way_out(r, undo->by);
	reconciling_add_words(r, "; ");
	add_command(r);
	reconciling_tell(r, WORKLOAD_CONFLICTING, REASON_CONFLICTING, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_CONFLICTING, "Inject", r->words);
}
