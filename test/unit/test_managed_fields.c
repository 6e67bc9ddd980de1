/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/managed_fields.h"
#include "inject/patch.h"

static cJSON *parse(const char *text)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	if (text == NULL)
		return NULL;
	if (!CHECK_INT_ROW(json_parse(text, strlen(text), &tree, &err), STATUS_OK, err.message))
		exit(1);
	return tree;
}

#define CONTAINER(FIELDS)                                                                          \
	"{\"f:spec\":{\"f:template\":{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":"            \
	"\\\"vllm\\\"}\":{" FIELDS "}}}}}}"
#define HELM(FIELDS)                                                                               \
	"{\"manager\":\"helm\",\"operation\":\"Apply\",\"apiVersion\":\"apps/"                     \
	"v1\",\"fieldsV1\":" CONTAINER(FIELDS) "}"
#define OURS(FIELDS)                                                                               \
	"{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"apiVersion\":\"apps/v1\","       \
	"\"fieldsV1\":" CONTAINER(FIELDS) "}"
#define KUBECTL(FIELDS)                                                                            \
	"{\"manager\":\"kubectl\",\"operation\":\"Update\",\"apiVersion\":\"apps/v1\","            \
	"\"fieldsV1\":" CONTAINER(FIELDS) "}"
#define CONTROLLER                                                                                 \
	"{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"subresource\":\"status\","       \
	"\"fieldsV1\":{\"f:status\":{}}}"
#define OBJECT(ENTRIES) "{\"metadata\":{\"resourceVersion\":\"7\",\"managedFields\":[" ENTRIES "]}}"

static const struct {
	const char *what;
	const char *before; /* entries, or NULL: not known */
	const char *after;  /* the object */
	const char *given;  /* the managedFields of the patch; NULL: no patch */
} table[] = {
    {"the list goes back to the manager that applied it",
     "[" HELM("\"f:args\":{},\"f:name\":{}") "]",
     OBJECT(HELM("\"f:name\":{}") "," OURS("\"f:args\":{},\"f:env\":{}")),
     "[" HELM("\"f:name\":{},\"f:args\":{}") "]"},
    {"nothing of ours: nothing to do", "[" HELM("\"f:args\":{}") "]", OBJECT(HELM("\"f:args\":{}")),
     NULL},
    {"only variables of ours: they collide with nobody", "[" HELM("\"f:name\":{}") "]",
     OBJECT(HELM("\"f:name\":{}") "," OURS("\"f:env\":{\"f:x\":{}}")), NULL},
    {"a list that the manager never set is owned by nobody", "[" HELM("\"f:name\":{}") "]",
     OBJECT(HELM("\"f:name\":{}") "," OURS("\"f:args\":{}")), "[" HELM("\"f:name\":{}") "]"},
    {"before is not known: at least ours goes", NULL,
     OBJECT(HELM("\"f:name\":{}") "," OURS("\"f:args\":{}")), "[" HELM("\"f:name\":{}") "]"},
    {"no Apply manager: client-side tools do not look at ownership", "[]",
     OBJECT(KUBECTL("\"f:name\":{}") "," OURS("\"f:args\":{}")), NULL},
    {"others and subresources stay as they are", "[" HELM("\"f:command\":{}") "]",
     OBJECT(KUBECTL("\"f:image\":{}") "," HELM("\"f:name\":{}") "," CONTROLLER "," OURS(
	 "\"f:command\":{},\"f:args\":{}")),
     "[" KUBECTL("\"f:image\":{}") "," HELM("\"f:name\":{},\"f:command\":{}") "," CONTROLLER "]"},
    {"an atomic list higher up (ModelService)",
     "[{\"manager\":\"argocd\",\"operation\":\"Apply\",\"apiVersion\":\"x\",\"fieldsV1\":"
     "{\"f:spec\":{\"f:decode\":{\"f:containers\":{},\"f:replicas\":{}}}}}]",
     OBJECT("{\"manager\":\"argocd\",\"operation\":\"Apply\",\"apiVersion\":\"x\",\"fieldsV1\":"
	    "{\"f:spec\":{\"f:decode\":{\"f:replicas\":{}}}}},"
	    "{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"fieldsV1\":"
	    "{\"f:spec\":{\"f:decode\":{\"f:containers\":{}}}}}"),
     "[{\"manager\":\"argocd\",\"operation\":\"Apply\",\"apiVersion\":\"x\",\"fieldsV1\":"
     "{\"f:spec\":{\"f:decode\":{\"f:replicas\":{},\"f:containers\":{}}}}}]"},
};

TEST(ownership_is_given_back)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		cJSON *before = parse(table[i].before);
		cJSON *after = parse(table[i].after);
		cJSON *wanted = parse(table[i].given);
		cJSON *patch = managed_fields_give_back(before, after);
		if (wanted == NULL) {
			CHECK_INT_ROW(patch == NULL, 1, table[i].what);
		} else if (CHECK_INT_ROW(patch != NULL, 1, table[i].what)) {
			struct error err;
			cJSON *result = json_clone(after);
			CHECK_INT_ROW(patch_apply(result, patch, &err), STATUS_OK, table[i].what);
			char *got = json_to_string(json_get(result, "metadata.managedFields"));
			char *want = json_to_string(wanted);
			CHECK_STR_ROW(got, want, table[i].what);
			free(got);
			free(want);
			cJSON_Delete(result);
		}
		cJSON_Delete(patch);
		cJSON_Delete(wanted);
		cJSON_Delete(after);
		cJSON_Delete(before);
	}
}

TEST(what_was_given_back_needs_nothing_more)
{
	cJSON *object = parse(OBJECT(HELM("\"f:name\":{},\"f:args\":{}")));
	CHECK(!managed_fields_need_giving_back(object));
	cJSON_Delete(object);
	object = parse(OBJECT(HELM("\"f:name\":{}") "," OURS("\"f:args\":{}")));
	CHECK(managed_fields_need_giving_back(object));
	cJSON_Delete(object);
	object = parse("{\"metadata\":{}}");
	CHECK(!managed_fields_need_giving_back(object));
	cJSON_Delete(object);
}
