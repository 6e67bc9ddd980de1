/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/kind.h"

#include "test.h"

static enum status read(const char *json, struct pod_templates *templates, struct error *err)
{
	cJSON *object = NULL;
	if (json_parse(json, strlen(json), &object, err) != STATUS_OK)
		return STATUS_BUG;
	enum status status = kind_templates(object, templates, err);
	cJSON_Delete(object); /* only ids and pointers are looked at below */
	return status;
}

#define TEMPLATE "{\"spec\":{\"containers\":[]}}"

TEST(where_templates_are)
{
	static const struct {
		const char *json, *wanted;
	} rows[] = {
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"template\":" TEMPLATE
	     "}}",
	     "template /spec/template/spec;"},
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"spec\":{\"template\":" TEMPLATE
	     "}}",
	     "template /spec/template/spec;"},
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"spec\":{\"template\":" TEMPLATE
	     "}}",
	     "template /spec/template/spec;"},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{}}", "pod /spec;"},
	    {"{\"apiVersion\":\"leaderworkerset.x-k8s.io/"
	     "v1\",\"kind\":\"LeaderWorkerSet\",\"spec\":{"
	     "\"leaderWorkerTemplate\":{\"workerTemplate\":" TEMPLATE "}}}",
	     "worker /spec/leaderWorkerTemplate/workerTemplate/spec;"},
	    {"{\"apiVersion\":\"leaderworkerset.x-k8s.io/"
	     "v1\",\"kind\":\"LeaderWorkerSet\",\"spec\":{"
	     "\"leaderWorkerTemplate\":{\"leaderTemplate\":" TEMPLATE
	     ",\"workerTemplate\":" TEMPLATE "}}}",
	     "leader /spec/leaderWorkerTemplate/leaderTemplate/spec;"
	     "worker /spec/leaderWorkerTemplate/workerTemplate/spec;"},
	    {"{\"apiVersion\":\"disaggregatedset.x-k8s.io/"
	     "v1\",\"kind\":\"DisaggregatedSet\",\"spec\":{"
	     "\"roles\":[{\"name\":\"prefill\",\"spec\":{\"leaderWorkerTemplate\":{"
	     "\"workerTemplate\":" TEMPLATE
	     "}}},{\"name\":\"x\",\"spec\":{\"leaderWorkerTemplate\":{\"leaderTemplate\":null,"
	     "\"workerTemplate\":" TEMPLATE "}}}]}}",
	     "prefill.worker /spec/roles/0/spec/leaderWorkerTemplate/workerTemplate/spec prefill;"
	     "x.worker /spec/roles/1/spec/leaderWorkerTemplate/workerTemplate/spec;"},
	    {"{\"apiVersion\":\"llm-d.ai/"
	     "v1alpha1\",\"kind\":\"ModelService\",\"spec\":{\"decode\":{},"
	     "\"prefill\":{},\"endpointPicker\":{}}}",
	     "prefill /spec/prefill prefill;decode /spec/decode decode;epp /spec/endpointPicker;"},
	    {"{\"apiVersion\":\"llm-d.ai/"
	     "v1alpha1\",\"kind\":\"ModelService\",\"spec\":{\"decode\":{}}}",
	     "decode /spec/decode decode;"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pod_templates templates = {0};
		struct error err = {0};
		char got[1024] = "";
		CHECK_INT_ROW(read(rows[i].json, &templates, &err), STATUS_OK, err.message);
		for (size_t k = 0; k < templates.count; k++) {
			const struct pod_template *item = &templates.items[k];
			size_t len = strlen(got);
			(void)snprintf(got + len, sizeof(got) - len, "%s %s%s%s;", item->id,
				       item->pointer, item->role == ROLE_NONE ? "" : " ",
				       role_name(item->role));
		}
		CHECK_STR_ROW(got, rows[i].wanted, rows[i].json);
		pod_templates_release(&templates);
	}
}

TEST(what_is_not_a_workload_or_not_of_its_shape)
{
	static const struct {
		const char *json;
		enum status status;
		const char *word;
	} rows[] = {
	    {"{}", STATUS_NOT_FOUND, "workload"},
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"DaemonSet\"}", STATUS_NOT_FOUND, "workload"},
	    {"{\"apiVersion\":\"apps/v1beta1\",\"kind\":\"Deployment\"}", STATUS_NOT_FOUND,
	     "workload"},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"Deployment\"}", STATUS_NOT_FOUND, "workload"},
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}", STATUS_INVALID,
	     "/spec/template/spec"},
	    {"{\"apiVersion\":\"apps/"
	     "v1\",\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":[]}}}",
	     STATUS_INVALID, "/spec/template/spec"},
	    {"{\"apiVersion\":\"disaggregatedset.x-k8s.io/"
	     "v1\",\"kind\":\"DisaggregatedSet\",\"spec\":{}}",
	     STATUS_INVALID, "/spec/roles"},
	    {"{\"apiVersion\":\"disaggregatedset.x-k8s.io/"
	     "v1\",\"kind\":\"DisaggregatedSet\",\"spec\":{\"roles\":"
	     "[{\"name\":\"a\",\"spec\":{\"leaderWorkerTemplate\":{\"workerTemplate\":" TEMPLATE
	     "}}},{\"name\":\"a\",\"spec\":{\"leaderWorkerTemplate\":{\"workerTemplate\":" TEMPLATE
	     "}}}]}}",
	     STATUS_INVALID, "unique"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pod_templates templates = {0};
		struct error err = {0};
		CHECK_INT_ROW(read(rows[i].json, &templates, &err), rows[i].status, rows[i].json);
		CHECK(strstr(err.message, rows[i].word) != NULL);
		CHECK(templates.items == NULL);
	}
}

TEST(roles)
{
	CHECK_INT(role_from_name("prefill"), ROLE_PREFILL);
	CHECK_INT(role_from_name("decode"), ROLE_DECODE);
	CHECK_INT(role_from_name("encode"), ROLE_ENCODE);
	CHECK_INT(role_from_name("both"), ROLE_NONE);
	CHECK_INT(role_from_name(NULL), ROLE_NONE);
	CHECK(kind_is_workload("v1", "Pod"));
	CHECK(!kind_is_workload(NULL, "Pod"));
	CHECK(!kind_is_workload("v1", NULL));
}
