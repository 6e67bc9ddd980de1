/* SPDX-License-Identifier: Apache-2.0 */
/* Jaeger and where it keeps traces. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/objects_render.h"
#include "inject/objects_template.h"

#define DATA_FOLDER    "/var/lib/jaeger"
#define CASSANDRA_PORT ":9042"

static const struct part jaeger = {"jaeger", "backend", "jaegerResources", "jaeger-config.yaml"};

static const struct {
	const char *key;  /* in Jaeger's configuration */
	const char *file; /* what stands below it */
} storages[] = {
    [STORAGE_MEMORY] = {"memory", "jaeger-storage-memory.yaml"},
    [STORAGE_BADGER] = {"badger", "jaeger-storage-badger.yaml"},
    [STORAGE_ELASTICSEARCH] = {"elasticsearch", "jaeger-storage-search.yaml"},
    [STORAGE_OPENSEARCH] = {"opensearch", "jaeger-storage-search.yaml"},
    [STORAGE_CASSANDRA] = {"cassandra", "jaeger-storage-cassandra.yaml"},
};

static void set_credentials(struct rendering *r, const struct storage_settings *storage)
{
	rendering_set_tree(r, "STORAGE_AUTH", NULL);
	if (storage->credentials == NULL || storage->type < STORAGE_ELASTICSEARCH)
		return;
	cJSON *basic = json_set_object(json_set_object(r->values, "STORAGE_AUTH"), "basic");
	rendering_set_secret(r, basic, "username", "STORAGE_USERNAME", storage->credentials,
			     "username");
	rendering_set_secret(r, basic, "password", "STORAGE_PASSWORD", storage->credentials,
			     "password");
}

static bool is_encrypted(const struct storage_settings *storage)
{
	const struct tls_settings *tls = &storage->tls;
	const cJSON *servers = storage->servers;
	bool https = false;
	for (const cJSON *s = servers == NULL ? NULL : servers->child; s != NULL; s = s->next)
		https |= text_has_prefix(s->valuestring, "https://");
	/* Cassandra's hosts do not say it; certificates or skipping them do. */
	return https || tls->ca != NULL || tls->cert != NULL || tls->skip_verify;
}

static void set_connection(struct rendering *r, const struct storage_settings *storage)
{
	cJSON *tls = json_set_object(r->values, "STORAGE_TLS");
	if (storage->type < STORAGE_ELASTICSEARCH)
		return;
	json_set_bool(tls, "insecure", !is_encrypted(storage));
	if (is_encrypted(storage))
		rendering_add_tls(r, &storage->tls, tls);
}

/* The volume with Badger's files: the user's claim, or one of ours. */
static void add_data(struct rendering *r, const struct storage_settings *storage)
{
	cJSON *volume = cJSON_CreateObject();
	json_set_str(volume, "name", "data");
	cJSON *claim = json_set_object(volume, "persistentVolumeClaim");
	json_set_str(claim, "claimName",
		     storage->existing_claim != NULL ? storage->existing_claim : JAEGER_CLAIM);
	rendering_add_volume(r, volume, DATA_FOLDER, false);
	if (storage->fs_group == 0)
		return;
	cJSON *security = json_member_mut(r->values, "POD_SECURITY");
	json_set_int(security, "fsGroup", storage->fs_group);
	json_set_str(security, "fsGroupChangePolicy", "OnRootMismatch");
}

/* One writer at a time where the traces are its own; otherwise the next one comes before the last one goes. */
static void set_strategy(struct rendering *r, const struct storage_settings *storage)
{
	bool shared = storage->type >= STORAGE_ELASTICSEARCH;
	cJSON *strategy = json_set_object(r->values, "STRATEGY");
	json_set_str(strategy, "type", shared ? "RollingUpdate" : "Recreate");
	if (!shared)
		return;
	cJSON *rolling = json_set_object(strategy, "rollingUpdate");
	json_set_int(rolling, "maxUnavailable", 0);
	json_set_int(rolling, "maxSurge", 1);
}

/* Jaeger's check takes a bare name for no host unless a port follows. */
static void set_servers(struct rendering *r, const struct storage_settings *storage)
{
	const cJSON *servers = storage->servers;
	cJSON *list = json_set_array(r->values, "SERVERS");
	for (const cJSON *s = servers == NULL ? NULL : servers->child; s != NULL; s = s->next) {
		bool bare = strpbrk(s->valuestring, ".:") == NULL;
		char *host CLEANUP(str_freep) =
		    xasprintf("%s%s", s->valuestring, bare ? CASSANDRA_PORT : "");
		json_append(list, cJSON_CreateString(host));
	}
}

static enum status set_storage(struct rendering *r, const struct settings *settings,
			       struct error *err)
{
	const struct storage_settings *storage = &settings->storage;
	cJSON *backend = NULL;
	json_set_int(r->values, "MAX_TRACES", settings->jaeger_max_traces);
	rendering_set_text(r, "TTL", storage->ttl);
	set_servers(r, storage);
	rendering_set_text(r, "INDEX_PREFIX", storage->index_prefix);
	rendering_set_text(r, "KEYSPACE", storage->keyspace);
	rendering_set_text(r, "DATACENTER", storage->datacenter);
	set_strategy(r, storage);
	set_credentials(r, storage);
	set_connection(r, storage);
	if (storage->type == STORAGE_BADGER)
		add_data(r, storage);
	enum status status =
	    template_render(storages[storage->type].file, r->values, &backend, err);
	if (status == STATUS_OK)
		json_set(json_set_object(r->values, "STORAGE"), storages[storage->type].key,
			 backend);
	return status;
}

static enum status add_claim(struct rendering *r, const struct storage_settings *storage,
			     struct error *err)
{
	static const char *const files[] = {"jaeger-claim.yaml", NULL};
	if (storage->type != STORAGE_BADGER || storage->existing_claim != NULL)
		return STATUS_OK;
	rendering_set_text(r, "SIZE", storage->size);
	rendering_set_text(r, "STORAGE_CLASS", storage->storage_class);
	rendering_set_text(r, "RETAIN", storage->retain ? "true" : "false");
	return rendering_add(r, files, err);
}

enum status jaeger_render(struct rendering *r, struct error *err)
{
	static const char *const files[] = {"jaeger-configmap.yaml", "jaeger-service.yaml",
					    "jaeger-networkpolicy.yaml", "jaeger-deployment.yaml",
					    NULL};
	const struct settings *settings = r->input->settings;
	cJSON *config = NULL;
	rendering_begin(r, &jaeger);
	rendering_set_pod(r, settings->jaeger_image, &settings->jaeger_pod);
	cJSON *selector = json_set_object(r->values, "POD_SELECTOR");
	json_set_str(selector, "app", jaeger.app);
	json_set_str(selector, LABEL_MANAGED_BY, MANAGED_BY);
	enum status status = set_storage(r, settings, err);
	if (status == STATUS_OK)
		status = template_render(jaeger.config, r->values, &config, err);
	if (status == STATUS_OK)
		status = rendering_set_config(r, config, false, err);
	if (status == STATUS_OK)
		status = add_claim(r, &settings->storage, err);
	return status == STATUS_OK ? rendering_add(r, files, err) : status;
}
