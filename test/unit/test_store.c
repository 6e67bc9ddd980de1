/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "controller/project.h"
#include "controller/store.h"
#include "controller/workload_walk.h"

struct seen {
	char log[4096]; /* "+ns/name ~ns/name -ns/name " */
};

static void on_change(void *context, const struct object *before, const struct object *after)
{
	struct seen *seen = context;
	const struct object *object = after != NULL ? after : before;
	size_t len = strlen(seen->log);
	(void)snprintf(seen->log + len, sizeof(seen->log) - len, "%c%s/%s ",
		       before == NULL ? '+' : (after == NULL ? '-' : '~'), object->namespace_name,
		       object->name);
}

static char *deployment(const char *namespace_name, const char *name, const char *rv,
			const char *extra)
{
	return xasprintf(
	    "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"u-%s\","
	    "\"resourceVersion\":\"%s\",\"generation\":2%s},\"spec\":{\"replicas\":1}}",
	    name, namespace_name, name, rv, extra);
}

static bool put(struct store *store, const char *namespace_name, const char *name, const char *rv,
		const char *extra)
{
	CLEANUP(str_freep) char *text = deployment(namespace_name, name, rv, extra);
	return store_put(store, RESOURCE_DEPLOYMENT, text, strlen(text), false);
}

static bool drop(struct store *store, const char *namespace_name, const char *name, const char *rv)
{
	CLEANUP(str_freep) char *text = deployment(namespace_name, name, rv, "");
	return store_delete(store, RESOURCE_DEPLOYMENT, text, strlen(text));
}

static const char *rv_of(struct store *store, const char *namespace_name, const char *name)
{
	const struct object *object = store_get(store, RESOURCE_DEPLOYMENT, namespace_name, name);
	return object == NULL ? NULL : object->resource_version;
}

static void keep(struct store *store, const char *namespace_name)
{
	store_keep(store, namespace_name);
	store_listed(store);
}

#define OUR_LABEL  ",\"labels\":{\"app.kubernetes.io/managed-by\":\"llmd-tracing\"}"
#define OUR_LEDGER ",\"annotations\":{\"tracing.llm-d.io/ledger\":\"{}\"}"

TEST(only_what_is_of_interest_stays)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "llm-d");
	CHECK(put(store, "llm-d", "decode", "5", ""));
	CHECK(put(store, "other", "shop", "6", ""));
	CHECK(put(store, "other", "ours", "7", OUR_LABEL));
	CHECK(put(store, "other", "traced", "8", OUR_LEDGER));
	CHECK(put(store, "other", "traced", "9", ""));
	CHECK_STR(seen.log, "+llm-d/decode +other/ours +other/traced -other/traced ");
	size_t count = 0;
	(void)store_all(store, RESOURCE_DEPLOYMENT, &count);
	CHECK_INT(count, 2);
	store_unkeep(store, "llm-d");
	(void)store_all(store, RESOURCE_DEPLOYMENT, &count);
	CHECK_INT(count, 1);
}

TEST(versions_never_go_back)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "10", ""));
	CHECK(put(store, "a", "x", "9", ",\"labels\":{\"old\":\"1\"}"));
	CHECK_STR(rv_of(store, "a", "x"), "10");
	CHECK(put(store, "a", "x", "11", ""));
	CHECK_STR(rv_of(store, "a", "x"), "11");
	CHECK_STR(seen.log, "+a/x "); /* equal text is no change */
	CHECK(put(store, "a", "x", "100", ",\"labels\":{\"new\":\"1\"}"));
	CHECK_STR(seen.log, "+a/x ~a/x ");
	CLEANUP(str_freep) char *text = deployment("a", "x", "3", "");
	CHECK(store_put(store, RESOURCE_DEPLOYMENT, text, strlen(text), true));
	CHECK_STR(rv_of(store, "a", "x"), "3");
}

TEST(deletions_win_over_older_items)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "10", ""));
	CHECK(drop(store, "a", "x", "12"));
	CHECK(put(store, "a", "x", "11", "")); /* an answer that was overtaken */
	CHECK_STR(rv_of(store, "a", "x"), NULL);
	CHECK(put(store, "a", "x", "13", "")); /* made again */
	CHECK_STR(rv_of(store, "a", "x"), "13");
	CHECK(drop(store, "a", "x", "12")); /* the old deletion, late */
	CHECK_STR(rv_of(store, "a", "x"), "13");
	/* a deletion that happens while a namespace is listed, of an object not yet seen */
	store_keep(store, "b");
	CHECK(drop(store, "b", "y", "20"));
	CHECK(put(store, "b", "y", "19", ""));
	CHECK_STR(rv_of(store, "b", "y"), NULL);
	store_listed(store);
}

TEST(a_complete_list_replaces_its_scope)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	keep(store, "b");
	CHECK(put(store, "a", "gone", "10", ""));
	CHECK(put(store, "a", "stays", "11", ""));
	CHECK(put(store, "a", "ours", "50", "")); /* written by us after the list was taken */
	CHECK(put(store, "b", "elsewhere", "12", ""));
	unsigned long mark = store_mark(store);
	CHECK(put(store, "a", "stays", "11", ""));
	store_end_list(store, RESOURCE_DEPLOYMENT, "a", mark, "40");
	CHECK_STR(rv_of(store, "a", "gone"), NULL);
	CHECK_STR(rv_of(store, "a", "stays"), "11");
	CHECK_STR(rv_of(store, "a", "ours"), "50");
	CHECK_STR(rv_of(store, "b", "elsewhere"), "12");
	mark = store_mark(store);
	store_end_list(store, RESOURCE_DEPLOYMENT, NULL, mark, "60");
	size_t count = 0;
	(void)store_all(store, RESOURCE_DEPLOYMENT, &count);
	CHECK_INT(count, 0);
}

/* etcd was restored from an older copy: deletions of before say nothing about what is made now. */
TEST(versions_that_went_back_bury_nothing)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "900", ""));
	CHECK(drop(store, "a", "x", "1000"));
	unsigned long mark = store_mark(store);
	store_end_list(store, RESOURCE_DEPLOYMENT, NULL, mark, "1001");
	CHECK(put(store, "a", "x", "600", ""));
	CHECK_STR(rv_of(store, "a", "x"), NULL);
	store_end_list(store, RESOURCE_CONFIGMAP, NULL, mark, NULL);
	CHECK(put(store, "a", "x", "600", ""));
	CHECK_STR(rv_of(store, "a", "x"), NULL);
	store_end_list(store, RESOURCE_DEPLOYMENT, NULL, mark, NULL);
	CHECK(put(store, "a", "x", "600", ""));
	CHECK_STR(rv_of(store, "a", "x"), "600");
}

/* An item of the list that is older than what we hold still says that the object is there. */
TEST(an_older_item_proves_existence)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "30", ""));
	unsigned long mark = store_mark(store);
	CHECK(put(store, "a", "x", "20", ""));
	store_end_list(store, RESOURCE_DEPLOYMENT, NULL, mark, "35");
	CHECK_STR(rv_of(store, "a", "x"), "30");
}

TEST(ranges_are_by_namespace_and_sorted)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	keep(store, "b");
	CHECK(put(store, "b", "2", "1", ""));
	CHECK(put(store, "a", "9", "2", ""));
	CHECK(put(store, "b", "1", "3", ""));
	size_t count = 0;
	struct object *const *items = store_range(store, RESOURCE_DEPLOYMENT, "b", &count);
	if (CHECK_INT(count, 2)) {
		CHECK_STR(items[0]->name, "1");
		CHECK_STR(items[1]->name, "2");
	}
	CHECK(store_range(store, RESOURCE_DEPLOYMENT, "c", &count) == NULL);
	CHECK_INT(count, 0);
}

TEST(a_walk_meets_the_workloads_of_one_namespace)
{
	static const char service[] =
	    "{\"metadata\":{\"name\":\"s\",\"namespace\":\"b\",\"resourceVersion\":\"4\"}}";
	static const char set[] =
	    "{\"metadata\":{\"name\":\"0\",\"namespace\":\"b\",\"resourceVersion\":\"5\"}}";
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	keep(store, "b");
	CHECK(put(store, "a", "9", "1", ""));
	CHECK(put(store, "b", "2", "2", ""));
	CHECK(put(store, "b", "1", "3", ""));
	CHECK(store_put(store, RESOURCE_SERVICE, service, strlen(service), false));
	CHECK(store_put(store, RESOURCE_STATEFULSET, set, strlen(set), false));
	struct workload_walk walk = {store, "b", 0, 0};
	char met[64] = "";
	const struct object *object;
	while ((object = workload_walk_next(&walk)) != NULL)
		(void)snprintf(met + strlen(met), sizeof(met) - strlen(met), "%s/%s ",
			       resource_get(object->resource)->kind, object->name);
	CHECK_STR(met, "Deployment/1 Deployment/2 StatefulSet/0 ");
	CHECK(workload_walk_next(&walk) == NULL);
	walk = (struct workload_walk){store, "c", 0, 0};
	CHECK(workload_walk_next(&walk) == NULL);
}

TEST(parsed_objects_carry_their_version)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "10", ""));
	CLEANUP(json_freep)
	cJSON *tree = object_parse(store_get(store, RESOURCE_DEPLOYMENT, "a", "x"));
	CHECK_STR(json_str(tree, "metadata.resourceVersion"), "10");
	CHECK_STR(json_str(tree, "apiVersion"), "apps/v1");
	CHECK_STR(json_str(tree, "kind"), "Deployment");
	CHECK_INT(json_int(tree, "spec.replicas", 0), 1);
}

/* What a projection keeps, by resource. */
static const struct {
	const char *what;
	enum resource_id resource;
	const char *object;
	const char *projected;
} projections[] = {
    {"namespaces: the switch and what a mesh goes by", RESOURCE_NAMESPACE,
     "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"1\",\"labels\":{\"a\":"
     "\"b\",\"istio.io/rev\":\"x\",\"istio-injection\":\"y\"},"
     "\"annotations\":{\"x\":\"y\",\"tracing.llm-d.io/enabled\":\"true\",\"z\":\"\"},"
     "\"managedFields\":[]},\"spec\":{\"finalizers\":[]},\"status\":{\"phase\":\"Active\"}}",
     "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n\",\"uid\":\"u\","
     "\"labels\":{\"istio.io/rev\":\"x\",\"istio-injection\":\"y\"},"
     "\"annotations\":{\"tracing.llm-d.io/enabled\":\"true\"}}}"},
    {"workloads: kubectl's copy goes, and of foreign Update managers all but who and when",
     RESOURCE_DEPLOYMENT,
     "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
     "v1\",\"metadata\":{\"name\":\"d\",\"resourceVersion\":\"1\","
     "\"annotations\":{\"kubectl.kubernetes.io/"
     "last-applied-configuration\":\"{\\\"}\",\"k\":\"v\"},"
     "\"managedFields\":[{\"manager\":\"helm\",\"operation\":\"Apply\",\"time\":\"t\",\"fieldsV1\":"
     "{\"f:spec\":{}}},"
     "{\"manager\":\"kubectl\",\"operation\":\"Update\"},"
     "{\"manager\":\"hpa\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}},"
     "{\"manager\":\"kcm\",\"operation\":\"Update\",\"subresource\":\"x\",\"fieldsV1\":{\"f:spec\":"
     "{"
     "\"f:a\":{}}}},"
     "{\"manager\":\"edit\",\"operation\":\"Update\",\"time\":\"u\",\"fieldsV1\":{\"f:spec\":{"
     "\"f:a\":{}}}},"
     "{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"time\":\"t\"}]},"
     "\"spec\":{\"x\":[1, \"}\"]},\"status\":{\"replicas\":2,\"collisionCount\":3}}",
     "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\","
     "\"annotations\":{\"k\":\"v\"},\"managedFields\":[{\"manager\":\"helm\",\"operation\":"
     "\"Apply\",\"time\":\"t\","
     "\"fieldsV1\":{\"f:spec\":{}}},{\"manager\":\"edit\",\"operation\":\"Update\",\"time\":\"u\"},"
     "{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"time\":\"t\"}]},"
     "\"spec\":{\"x\":[1, \"}\"]},\"status\":{\"replicas\":2}}"},
    {"services: no status", RESOURCE_SERVICE,
     "{\"metadata\":{\"resourceVersion\":\"1\",\"name\":\"s\"},\"spec\":{},\"status\":{\"a\":1}}",
     "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"},\"spec\":{}}"},
    {"tracings: the whole status", RESOURCE_TRACING,
     "{\"metadata\":{\"name\":\"t\",\"resourceVersion\":\"1\"},\"status\":{\"a\":[{}]}}",
     "{\"apiVersion\":\"tracing.llm-d.io/"
     "v1alpha1\",\"kind\":\"Tracing\",\"metadata\":{\"name\":\"t\"},"
     "\"status\":{\"a\":[{}]}}"},
};

TEST(projection)
{
	for (size_t i = 0; i < ARRAY_LEN(projections); i++) {
		struct piece raw = {projections[i].object, strlen(projections[i].object)};
		struct header header;
		struct buffer out;
		buffer_init(&out, 1 << 16);
		if (CHECK(project_header(raw, &header))) {
			project_write(resource_get(projections[i].resource), raw, &header, &out);
			CHECK_STR_ROW(out.data, projections[i].projected, projections[i].what);
		}
		buffer_release(&out);
	}
}

/* Cut anywhere, an object is refused or read, never misread into another one. */
TEST(broken_objects_are_refused)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CLEANUP(str_freep) char *text = deployment("a", "x", "10", OUR_LABEL);
	for (size_t len = 0; len < strlen(text); len++) {
		char *copy = xstrndup(text, len); /* exact size: an over-read shows under ASan */
		bool ok = store_put(store, RESOURCE_DEPLOYMENT, copy, len, false);
		CHECK(!ok);
		free(copy);
	}
	CHECK_STR(seen.log, "");
	static const char *const broken[] = {
	    "",
	    "[]",
	    "null",
	    "{\"metadata\":[]}",
	    "{\"metadata\":{\"name\":\"x\"}}",
	    "{\"metadata\":{\"name\":5,\"resourceVersion\":\"1\"}}",
	    "{\"metadata\":{\"name\":\"x\" \"resourceVersion\":\"1\"}}"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		CHECK(!store_put(store, RESOURCE_DEPLOYMENT, broken[i], strlen(broken[i]), false));
}

TEST(bytes_are_counted_both_ways)
{
	struct seen seen = {""};
	CLEANUP(store_freep) struct store *store = store_new(on_change, &seen);
	keep(store, "a");
	CHECK(put(store, "a", "x", "10", ""));
	CHECK(put(store, "a", "x", "11", ",\"labels\":{\"long\":\"label\"}"));
	CHECK(store_bytes(store, RESOURCE_DEPLOYMENT) > 0);
	store_clear(store, RESOURCE_DEPLOYMENT);
	CHECK_INT(store_bytes(store, RESOURCE_DEPLOYMENT), 0);
	CHECK_STR(seen.log, "+a/x ~a/x -a/x ");
}
