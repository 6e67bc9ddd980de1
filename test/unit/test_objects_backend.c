/* SPDX-License-Identifier: Apache-2.0 */
/* Where traces go and where they are kept: storage of our Jaeger, OTLP to others, Secrets. */
#include "rendered.h"

#define COLLECTOR_CONFIG  "config otel-collector-config"
#define JAEGER_CONFIG     "config jaeger-config"
#define COLLECTOR         "Deployment/otel-collector"
#define JAEGER            "Deployment/jaeger"
#define CLAIM             "PersistentVolumeClaim/jaeger-data"
#define STORE(TYPE, MORE) "backend: {jaeger: {storage: {type: " TYPE MORE "}}}"
#define MAIN              "/extensions/jaeger_storage/backends/main"
#define POD               "/spec/template/spec"

#define SEARCH(TYPE)                                                                               \
	STORE(TYPE, ", servers: ['https://es.logs.svc:9200'], credentialsFrom: es, indexPrefix: "  \
		    "llm-d, tls: {caFrom: {name: es-ca, key: ca.crt}}")
#define CASSANDRA                                                                                  \
	STORE("Cassandra",                                                                         \
	      ", servers: ['c1.db.svc', 'c2.db.svc:9142', c3], credentialsFrom: cas, "             \
	      "keyspace: jaeger_v1, datacenter: dc1")
#define SECRET_ENV(NAME, SECRET, KEY)                                                              \
	"{\"name\":\"" NAME "\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"" SECRET               \
	"\",\"key\":\"" KEY "\"}}}"

static const struct rendered_row storages[] = {
    {"{}", JAEGER_CONFIG, MAIN, "{\"memory\":{\"max_traces\":10000}}"},
    {"{}", CLAIM, "", NULL},
    {"{}", JAEGER, "/spec/strategy", "{\"type\":\"Recreate\"}"},
    {"{}", JAEGER, POD "/volumes/2", NULL},
    {STORE("Badger", ""), JAEGER_CONFIG, MAIN "/badger",
     "{\"directories\":{\"keys\":\"/var/lib/jaeger/keys\",\"values\":\"/var/lib/jaeger/values\"},"
     "\"ephemeral\":false,\"ttl\":{\"spans\":\"72h\"}}"},
    {STORE("Badger", ", ttl: 24h"), JAEGER_CONFIG, MAIN "/badger/ttl", "{\"spans\":\"24h\"}"},
    {STORE("Badger", ""), JAEGER, "/spec/strategy", "{\"type\":\"Recreate\"}"},
    {STORE("Badger", ""), JAEGER, POD "/volumes/2",
     "{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"jaeger-data\"}}"},
    {STORE("Badger", ""), JAEGER, POD "/containers/0/volumeMounts/2",
     "{\"name\":\"data\",\"mountPath\":\"/var/lib/jaeger\"}"},
    {STORE("Badger", ""), JAEGER, POD "/securityContext/fsGroup", "10001"},
    {STORE("Badger", ""), JAEGER, POD "/securityContext/runAsUser", NULL},
    {STORE("Badger", ""), COLLECTOR, POD "/securityContext/fsGroup", NULL},
    {STORE("Badger", ", fsGroup: 0"), JAEGER, POD "/securityContext/fsGroup", NULL},
    {STORE("Badger", ", fsGroup: 7"), JAEGER, POD "/securityContext/fsGroup", "7"},
    {STORE("Badger", ""), CLAIM, "/spec",
     "{\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"10Gi\"}}}"},
    {STORE("Badger", ", size: 1Ti, storageClassName: fast"), CLAIM, "/spec",
     "{\"accessModes\":[\"ReadWriteOnce\"],\"storageClassName\":\"fast\",\"resources\":"
     "{\"requests\":{\"storage\":\"1Ti\"}}}"},
    {STORE("Badger", ""), CLAIM, "/metadata/annotations/tracing.llm-d.io~1retain", "\"true\""},
    {STORE("Badger", ", retain: false"), CLAIM, "/metadata/annotations/tracing.llm-d.io~1retain",
     "\"false\""},
    {STORE("Badger", ", existingClaim: mine"), CLAIM, "", NULL},
    {STORE("Badger", ", existingClaim: mine"), JAEGER, POD "/volumes/2/persistentVolumeClaim",
     "{\"claimName\":\"mine\"}"},
    {SEARCH("Elasticsearch"), JAEGER_CONFIG, MAIN "/elasticsearch",
     "{\"server_urls\":[\"https://es.logs.svc:9200\"],\"auth\":{\"basic\":{\"username\":"
     "\"${env:STORAGE_USERNAME}${env:NOTHING:-}\",\"password\":\"${env:STORAGE_PASSWORD}${env:"
     "NOTHING:-}\"}},\"tls\":{\"insecure\":"
     "false,\"ca_file\":\"/etc/tracing-tls/ca.crt\",\"reload_interval\":\"10m\"},\"indices\":"
     "{\"index_prefix\":\"llm-d\"}}"},
    {SEARCH("OpenSearch"), JAEGER_CONFIG, MAIN "/opensearch/indices",
     "{\"index_prefix\":\"llm-d\"}"},
    {SEARCH("OpenSearch"), JAEGER_CONFIG, MAIN "/elasticsearch", NULL},
    {SEARCH("OpenSearch"), JAEGER, "/spec/strategy/type", "\"RollingUpdate\""},
    {SEARCH("OpenSearch"), CLAIM, "", NULL},
    {SEARCH("OpenSearch"), JAEGER, POD "/containers/0/env/1",
     SECRET_ENV("STORAGE_USERNAME", "es", "username")},
    {SEARCH("OpenSearch"), JAEGER, POD "/containers/0/env/2",
     SECRET_ENV("STORAGE_PASSWORD", "es", "password")},
    {SEARCH("OpenSearch"), JAEGER, POD "/volumes/2/projected/sources",
     "[{\"secret\":{\"name\":\"es-ca\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}}]"},
    {STORE("Elasticsearch", ", servers: ['http://es:9200']"), JAEGER_CONFIG, MAIN "/elasticsearch",
     "{\"server_urls\":[\"http://es:9200\"],\"tls\":{\"insecure\":true},\"indices\":{}}"},
    {CASSANDRA, JAEGER_CONFIG, MAIN "/cassandra/schema",
     "{\"keyspace\":\"jaeger_v1\",\"datacenter\":\"dc1\",\"create\":true}"},
    {CASSANDRA, JAEGER_CONFIG, MAIN "/cassandra/connection/servers",
     "[\"c1.db.svc\",\"c2.db.svc:9142\",\"c3:9042\"]"},
    {CASSANDRA, JAEGER_CONFIG, MAIN "/cassandra/connection/tls", "{\"insecure\":true}"},
    {CASSANDRA, JAEGER_CONFIG, MAIN "/cassandra/connection/auth/basic/username",
     "\"${env:STORAGE_USERNAME}${env:NOTHING:-}\""},
    {CASSANDRA, COLLECTOR_CONFIG, "/exporters/otlp~1backend/endpoint", "\"jaeger-collector:4317\""},
};

TEST(storage_of_jaeger)
{
	check_rows(storages, ARRAY_LEN(storages));
}

#define TO(ENDPOINT, MORE) "backend: {type: OTLP, otlp: {endpoint: '" ENDPOINT "'" MORE "}}"
#define VENDOR                                                                                     \
	TO("https://otlp.example.com:443",                                                         \
	   ", tenant: team-a, headersFrom: [{header: Authorization, name: vendor, key: token}, "   \
	   "{header: X-Key, name: vendor, key: key}], tls: {caFrom: {name: ca, key: ca.pem}, "     \
	   "certFrom: {name: me, key: tls.crt}, keyFrom: {name: me, key: tls.key}}")
#define GRPC  "/exporters/otlp~1backend"
#define HTTP  "/exporters/otlphttp~1backend"
#define PLAIN TO("http://tempo:4318/otlp", ", protocol: http, tenant: a|b")

static const struct rendered_row sendings[] = {
    {VENDOR, COLLECTOR_CONFIG, GRPC "/headers",
     "{\"X-Scope-OrgID\":\"team-a\",\"Authorization\":\"${env:OTLP_HEADER_0}${env:NOTHING:-}\",\"X-"
     "Key\":"
     "\"${env:OTLP_HEADER_1}${env:NOTHING:-}\"}"},
    {VENDOR, COLLECTOR_CONFIG, GRPC "/tls",
     "{\"insecure\":false,\"ca_file\":\"/etc/tracing-tls/ca.crt\",\"cert_file\":"
     "\"/etc/tracing-tls/tls.crt\",\"key_file\":\"/etc/tracing-tls/tls.key\","
     "\"reload_interval\":\"10m\"}"},
    {VENDOR, COLLECTOR_CONFIG, GRPC "/endpoint", "\"otlp.example.com:443\""},
    {VENDOR, COLLECTOR_CONFIG, HTTP, NULL},
    {VENDOR, COLLECTOR, POD "/containers/0/env/1", SECRET_ENV("OTLP_HEADER_0", "vendor", "token")},
    {VENDOR, COLLECTOR, POD "/containers/0/env/2", SECRET_ENV("OTLP_HEADER_1", "vendor", "key")},
    {VENDOR, COLLECTOR, POD "/volumes/1/name", "\"tls\""},
    {VENDOR, COLLECTOR, POD "/containers/0/volumeMounts/1",
     "{\"name\":\"tls\",\"mountPath\":\"/etc/tracing-tls\",\"readOnly\":true}"},
    {VENDOR, "OpenTelemetryCollector/otel", "/spec/env/1",
     SECRET_ENV("OTLP_HEADER_0", "vendor", "token")},
    {VENDOR, "OpenTelemetryCollector/otel", "/spec/volumes/0/projected/sources/0/secret/name",
     "\"ca\""},
    {VENDOR, "OpenTelemetryCollector/otel", "/spec/volumeMounts/0/mountPath",
     "\"/etc/tracing-tls\""},
    {"{}", "OpenTelemetryCollector/otel", "/spec/volumes", NULL},
    {PLAIN, COLLECTOR_CONFIG, HTTP "/endpoint", "\"http://tempo:4318/otlp\""},
    {PLAIN, COLLECTOR_CONFIG, HTTP "/headers", "{\"X-Scope-OrgID\":\"a|b\"}"},
    {PLAIN, COLLECTOR_CONFIG, HTTP "/tls", "{\"insecure\":true}"},
    {PLAIN, COLLECTOR_CONFIG, GRPC, NULL},
    {PLAIN, COLLECTOR_CONFIG, "/service/pipelines/traces/exporters/0", "\"otlphttp/backend\""},
    {TO("https://t.example.com:4317", ", tls: {insecureSkipVerify: true}"), COLLECTOR_CONFIG,
     GRPC "/tls", "{\"insecure\":false,\"insecure_skip_verify\":true}"},
};

TEST(sending_to_others)
{
	check_rows(sendings, ARRAY_LEN(sendings));
}

/* No Secret's value can get into an object: only names of Secrets are known. */
TEST(secrets_that_a_tracing_names)
{
	static const char spec[] =
	    "{collector: {imagePullSecrets: [{name: a}, {name: b}]}, backend: {type: OTLP, jaeger: "
	    "{imagePullSecrets: [{name: c}], storage: {type: Cassandra, credentialsFrom: d, tls: "
	    "{caFrom: {name: e, key: k}}}}, otlp: {headersFrom: [{header: H, name: f, key: k}], "
	    "tls: {certFrom: {name: g, key: k}, keyFrom: {name: h, key: k}}}}}";
	static const char *const want[] = {
	    "a spec.collector.imagePullSecrets[0]",
	    "b spec.collector.imagePullSecrets[1]",
	    "c spec.backend.jaeger.imagePullSecrets[0]",
	    "d spec.backend.jaeger.storage.credentialsFrom",
	    "e spec.backend.jaeger.storage.tls.caFrom",
	    "f spec.backend.otlp.headersFrom[0]",
	    "g spec.backend.otlp.tls.certFrom",
	    "h spec.backend.otlp.tls.keyFrom",
	};
	struct error err = {.message = ""};
	struct secret_use uses[SECRET_USES_MAX];
	cJSON *tracing = cJSON_CreateObject();
	cJSON *tree = NULL;
	CHECK_INT(yaml_read(spec, strlen(spec), &tree, &err), STATUS_OK);
	json_set(tracing, "spec", tree);
	CHECK_INT(settings_secrets(tracing, uses), ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char got[160];
		(void)snprintf(got, sizeof(got), "%s %s", uses[i].name, uses[i].path);
		CHECK_STR(got, want[i]);
	}
	json_freep(&tracing);
	CHECK_INT(settings_secrets(NULL, uses), 0);
}
