/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a write whose pods do not come up, look by look. */
#include "failing.h"

TEST(a_crash_is_taken_back_and_remembered)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a") SERVER("b") SERVER_AT("c", "v0.22.0", "1", ""));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "", REVERTED("a"));
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_REVERTED);
	CHECK(row_of(&scene, "a")->pace.rolling);
	for (int i = 0; i < 3; i++) {
		check_look(&scene, "a", "");
		check_row(&scene, "a", WORKLOAD_FAILED, REASON_REVERTED);
		restart(&scene);
	}
	check_look(&scene, "b",
		   "event Deployment/b ImageRefused; event Tracing/llm-d ImageRefused");
	check_look(&scene, "b", "");
	check_row(&scene, "b", WORKLOAD_SKIPPED, REASON_IMAGE_REFUSED);
	/* another operator tries again */
	scene.options.version = "1.1";
	check_look(&scene, "b", WRITTEN("b"));
	scene_release(&scene);
}

/* Status says that pods are being replaced: that this is over is news, though nothing else is. */
TEST(the_end_of_the_revert_is_news)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "", REVERTED("a"));
	check_look(&scene, "a", "");
	CHECK(row_of(&scene, "a")->pace.rolling && !scene.news.changed);
	scene_add(&scene, SERVER("a"));
	check_look(&scene, "a", "");
	CHECK(!row_of(&scene, "a")->pace.rolling && scene.news.changed);
	check_look(&scene, "a", "");
	CHECK(!scene.news.changed);
	scene_release(&scene);
}

/* Before its first restart a container has no log of the one before. */
TEST(the_log_of_a_container_that_was_not_started_again_is_read)
{
	struct scene scene;
	struct intents intents;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	check_look(&scene, "a", "pods Pod/");
	answer(&scene, "a", CRASHED);
	for (int i = 0; i < 2; i++) {
		free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "a", &intents));
		if (CHECK_INT(intents.count, 1))
			CHECK_INT(intents.items[0].present, i == 1);
		intents_release(&intents);
		row_of(&scene, "a")->seen.log =
		    xstrdup(i == 0 ? "" : "ValueError: OpenTelemetry is not available\n");
	}
	check_look(&scene, "a", REVERTED("a"));
	CHECK(strstr(row_of(&scene, "a")->message, "OpenTelemetry is not available") != NULL);
	scene_release(&scene);
}

TEST(another_image_is_not_concerned)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a") SERVER_AT("c", "v0.22.0", "1", ""));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "CUDA error", REVERTED("a"));
	row_of(&scene, "a")->pace.rolling = false;
	check_look(&scene, "c", WRITTEN("c"));
	/* and the first one with another image, too */
	row_of(&scene, "c")->pace.rolling = false;
	scene_add(&scene, SERVER_AT("a", "v0.24.0", "1", ""));
	check_look(&scene, "a", WRITTEN("a"));
	scene_release(&scene);
}

/* Killed before the revert was written, but after it was decided on. */
TEST(the_memory_alone_brings_about_the_revert)
{
	struct scene scene;
	struct intents intents;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	check_look(&scene, "a", "pods Pod/");
	answer(&scene, "a", CRASHED);
	check_look(&scene, "a", "log Pod/pod-0");
	row_of(&scene, "a")->seen.log = xstrdup("unrecognized arguments: --otlp-traces-endpoint");
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "a", &intents));
	if (CHECK(intents.count > 1 && intents.items[0].type == INTENT_STATUS)) {
		size_t all = intents.count;
		intents.count = 1;
		scene_carry_out(&scene, &intents);
		intents.count = all;
	}
	intents_release(&intents);
	restart(&scene);
	check_look(&scene, "a",
		   "patch Deployment/a; event Deployment/a Reverted; event Tracing/llm-d Reverted");
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_REVERTED);
	CHECK(strstr(row_of(&scene, "a")->message, "RefusesFlag") != NULL);
	scene_release(&scene);
}

TEST(a_person_or_other_settings_bring_another_try)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "", REVERTED("a"));
	scene_add(&scene,
		  SERVER_AT("a", "v0.23.0", "1", ", annotations: {tracing.llm-d.io/retry: '1'}"));
	row_of(&scene, "a")->pace.rolling = false;
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "", REVERTED("a"));
	check_look(&scene, "a", "");
	scene_add(&scene, "apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "
			  "llm-d, generation: 2}\nspec: {sampling: {ratio: '0.5'}}\n");
	row_of(&scene, "a")->pace.rolling = false;
	check_look(&scene, "a", WRITTEN("a"));
	scene_release(&scene);
}

/* A boost is no other way to set tracing up: neither its beginning nor its end pays for another crash. */
TEST(a_boost_brings_no_other_try)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "", REVERTED("a"));
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	cJSON *sampling = json_set_object(json_member_mut(tracing, "spec"), "sampling");
	cJSON *boost = json_set_object(sampling, "boost");
	json_set_str(boost, "ratio", "0.5");
	json_set_str(boost, "until", "2026-01-01T01:00:00Z");
	scene_put(&scene, tracing);
	cJSON_Delete(tracing);
	for (int i = 0; i < 2; i++) {
		check_look(&scene, "a", "");
		check_row(&scene, "a", WORKLOAD_FAILED, REASON_REVERTED);
		scene.now.wall_us += INT64_C(3600) * 1000000;
	}
	scene_release(&scene);
}

/* Not all was Ready before: then only words that name tracing tell whose fault it is. */
TEST(what_was_not_healthy_before_is_only_reported)
{
	struct scene scene;
	begin(&scene, ALL SERVER_AT("a", "v0.23.0", "0", ""));
	check_look(&scene, "a", WRITTEN("a"));
	crash(&scene, "a", "CUDA error",
	      "event Deployment/a NotComingUp; event Tracing/llm-d NotComingUp");
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_NOT_COMING_UP);
	/* known already: its log is not asked for again */
	answer(&scene, "a", CRASHED);
	check_look(&scene, "a", "");
	/* that it was doubtful outlasts the process */
	cJSON *rows = roster_status(&scene.space->roster);
	CHECK(json_bool(json_named(rows, "a"), "doubtful", false));
	cJSON_Delete(rows);
	row_of(&scene, "a")->seen.crash.needs_text = true;
	row_of(&scene, "a")->seen.log = xstrdup("No module named 'opentelemetry'");
	check_look(&scene, "a", REVERTED("a"));
	scene_release(&scene);
}

TEST(what_never_ran_is_only_reported)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	check_look(&scene, "a", "pods Pod/");
	answer(&scene, "a", PULLS);
	check_look(&scene, "a", "event Deployment/a NotComingUp; event Tracing/llm-d NotComingUp");
	check_row(&scene, "a", WORKLOAD_PENDING, REASON_NOT_COMING_UP);
	answer(&scene, "a", RUNS);
	check_look(&scene, "a", "");
	check_row(&scene, "a", WORKLOAD_PENDING, REASON_ROLLING_OUT);
	scene_release(&scene);
}

TEST(pods_are_watched_from_a_rollouts_beginning_to_its_end)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	check_look(&scene, "a", WRITTEN("a"));
	CHECK(!row_of(&scene, "a")->seen.asked);
	check_look(&scene, "a", "pods Pod/");
	for (int second = 0; second < 60; second++) {
		scene.now.mono_ms += SECOND_MS;
		check_look(&scene, "a", "");
	}
	CHECK(row_of(&scene, "a")->seen.asked);
	pods_seen_set_blind(&row_of(&scene, "a")->seen, "pods is forbidden");
	check_look(&scene, "a", "");
	CHECK_STR(row_of(&scene, "a")->message,
		  "1 pods are being replaced; a crash would not be recognised: pods is forbidden");
	row_of(&scene, "a")->pace.rolling = false;
	check_look(&scene, "a", "");
	CHECK(!row_of(&scene, "a")->seen.asked && row_of(&scene, "a")->seen.blind == NULL);
	scene_release(&scene);
}

/* A LeaderWorkerSet deletes a group at its first crash: the pod is gone before anybody looks. */
TEST(a_pod_that_went_away_is_looked_at_once)
{
	struct scene scene;
	begin(&scene, ALL SERVER_AT("a", "v0.23.0", "0", ""));
	check_look(&scene, "a", WRITTEN("a"));
	check_look(&scene, "a", "pods Pod/");
	answer(&scene, "a", CRASHED);
	struct pods_seen *seen = &row_of(&scene, "a")->seen;
	pods_seen_put(seen, 1, json_clone(seen->pods->child), true);
	pods_seen_list(seen, 1, false);
	pods_seen_list(seen, 1, true);
	check_look(&scene, "a", "log Pod/pod-0");
	seen->log = xstrdup("CUDA error");
	check_look(&scene, "a", "event Deployment/a NotComingUp; event Tracing/llm-d NotComingUp");
	check_look(&scene, "a", "");
	check_row(&scene, "a", WORKLOAD_PENDING, REASON_ROLLING_OUT);
	scene_release(&scene);
}

TEST(no_more_pods_are_kept_than_there_is_room_for)
{
	struct pods_seen seen = {.asked = true};
	for (int i = 0; i < LIMIT_PODS_SEEN + 3; i++) {
		char uid[16];
		cJSON *pod = cJSON_CreateObject();
		(void)snprintf(uid, sizeof(uid), "u%d", i);
		json_set_str(json_set_object(pod, "metadata"), "uid", uid);
		pods_seen_put(&seen, 1, pod, false);
	}
	CHECK_INT(cJSON_GetArraySize(seen.pods), LIMIT_PODS_SEEN);
	pods_seen_list(&seen, 2, false);
	pods_seen_list(&seen, 2, true);
	CHECK_INT(cJSON_GetArraySize(seen.pods), LIMIT_PODS_SEEN);
	pods_seen_list(&seen, 1, false);
	pods_seen_list(&seen, 1, true);
	CHECK_INT(cJSON_GetArraySize(seen.pods), 0);
	pods_seen_clear(&seen);
}

TEST(one_canary_over_all_namespaces)
{
	struct scene here;
	struct scene there;
	begin(&here, ALL SERVER("a"));
	begin(&there, ALL SERVER("b"));
	const struct roster *rosters[] = {&here.space->roster};
	there.elsewhere = (struct elsewhere){.rosters = rosters, .count = 1, .unseen = true};
	check_look(&there, "b", "");
	check_row(&there, "b", WORKLOAD_PENDING, REASON_WAITING_FOR_PROOF);
	there.elsewhere.unseen = false;
	check_look(&here, "a", WRITTEN("a"));
	check_look(&there, "b", "");
	check_row(&there, "b", WORKLOAD_PENDING, REASON_WAITING_FOR_PROOF);
	crash(&here, "a", "", REVERTED("a"));
	check_look(&there, "b",
		   "event Deployment/b ImageRefused; event Tracing/llm-d ImageRefused");
	CHECK_STR(row_of(&there, "b")->message,
		  "image vllm/vllm-openai:v0.23.0 did not come up with tracing in another "
		  "namespace");
	/* a person wants this one to be tried all the same */
	scene_add(&there,
		  SERVER_AT("b", "v0.23.0", "1", ", annotations: {tracing.llm-d.io/retry: x}"));
	row_of(&here, "a")->pace.rolling = false;
	check_look(&there, "b", WRITTEN("b"));
	scene_release(&here);
	scene_release(&there);
}

/* Their wait ends at once; the smallest is the canary, whoever is looked at first. */
TEST(who_waited_for_another_namespace_keeps_to_the_order)
{
	struct scene here;
	struct scene there;
	begin(&here, ALL SERVER("a"));
	begin(&there, ALL SERVER("b") SERVER("c"));
	const struct roster *rosters[] = {&here.space->roster};
	there.elsewhere = (struct elsewhere){.rosters = rosters, .count = 1, .unseen = true};
	free(look(&there, "b"));
	free(look(&there, "c"));
	check_row(&there, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_PROOF);
	there.elsewhere.unseen = false;
	for (int i = 0; i < 3; i++) { /* however late the other is looked at */
		check_look(&there, "c", "");
		check_row(&there, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN);
	}
	check_look(&there, "b", WRITTEN("b"));
	check_look(&there, "c", "");
	check_row(&there, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_ROLLOUT);
	scene_release(&here);
	scene_release(&there);
}

#define WINDOW                                                                                     \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{rollout: {window: {hours: '01:00-02:00'}}}\n---\n"

/* A window opens for all of them at once. */
TEST(who_waited_for_the_window_keeps_to_the_order)
{
	struct scene scene;
	begin(&scene, ALL WINDOW SERVER("b") SERVER("c"));
	free(look(&scene, "b"));
	free(look(&scene, "c"));
	check_row(&scene, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_WINDOW);
	scene.now.wall_us += INT64_C(3600) * 1000000;
	check_look(&scene, "c", "");
	check_row(&scene, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN);
	CHECK(row_of(&scene, "b")->stale);
	check_look(&scene, "b", WRITTEN("b"));
	check_look(&scene, "c", "");
	check_row(&scene, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_ROLLOUT);
	scene_release(&scene);
}

#define EGRESS(NAME, TO)                                                                           \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " NAME            \
	"}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [" TO "]}\n---\n"

/* So does a policy that lets their spans out. */
TEST(whose_path_was_blocked_keeps_to_the_order)
{
	struct scene scene;
	begin(&scene, ALL SERVER("b") SERVER("c") EGRESS("deny", ""));
	free(look(&scene, "b"));
	free(look(&scene, "c"));
	check_row(&scene, "c", WORKLOAD_SKIPPED, REASON_EGRESS_BLOCKED);
	scene_add(&scene, EGRESS("allow", "{ports: [{port: 4317}]}"));
	check_look(&scene, "c", "");
	check_row(&scene, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN);
	check_look(&scene, "b", WRITTEN("b"));
	scene_release(&scene);
}

TEST(what_works_there_works_here)
{
	struct scene here;
	struct scene there;
	begin(&here, ALL SERVER("a") SERVER("c"));
	begin(&there, ALL SERVER("b"));
	const struct roster *rosters[] = {&here.space->roster};
	there.elsewhere = (struct elsewhere){.rosters = rosters, .count = 1};
	check_look(&here, "a", WRITTEN("a"));
	free(look(&here, "c"));
	row_of(&here, "a")->pace.rolling = false;
	row_of(&here, "a")->pace.proven = true;
	row_of(&here, "c")->pace.rolling = true;
	check_look(&there, "b", WRITTEN("b"));
	scene_release(&here);
	scene_release(&there);
}

/* Without a pod there is nothing that could have shown whether the image takes it. */
TEST(what_has_no_pods_proves_nothing)
{
	struct scene here;
	struct scene there;
	begin(&here, ALL SERVER("a") SERVER("b"));
	cJSON *object = object_parse(store_get(here.store, RESOURCE_DEPLOYMENT, "team", "a"));
	json_set_int(json_member_mut(object, "spec"), "replicas", 0);
	json_set(object, "status", cJSON_CreateObject());
	scene_put(&here, object);
	cJSON_Delete(object);
	begin(&there, ALL SERVER("c"));
	const struct roster *rosters[] = {&here.space->roster};
	there.elsewhere = (struct elsewhere){.rosters = rosters, .count = 1};
	check_look(&here, "a", WRITTEN("a"));
	free(look(&here, "a"));
	CHECK(!row_of(&here, "a")->pace.rolling && !row_of(&here, "a")->pace.proven);
	check_look(&here, "b", WRITTEN("b"));
	check_look(&there, "c", "");
	check_row(&there, "c", WORKLOAD_PENDING, REASON_WAITING_FOR_PROOF);
	scene_release(&here);
	scene_release(&there);
}

/* What is proven is an image: another one, brought by somebody else's rollout, is not yet. */
TEST(another_image_is_to_be_proven_anew)
{
	struct pace pace = {.proven = true, .images = "of another"};
	struct plan_container container = {.inject = true};
	struct plan plan = {.containers = &container, .container_count = 1, .injected = true};
	char image[] = "i";
	container.image = image;
	pace_read_plan(&pace, &plan);
	CHECK(!pace.proven);
	pace.proven = true;
	pace_read_plan(&pace, &plan);
	CHECK(pace.proven);
}

TEST(no_more_are_remembered_than_status_has_room_for)
{
	struct scene scene;
	begin(&scene, ALL SERVER("a"));
	struct view view;
	struct policy policy;
	view_gather(&view, scene.store, scene.space, scene.access, &scene.options, scene.now);
	policy_decide(&view, &policy);
	for (int i = 0; i < LIMIT_STATUS_REFUSED + 3; i++) {
		char image[32];
		char words[][8] = {"vllm", "D/x", "1.0"};
		(void)snprintf(image, sizeof(image), "image:%d", i);
		struct refused entry = {.image = image,
					.component = words[0],
					.workload = words[1],
					.version = words[2],
					.settings = policy.settings_hash};
		refused_add(&scene.space->roster.refused, &entry);
	}
	policy_release(&policy);
	view_release(&view);
	CHECK_INT(scene.space->roster.refused.count, LIMIT_STATUS_REFUSED);
	check_look(&scene, "a",
		   "event Deployment/a ImageRefused; event Tracing/llm-d ImageRefused");
	CHECK_STR(row_of(&scene, "a")->message,
		  "more images were refused here than are remembered, so none is tried that is "
		  "not known to work");
	scene_release(&scene);
}

#define PICKER                                                                                     \
	"apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: "       \
	"pool}\nspec: {selector: {matchLabels: {app: vllm}}, endpointPickerRef: {name: epp, "      \
	"failureMode: FailOpen}}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: epp}\n"     \
	"spec: {selector: {app: epp}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: "     \
	"{name: picker, generation: 1}\nspec: {replicas: 1, strategy: {type: Recreate}, "          \
	"template: {metadata: {labels: {app: epp}}, spec: {containers: [{name: epp, image: "       \
	"'ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0', args: ['--tracing=false']}]}}}\n"   \
	"status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: "     \
	"1}\n---\n"

TEST(a_gap_in_routing_stands_in_status_before_it_happens)
{
	struct scene scene;
	begin(&scene, ALL PICKER);
	check_look(&scene, "picker",
		   "event Deployment/picker RoutingGap; event Tracing/llm-d RoutingGap; status; "
		   "patch Deployment/picker; event Deployment/picker Injected; event Tracing/llm-d "
		   "Injected");
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	const cJSON *row = json_named(json_get(tracing, "status.workloads"), "picker");
	CHECK_STR(json_str(row, "reason"), "RoutingGap");
	CHECK(strstr(json_str(row, "message"), "FailOpen") != NULL);
	cJSON_Delete(tracing);
	scene_release(&scene);
}
