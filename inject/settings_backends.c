/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of spec.backend together must make true; crds/tracing.yaml says the same. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "inject/settings_fields.h"

#define STORAGE   "backend.jaeger.storage"
#define BIT(TYPE) (1U << (unsigned)(TYPE))
#define SEARCH    (BIT(STORAGE_ELASTICSEARCH) | BIT(STORAGE_OPENSEARCH))
#define SERVERS   (SEARCH | BIT(STORAGE_CASSANDRA))

/* Fields of the storage that only some types have. */
static const struct {
	const char *name;
	unsigned types;
	const char *words;
} storage_fields[] = {
    {"retain", BIT(STORAGE_BADGER), "Badger"},
    {"size", BIT(STORAGE_BADGER), "Badger"},
    {"storageClassName", BIT(STORAGE_BADGER), "Badger"},
    {"existingClaim", BIT(STORAGE_BADGER), "Badger"},
    {"ttl", BIT(STORAGE_BADGER), "Badger"},
    {"fsGroup", BIT(STORAGE_BADGER), "Badger"},
    {"servers", SERVERS, "Elasticsearch, OpenSearch or Cassandra"},
    {"credentialsFrom", SERVERS, "Elasticsearch, OpenSearch or Cassandra"},
    {"tls", SERVERS, "Elasticsearch, OpenSearch or Cassandra"},
    {"indexPrefix", SEARCH, "Elasticsearch or OpenSearch"},
    {"keyspace", BIT(STORAGE_CASSANDRA), "Cassandra"},
    {"datacenter", BIT(STORAGE_CASSANDRA), "Cassandra"},
};

static bool is_there(const cJSON *node)
{
	return node != NULL && !cJSON_IsNull(node);
}

/* A client's certificate is one with its key. */
static enum status check_pair(const cJSON *tls, const char *path, struct error *err)
{
	if (is_there(json_member(tls, "certFrom")) == is_there(json_member(tls, "keyFrom")))
		return STATUS_OK;
	return error_set(err, STATUS_INVALID, "spec.%s: certFrom and keyFrom go together", path);
}

static enum status check_servers(const struct settings *settings, struct error *err)
{
	static const char path[] = "spec." STORAGE ".servers";
	const struct storage_settings *storage = &settings->storage;
	if (!is_there(storage->servers))
		return error_set(err, STATUS_INVALID,
				 "%s: is missing; this type needs to know where it is", path);
	for (const cJSON *item = storage->servers->child; item != NULL; item = item->next) {
		bool cassandra = storage->type == STORAGE_CASSANDRA;
		enum status status = cassandra ? settings_check_host(item->valuestring, path, err)
					       : settings_check_url(item->valuestring, path, err);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status check_storage(const struct settings *settings, const cJSON *spec,
				 struct error *err)
{
	const cJSON *storage = json_get(spec, STORAGE);
	const char *type = json_str(storage, "type");
	unsigned bit = type == NULL ? 0 : BIT(settings->storage.type);
	for (size_t i = 0; i < ARRAY_LEN(storage_fields); i++)
		if (is_there(json_member(storage, storage_fields[i].name)) &&
		    (storage_fields[i].types & bit) == 0)
			return error_set(err, STATUS_INVALID,
					 "spec." STORAGE ".%s: goes with type %s, which has to be "
					 "said there too",
					 storage_fields[i].name, storage_fields[i].words);
	if (is_there(json_member(storage, "existingClaim")) &&
	    (is_there(json_member(storage, "size")) ||
	     is_there(json_member(storage, "storageClassName"))))
		return error_set(err, STATUS_INVALID,
				 "spec." STORAGE ".existingClaim: goes without size and "
				 "storageClassName; that claim has its own");
	if (is_there(json_get(spec, "backend.jaeger.maxTraces")) &&
	    settings->storage.type != STORAGE_MEMORY)
		return error_set(err, STATUS_INVALID,
				 "spec.backend.jaeger.maxTraces: goes with storage of type Memory");
	if ((BIT(settings->storage.type) & SERVERS) != 0 &&
	    check_servers(settings, err) != STATUS_OK)
		return STATUS_INVALID;
	return check_pair(json_member(storage, "tls"), STORAGE ".tls", err);
}

/* TLS of a plaintext endpoint, and a tenant that is said twice. */
static enum status check_otlp_parts(const struct settings *settings, const cJSON *spec,
				    struct error *err)
{
	static const char *const certificates[] = {"caFrom", "certFrom", "keyFrom"};
	const cJSON *tls = json_get(spec, "backend.otlp.tls");
	bool https = text_has_prefix(settings->otlp_endpoint, "https://");
	if (!https && json_bool(tls, "insecureSkipVerify", false))
		return error_set(
		    err, STATUS_INVALID,
		    "spec.backend.otlp.tls.insecureSkipVerify: needs an https endpoint; "
		    "http has no certificate");
	for (size_t i = 0; i < ARRAY_LEN(certificates); i++)
		if (!https && is_there(json_member(tls, certificates[i])))
			return error_set(err, STATUS_INVALID,
					 "spec.backend.otlp.tls.%s: needs an https endpoint; http "
					 "has no certificate",
					 certificates[i]);
	const cJSON *headers = settings->otlp_headers;
	for (const cJSON *h = headers == NULL ? NULL : headers->child; h != NULL; h = h->next)
		if (settings->otlp_tenant != NULL &&
		    strcasecmp(json_str(h, "header"), "X-Scope-OrgID") == 0)
			return error_set(err, STATUS_INVALID,
					 "spec.backend.otlp.tenant: is the header X-Scope-OrgID, "
					 "which headersFrom has too");
	const cJSON *query = json_get(spec, "backend.otlp.query");
	if (cJSON_IsObject(query) &&
	    (json_str(query, "type") == NULL || json_str(query, "endpoint") == NULL))
		return error_set(err, STATUS_INVALID,
				 "spec.backend.otlp.query: needs type (Jaeger or Tempo) and "
				 "endpoint, like http://tempo.monitoring.svc:3200");
	return check_pair(tls, "backend.otlp.tls", err);
}

enum status settings_check_backends(const struct settings *settings, const cJSON *spec,
				    struct error *err)
{
	bool otlp = settings->backend == BACKEND_OTLP;
	const cJSON *tail = json_get(spec, "collector.tailSampling");
	if (cJSON_IsObject(tail) && json_str(tail, "ratio") == NULL)
		return error_set(err, STATUS_INVALID,
				 "spec.collector.tailSampling.ratio: is missing; say which share "
				 "of the other traces is kept, like \"0.1\"");
	enum status status = check_storage(settings, spec, err);
	if (status != STATUS_OK)
		return status;
	if (otlp && settings->otlp_endpoint == NULL)
		return error_set(err, STATUS_INVALID,
				 "spec.backend.otlp.endpoint: is missing; type OTLP needs to know "
				 "where to send");
	if (!otlp && cJSON_IsObject(json_get(spec, "backend.otlp")) &&
	    json_str(spec, "backend.type") == NULL)
		return error_set(
		    err, STATUS_INVALID,
		    "spec.backend.otlp: has no effect without spec.backend.type: OTLP");
	if (settings->otlp_endpoint == NULL)
		return STATUS_OK;
	if (settings->otlp_protocol == OTLP_GRPC &&
	    settings_check_endpoint(settings->otlp_endpoint, "spec.backend.otlp.endpoint", err) !=
		STATUS_OK)
		return STATUS_INVALID;
	return check_otlp_parts(settings, spec, err);
}
