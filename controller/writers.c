/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/writers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/gitops.h"

/* What is longer says less in a status row than the command that prints it. */
enum { PATCH_TEXT_MAX = 480 };

/* What is not known (a ModelService without its Deployments) counts as expensive. */
static bool runs_on_accelerators(const struct replica_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		if (pod_wants_accelerator(sets->items[i].leader) ||
		    pod_wants_accelerator(sets->items[i].worker))
			return true;
	return sets->count == 0;
}

static bool is_about_env(const cJSON *operation)
{
	return strstr(json_str(operation, "path"), "/env") != NULL;
}

/*
 * The flags, which whoever applies the manifest takes away, as a JSON patch of it. Variables
 * are many and only the command line has room for them.
 */
static void add_patch(struct reconciling *r)
{
	const cJSON *operation = NULL;
	CLEANUP(json_freep) cJSON *patch = plan_source_patch(r->plan);
	CLEANUP(json_freep) cJSON *flags = cJSON_CreateArray();
	cJSON_ArrayForEach(operation, patch)
	{
		if (!is_about_env(operation))
			(void)cJSON_AddItemToArray(flags, json_clone(operation));
	}
	CLEANUP(str_freep) char *text = json_to_string(flags);
	if (flags->child != NULL && strlen(text) <= PATCH_TEXT_MAX)
		reconciling_add_words(r, "%s; ", text);
}

/* The command that prints all of what Git needs, from the live objects. */
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
	if (gitops.tool == GITOPS_NONE || !runs_on_accelerators(&r->sets))
		return false;
	r->words[0] = '\0';
	reconciling_add_words(
	    r, "%s applies it and would put its own version back. For Git: ", gitops.source);
	add_patch(r);
	add_command(r);
	reconciling_add_words(r, ". spec.rollout.gitops: " GITOPS_PATCH
				 " has it written all the same");
	reconciling_tell(r, WORKLOAD_SKIPPED, REASON_GITOPS_OWNED, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_GITOPS_OWNED, "Inject", r->words);
	return true;
}
