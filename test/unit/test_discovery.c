/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buffer.h"
#include "k8sclient/discovery.h"

static const struct discovery_kind kinds[] = {
    {"", "services", "v1"},
    {"a.io", "as", "v1,v1beta1"},
    {"a.io", "others", "v1"},
    {"b.io", "bs", "v1alpha2"},
};

enum { COUNT = ARRAY_LEN(kinds) };

#define VERSION(NAME, FRESHNESS, RESOURCES)                                                        \
	"{\"version\":\"" NAME "\",\"freshness\":\"" FRESHNESS "\",\"resources\":[" RESOURCES "]}"
#define RESOURCE(NAME)        "{\"resource\":\"" NAME "\",\"scope\":\"Namespaced\"}"
#define GROUP(NAME, VERSIONS) "{\"metadata\":{\"name\":\"" NAME "\"},\"versions\":[" VERSIONS "]}"
#define AGGREGATED(GROUPS)                                                                         \
	"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/"                \
	"v2\",\"items\":[" GROUPS "]}"
#define RESOURCES(GROUP_VERSION, LIST)                                                             \
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"" GROUP_VERSION                          \
	"\",\"resources\":[" LIST "]}"
#define NAMED(NAME)  "{\"name\":\"" NAME "\",\"namespaced\":true}"
#define GROUPS(LIST) "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[" LIST "]}"
#define LEGACY(NAME, VERSION_NAME)                                                                 \
	"{\"name\":\"" NAME "\",\"versions\":[{\"groupVersion\":\"" NAME "/" VERSION_NAME          \
	"\",\"version\":\"" VERSION_NAME "\"}]}"

static const struct {
	const char *name;
	const char *text;
	const char *want; /* answer of each kind: version, "-" absent, "?" not told */
	enum discovery_document document;
} rows[] = {
    {"nothing served", AGGREGATED(""), "v1 - - -", DISCOVERY_AGGREGATED},
    {"the best version",
     AGGREGATED(GROUP("a.io", VERSION("v1beta1", "Current", RESOURCE("as")) "," VERSION(
				  "v1", "Current", RESOURCE("as") "," RESOURCE("others")))),
     "v1 v1 v1 -", DISCOVERY_AGGREGATED},
    {"an older version", AGGREGATED(GROUP("a.io", VERSION("v1beta1", "Current", RESOURCE("as")))),
     "v1 v1beta1 - -", DISCOVERY_AGGREGATED},
    {"a version that we do not know",
     AGGREGATED(GROUP("b.io", VERSION("v1", "Current", RESOURCE("bs")))), "v1 - - -",
     DISCOVERY_AGGREGATED},
    {"stale is unknown", AGGREGATED(GROUP("a.io", VERSION("v1", "Stale", ""))), "v1 ? ? -",
     DISCOVERY_AGGREGATED},
    {"a stale better version hides a worse one",
     AGGREGATED(GROUP(
	 "a.io", VERSION("v1", "Stale", "") "," VERSION("v1beta1", "Current", RESOURCE("as")))),
     "v1 ? ? -", DISCOVERY_AGGREGATED},
    {"a current better version does not mind a stale worse one",
     AGGREGATED(GROUP(
	 "a.io", VERSION("v1", "Current", RESOURCE("as")) "," VERSION("v1beta1", "Stale", ""))),
     "v1 v1 - -", DISCOVERY_AGGREGATED},
    {"odd shapes", "{\"kind\":\"APIGroupDiscoveryList\",\"items\":{\"a\":1}}", "v1 - - -",
     DISCOVERY_AGGREGATED},
    {"a resource list", RESOURCES("a.io/v1", NAMED("as") "," NAMED("as/status")), "v1 v1 - ?",
     DISCOVERY_RESOURCES},
    {"a resource list of a version that only one kind knows", RESOURCES("a.io/v1beta1", ""),
     "v1 - ? ?", DISCOVERY_RESOURCES},
    {"a resource list of another group", RESOURCES("a.ioo/v1", NAMED("as")), "v1 ? ? ?",
     DISCOVERY_RESOURCES},
    {"a resource list of the core", RESOURCES("v1", NAMED("services")), "v1 ? ? ?",
     DISCOVERY_RESOURCES},
    {"groups", GROUPS(LEGACY("a.io", "v1beta1")), "v1 ? - -", DISCOVERY_GROUPS},
    {"groups of other versions", GROUPS(LEGACY("a.io", "v2") "," LEGACY("b.io", "v1alpha2")),
     "v1 - - ?", DISCOVERY_GROUPS},
};

static void describe(const struct discovery_state *states, struct buffer *out)
{
	for (size_t i = 0; i < COUNT; i++)
		buffer_addf(out, "%s%s", i > 0 ? " " : "",
			    states[i].answer == DISCOVERY_SERVED   ? states[i].version
			    : states[i].answer == DISCOVERY_ABSENT ? "-"
								   : "?");
}

TEST(documents)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err;
		struct buffer got;
		struct discovery_state states[COUNT] = {{0}};
		enum discovery_document document = DISCOVERY_AGGREGATED;
		buffer_init(&got, 1000);
		CHECK_INT_ROW(discovery_read(rows[i].text, strlen(rows[i].text), kinds, COUNT,
					     states, &document, &err),
			      STATUS_OK, rows[i].name);
		describe(states, &got);
		CHECK_STR_ROW(got.data, rows[i].want, rows[i].name);
		CHECK_INT_ROW(document, rows[i].document, rows[i].name);
		buffer_release(&got);
	}
}

TEST(other_documents_are_refused)
{
	static const char *const texts[] = {"",       "[]",
					    "{}",     "{\"kind\":\"Status\"}",
					    "<html>", "{\"kind\":\"APIGroupDiscoveryList\""};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct error err;
		struct discovery_state states[COUNT] = {{0}};
		enum discovery_document document = DISCOVERY_AGGREGATED;
		CHECK_INT_ROW(discovery_read(texts[i], strlen(texts[i]), kinds, COUNT, states,
					     &document, &err),
			      STATUS_INVALID, texts[i]);
		CHECK_INT_ROW(states[0].answer, DISCOVERY_UNKNOWN, texts[i]);
	}
}
