/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/yaml.h"
#include "inject/admin_policy.h"
#include "inject/forbidden_host.h"
#include "inject/settings_defaults.h"

static cJSON *tree_of(const char *yaml)
{
	cJSON *tree = NULL;
	struct error err = {.message = ""};
	if (!CHECK_INT_ROW(yaml_read(yaml, strlen(yaml), &tree, &err), STATUS_OK, yaml))
		printf("  %s\n", err.message);
	return tree;
}

/* "" when it could be read, else the message. */
static const char *read_policy(const char *yaml, struct admin_policy *ret_policy, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = tree_of(yaml);
	err->message[0] = '\0';
	return admin_policy_read(tree, ret_policy, err) == STATUS_OK ? "" : err->message;
}

static const struct {
	const char *yaml;
	const char *complaint;
} unreadable[] = {
    {"[]", "a policy is an object"},
    {"allowedHosts: []", "allowedHosts: no such key; there are allowedEndpoints, allowedImages, "
			 "allowedModes, maxRatio"},
    {"allowedendpoints: []",
     "allowedendpoints: no such key; there are allowedEndpoints, allowedImages, allowedModes, "
     "maxRatio"},
    {"allowedEndpoints: 'https://a:1'", "allowedEndpoints: must be a list of texts"},
    {"allowedEndpoints: ['https://a:1', 5]",
     "allowedEndpoints[1]: must be a text of 1 to 512 characters"},
    {"allowedImages: ['']", "allowedImages[0]: must be a text of 1 to 512 characters"},
    {"allowedEndpoints: [tempo.corp:4317]",
     "allowedEndpoints[0]: \"tempo.corp:4317\" is no pattern for scheme://host:port; write "
     "https://HOST:PORT, or *://HOST:* for every scheme and port"},
    {"allowedEndpoints: ['https://a.example']",
     "allowedEndpoints[0]: \"https://a.example\" has no port, which every endpoint has here; write "
     "https://HOST:PORT, or *://HOST:* for every scheme and port"},
    {"allowedEndpoints: ['https://a.example:4317/v1']",
     "allowedEndpoints[0]: \"https://a.example:4317/v1\" has a path, which no endpoint is compared "
     "with; write https://HOST:PORT, or *://HOST:* for every scheme and port"},
    {"allowedEndpoints: ['https://*.Corp:4317']",
     "allowedEndpoints[0]: \"https://*.Corp:4317\" has capital letters; endpoints are compared in "
     "small ones; write https://HOST:PORT, or *://HOST:* for every scheme and port"},
    {"allowedImages:", "allowedImages: has no value; write [] to allow none, or leave it out"},
    {"maxRatio:", "maxRatio: must be a text like \"0.5\""},
    {"allowedModes: [auto]", "allowedModes[0]: \"auto\" is none of Auto, Deployment, "
			     "OpenTelemetryCollector, Shared, External"},
    {"maxRatio: 0.5", "maxRatio: must be a text like \"0.5\"; put it in quotes"},
    {"maxRatio: '2'", "maxRatio: \"2\" is more than 1; it is the share of requests to trace"},
};

TEST(what_is_no_policy)
{
	for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
		struct admin_policy policy = {.max_ratio = NULL};
		struct error err;
		CHECK_STR_ROW(read_policy(unreadable[i].yaml, &policy, &err),
			      unreadable[i].complaint, unreadable[i].yaml);
	}
}

#define SHARED(URL)   "collector: {mode: Shared, endpoint: '" URL "'}"
#define EXTERNAL(URL) "collector: {mode: External, endpoint: '" URL "'}"
#define OTLP(URL)     "backend: {type: OTLP, otlp: {endpoint: '" URL "'}}"

#define STORE(TYPE, FIRST, SECOND)                                                                 \
	"backend: {jaeger: {storage: {type: " TYPE ", servers: ['" FIRST "', '" SECOND "']}}}"

static const struct {
	const char *policy;
	const char *spec;
	const char *denied; /* "": allowed */
} cases[] = {
    /* nothing said, nothing limited */
    {"{}", "{}", ""},
    {"{}", SHARED("http://otel.obs.svc.cluster.local:4317"), ""},
    /* endpoints */
    {"allowedEndpoints: ['https://*.corp.example:4317']", "{}", ""},
    {"allowedEndpoints: ['https://*.corp.example:4317']", OTLP("https://tempo.corp.example:4317"),
     ""},
    {"allowedEndpoints: ['https://*.corp.example:4317']", OTLP("https://Tempo.Corp.Example:4317/"),
     ""},
    {"allowedEndpoints: ['https://*.corp.example:4317']", OTLP("https://tempo.corp.example:443"),
     "spec.backend.otlp.endpoint: \"https://tempo.corp.example:443\" is not allowed by the "
     "administrator's policy; allowed are https://*.corp.example:4317"},
    {"allowedEndpoints: ['https://*.corp.example:4317', 'https://t:1']",
     EXTERNAL("http://tempo.corp.example:4317"),
     "spec.collector.endpoint: \"http://tempo.corp.example:4317\" is not allowed by the "
     "administrator's policy; allowed are https://*.corp.example:4317, https://t:1"},
    {"allowedEndpoints: ['https://*.corp.example:4317']",
     OTLP("https://evil.example:4317/?.corp.example:4317"),
     "Tracing llm-d: spec.backend.otlp.endpoint: "
     "\"https://evil.example:4317/?.corp.example:4317\" is not SCHEME://HOST:PORT; OTLP over "
     "gRPC needs the port (usually 4317) and takes no path"},
    {"allowedEndpoints: ['http://t.example:4317']",
     "backend: {type: OTLP, otlp: {endpoint: 'http://t.example:4317', query: {type: Tempo, "
     "endpoint: 'http://q.example:3200/tempo'}}}",
     "spec.backend.otlp.query.endpoint: \"http://q.example:3200/tempo\" is not allowed by the "
     "administrator's policy; allowed are http://t.example:4317"},
    {"allowedEndpoints: []", SHARED("http://otel.obs.svc.cluster.local:4317"),
     "spec.collector.endpoint: \"http://otel.obs.svc.cluster.local:4317\" is not allowed by the "
     "administrator's policy; allowed is none"},
    /* hosts that nobody gets to by accident, whatever a wildcard takes in */
    {"{}", OTLP("http://169.254.169.254:4317"),
     "spec.backend.otlp.endpoint: \"http://169.254.169.254:4317\" leads to the metadata service "
     "of a cloud; that is allowed only where the administrator's policy lists it by name "
     "(allowedEndpoints)"},
    {"allowedEndpoints: ['*']", EXTERNAL("http://127.0.0.1:4317"),
     "spec.collector.endpoint: \"http://127.0.0.1:4317\" leads to a loopback address; that is "
     "allowed only where the administrator's policy lists it by name (allowedEndpoints)"},
    {"allowedEndpoints: ['http://169.254.*:4317']", EXTERNAL("http://169.254.169.254:4317"),
     "spec.collector.endpoint: \"http://169.254.169.254:4317\" leads to the metadata service of "
     "a cloud; that is allowed only where the administrator's policy lists it by name "
     "(allowedEndpoints)"},
    {"allowedEndpoints: ['*://169.254.10.1:*']", EXTERNAL("http://169.254.10.1:4317"), ""},
    {"allowedEndpoints: ['http://[::1]:4317']", EXTERNAL("http://[::1]:4317"), ""},
    {"{}", EXTERNAL("https://kubernetes.default.svc.cluster.local:443"),
     "spec.collector.endpoint: \"https://kubernetes.default.svc.cluster.local:443\" leads to the "
     "Kubernetes API server; that is allowed only where the administrator's policy lists it by "
     "name (allowedEndpoints)"},
    {"{}", EXTERNAL("https://10.96.0.1:443"),
     "spec.collector.endpoint: \"https://10.96.0.1:443\" leads to the Kubernetes API server; that "
     "is allowed only where the administrator's policy lists it by name (allowedEndpoints)"},
    /* where traces are kept, and OTLP over HTTP with its path */
    {"{}", STORE("OpenSearch", "https://a.example", "https://169.254.169.254/x"),
     "spec.backend.jaeger.storage.servers[1]: \"https://169.254.169.254/x\" leads to the metadata "
     "service of a cloud; that is allowed only where the administrator's policy lists it by name "
     "(allowedEndpoints)"},
    {"{}", STORE("Cassandra", "a.example", "localhost:9042"),
     "spec.backend.jaeger.storage.servers[1]: \"localhost:9042\" leads to a loopback address; that "
     "is allowed only where the administrator's policy lists it by name (allowedEndpoints)"},
    {"allowedEndpoints: ['*://a.example:*']",
     STORE("Elasticsearch", "https://a.example", "http://b.example:9200"),
     "spec.backend.jaeger.storage.servers[1]: \"http://b.example:9200\" is not allowed by the "
     "administrator's policy; allowed are *://a.example:*"},
    {"allowedEndpoints: ['*://a.example:*', 'http://b.example:80']",
     STORE("Elasticsearch", "https://a.example", "http://b.example/es"), ""},
    {"allowedEndpoints: ['*://a.example:*', 'tcp://b.example:9042']",
     STORE("Cassandra", "a.example", "b.example"), ""},
    {"allowedEndpoints: ['https://v.example:443']",
     "backend: {type: OTLP, otlp: {protocol: http, endpoint: 'https://v.example/otlp'}}", ""},
    {"allowedEndpoints: ['https://v.example:443']",
     "backend: {type: OTLP, otlp: {protocol: http, endpoint: 'https://w.example/v.example:443'}}",
     "spec.backend.otlp.endpoint: \"https://w.example/v.example:443\" is not allowed by the "
     "administrator's policy; allowed are https://v.example:443"},
    /* images */
    {"allowedImages: ['registry.corp.example/*']", "{}", ""},
    {"allowedImages: ['registry.corp.example/*']",
     "collector: {image: 'registry.corp.example/otel:1'}", ""},
    {"allowedImages: ['registry.corp.example/*']", "collector: {image: 'ghcr.io/evil/otel:1'}",
     "spec.collector.image: \"ghcr.io/evil/otel:1\" is not allowed by the administrator's policy; "
     "allowed are registry.corp.example/*"},
    {"allowedImages: ['registry.corp.example/*']",
     "backend: {jaeger: {image: 'evil.example/registry.corp.example/jaeger:2'}}",
     "spec.backend.jaeger.image: \"evil.example/registry.corp.example/jaeger:2\" is not allowed "
     "by the administrator's policy; allowed are registry.corp.example/*"},
    {"allowedImages: ['docker.io/jaegertracing/*']",
     "backend: {jaeger: {image: 'jaegertracing/jaeger:2.9.0'}}", ""},
    {"allowedImages: ['docker.io/library/*']", "backend: {jaeger: {image: 'jaeger:2.9.0'}}", ""},
    {"allowedImages: ['docker.io/*']", "backend: {jaeger: {image: 'evil.example/jaeger:2.9.0'}}",
     "spec.backend.jaeger.image: \"evil.example/jaeger:2.9.0\" is not allowed by the "
     "administrator's policy; allowed are docker.io/*"},
    /* modes and ratios */
    {"allowedModes: [Auto, Deployment]", "collector: {mode: Deployment}", ""},
    {"allowedModes: [Deployment]", "{}",
     "spec.collector.mode: \"Auto\" is not allowed by the administrator's policy; allowed are "
     "Deployment"},
    {"allowedModes: []", "{}",
     "spec.collector.mode: \"Auto\" is not allowed by the administrator's policy; allowed is none"},
    {"maxRatio: '0.5'", "sampling: {ratio: '0.5'}", ""},
    {"maxRatio: '0.5'", "sampling: {ratio: '0.500'}", ""},
    {"maxRatio: '0.50'", "sampling: {ratio: '00.5'}", ""},
    {"maxRatio: '0'", "sampling: {ratio: '0.000'}", ""},
    {"maxRatio: '1'", "sampling: {ratio: '1.0'}", ""},
    {"maxRatio: '0.5'", "{}", ""}, /* the default follows */
    {"maxRatio: '0.5'", "sampling: {ratio: '0.51'}",
     "spec.sampling.ratio: \"0.51\" is more than the administrator's policy allows; the highest "
     "is 0.5"},
    {"maxRatio: '0.09'", "sampling: {ratio: '0.1'}",
     "spec.sampling.ratio: \"0.1\" is more than the administrator's policy allows; the highest is "
     "0.09"},
    {"maxRatio: '0'", "sampling: {ratio: '0.001'}",
     "spec.sampling.ratio: \"0.001\" is more than the administrator's policy allows; the highest "
     "is 0"},
    {"maxRatio: '0.999'", "sampling: {ratio: '1.00'}",
     "spec.sampling.ratio: \"1.00\" is more than the administrator's policy allows; the highest "
     "is 0.999"},
};

TEST(what_a_tracing_may_ask_for)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = {.message = ""};
		struct settings defaults;
		struct settings settings;
		struct admin_policy policy = {.max_ratio = NULL};
		CHECK_STR_ROW(read_policy(cases[i].policy, &policy, &err), "", cases[i].policy);
		policy.api_server = xstrdup("10.96.0.1");
		settings_init_defaults(&defaults);
		admin_policy_limit(&policy, &defaults);
		CLEANUP(json_freep) cJSON *spec = tree_of(cases[i].spec);
		cJSON *tracing = cJSON_CreateObject();
		json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
		json_set_str(tracing, "kind", TRACING_KIND);
		json_set(tracing, "spec", json_clone(spec));
		if (settings_read(tracing, &defaults, &settings, &err) == STATUS_OK) {
			enum status status =
			    admin_policy_check(&policy, &defaults, &settings, &err);
			CHECK_INT_ROW(status,
				      cases[i].denied[0] == '\0' ? STATUS_OK : STATUS_DENIED,
				      cases[i].spec);
			settings_release(&settings);
		}
		CHECK_STR_ROW(err.message, cases[i].denied, cases[i].spec);
		cJSON_Delete(tracing);
		settings_release(&defaults);
		admin_policy_release(&policy);
	}
}

/* What the operator would create itself is checked when it starts. */
TEST(defaults_are_not_above_the_policy)
{
	struct admin_policy policy = {.max_ratio = NULL};
	struct settings defaults;
	struct error err = {.message = ""};
	CHECK_STR(read_policy("allowedImages: [mirror.example/*]", &policy, &err), "");
	settings_init_defaults(&defaults);
	CHECK_INT(admin_policy_check(&policy, NULL, &defaults, &err), STATUS_DENIED);
	CHECK(strstr(err.message, "spec.collector.image: ") == err.message);
	CHECK_INT(settings_set_registry(&defaults, "mirror.example", &err), STATUS_OK);
	CHECK_INT(admin_policy_check(&policy, NULL, &defaults, &err), STATUS_OK);
	settings_release(&defaults);
	admin_policy_release(&policy);
}

static const struct {
	const char *host;
	const char *what; /* NULL: nothing against it */
} hosts[] = {
    {"169.254.169.254", "the metadata service of a cloud"},
    {"2852039166", "the metadata service of a cloud"},
    {"0xA9FEA9FE", "the metadata service of a cloud"},
    {"0251.0376.0251.0376", "the metadata service of a cloud"},
    {"169.254.43518", "the metadata service of a cloud"},
    {"::ffff:169.254.169.254", "the metadata service of a cloud"},
    {"::ffff:a9fe:a9fe", "the metadata service of a cloud"},
    {"64:ff9b::a9fe:a9fe", "the metadata service of a cloud"},
    {"2002:a9fe:a9fe::", "the metadata service of a cloud"},
    {"fd00:ec2::254", "the metadata service of a cloud"},
    {"fd00:0ec2:0:0:0:0:0:254", "the metadata service of a cloud"},
    {"fd20:ce::254", "the metadata service of a cloud"},
    {"100.100.100.200", "the metadata service of a cloud"},
    {"metadata.google.internal", "the metadata service of a cloud"},
    {"Metadata.Google.Internal", "the metadata service of a cloud"},
    {"metadata", "the metadata service of a cloud"},
    {"169.254.0.1", "a link-local address"},
    {"fe80::1", "a link-local address"},
    {"febf::1", "a link-local address"},
    {"127.0.0.1", "a loopback address"},
    {"127.8.8.8", "a loopback address"},
    {"127.1", "a loopback address"},
    {"0x7f000001", "a loopback address"},
    {"::1", "a loopback address"},
    {"::ffff:127.0.0.1", "a loopback address"},
    {"localhost", "a loopback address"},
    {"LOCALHOST", "a loopback address"},
    {"a.localhost", "a loopback address"},
    {"0.0.0.0", "no address of a host"},
    {"0", "no address of a host"},
    {"::", "no address of a host"},
    {"224.0.0.1", "no address of a host"},
    {"255.255.255.255", "no address of a host"},
    {"ff02::1", "no address of a host"},
    {"kubernetes", "the Kubernetes API server"},
    {"kubernetes.default", "the Kubernetes API server"},
    {"kubernetes.default.svc", "the Kubernetes API server"},
    {"kubernetes.default.svc.cluster.local", "the Kubernetes API server"},
    {"api.example", "the Kubernetes API server"},
    {"10.0.0.1", NULL},
    {"192.168.1.1", NULL},
    {"169.253.1.1", NULL},
    {"126.255.255.255", NULL},
    {"128.0.0.1", NULL},
    {"fec0::1", NULL},
    {"fd00:ec2::255", NULL},
    {"2001:db8::1", NULL},
    {"::ffff:10.0.0.1", NULL},
    {"tempo.corp.example", NULL},
    {"metadata.example", NULL},
    {"mylocalhost", NULL},
    {"kubernetes.other.svc", NULL},
    {"notkubernetes.default.svc", NULL},
    {"otel-collector.obs.svc.cluster.local", NULL},
};

TEST(hosts_that_no_setting_leads_to)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		CHECK_STR_ROW(host_is_forbidden(hosts[i].host, "api.example"), hosts[i].what,
			      hosts[i].host);
}

static const struct {
	const char *url;
	const char *cluster_domain;
	bool may; /* on behalf of namespace "team" */
} calls[] = {
    {"http://jaeger-collector.team.svc:16686/api/services?x=y", NULL, true},
    {"http://jaeger-collector.team.svc:16686", "cluster.local", true},
    {"http://jaeger-collector.team.svc.cluster.local:16686/api", "cluster.local", true},
    {"HTTP://jaeger-collector.team.svc:16686", NULL, false}, /* curl's own writing only */
    {"http://jaeger-collector.team.svc.cluster.local:16686/api", NULL, false},
    {"http://jaeger-collector.team.svc.evil.example:16686/api", "cluster.local", false},
    {"http://jaeger-collector.other.svc:16686/", "cluster.local", false},
    {"http://jaeger-collector.team:16686/", "cluster.local", false}, /* a domain of that name */
    {"http://jaeger-collector:16686/", "cluster.local", false},      /* the operator's namespace */
    {"http://a.b.team.svc:16686/", "cluster.local", false},
    {"http://.team.svc:16686/", NULL, false},
    {"http://jaeger-collector.teamx.svc:16686/", NULL, false},
    {"http://jaeger-collector.team.svcx:16686/", NULL, false},
    {"http://jaeger-collector.team.svc/", NULL, false}, /* the port is always said */
    {"http://jaeger-collector.team.svc:16686@evil.example:80/", NULL, false},
    {"http://user@jaeger-collector.team.svc:16686/", NULL, false},
    {"http://jaeger-collector.team.svc:16686\\@evil.example/", NULL, false},
    {"ftp://jaeger-collector.team.svc:16686/", NULL, false},
    {"file:///etc/passwd", NULL, false},
    {"", NULL, false},
    {"https://tempo.corp.example:443/api/search", NULL, true}, /* in the policy */
    {"https://tempo.corp.example:8443/api/search", NULL, false},
    {"http://tempo.corp.example:443/api/search", NULL, false},
    {"https://x.any.example:3200/api/search", NULL, true},
    {"http://169.254.169.254:80/latest/meta-data", NULL, false},
    {"http://10.1.2.3:80/", NULL, false},
    {"http://169.254.7.7:3200/api", NULL, true}, /* by name */
};

TEST(whom_the_operator_may_call)
{
	struct admin_policy policy = {.max_ratio = NULL};
	struct error err = {.message = ""};
	CHECK_STR(read_policy("allowedEndpoints: ['https://tempo.corp.example:443', "
			      "'https://*.any.example:*', 'http://169.254.7.7:3200', "
			      "'http://169.254.169.*:80']",
			      &policy, &err),
		  "");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		CHECK_INT_ROW(may_call(&policy, "team", calls[i].cluster_domain, calls[i].url),
			      calls[i].may, calls[i].url);
	CHECK(may_call(NULL, "team", NULL, "http://jaeger-collector.team.svc:16686"));
	CHECK(!may_call(NULL, "team", NULL, "https://tempo.corp.example:443"));
	admin_policy_release(&policy);
}

static const struct {
	const char *registry;
	const char *collector;
	const char *jaeger;
	const char *complaint; /* part of it */
} registries[] = {
    {"mirror.example",
     "mirror.example/open-telemetry/opentelemetry-collector-releases/"
     "opentelemetry-collector-contrib:0.158.0",
     "mirror.example/jaegertracing/jaeger:2.13.0", ""},
    {"mirror.example:5000/cache/",
     "mirror.example:5000/cache/open-telemetry/opentelemetry-collector-releases/"
     "opentelemetry-collector-contrib:0.158.0",
     "mirror.example:5000/cache/jaegertracing/jaeger:2.13.0", ""},
    {"https://mirror.example", NULL, NULL, "is no HOST[:PORT][/PATH]"},
    {"", NULL, NULL, "is no HOST[:PORT][/PATH]"},
    {"a b", NULL, NULL, "--image-registry: "},
};

TEST(images_from_elsewhere)
{
	for (size_t i = 0; i < ARRAY_LEN(registries); i++) {
		struct settings defaults;
		struct error err = {.message = ""};
		settings_init_defaults(&defaults);
		enum status status = settings_set_registry(&defaults, registries[i].registry, &err);
		CHECK_INT_ROW(status == STATUS_OK, registries[i].collector != NULL,
			      registries[i].registry);
		CHECK(strstr(err.message, registries[i].complaint) != NULL);
		if (registries[i].collector != NULL) {
			CHECK_STR(defaults.collector_image, registries[i].collector);
			CHECK_STR(defaults.jaeger_image, registries[i].jaeger);
		}
		settings_release(&defaults);
	}
}

/* A whole Tracing or its spec alone say the same; a Tracing is read over them. */
TEST(defaults_of_a_file)
{
	static const char *const files[] = {
	    "sampling: {ratio: '0.2'}\ncollector: {mode: Shared, endpoint: "
	    "'http://c.o.svc.x:4317'}",
	    "apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nspec: {sampling: {ratio: "
	    "'0.2'}, "
	    "collector: {mode: Shared, endpoint: 'http://c.o.svc.x:4317'}}"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct settings defaults;
		struct settings settings;
		struct error err = {.message = ""};
		CLEANUP(json_freep) cJSON *tree = tree_of(files[i]);
		CLEANUP(json_freep)
		cJSON *tracing =
		    tree_of("apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nspec: "
			    "{collector: {mode: Deployment}, backend: {jaeger: {maxTraces: 500}}}");
		if (!CHECK_INT(settings_read_defaults(tree, &defaults, &err), STATUS_OK))
			continue;
		CHECK_INT(defaults.collector_mode, COLLECTOR_SHARED);
		if (CHECK_INT(settings_read(tracing, &defaults, &settings, &err), STATUS_OK)) {
			CHECK_STR(settings.ratio, "0.2");
			CHECK_INT(settings.collector_mode, COLLECTOR_DEPLOYMENT);
			CHECK(settings.collector_endpoint == NULL);
			CHECK_INT(settings.jaeger_max_traces, 500);
			settings_release(&settings);
		} else {
			printf("  %s\n", err.message);
		}
		settings_release(&defaults);
	}
}
