/* SPDX-License-Identifier: Apache-2.0 */
/* Others who write workloads: tools that apply from Git, and whoever takes our flags away. */
#include "serving.h"

#include "base/alloc.h"

#define FLUX                                                                                       \
	"labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: " \
	"flux-system}"
#define PATCH_ANYWAY NS("true") TRACING("{rollout: {gitops: Patch}}") COLLECTOR("True") POOL

static const struct {
	const char *what;
	const char *objects;
	bool written;
} gitops_table[] = {
    {"on GPUs, applied from Git", ALL GPU_SERVER("decode", FLUX), false},
    {"so asked for", PATCH_ANYWAY GPU_SERVER("decode", FLUX), true},
    {"on GPUs, released by Helm",
     ALL GPU_SERVER("decode", "labels: {app.kubernetes.io/managed-by: Helm}"), true},
    {"on CPUs, applied from Git", ALL SERVER_META("decode", FLUX), true},
};

TEST(what_git_would_put_back_is_not_written_on_gpus)
{
	for (size_t i = 0; i < ARRAY_LEN(gitops_table); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, gitops_table[i].objects);
		CLEANUP(str_freep) char *got = look(&scene, "decode");
		CHECK_STR_ROW(got,
			      gitops_table[i].written
				  ? "patch Deployment/decode; event Deployment/decode Injected; "
				    "event Tracing/llm-d Injected"
				  : "event Deployment/decode GitOpsOwned; event Tracing/llm-d "
				    "GitOpsOwned",
			      gitops_table[i].what);
		scene_release(&scene);
	}
}

TEST(git_is_told_what_it_needs)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", FLUX));
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_SKIPPED, REASON_GITOPS_OWNED);
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_STR(
	    row->message,
	    "Flux Kustomization flux-system/apps applies it and would put its own version "
	    "back. For Git: [{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/args/"
	    "1\",\"value\":\"--otlp-traces-endpoint=http://otel-collector:4317\"},{\"op\":\"add\","
	    "\"path\":\"/spec/template/spec/containers/0/args/2\",\"value\":\"--collect-detailed-"
	    "traces=all\"}]; `kubectl get -n team deployments/decode tracings/llm-d -o yaml | "
	    "llmd-tracing inject -o kustomize -f -` prints all of it. spec.rollout.gitops: Patch "
	    "has it written all the same");
	CLEANUP(str_freep) char *quiet = look(&scene, "decode");
	CHECK_STR(quiet, "");
	scene_release(&scene);
}

/* Somebody takes our flags away: repaired after their rollout, then a conflict. */
TEST(undo_by_others)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	look_and_write(&scene, "decode", "101");
	free(look(&scene, "decode"));
	/* `kubectl rollout undo`: the original template, no ledger, a rollout under way */
	scene_add(&scene, SERVER_META("decode", "generation: 3, resourceVersion: '102'"));
	CLEANUP(str_freep) char *waits = look(&scene, "decode");
	CHECK_STR(waits, "event Deployment/decode Undone; event Tracing/llm-d Undone");
	check_row(&scene, "decode", WORKLOAD_PENDING, REASON_UNDONE);
	/* through */
	scene_add(&scene, SERVER_META("decode", "generation: 1, resourceVersion: '103'"));
	look_and_write(&scene, "decode", "104");
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	/* again, within the day */
	scene_add(&scene, SERVER_META("decode", "generation: 1, resourceVersion: '105'"));
	CLEANUP(str_freep) char *conflict = look(&scene, "decode");
	CHECK_STR(conflict, "event Deployment/decode Conflicting; event Tracing/llm-d Conflicting");
	check_row(&scene, "decode", WORKLOAD_CONFLICTING, REASON_CONFLICTING);
	CLEANUP(str_freep) char *quiet = look(&scene, "decode");
	CHECK_STR(quiet, "");
	/* what status holds is enough for another process to know it */
	cJSON *rows = roster_status(&scene.space->roster);
	struct roster other = {0};
	roster_load(&other, rows);
	const struct roster_row *row = roster_find(&other, RESOURCE_DEPLOYMENT, "decode");
	if (CHECK(row != NULL)) {
		CHECK_INT(row->undo.count, 2);
		CHECK(row->undo.undone);
	}
	roster_release(&other);
	cJSON_Delete(rows);
	/* asked for */
	scene_add(&scene, SERVER_META("decode", "resourceVersion: '106', annotations: "
						"{tracing.llm-d.io/retry: please}"));
	CLEANUP(str_freep) char *retried = look(&scene, "decode");
	CHECK_STR(retried, "patch Deployment/decode; event Deployment/decode Injected; event "
			   "Tracing/llm-d Injected");
	scene_release(&scene);
}

/* One server as somebody's last write left it, without anything of ours. */
#define UNDONE(MANAGER)                                                                            \
	GPU_SERVER("decode", "generation: 1, resourceVersion: '102', managedFields: [{manager: "   \
			     "argocd-controller, operation: Apply, time: '2025-01-01T00:00:00Z', " \
			     "fieldsV1: {'f:spec': {}}}, {manager: " MANAGER                       \
			     ", operation: Update, time: '2026-01-01T00:00:00Z', fieldsV1: "       \
			     "{'f:spec': {'f:template': {}}}}, {manager: keda, operation: "        \
			     "Update, subresource: scale, time: '2027-01-01T00:00:00Z', "          \
			     "fieldsV1: {'f:spec': {'f:replicas': {}}}}, {manager: labeller, "     \
			     "operation: Apply, time: '2027-01-01T00:00:00Z', fieldsV1: "          \
			     "{'f:metadata': {}}}]")
#define FLAGS                                                                                      \
	"[{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/args/"                       \
	"1\",\"value\":\"--otlp-"                                                                  \
	"traces-endpoint=http://otel-collector:4317\"},{\"op\":\"add\",\"path\":\"/spec/template/" \
	"spec/containers/0/args/2\",\"value\":\"--collect-detailed-traces=all\"}]"

static const struct {
	const char *manager;
	const char *undone;
	const char *way_out;
} fights[] = {
    {"argocd-controller", UNDONE("argocd-controller"),
     "spec.ignoreDifferences: [{group: apps, kind: Deployment, name: decode, jsonPointers: "
     "[/spec/template/spec/containers/0/args]}]"},
    {"kustomize-controller", UNDONE("kustomize-controller"),
     "in its Kustomization spec.patches: [{target: {kind: Deployment, name: decode}, patch: "
     "'" FLAGS "'}]"},
    {"helm-controller", UNDONE("helm-controller"),
     "in its HelmRelease spec.postRenderers: [{kustomize: {patches: [{target: {kind: "
     "Deployment, name: decode}, patch: '" FLAGS "'}]}}]"},
    {"helm", UNDONE("helm"), "the flags in the release's values: " FLAGS},
    {"kubectl", UNDONE("kubectl"), "goes back to pods without tracing"},
    {"kubectl-client-side-apply", UNDONE("kubectl-client-side-apply"),
     "the flags in the manifest's source: " FLAGS},
};

TEST(once_undone_on_accelerators_is_a_conflict_with_a_name_and_a_way_out)
{
	for (size_t i = 0; i < ARRAY_LEN(fights); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1"));
		look_and_write(&scene, "decode", "101");
		free(look(&scene, "decode"));
		scene_add(&scene, fights[i].undone);
		CLEANUP(str_freep) char *told = look(&scene, "decode");
		CHECK_STR_ROW(told,
			      "event Deployment/decode Conflicting; event Tracing/llm-d "
			      "Conflicting",
			      fights[i].manager);
		const struct roster_row *row =
		    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
		CLEANUP(str_freep)
		char *start = xasprintf("%s took the injection away", fights[i].manager);
		CHECK_STR_ROW(strncmp(row->message, start, strlen(start)) == 0 ? start
									       : row->message,
			      start, fights[i].manager);
		if (strstr(row->message, fights[i].way_out) == NULL)
			CHECK_STR_ROW(row->message, fights[i].way_out, fights[i].manager);
		CHECK(strstr(row->message, "prints all of it") != NULL);
		CLEANUP(str_freep) char *quiet = look(&scene, "decode");
		CHECK_STR_ROW(quiet, "", fights[i].manager);
		scene_release(&scene);
	}
}

/* A new image resets the flags: no fight, also for another process that reads the status. */
TEST(a_deploy_on_accelerators_is_repaired)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1"));
	look_and_write(&scene, "decode", "101");
	free(look(&scene, "decode"));
	cJSON *rows = roster_status(&scene.space->roster);
	roster_release(&scene.space->roster);
	roster_load(&scene.space->roster, rows);
	cJSON_Delete(rows);
	scene_add(&scene, SERVER_OF("decode", "resourceVersion: '102'",
				    ", env: [{name: NEW, value: x}], resources: {limits: "
				    "{nvidia.com/gpu: 1}}"));
	look_and_write(&scene, "decode", "103");
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	/* and the same once more is one */
	scene_add(&scene, SERVER_OF("decode", "resourceVersion: '104'",
				    ", env: [{name: NEW, value: x}], resources: {limits: "
				    "{nvidia.com/gpu: 1}}"));
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_CONFLICTING, REASON_CONFLICTING);
	scene_release(&scene);
}
