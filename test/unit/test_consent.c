/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/yaml.h"
#include "controller/consent.h"

#define NOW INT64_C(1767268800000000) /* 2026-01-01T12:00:00Z */
#define OBJECT(ANNOTATIONS, IMAGE)                                                                 \
	"{apiVersion: apps/v1, kind: Deployment, metadata: {annotations: {" ANNOTATIONS            \
	"}}, spec: {template: {spec: {containers: [{name: c, image: " IMAGE "}]}}}}"

static cJSON *tree_of(const char *yaml)
{
	cJSON *tree = NULL;
	struct error err;
	CHECK_INT(yaml_read(yaml, strlen(yaml), &tree, &err), STATUS_OK);
	return tree;
}

static struct consent_verdict judge(struct consent *consent, const char *policy, const char *hours,
				    const char *object, enum rollout_phase phase, long ready,
				    bool traced)
{
	struct consent_verdict verdict;
	CLEANUP(str_freep) char *policy_text = strdup(policy);
	CLEANUP(str_freep) char *hours_text = hours == NULL ? NULL : strdup(hours);
	CLEANUP(json_freep) cJSON *tree = tree_of(object);
	struct rollout_settings settings = {.policy = policy_text, .window_hours = hours_text};
	struct rollout rollout = {.phase = phase, .ready = ready};
	struct consent_input input = {.object = tree,
				      .settings = &settings,
				      .rollout = &rollout,
				      .hash = "abc",
				      .traced = traced,
				      .replaces = true,
				      .wall_us = NOW};
	consent_judge(consent, &input, &verdict);
	return verdict;
}

TEST(policies_and_the_window)
{
	static const struct {
		const char *what;
		const char *policy;
		const char *hours;
		const char *annotations;
		const char *waits;
	} rows[] = {
	    {"at once", "Immediate", NULL, "", "None"},
	    {"in the window", "Immediate", "11:00-13:00", "", "None"},
	    {"outside of it", "Immediate", "13:00-14:00", "", "WaitingForWindow"},
	    {"never", "Never", NULL, "", "ReportOnly"},
	    {"never, approved", "Never", NULL, "tracing.llm-d.io/approve: abc", "ReportOnly"},
	    {"not approved", "OnApproval", NULL, "", "WaitingForApproval"},
	    {"approved", "OnApproval", NULL, "tracing.llm-d.io/approve: abc", "None"},
	    {"another plan approved", "OnApproval", NULL, "tracing.llm-d.io/approve: abd",
	     "WaitingForApproval"},
	    {"approved and too early", "OnApproval", "13:00-14:00", "tracing.llm-d.io/approve: abc",
	     "WaitingForWindow"},
	    {"no change", "OnNextChange", NULL, "", "WaitingForChange"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct consent consent = {.pending = ""};
		CLEANUP(str_freep) char *object = NULL;
		if (asprintf(&object, OBJECT("%s", "i"), rows[i].annotations) < 0)
			abort();
		struct consent_verdict verdict = judge(&consent, rows[i].policy, rows[i].hours,
						       object, ROLLOUT_COMPLETE, 1, false);
		CHECK_STR_ROW(reason_info(verdict.waits)->word, rows[i].waits, rows[i].what);
		CHECK_STR_ROW(consent.pending, "abc", rows[i].what);
		CHECK(!verdict.rides);
	}
}

/* Without replicas there is nothing to wait for, but a person's word. */
TEST(what_replaces_no_pods)
{
	static const struct {
		const char *policy;
		const char *waits;
	} rows[] = {{"Immediate", "None"},
		    {"OnNextChange", "None"},
		    {"OnApproval", "WaitingForApproval"},
		    {"Never", "ReportOnly"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct consent consent = {.pending = ""};
		struct consent_verdict verdict;
		CLEANUP(str_freep) char *policy = strdup(rows[i].policy);
		CLEANUP(str_freep) char *hours = strdup("13:00-14:00");
		CLEANUP(json_freep) cJSON *tree = tree_of(OBJECT("", "i"));
		struct rollout_settings settings = {.policy = policy, .window_hours = hours};
		struct rollout rollout = {.phase = ROLLOUT_COMPLETE};
		struct consent_input input = {.object = tree,
					      .settings = &settings,
					      .rollout = &rollout,
					      .hash = "abc",
					      .wall_us = NOW};
		consent_judge(&consent, &input, &verdict);
		CHECK_STR_ROW(reason_info(verdict.waits)->word, rows[i].waits, rows[i].policy);
	}
}

TEST(the_window_says_when_to_look_again)
{
	struct consent consent = {.pending = ""};
	struct consent_verdict verdict = judge(&consent, "Immediate", "13:00-14:00",
					       OBJECT("", "i"), ROLLOUT_COMPLETE, 1, false);
	CHECK_INT(verdict.again_ms, 3600001);
	CHECK(strstr(verdict.words, "2026-01-01T13:00:00Z") != NULL);
}

TEST(riding_on_a_change_by_others)
{
	struct consent consent = {.pending = ""};
	struct consent_verdict verdict =
	    judge(&consent, "OnNextChange", NULL, OBJECT("", "a"), ROLLOUT_COMPLETE, 1, false);
	CHECK_INT(verdict.waits, REASON_WAITING_FOR_CHANGE);
	/* a change of something else (replicas, annotations) rolls nothing out */
	verdict = judge(&consent, "OnNextChange", NULL, OBJECT("x: y", "a"), ROLLOUT_PROGRESSING, 1,
			false);
	CHECK_INT(verdict.waits, REASON_WAITING_FOR_CHANGE);
	/* another process knows what it waits for */
	cJSON *row = cJSON_CreateObject();
	struct consent other;
	consent_to_row(&consent, row);
	consent_from_row(row, &other);
	CHECK_STR(other.template, consent.template);
	cJSON_Delete(row);
	/* now it is the template; the window is for restarts of ours */
	verdict = judge(&other, "OnNextChange", "13:00-14:00", OBJECT("", "b"), ROLLOUT_PROGRESSING,
			1, false);
	CHECK_INT(verdict.waits, REASON_NONE);
	CHECK(verdict.rides);
	/* it rolled out before we came: the next one, then */
	verdict =
	    judge(&consent, "OnNextChange", NULL, OBJECT("", "b"), ROLLOUT_COMPLETE, 1, false);
	CHECK_INT(verdict.waits, REASON_WAITING_FOR_CHANGE);
	verdict =
	    judge(&consent, "OnNextChange", NULL, OBJECT("", "b"), ROLLOUT_PROGRESSING, 1, false);
	CHECK_INT(verdict.waits, REASON_WAITING_FOR_CHANGE);
	/* a new workload of which nothing serves yet */
	struct consent fresh = {.pending = ""};
	verdict =
	    judge(&fresh, "OnNextChange", NULL, OBJECT("", "a"), ROLLOUT_PROGRESSING, 0, false);
	CHECK(verdict.rides);
	verdict =
	    judge(&fresh, "OnNextChange", NULL, OBJECT("", "a"), ROLLOUT_PROGRESSING, 0, true);
	CHECK(!verdict.rides);
}
