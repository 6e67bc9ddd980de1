/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals of spec.backend; test/integration/test_tracing_crd.py gives the same specs to the API server. */
#include "rendered.h"

#define STORE(WORDS)       "backend: {jaeger: {storage: {" WORDS "}}}"
#define TO(ENDPOINT, MORE) "backend: {type: OTLP, otlp: {endpoint: '" ENDPOINT "'" MORE "}}"

static const struct {
	const char *spec;
	const char *complaint;
} refused[] = {
    {STORE("type: Postgres"), "none of Memory, Badger, Elasticsearch, OpenSearch, Cassandra"},
    {STORE("size: 1Gi"), "spec.backend.jaeger.storage.size: goes with type Badger"},
    {STORE("type: Memory, retain: true"), "storage.retain: goes with type Badger"},
    {STORE("type: Badger, size: 1 GB"), "\"1 GB\" is no size like \"10Gi\""},
    {STORE("type: Badger, size: '0'"), "is no size"},
    {STORE("type: Badger, ttl: 3d"), "is no time like \"72h\""},
    {STORE("type: Badger, ttl: 0h"), "is no time"},
    {STORE("type: Badger, existingClaim: a, size: 1Gi"), "existingClaim: goes without size"},
    {STORE("type: Badger, existingClaim: other/claim"), "is no name of an object"},
    {STORE("type: Badger, fsGroup: -1"), "whole number from 0"},
    {STORE("type: Badger, servers: ['http://a:1']"), "servers: goes with type Elasticsearch"},
    {STORE("type: Elasticsearch"), "storage.servers: is missing"},
    {STORE("type: Elasticsearch, servers: []"), "a list of 1 to 16 servers"},
    {STORE("type: Elasticsearch, servers: ['es:9200']"), "\"es:9200\" is no absolute URL"},
    {STORE("type: Elasticsearch, servers: ['http://es:99999']"), "is no absolute URL"},
    {STORE("type: Elasticsearch, servers: ['http://e$s:9200']"), "is no absolute URL"},
    {STORE("type: Elasticsearch, servers: ['http://u:p@es:9200']"), "is no absolute URL"},
    {STORE("type: OpenSearch, servers: ['http://es:9200'], keyspace: k"),
     "goes with type Cassandra"},
    {STORE("type: Cassandra, servers: ['http://c:9042']"), "is no host like"},
    {STORE("type: Cassandra, servers: [c], indexPrefix: x"), "goes with type Elasticsearch or"},
    {STORE("type: Cassandra, servers: [c], keyspace: 'a;b'"), "may only hold letters"},
    {STORE("type: Cassandra, servers: [c], credentialsFrom: other/secret"),
     "is no name of an object"},
    {STORE("type: Cassandra, servers: [c], tls: {caFrom: s}"), "must be {name: SECRET, key: KEY}"},
    {STORE("type: Cassandra, servers: [c], tls: {caFrom: {name: s}}"), "{name: SECRET, key: KEY}"},
    {STORE("type: Cassandra, servers: [c], tls: {caFrom: {name: s, key: ../x}}"),
     "no key of a Secret"},
    {STORE("type: Cassandra, servers: [c], tls: {certFrom: {name: s, key: x}}"),
     "spec.backend.jaeger.storage.tls: certFrom and keyFrom go together"},
    {"backend: {jaeger: {maxTraces: 500, storage: {type: Badger}}}",
     "goes with storage of type Memory"},
    {TO("https://t:443", ", protocol: http/protobuf"), "none of grpc, http"},
    {TO("http://t:4317", ", query: {endpoint: 'http://t:3200'}"), "query: needs type"},
    {TO("http://t:4317", ", query: {type: Tempo}"), "query: needs type"},
    {TO("http://t:4317", ", query: {type: Zipkin, endpoint: 'http://t:3200'}"),
     "none of Jaeger, Tempo"},
    {TO("http://t:4317", ", query: {type: Tempo, endpoint: 't:3200'}"), "is no absolute URL"},
    {TO("http://t:4317", ", query: {type: Tempo, endpoint: 'http://t/tempo'}"), "says no port"},
    {TO("http://t:4318", ""), "port 4318 is OTLP over HTTP"},
    {TO("https://t/otlp", ""), "needs the port"},
    {TO("t:4318", ", protocol: http"), "is no absolute URL"},
    {TO("https://t/a b", ", protocol: http"), "is no absolute URL"},
    {TO("https://t:443", ", tenant: 'a b'"), "may only hold letters"},
    {TO("https://t:443", ", tenant: '${env:X}'"), "may only hold letters"},
    {TO("https://t:443", ", headersFrom: {Authorization: x}"), "a list of at most 16"},
    {TO("https://t:443", ", headersFrom: [{header: A, value: secret}]"), "must be {header: NAME"},
    {TO("https://t:443", ", headersFrom: [{header: 'A:b', name: s, key: k}]"),
     "spec.backend.otlp.headersFrom[0].header: \"A:b\" is no header's name"},
    {TO("https://t:443",
	", headersFrom: [{header: A, name: s, key: k}, {header: a, name: s, key: l}]"),
     "spec.backend.otlp.headersFrom[1].header: a is there twice"},
    {TO("https://t:443", ", tenant: x, headersFrom: [{header: x-scope-orgid, name: s, key: k}]"),
     "which headersFrom has too"},
    {TO("http://t:4317", ", tls: {caFrom: {name: s, key: k}}"),
     "tls.caFrom: needs an https endpoint"},
    {TO("https://t:443", ", tls: {keyFrom: {name: s, key: k}}"),
     "certFrom and keyFrom go together"},
};

static const struct {
	const char *spec;
	const char *complaint;
} others[] = {
    {"collector: {tailSampling: {errors: true}}", "spec.collector.tailSampling.ratio: is missing"},
    {"collector: {tailSampling: {ratio: '2'}}", "is more than 1"},
    {"collector: {tailSampling: {ratio: '1', slowerThan: 2h}}", "is no time up to an hour"},
    {"collector: {tailSampling: {ratio: '1', wait: 61m}}", "is no time up to an hour"},
    {"collector: {tailSampling: {ratio: '1', wait: '0s'}}", "is no time up to an hour"},
    {"identity: {cluster: 'a b'}", "may only hold letters"},
    {"identity: {serviceNameSuffix: '\"x'}", "may only hold letters"},
    {"identity: {name: x}", "spec.identity.name: no such field"},
};

static void check_refused(const char *spec, const char *complaint)
{
	struct settings settings;
	struct error err = {.message = ""};
	if (CHECK_INT_ROW(read_spec(spec, &settings, &err), STATUS_INVALID, spec) &&
	    !CHECK(strstr(err.message, complaint) != NULL))
		printf("  %s\n  %s\n", spec, err.message);
}

TEST(refused_settings_of_the_collector)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		check_refused(others[i].spec, others[i].complaint);
}

TEST(refused_backends)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		check_refused(refused[i].spec, refused[i].complaint);
}
