/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/json.h"
#include "inject/settings.h"
#include "inject/settings_check.h"

static cJSON *tracing_of(const char *spec)
{
	cJSON *tracing = cJSON_CreateObject();
	json_set_str(tracing, "apiVersion", TRACING_API_VERSION);
	json_set_str(tracing, "kind", TRACING_KIND);
	cJSON *metadata = json_set_object(tracing, "metadata");
	json_set_str(metadata, "name", "llm-d");
	json_set_str(metadata, "namespace", "ns");
	cJSON *parsed = NULL;
	struct error err = {.message = ""};
	if (!CHECK_INT_ROW(json_parse(spec, strlen(spec), &parsed, &err), STATUS_OK, spec))
		printf("  %s\n", err.message);
	json_set(tracing, "spec", parsed == NULL ? cJSON_CreateObject() : parsed);
	return tracing;
}

static const struct {
	const char *spec;
	const char *complaint; /* part of the message */
} refused[] = {
    {"{\"sampling\":{\"ratio\":\"1.5\"}}",
     "Tracing ns/llm-d: spec.sampling.ratio: \"1.5\" is more than 1"},
    {"{\"sampling\":{\"ratio\":\"1e-1\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"-0.1\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"0,5\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\".5\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":0.5}}", "must be a string; put it in quotes"},
    {"{\"sampling\":{\"sampler\":\"always_on\"}}",
     "the EPP and the routing proxy up to v0.10 ignore"},
    {"{\"sampling\":{\"sampler\":\"traceidratio\"}}", "use it with the same ratio"},
    {"{\"sampling\":{\"sampler\":\"always_off\"}}", "use it with spec.sampling.ratio \"0\""},
    {"{\"sampling\":{\"sampler\":\"magic\"}}", "the only one is parentbased_traceidratio"},
    {"{\"sampling\":{\"ratio\":\"1.0001\"}}", "is more than 1"},
    {"{\"sampling\":{\"ratio\":\"10\"}}", "is more than 1"},
    {"{\"sampling\":{\"ratio\":\"+0.5\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"0x1\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"1.\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\" 1\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"10%\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"nan\"}}", "plain decimal"},
    {"{\"sampling\":{\"ratio\":\"\"}}", "plain decimal"},
    {"{\"sampling\":{\"samplerArg\":\"1\"}}", "use spec.sampling.ratio"},
    {"{\"sampling\":{\"where\":\"Engines\"}}", "spec.sampling.where"},
    {"{\"sampling\":{\"maxSpansPerSecond\":0}}", "whole number from 1 to 1000000"},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"1\"}}}", "needs ratio and until"},
    {"{\"sampling\":{\"boost\":{\"until\":\"2026-01-31T18:00:00Z\"}}}", "needs ratio and until"},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"2\",\"until\":\"2026-01-31T18:00:00Z\"}}}",
     "spec.sampling.boost.ratio: \"2\" is more than 1"},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"1\",\"until\":\"tomorrow\"}}}",
     "spec.sampling.boost.until: \"tomorrow\" is no time"},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"1\",\"until\":\"2026-13-31T18:00:00Z\"}}}",
     "is no time"},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"1\",\"until\":\"2026-01-31T18:00:00+01:00\"}}}",
     "write it in UTC"},
    {"{\"sampling\":{\"where\":\"Pods\",\"boost\":{\"ratio\":\"1\",\"until\":"
     "\"2026-01-31T18:00:00Z\"}}}",
     "it would restart every model server"},
    {"{\"sampling\":{\"where\":\"Collector\"},\"collector\":{\"mode\":\"Shared\","
     "\"endpoint\":\"http://c.x:4317\"}}",
     "needs the operator's own collector"},
    {"{\"sampling\":{\"maxSpansPerSecond\":9},\"collector\":{\"mode\":\"Shared\","
     "\"endpoint\":\"http://c.x:4317\"}}",
     "needs the operator's own collector"},
    {"{\"sampling\":{\"where\":\"Collector\",\"ratio\":\"0.1\"},"
     "\"collector\":{\"tailSampling\":{\"ratio\":\"0.1\"}}}",
     "say it there only"},
    {"{\"enabled\":\"true\"}", "spec.enabled: must be true or false"},
    {"{\"Sampling\":{}}", "did you mean spec.sampling?"},
    {"{\"components\":{\"sglang\":{\"serviceName\":\"x\"}}}", "SGLang's service name is fixed"},
    {"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"https://t:443\","
     "\"tls\":{\"insecure\":true}}}}",
     "the endpoint's scheme says it"},
    {"{\"backend\":{\"otlp\":{\"endpoint\":\"https://t:443\"}}}", "has no effect without"},
    {"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"http://t:4317\","
     "\"tls\":{\"insecureSkipVerify\":true}}}}",
     "needs an https endpoint"},
    {"{\"collector\":{\"mode\":\"Shared\",\"endpoint\":\"http://c.x.svc.a.b:4317\"},"
     "\"backend\":{\"type\":\"Jaeger\"}}",
     "spec.backend: has no effect"},
    {"{\"components\":{\"epp\":{\"serviceName\":\"a b\"}}}", "may only hold letters"},
    {"{\"components\":{\"epp\":{\"serviceName\":\"-a\"}}}", "may only hold letters"},
    {"{\"components\":{\"epp\":{\"serviceName\":\"a=b\"}}}", "may only hold letters"},
    {"{\"collector\":{\"image\":\"a b\"}}", "may only hold letters"},
    {"{\"collector\":{\"image\":\"\"}}", "is empty"},
    {"{\"collector\":{\"resources\":{\"limit\":{}}}}", "there are limits and requests"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"1 Gi\"}}}}",
     "spec.collector.resources.limits.memory: must be a quantity"},
    {"{\"collector\":{\"nodeSelector\":{\"a\":true}}}",
     "spec.collector.nodeSelector.a: must be a string"},
    {"{\"collector\":{\"tolerations\":[{\"operator\":\"exists\"}]}}",
     "spec.collector.tolerations[0].operator: is not what"},
    {"{\"collector\":{\"tolerations\":[{\"keys\":\"a\"}]}}", "no such field; a toleration has"},
    {"{\"backend\":{\"jaeger\":{\"tolerations\":{}}}}", "a list of tolerations"},
    {"{\"backend\":{\"jaeger\":{\"maxTraces\":10}}}", "whole number from 100"},
    {"{\"sampling\":{\"ratoi\":\"1\"}}", "did you mean spec.sampling.ratio?"},
    {"{\"sampling\":\"1\"}", "spec.sampling: must be an object"},
    {"{\"nonsense\":{}}", "spec.nonsense: no such field"},
    {"{\"rollout\":{\"order\":\"x\"}}", "spec.rollout.order: no such field"},
    {"{\"rollout\":{\"maxConcurrent\":0}}", "spec.rollout.maxConcurrent: must be a whole number"},
    {"{\"rollout\":{\"policy\":\"never\"}}", "none of Immediate, OnNextChange"},
    {"{\"rollout\":{\"minReadyPerRole\":\"101%\"}}", "a share like"},
    {"{\"rollout\":{\"minReadyPerRole\":-1}}", "a share like"},
    {"{\"rollout\":{\"rehearse\":\"Never\"}}", "rehearse"},
    {"{\"rollout\":{\"window\":{\"days\":[\"Monday\"]}}}", "days are Mon"},
    {"{\"rollout\":{\"window\":{\"days\":\"Mon\"}}}", "a list of days"},
    {"{\"rollout\":{\"window\":{\"hours\":\"9-17\"}}}", "is no span of a day"},
    {"{\"rollout\":{\"window\":{\"timeZone\":\"Europe/Bonn\"}}}",
     "is no place whose clock is known"},
    {"{\"rollout\":{\"gitops\":\"patch\"}}", "none of LeaveAlone, Patch"},
    {"{\"rollout\":{\"pauseOnFailure\":1}}", "spec.rollout.pauseOnFailure: must be true or false"},
    {"{\"collector\":{\"mode\":\"External\"}}", "spec.collector.endpoint: is missing"},
    {"{\"collector\":{\"endpoint\":\"http://c:4317\"}}", "only for mode Shared or External"},
    {"{\"collector\":{\"mode\":\"external\"}}", "none of Auto, Deployment"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"c:4317\"}}", "no absolute URL"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c\"}}", "needs the port"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c:4318\"}}",
     "port 4318 is OTLP over HTTP"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c:4317/v1/traces\"}}",
     "takes no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c:4317;rm\"}}",
     "not safe in a shell"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://u@c:4317\"}}",
     "not safe in a shell"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://{{.x}}:4317\"}}", "\"{{\""},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c\\n:4317\"}}",
     "control character"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://c:70000\"}}", "needs the port"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://[bad:4317\"}}", "no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://[bad]:4317\"}}", "no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://-a:4317\"}}", "no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://:4317\"}}", "no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://a~b:4317\"}}", "no path"},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"HTTP://a:4317\"}}", "no absolute URL"},
    {"{\"collector\":{\"replicas\":0}}", "whole number from 1 to 50"},
    {"{\"collector\":{\"replicas\":1.5}}", "whole number from 1 to 50"},
    {"{\"backend\":{\"type\":\"OTLP\"}}", "spec.backend.otlp.endpoint: is missing"},
    {"{\"components\":{\"vllm\":{\"detailedTraces\":\"scheduler\"}}}", "makes vLLM exit"},
    {"{\"components\":{\"vllm\":{\"enabled\":\"yes\"}}}", "must be true or false"},
    {"{\"components\":{\"vllm\":{\"serviceNames\":{\"decode\":\"$(X)\"}}}}",
     "kubelet would expand"},
    {"{\"components\":{\"trtllm\":{}}}", "spec.components.trtllm: no such field"},
    {"{\"images\":[{\"match\":\"*x*\"}]}", "says neither component nor version"},
    {"{\"images\":[{\"component\":\"vllm\"}]}", "spec.images[0].match: is missing"},
    {"{\"images\":[{\"match\":\"x\",\"component\":\"tgi\"}]}", "is none of vllm"},
    {"{\"images\":[{\"match\":\"x\",\"version\":\"latest\"}]}", "not a version"},
    {"{\"images\":[{\"match\":\"x\",\"version\":\"1.0\",\"tag\":\"y\"}]}",
     "spec.images[0].tag: no such field"},
    {"{\"collector\":{\"imagePullPolicy\":\"always\"}}", "none of Always, IfNotPresent, Never"},
    {"{\"collector\":{\"imagePullSecrets\":[\"reg\"]}}", "a list of at most 32 {name: SECRET}"},
    {"{\"collector\":{\"imagePullSecrets\":[{\"name\":\"other/reg\"}]}}",
     "\"other/reg\" is no name of an object of this namespace"},
    {"{\"collector\":{\"imagePullSecrets\":[{\"name\":\"a\",\"key\":\"b\"}]}}", "{name: SECRET}"},
    {"{\"collector\":{\"priorityClassName\":\"Low\"}}",
     "spec.collector.priorityClassName: \"Low\""},
    {"{\"collector\":{\"serviceAccountName\":\"a..b\"}}", "is no name of an object"},
    {"{\"collector\":{\"serviceAccountName\":\"a.-b\"}}", "is no name of an object"},
    {"{\"collector\":{\"serviceAccountName\":\"-a\"}}", "is no name of an object"},
    {"{\"collector\":{\"affinity\":{\"nodeAfinity\":{}}}}", "there are nodeAffinity, podAffinity"},
    {"{\"collector\":{\"affinity\":[]}}", "must be an affinity"},
    {"{\"backend\":{\"jaeger\":{\"labels\":{\"app\":\"x\"}}}}",
     "spec.backend.jaeger.labels.app: this label is the operator's"},
    {"{\"collector\":{\"labels\":{\"app.kubernetes.io/name\":\"x\"}}}", "the operator's"},
    {"{\"collector\":{\"annotations\":{\"a\":1}}}", "must be a string"},
    {"{\"collector\":{\"annotations\":{\"tracing.llm-d.io/config-hash\":\"1\"}}}",
     "are the operator's"},
    {"{\"selector\":{\"pools\":\"a\"}}", "a list of InferencePool names"},
    {"{\"selector\":{\"matchLabels\":{\"a\":1}}}", "spec.selector.matchLabels.a: must be a string"},
};

TEST(refused_settings)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		cJSON *tracing = tracing_of(refused[i].spec);
		struct settings settings;
		struct error err = {.message = ""};
		if (CHECK_INT_ROW(settings_read(tracing, NULL, &settings, &err), STATUS_INVALID,
				  refused[i].spec) &&
		    !CHECK(strstr(err.message, refused[i].complaint) != NULL))
			printf("  %s\n  %s\n", refused[i].spec, err.message);
		json_freep(&tracing);
	}
}

#define TRACING "\"kind\":\"Tracing\",\"apiVersion\":\"tracing.llm-d.io/v1alpha1\""

TEST(wrong_object)
{
	static const char *const objects[] = {
	    "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\"}",
	    "{" TRACING ",\"specs\":{}}",
	    "{" TRACING ",\"spec\":[]}",
	    "{\"kind\":\"Tracing\",\"apiVersion\":\"tracing.llm-d.io/v1\"}",
	    "{" TRACING ",\"metadata\":{\"name\":\"x\"}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		cJSON *object = NULL;
		struct settings settings;
		struct error err = {.message = ""};
		CHECK_INT(json_parse(objects[i], strlen(objects[i]), &object, &err), STATUS_OK);
		CHECK_INT_ROW(settings_read(object, NULL, &settings, &err), STATUS_INVALID,
			      objects[i]);
		json_freep(&object);
	}
}

TEST(defaults)
{
	struct settings settings;
	struct error err = {.message = ""};
	CHECK_INT(settings_read(NULL, NULL, &settings, &err), STATUS_OK);
	CHECK_STR(settings.endpoint, "http://otel-collector:4317");
	CHECK_STR(settings.sampler, "parentbased_traceidratio");
	CHECK_STR(settings.ratio, "1.0");
	CHECK_STR(settings.detailed, "all");
	CHECK(settings.components[COMPONENT_EPP].enabled && !settings.injection_off);
	settings_release(&settings);
}

TEST(everything_set)
{
	cJSON *tracing = tracing_of("{\"selector\":{\"pools\":[\"a\",\"b\"],\"matchLabels\":{\"x\":"
				    "\"y\"}},\"sampling\":{\"ratio\":\"0.1\"},"
				    "\"collector\":{\"mode\":\"Deployment\",\"image\":\"i\","
				    "\"replicas\":2,\"resources\":{\"limits\":{}}},"
				    "\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"https:"
				    "//tempo:4317\",\"tls\":{\"insecureSkipVerify\":true}}},"
				    "\"components\":{\"vllm\":{\"detailedTraces\":\"none\","
				    "\"serviceNames\":{\"prefill\":\"p\"}},"
				    "\"routingProxy\":{\"enabled\":false}},\"images\":[{\"match\":"
				    "\"m/*\",\"component\":\"vllm\","
				    "\"version\":\"0.23.0\"},{\"match\":\"n\",\"component\":"
				    "\"none\"}],\"privacy\":{\"dropContent\":false}}");
	struct settings defaults;
	struct settings settings;
	struct error err = {.message = ""};
	settings_init_defaults(&defaults);
	if (CHECK_INT(settings_read(tracing, &defaults, &settings, &err), STATUS_OK)) {
		CHECK_INT(settings.pool_count, 2);
		CHECK_STR(settings.pools[1], "b");
		CHECK_STR(json_str(settings.match_labels, "x"), "y");
		CHECK_STR(settings.ratio, "0.1");
		CHECK_INT(settings.collector_mode, COLLECTOR_DEPLOYMENT);
		CHECK_INT(settings.collector_replicas, 2);
		CHECK_INT(settings.backend, BACKEND_OTLP);
		CHECK(settings.otlp_tls.skip_verify && !settings.drop_content);
		CHECK(settings.detailed == NULL);
		CHECK_STR(settings.components[COMPONENT_VLLM].service_name_prefill, "p");
		CHECK(!settings.components[COMPONENT_ROUTING_PROXY].enabled);
		CHECK_INT(settings.image_count, 2);
		CHECK_STR(settings.images[0].version, "0.23.0");
		CHECK(settings.images[1].has_component &&
		      settings.images[1].component == COMPONENT_NONE);
		settings_release(&settings);
	} else {
		printf("  %s\n", err.message);
	}
	settings_release(&defaults);
	json_freep(&tracing);
}

/* What pods are given for an endpoint elsewhere: the constant wherever a Service can stand for it. */
static const struct {
	const char *endpoint;
	const char *in_pods;
} endpoints[] = {
    {"http://collector.observability.svc.cluster.local:4317", "http://otel-collector:4317"},
    {"http://otlp.example.com:4317", "http://otel-collector:4317"},
    {"https://otlp.example.com:4317", "https://otlp.example.com:4317"},
    {"http://otlp.example.com:14317", "http://otlp.example.com:14317"},
    {"http://collector.observability:4317", "http://collector.observability:4317"},
    {"http://collector.observability.svc:4317", "http://collector.observability.svc:4317"},
    {"http://127.0.0.1:4317", "http://127.0.0.1:4317"},
    {"http://[::1]:4317", "http://[::1]:4317"},
};

TEST(endpoint_in_pods)
{
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		char spec[256];
		(void)snprintf(spec, sizeof(spec),
			       "{\"collector\":{\"mode\":\"External\",\"endpoint\":\"%s\"}}",
			       endpoints[i].endpoint);
		cJSON *tracing = tracing_of(spec);
		struct settings settings;
		struct error err = {.message = ""};
		if (CHECK_INT_ROW(settings_read(tracing, NULL, &settings, &err), STATUS_OK, spec)) {
			CHECK_STR_ROW(settings.endpoint, endpoints[i].in_pods, spec);
			settings_release(&settings);
		}
		json_freep(&tracing);
	}
}

/* The hash of what the user said about pods: same column, same hash as "{}". */
static const struct {
	const char *spec;
	bool as_empty;
} hashes[] = {
    {"{}", true},
    {"{\"sampling\":null}", true},
    {"{\"collector\":{\"image\":\"x\",\"replicas\":3}}", true},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://otlp.example.com:4317\"}}", true},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://otlp.example.com:9\"}}", false},
    {"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"http://x:4317\"}}}", true},
    {"{\"privacy\":{\"dropContent\":false}}", true},
    {"{\"sampling\":{\"ratio\":\"1.0\"}}", false},
    {"{\"components\":{\"epp\":{\"enabled\":false}}}", false},
    {"{\"images\":[]}", false},
    {"{\"sampling\":{}}", true},
    /* the collector's share, and what is for a while */
    {"{\"sampling\":{\"maxSpansPerSecond\":5}}", true},
    {"{\"sampling\":{\"boost\":{\"ratio\":\"1\",\"until\":\"2026-01-31T18:00:00Z\"}}}", true},
    {"{\"sampling\":{\"where\":\"Root\"}}", false},
    {"{\"sampling\":{\"ratio\":null}}", true},
    {"{\"components\":{\"epp\":{},\"vllm\":{\"serviceNames\":{}}}}", true},
    {"{\"selector\":{\"pools\":[\"a\"]}}", true},
    {"{\"collector\":{\"nodeSelector\":{\"a\":\"b\"}}}", true},
};

TEST(user_hash)
{
	char empty[17];
	char hash[17];
	settings_user_hash(NULL, empty);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		cJSON *tracing = tracing_of(hashes[i].spec);
		settings_user_hash(tracing, hash);
		CHECK_INT_ROW(strcmp(hash, empty) == 0, hashes[i].as_empty, hashes[i].spec);
		json_freep(&tracing);
	}
	cJSON *a = tracing_of(
	    "{\"sampling\":{\"ratio\":\"0.5\",\"sampler\":\"parentbased_traceidratio\"}}");
	cJSON *b = tracing_of(
	    "{\"sampling\":{\"sampler\":\"parentbased_traceidratio\",\"ratio\":\"0.5\"}}");
	settings_user_hash(a, empty);
	settings_user_hash(b, hash);
	CHECK_STR(hash, empty);
	json_freep(&a);
	json_freep(&b);
	a = tracing_of("{\"sampling\":{\"where\":\"Collector\",\"ratio\":\"0.5\"}}");
	b = tracing_of("{\"sampling\":{\"where\":\"Collector\"}}");
	settings_user_hash(a, empty);
	settings_user_hash(b, hash);
	CHECK_STR(hash, empty);
	json_freep(&a);
	json_freep(&b);
}

TEST(rows_of_the_user_come_before_the_defaults)
{
	struct settings defaults;
	struct settings settings;
	struct error err = {.message = ""};
	cJSON *first = tracing_of("{\"images\":[{\"match\":\"a\",\"version\":\"1.0\"}]}");
	cJSON *second = tracing_of("{\"images\":[{\"match\":\"b\",\"version\":\"2.0\"}]}");
	CHECK_INT(settings_read(first, NULL, &defaults, &err), STATUS_OK);
	CHECK_INT(settings_read(second, &defaults, &settings, &err), STATUS_OK);
	CHECK_INT(settings.image_count, 2);
	CHECK_STR(settings.images[0].match, "b");
	CHECK_STR(settings.images[1].match, "a");
	settings_release(&settings);
	settings_release(&defaults);
	json_freep(&first);
	json_freep(&second);
}

/* Switching every component off is how a Tracing takes injection back. */
TEST(all_components_off)
{
	struct settings settings;
	struct error err = {.message = ""};
	cJSON *tracing = tracing_of(
	    "{\"components\":{\"vllm\":{\"enabled\":false},\"sglang\":{\"enabled\":false},"
	    "\"epp\":{\"enabled\":false},\"routingProxy\":{\"enabled\":false}}}");
	CHECK_INT(settings_read(tracing, NULL, &settings, &err), STATUS_OK);
	CHECK(settings.injection_off);
	settings_release(&settings);
	json_freep(&tracing);
}
