/* SPDX-License-Identifier: Apache-2.0 */
/* spec.sampling as time goes by, and what a namespace says of it. */
#include "scene.h"

#include "base/alloc.h"

#define NS                                                                                         \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"
#define TRACING(SPEC)                                                                              \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "                  \
	"llm-d}\nspec: {collector: {mode: Deployment}, sampling: " SPEC "}\n---\n"
/* ten seconds after the scene's time */
#define BOOST(WHERE)                                                                               \
	"{ratio: '0.1', where: " WHERE ", boost: {ratio: '0.5', until: "                           \
	"'2026-01-01T00:00:10Z'}}"

static const struct {
	const char *sampling;
	int after_s;
	const char *ratio; /* that holds */
	bool same_hash;    /* as without the boost: no workload is written */
	uint64_t again_ms;
} times[] = {
    {BOOST("Root"), 0, "0.5", false, 10000},     {BOOST("Root"), 9, "0.5", false, 1000},
    {BOOST("Root"), 10, "0.1", true, 0},         {BOOST("Root"), 5000, "0.1", true, 0},
    {BOOST("Collector"), 0, "0.5", true, 10000}, {BOOST("Collector"), 10, "0.1", true, 0},
};

static void decide(struct scene *scene, const char *sampling, int after_s, struct policy *policy,
		   struct view *view)
{
	CLEANUP(str_freep) char *objects = xasprintf(NS TRACING("%s"), sampling);
	scene_init(scene);
	scene_add(scene, objects);
	scene->now.wall_us += (int64_t)after_s * 1000000;
	view_gather(view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(view, policy);
}

TEST(a_boost_has_its_time)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct scene scene, plain_scene;
		struct view view, plain_view;
		struct policy policy, plain;
		bool collector = strstr(times[i].sampling, "Collector") != NULL;
		decide(&scene, times[i].sampling, times[i].after_s, &policy, &view);
		decide(&plain_scene,
		       collector ? "{ratio: '0.1', where: Collector}"
				 : "{ratio: '0.1', where: Root}",
		       0, &plain, &plain_view);
		CHECK_INT_ROW(policy.phase, PHASE_ON, times[i].sampling);
		CHECK_STR_ROW(settings_ratio(&policy.settings), times[i].ratio, times[i].sampling);
		CHECK_STR_ROW(policy.settings.ratio, "0.1", times[i].sampling);
		CHECK_INT_ROW(strcmp(policy.settings_hash, plain.settings_hash) == 0,
			      times[i].same_hash, times[i].sampling);
		CHECK_INT_ROW(policy.again_ms, times[i].again_ms, times[i].sampling);
		policy_release(&policy);
		policy_release(&plain);
		view_release(&view);
		view_release(&plain_view);
		scene_release(&scene);
		scene_release(&plain_scene);
	}
}
