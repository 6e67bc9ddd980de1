/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as the ledger of an object that has what we would have put there: no plan
 * fails or crashes, its patch applies, what is removed leaves no ledger, and a second
 * plan has nothing to do.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/patch.h"
#include "inject/plan.h"

static const char object_text[] =
    "{\"apiVersion\":\"apps/"
    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"annotations\":{}},\"spec\":{"
    "\"template\":{\"spec\":{\"containers\":[{\"name\":\"e\",\"image\":\"vllm/"
    "vllm-openai:v0.23.0\","
    "\"command\":[\"vllm\",\"serve\"],\"args\":[\"m\",\"--a=1\",\"--b\",\"--t=true\",\"x --a=1 "
    "y\"],"
    "\"env\":[{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"s\"},{\"name\":\"A\",\"valueFrom\":{"
    "\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}]},{\"name\":\"f\",\"image\":\"x\"}]}}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static cJSON *run(const cJSON *object, enum plan_want want, const struct settings *settings)
{
	struct facts facts = {.evidence = EVIDENCE_EXPLICIT};
	struct plan_input input = {.object = object,
				   .settings = settings,
				   .settings_hash = "h",
				   .facts = &facts,
				   .want = want,
				   .take_updates = true};
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct error err;
	cJSON *edited = NULL;
	must(plan_build(&input, &plan, &err) == STATUS_OK);
	cJSON *patch CLEANUP(json_freep) = plan_patch(plan, PATCH_GUARD_TESTS);
	must(plan_apply(plan, object, &edited, &err) == STATUS_OK);
	cJSON *tested CLEANUP(json_freep) = json_clone(object);
	must(patch_apply(tested, patch, &err) == STATUS_OK && json_equal(tested, edited));
	must(plan->changes == !json_equal(edited, object));
	bool unread = plan->reason == REASON_BAD_LEDGER || plan->reason == REASON_LEDGER_NEWER;
	must(want == PLAN_INJECT || unread || !plan_has_ledger(edited));
	return edited;
}

static void check(const char *ledger, enum plan_want want)
{
	struct settings settings CLEANUP(settings_release) = {0};
	cJSON *object CLEANUP(json_freep) = NULL;
	struct error err;
	settings_init_defaults(&settings);
	must(json_parse(object_text, sizeof(object_text) - 1, &object, &err) == STATUS_OK);
	cJSON *metadata = json_member_mut(object, "metadata");
	json_set_str(json_member_mut(metadata, "annotations"), ANNOTATION_LEDGER, ledger);
	cJSON *once CLEANUP(json_freep) = run(object, want, &settings);
	cJSON *twice CLEANUP(json_freep) = run(once, want, &settings);
	must(json_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text CLEANUP(str_freep) = xstrndup((const char *)data, size);
	check(text, PLAN_INJECT);
	check(text, PLAN_REMOVE);
	return 0;
}
