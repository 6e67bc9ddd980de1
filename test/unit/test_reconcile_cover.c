/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/cover.h"

static const struct {
	const char *live;
	const char *wanted;
	bool covers;
} table[] = {
    {"{\"a\":1,\"b\":2}", "{\"a\":1}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":1}", "{\"a\":1,\"b\":null}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":{}}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":[]}", true},
    {"{\"a\":[{\"x\":1,\"added\":2}]}", "{\"a\":[{\"x\":1}]}", true},
    {"{\"a\":[{\"x\":1},{\"x\":2}]}", "{\"a\":[{\"x\":1}]}", false},
    {"{\"a\":[]}", "{\"a\":[1]}", false},
    {"{\"m\":\"1Gi\"}", "{\"m\":\"1024Mi\"}", true},
    {"{\"m\":\"500m\"}", "{\"m\":\"0.5\"}", true},
    {"{\"m\":\"1\"}", "{\"m\":\"1k\"}", false},
    {"{\"m\":\"268435456\"}", "{\"m\":268435456}", true}, /* as the API server gives it back */
    {"{\"m\":\"256Mi\"}", "{\"m\":268435456}", true},
    {"{\"m\":\"256Mi\"}", "{\"m\":1}", false},
    {"{\"m\":\"http\"}", "{\"m\":8080}", false},
    {"{\"m\":\"x\"}", "{\"m\":\"y\"}", false},
    {"{\"m\":true}", "{\"m\":\"true\"}", false},
    {"[]", "{}", false},
    {"{\"a\":\"b\"}", "{\"a\":{\"b\":1}}", false},
};

TEST(what_a_live_object_covers)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct error err;
		cJSON *live = NULL;
		cJSON *wanted = NULL;
		CHECK_INT(json_parse(table[i].live, strlen(table[i].live), &live, &err), STATUS_OK);
		CHECK_INT(json_parse(table[i].wanted, strlen(table[i].wanted), &wanted, &err),
			  STATUS_OK);
		CHECK_INT_ROW(json_covers(live, wanted), table[i].covers, table[i].wanted);
		cJSON_Delete(live);
		cJSON_Delete(wanted);
	}
}
