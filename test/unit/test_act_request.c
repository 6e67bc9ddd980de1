/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "controller/request.h"

#define MANAGER "?fieldManager=llmd-tracing"

static const struct {
	enum intent_type type;
	enum resource_id resource;
	const char *namespace_name;
	const char *name;
	const char *body;
	const char *uid;
	const char *line; /* method and path */
	const char *content_type;
	const char *sent;
} table[] = {
    {INTENT_CREATE, RESOURCE_TRACING, "team", "llm-d", "{\"a\":1}", NULL,
     "POST /apis/tracing.llm-d.io/v1alpha1/namespaces/team/tracings" MANAGER, "application/json",
     "{\"a\":1}"},
    {INTENT_APPLY, RESOURCE_CONFIGMAP, "team", "c", "{}", NULL,
     "PATCH /api/v1/namespaces/team/configmaps/c" MANAGER "&force=true",
     "application/apply-patch+yaml", "{}"},
    {INTENT_DELETE, RESOURCE_SERVICE, "team", "s", NULL, "u-1",
     "DELETE /api/v1/namespaces/team/services/s", "application/json",
     "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\","
     "\"preconditions\":{\"uid\":\"u-1\"}}"},
    {INTENT_PATCH, RESOURCE_LEADERWORKERSET, "team", "wide", "[]", NULL,
     "PATCH /apis/leaderworkerset.x-k8s.io/v1/namespaces/team/leaderworkersets/wide" MANAGER,
     "application/json-patch+json", "[]"},
    {INTENT_GIVE_BACK, RESOURCE_DEPLOYMENT, "team", "d", "[]", NULL,
     "PATCH /apis/apps/v1/namespaces/team/deployments/d" MANAGER, "application/json-patch+json",
     "[]"},
    {INTENT_STATUS, RESOURCE_TRACING, "team", "llm-d", "{\"status\":{}}", NULL,
     "PATCH /apis/tracing.llm-d.io/v1alpha1/namespaces/team/tracings/llm-d/status" MANAGER,
     "application/merge-patch+json", "{\"status\":{}}"},
    {INTENT_READ, RESOURCE_CONFIGMAP, "team", "base", NULL, NULL,
     "GET /api/v1/namespaces/team/configmaps/base", NULL, ""},
};

TEST(requests_by_intent)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct intents intents = {0};
		struct intent_request request;
		struct error err;
		struct intent *intent = intents_add(&intents, table[i].type, table[i].resource,
						    table[i].namespace_name, table[i].name);
		if (table[i].body != NULL)
			CHECK_INT(
			    json_parse(table[i].body, strlen(table[i].body), &intent->body, &err),
			    STATUS_OK);
		intent->uid = table[i].uid == NULL ? NULL : xstrdup(table[i].uid);
		intent_request_build(intent, &request);
		char *line = xasprintf("%s %s", request.method, request.path.data);
		CHECK_STR(line, table[i].line);
		CHECK_STR_ROW(request.content_type, table[i].content_type, table[i].line);
		CHECK_STR_ROW(request.body.data, table[i].sent, table[i].line);
		free(line);
		intent_request_release(&request);
		intents_release(&intents);
	}
}
