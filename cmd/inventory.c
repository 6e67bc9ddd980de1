/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inventory.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static void ignore_change(void *context, const struct object *before, const struct object *after)
{
	(void)context;
	(void)before;
	(void)after;
}

struct filling {
	struct store *store;
	enum resource_id resource;
};

static void put_item(void *context, const char *json, size_t len)
{
	const struct filling *filling = context;
	(void)store_put(filling->store, filling->resource, json, len, false);
}

static bool is_listed(const struct resource *resource, enum inventory_scope scope)
{
	unsigned wanted = RESOURCE_WORKLOAD | RESOURCE_OWNED | RESOURCE_ALWAYS_KEPT;
	return (resource->flags & (RESOURCE_ON_DEMAND | RESOURCE_FOR_OTHERS)) == 0 &&
	       (scope == INVENTORY_ALL || (resource->flags & wanted) != 0);
}

/* What is only ours when it carries our label need not be listed whole. */
static const char *query_of(const struct resource *resource, enum inventory_scope scope,
			    char **ret_query)
{
	const char *selector = resource->label_selector;
	if (selector == NULL && scope == INVENTORY_OURS &&
	    (resource->flags & (RESOURCE_WORKLOAD | RESOURCE_ALWAYS_KEPT)) == 0)
		selector = LABEL_MANAGED_BY "=" MANAGED_BY;
	if (selector == NULL)
		return NULL;
	struct buffer query;
	buffer_init(&query, KIB(4));
	buffer_add_str(&query, "labelSelector=");
	path_add_escaped(&query, selector);
	*ret_query = buffer_detach(&query);
	return *ret_query;
}

static enum status read_namespace(struct online *online, const char *name,
				  struct inventory *inventory, struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "namespaces", NULL, name, NULL);
	struct request_spec spec = {.method = "GET", .path = path.data};
	enum status status = online_request(online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	if (answer.status == STATUS_OK)
		(void)store_put(inventory->store, RESOURCE_NAMESPACE, answer.body.data,
				answer.body.len, false);
	else
		*err = answer.error;
	return answer.status;
}

static enum status read_kind(struct online *online, const char *namespace_name,
			     enum inventory_scope scope, enum resource_id id,
			     struct inventory *inventory, struct error *err)
{
	const struct resource *resource = resource_get(id);
	if (id == RESOURCE_NAMESPACE && namespace_name != NULL)
		return read_namespace(online, namespace_name, inventory, err);
	struct filling filling = {.store = inventory->store, .resource = id};
	struct buffer path CLEANUP(buffer_release) = {0};
	char *text CLEANUP(str_freep) = NULL;
	const char *query = query_of(resource, scope, &text);
	buffer_init(&path, KIB(4));
	path_build(&path, resource->api_version, resource->plural, namespace_name, NULL, NULL);
	return online_list(online, path.data, query, put_item, &filling, err);
}

static enum status read_all(struct online *online, const char *namespace_name,
			    enum inventory_scope scope, struct inventory *inventory,
			    struct error *err)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		enum resource_id id = (enum resource_id)i;
		if (!is_listed(resource_get(id), scope))
			continue;
		enum status status = read_kind(online, namespace_name, scope, id, inventory, err);
		bool absent = status == STATUS_NOT_FOUND && id != RESOURCE_NAMESPACE;
		if (status == STATUS_DENIED && inventory->denied.status == STATUS_OK)
			inventory->denied = *err;
		if (status == STATUS_OK)
			inventory->access[i] = ACCESS_READABLE;
		else if (status == STATUS_DENIED)
			inventory->access[i] = ACCESS_DENIED;
		else if (absent)
			inventory->access[i] = ACCESS_ABSENT;
		else
			return status;
	}
	return STATUS_OK;
}

enum status inventory_read(struct online *online, const char *namespace_name,
			   enum inventory_scope scope, struct inventory *ret_inventory,
			   struct error *err)
{
	struct inventory inventory = {.store = store_new(ignore_change, NULL),
				      .configs = base_configs_new()};
	if (scope == INVENTORY_ALL && namespace_name != NULL)
		store_keep(inventory.store, namespace_name);
	enum status status = read_all(online, namespace_name, scope, &inventory, err);
	if (status != STATUS_OK) {
		inventory_release(&inventory);
		return status;
	}
	*ret_inventory = inventory;
	return STATUS_OK;
}

void inventory_release(struct inventory *inventory)
{
	if (inventory->store != NULL)
		store_freep(&inventory->store);
	base_configs_freep(&inventory->configs);
	*inventory = (struct inventory){.store = NULL};
}
