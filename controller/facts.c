/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/workload_walk.h"

struct known {
	char *namespace_name;
	char *name;
	char *json; /* NULL: there is none */
	size_t len;
};

struct base_configs {
	struct known *items;
	size_t count;
};

struct base_configs *base_configs_new(void)
{
	return xcalloc(1, sizeof(struct base_configs));
}

static void known_release(struct known *known)
{
	free(known->namespace_name);
	free(known->name);
	free(known->json);
}

void base_configs_freep(struct base_configs **configs)
{
	if (*configs == NULL)
		return;
	for (size_t i = 0; i < (*configs)->count; i++)
		known_release(&(*configs)->items[i]);
	free((*configs)->items);
	free(*configs);
	*configs = NULL;
}

static struct known *find_known(const struct base_configs *configs, const char *namespace_name,
				const char *name)
{
	for (size_t i = 0; i < configs->count; i++)
		if (strcmp(configs->items[i].name, name) == 0 &&
		    strcmp(configs->items[i].namespace_name, namespace_name) == 0)
			return &configs->items[i];
	return NULL;
}

void base_configs_put(struct base_configs *configs, const char *namespace_name, const char *name,
		      const char *json, size_t len)
{
	struct known *known = find_known(configs, namespace_name, name);
	if (known == NULL) {
		configs->items = grow(configs->items, configs->count, sizeof(*configs->items));
		known = &configs->items[configs->count++];
		*known = (struct known){.namespace_name = xstrdup(namespace_name),
					.name = xstrdup(name)};
	}
	free(known->json);
	known->json = json == NULL ? NULL : xstrndup(json, len);
	known->len = len;
}

void base_configs_drop(struct base_configs *configs, const char *namespace_name)
{
	for (size_t i = configs->count; i-- > 0;) {
		if (strcmp(configs->items[i].namespace_name, namespace_name) != 0)
			continue;
		known_release(&configs->items[i]);
		configs->items[i] = configs->items[--configs->count];
	}
}

/* A tree that lives as long as the surroundings; NULL when the text is none. */
static const cJSON *keep_tree(struct gathered *gathered, cJSON *tree)
{
	if (tree != NULL)
		(void)cJSON_AddItemToArray(gathered->around, tree);
	return tree;
}

static void add_all(struct gathered *gathered, const struct store *store, enum resource_id resource,
		    const char *namespace_name)
{
	size_t count = 0;
	struct object *const *items = store_range(store, resource, namespace_name, &count);
	for (size_t i = 0; i < count; i++) {
		const cJSON *tree = keep_tree(gathered, object_parse(items[i]));
		if (tree != NULL)
			surroundings_add(gathered->surroundings, tree);
	}
}

/* Only Services that a pool names as its picker matter: a namespace may have thousands. */
static void add_picker(struct gathered *gathered, const struct store *store, const cJSON *pool)
{
	const char *name = json_str(pool, "spec.endpointPickerRef.name");
	if (name == NULL)
		name = json_str(pool, "spec.extensionRef.name");
	const struct object *service =
	    name == NULL
		? NULL
		: store_get(store, RESOURCE_SERVICE, json_str(pool, "metadata.namespace"), name);
	const cJSON *tree = service == NULL ? NULL : keep_tree(gathered, object_parse(service));
	if (tree != NULL)
		surroundings_add(gathered->surroundings, tree);
}

static void add_pools(struct gathered *gathered, const struct store *store,
		      enum resource_id resource, const char *namespace_name)
{
	size_t count = 0;
	struct object *const *items = store_range(store, resource, namespace_name, &count);
	for (size_t i = 0; i < count; i++) {
		const cJSON *tree = keep_tree(gathered, object_parse(items[i]));
		if (tree == NULL)
			continue;
		surroundings_add(gathered->surroundings, tree);
		add_picker(gathered, store, tree);
	}
}

/* The Deployments that a ModelService's controller has rendered. */
static void add_children(struct gathered *gathered, const struct store *store,
			 const char *namespace_name)
{
	static const char mark[] = "\"ModelService\"";
	size_t count = 0;
	struct object *const *items =
	    store_range(store, RESOURCE_DEPLOYMENT, namespace_name, &count);
	for (size_t i = 0; i < count; i++) {
		if (memmem(items[i]->json, items[i]->json_len, mark, strlen(mark)) == NULL)
			continue;
		const cJSON *tree = keep_tree(gathered, object_parse(items[i]));
		if (tree != NULL)
			surroundings_add(gathered->surroundings, tree);
	}
}

static void add_base(struct gathered *gathered, const struct base_configs *configs,
		     const char *namespace_name, const char *name, struct intents *reads)
{
	const struct known *known = find_known(configs, namespace_name, name);
	if (known == NULL) {
		(void)intents_add(reads, INTENT_READ, RESOURCE_CONFIGMAP, namespace_name, name);
		return;
	}
	cJSON *tree = NULL;
	struct error err;
	if (known->json != NULL && json_parse(known->json, known->len, &tree, &err) == STATUS_OK) {
		/* list items lack it; a GET has it; surroundings go by it */
		if (json_member(tree, "kind") == NULL)
			json_set_str(tree, "kind", "ConfigMap");
		surroundings_add(gathered->surroundings, keep_tree(gathered, tree));
	}
}

static bool says(const struct object *object, const char *text)
{
	return memmem(object->json, object->json_len, text, strlen(text)) != NULL;
}

/* One label value of a picker's Service is enough to choose by; the selector itself judges later. */
static bool may_be_picker(const struct gathered *gathered, const struct object *object)
{
	const cJSON *tree = NULL;
	cJSON_ArrayForEach(tree, gathered->around)
	{
		const cJSON *selector = json_get(tree, "spec.selector");
		if (!text_equal(json_str(tree, "kind"), "Service") || !cJSON_IsObject(selector) ||
		    selector->child == NULL || !cJSON_IsString(selector->child))
			continue;
		if (says(object, selector->child->valuestring))
			return true;
	}
	return false;
}

/*
 * Of the namespace's other workloads only those that decide on sampling before this one
 * (inject/sampling.h): endpoint pickers, and whoever has a routing proxy.
 */
static void add_deciders(struct gathered *gathered, const struct store *store,
			 const struct object *workload)
{
	if (gathered->around->child == NULL)
		return; /* without a pool nobody decides before anybody */
	struct workload_walk walk = {store, workload->namespace_name, 0, 0};
	const struct object *o;
	while ((o = workload_walk_next(&walk)) != NULL) {
		if (o == workload || o->deleting ||
		    (!says(o, "-sidecar") && !may_be_picker(gathered, o)))
			continue;
		const cJSON *tree = keep_tree(gathered, object_parse(o));
		if (tree != NULL)
			surroundings_add(gathered->surroundings, tree);
	}
}

void facts_gather_pools(const struct store *store, const char *namespace_name,
			struct gathered *ret_gathered)
{
	*ret_gathered =
	    (struct gathered){.surroundings = surroundings_new(), .around = cJSON_CreateArray()};
	add_pools(ret_gathered, store, RESOURCE_POOL, namespace_name);
	add_pools(ret_gathered, store, RESOURCE_POOL_X, namespace_name);
}

bool facts_gather(const struct store *store, struct base_configs *configs,
		  const struct object *workload, struct gathered *ret_gathered,
		  struct intents *reads)
{
	struct gathered gathered;
	const char *namespace_name = workload->namespace_name;
	cJSON *object = object_parse(workload);
	if (object == NULL)
		return false;
	facts_gather_pools(store, namespace_name, &gathered);
	gathered.object = object;
	if (workload->resource == RESOURCE_MODELSERVICE) {
		const char *base = json_str(gathered.object, "spec.baseConfigMapRef.name");
		add_all(&gathered, store, RESOURCE_MODELSERVICE, namespace_name);
		add_children(&gathered, store, namespace_name);
		if (base != NULL)
			add_base(&gathered, configs, namespace_name, base, reads);
	}
	add_deciders(&gathered, store, workload);
	surroundings_facts(gathered.surroundings, gathered.object, &gathered.facts);
	*ret_gathered = gathered;
	return true;
}

void gathered_release(struct gathered *gathered)
{
	surroundings_freep(&gathered->surroundings);
	cJSON_Delete(gathered->around);
	cJSON_Delete(gathered->object);
	*gathered = (struct gathered){.object = NULL};
}
