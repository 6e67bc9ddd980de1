/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/project.h"
#include "k8sclient/watch.h"

/* Answers to our writes may arrive after the event of a deletion: some deletions are always
 * remembered. */
enum { TOMBSTONES_KEPT = 256 };

struct table {
	struct object **items; /* sorted by namespace, name */
	size_t count;
	size_t capacity;
	size_t bytes;
};

struct tombstone {
	STAILQ_ENTRY(tombstone) link;
	enum resource_id resource;
	char *namespace_name;
	char *name;
	char *resource_version;
};

STAILQ_HEAD(tombstone_list, tombstone);

struct store {
	struct table tables[RESOURCE_COUNT];
	char **kept; /* sorted */
	size_t kept_count;
	struct tombstone_list tombstones;
	size_t tombstone_count;
	size_t listings; /* namespaces being listed */
	unsigned long step;
	struct buffer scratch;
	store_fn on_change;
	void *context;
};

/* The decoded identity of an incoming object. */
struct identity {
	char *namespace_name;
	char *name;
	char *uid;
	char *resource_version;
};

static void identity_release(struct identity *identity)
{
	free(identity->namespace_name);
	free(identity->name);
	free(identity->uid);
	free(identity->resource_version);
}

static bool identity_read(const struct header *header, struct identity *ret_identity)
{
	struct identity identity = {
	    .namespace_name = header->namespace_name.at == NULL
				  ? xstrdup("")
				  : piece_string(header->namespace_name),
	    .name = piece_string(header->name),
	    .uid = header->uid.at == NULL ? xstrdup("") : piece_string(header->uid),
	    .resource_version = piece_string(header->resource_version),
	};
	if (identity.namespace_name == NULL || identity.name == NULL || identity.uid == NULL ||
	    identity.resource_version == NULL) {
		identity_release(&identity);
		return false;
	}
	*ret_identity = identity;
	return true;
}

static int compare(const struct object *object, const char *namespace_name, const char *name)
{
	int order = strcmp(object->namespace_name, namespace_name);
	return order != 0 ? order : strcmp(object->name, name);
}

/* The first index whose object is not before (namespace, name). */
static size_t lower_bound(const struct table *table, const char *namespace_name, const char *name)
{
	size_t low = 0;
	size_t high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(table->items[middle], namespace_name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t kept_index(const struct store *store, const char *namespace_name, bool *ret_found)
{
	size_t low = 0;
	size_t high = store->kept_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(store->kept[middle], namespace_name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < store->kept_count && strcmp(store->kept[low], namespace_name) == 0;
	return low;
}

bool store_is_kept(const struct store *store, const char *namespace_name)
{
	bool found = false;
	(void)kept_index(store, namespace_name, &found);
	return found;
}

static size_t object_size(const struct object *object)
{
	return sizeof(*object) + strlen(object->namespace_name) + strlen(object->name) +
	       strlen(object->uid) + strlen(object->resource_version) + object->json_len + 5;
}

static char *pack(char **at, const char *text, size_t len)
{
	char *start = *at;
	memcpy(start, text, len);
	start[len] = '\0';
	*at += len + 1;
	return start;
}

/* One allocation for the struct and all its texts. */
static struct object *object_new(const struct identity *identity, const struct header *header,
				 enum resource_id resource, const struct buffer *json)
{
	size_t texts = strlen(identity->namespace_name) + strlen(identity->name) +
		       strlen(identity->uid) + strlen(identity->resource_version) + 4;
	struct object *object = xmalloc(sizeof(*object) + texts + json->len + 1);
	char *at = (char *)(object + 1);
	*object = (struct object){
	    .resource = resource,
	    .generation = header->generation,
	    .ledger = header->ledger,
	    .managed = header->managed,
	    .deleting = header->deleting,
	    .json_len = json->len,
	};
	object->namespace_name =
	    pack(&at, identity->namespace_name, strlen(identity->namespace_name));
	object->name = pack(&at, identity->name, strlen(identity->name));
	object->uid = pack(&at, identity->uid, strlen(identity->uid));
	object->resource_version =
	    pack(&at, identity->resource_version, strlen(identity->resource_version));
	object->json = pack(&at, json->data, json->len);
	return object;
}

/* True when `a` is older than `b`, as far as the two can be compared. */
static bool is_older(const char *a, const char *b)
{
	bool comparable = false;
	int order = resource_version_compare(a, b, &comparable);
	return comparable && order < 0;
}

static const struct tombstone *find_tombstone(const struct store *store, enum resource_id resource,
					      const struct identity *identity)
{
	const struct tombstone *tombstone = NULL;
	STAILQ_FOREACH(tombstone, &store->tombstones, link)
	{
		if (tombstone->resource == resource &&
		    strcmp(tombstone->name, identity->name) == 0 &&
		    strcmp(tombstone->namespace_name, identity->namespace_name) == 0 &&
		    is_older(identity->resource_version, tombstone->resource_version))
			return tombstone;
	}
	return NULL;
}

static void trim_tombstones(struct store *store, size_t limit)
{
	while (store->tombstone_count > limit) {
		struct tombstone *first = STAILQ_FIRST(&store->tombstones);
		STAILQ_REMOVE_HEAD(&store->tombstones, link);
		store->tombstone_count--;
		free(first->namespace_name);
		free(first->name);
		free(first->resource_version);
		free(first);
	}
}

static void add_tombstone(struct store *store, enum resource_id resource,
			  const struct identity *identity)
{
	struct tombstone *tombstone = xcalloc(1, sizeof(*tombstone));
	tombstone->resource = resource;
	tombstone->namespace_name = xstrdup(identity->namespace_name);
	tombstone->name = xstrdup(identity->name);
	tombstone->resource_version = xstrdup(identity->resource_version);
	STAILQ_INSERT_TAIL(&store->tombstones, tombstone, link);
	store->tombstone_count++;
	if (store->listings == 0)
		trim_tombstones(store, TOMBSTONES_KEPT);
}

static void table_insert(struct table *table, size_t index, struct object *object)
{
	if (table->count == table->capacity) {
		/* by half: these tables are most of what a big cluster costs */
		table->capacity += table->capacity / 2 + 8;
		table->items = xrealloc(table->items, table->capacity * sizeof(struct object *));
	}
	memmove(table->items + index + 1, table->items + index,
		(table->count - index) * sizeof(struct object *));
	table->items[index] = object;
	table->count++;
	table->bytes += object_size(object);
}

static void remove_at(struct store *store, enum resource_id resource, size_t index)
{
	struct table *table = &store->tables[resource];
	struct object *gone = table->items[index];
	memmove(table->items + index, table->items + index + 1,
		(table->count - index - 1) * sizeof(struct object *));
	table->count--;
	table->bytes -= object_size(gone);
	store->on_change(store->context, gone, NULL);
	free(gone);
}

/* Whatever its namespace says. */
static bool is_always_kept(enum resource_id resource)
{
	return (resource_get(resource)->flags & (RESOURCE_ALWAYS_KEPT | RESOURCE_FOR_OTHERS)) != 0;
}

static bool of_interest(const struct store *store, enum resource_id resource,
			const struct header *header, const char *namespace_name)
{
	return is_always_kept(resource) || header->ledger || header->managed ||
	       store_is_kept(store, namespace_name);
}

/* `index`: where the object stands, or would stand. */
static void put_at(struct store *store, size_t index, bool exists, struct object *object)
{
	struct table *table = &store->tables[object->resource];
	object->seen = ++store->step;
	if (!exists) {
		table_insert(table, index, object);
		store->on_change(store->context, NULL, object);
		return;
	}
	struct object *before = table->items[index];
	table->items[index] = object;
	table->bytes += object_size(object);
	table->bytes -= object_size(before);
	if (before->json_len != object->json_len ||
	    memcmp(before->json, object->json, object->json_len) != 0)
		store->on_change(store->context, before, object);
	free(before);
}

static bool put_object(struct store *store, enum resource_id resource, struct piece raw,
		       const struct header *header, const struct identity *identity, bool force)
{
	struct table *table = &store->tables[resource];
	size_t index = lower_bound(table, identity->namespace_name, identity->name);
	bool exists = index < table->count &&
		      compare(table->items[index], identity->namespace_name, identity->name) == 0;
	if (exists && !force &&
	    is_older(identity->resource_version, table->items[index]->resource_version)) {
		/* an old list item still says that the object was there */
		table->items[index]->seen = ++store->step;
		return true;
	}
	if (!of_interest(store, resource, header, identity->namespace_name)) {
		if (exists)
			remove_at(store, resource, index);
		return true;
	}
	if (!exists && !force && find_tombstone(store, resource, identity) != NULL)
		return true;
	buffer_clear(&store->scratch);
	project_write(resource_get(resource), raw, header, &store->scratch);
	if (store->scratch.len == 0 || store->scratch.full)
		return false;
	put_at(store, index, exists, object_new(identity, header, resource, &store->scratch));
	return true;
}

bool store_put(struct store *store, enum resource_id resource, const char *json, size_t len,
	       bool force)
{
	struct piece raw = {json, len};
	struct header header;
	struct identity identity CLEANUP(identity_release) = {.name = NULL};
	return project_header(raw, &header) && identity_read(&header, &identity) &&
	       put_object(store, resource, raw, &header, &identity, force);
}

bool store_delete(struct store *store, enum resource_id resource, const char *json, size_t len)
{
	struct header header;
	struct identity identity CLEANUP(identity_release) = {.name = NULL};
	if (!project_header((struct piece){json, len}, &header) ||
	    !identity_read(&header, &identity))
		return false;
	struct table *table = &store->tables[resource];
	size_t index = lower_bound(table, identity.namespace_name, identity.name);
	bool exists = index < table->count &&
		      compare(table->items[index], identity.namespace_name, identity.name) == 0;
	bool newer =
	    exists && is_older(identity.resource_version, table->items[index]->resource_version);
	if (!newer && of_interest(store, resource, &header, identity.namespace_name))
		add_tombstone(store, resource, &identity);
	if (exists && !newer)
		remove_at(store, resource, index);
	return true;
}

void store_forget(struct store *store, enum resource_id resource, const char *namespace_name,
		  const char *name)
{
	const struct object *object = store_get(store, resource, namespace_name, name);
	if (object == NULL)
		return;
	CLEANUP(str_freep)
	char *json = xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\","
			       "\"resourceVersion\":\"%s\"}}",
			       name, namespace_name, object->uid, object->resource_version);
	(void)store_delete(store, resource, json, strlen(json));
}

unsigned long store_mark(struct store *store)
{
	return ++store->step;
}

void store_end_list(struct store *store, enum resource_id resource, const char *namespace_name,
		    unsigned long mark, const char *resource_version)
{
	struct table *table = &store->tables[resource];
	struct tombstone *tombstone = NULL;
	STAILQ_FOREACH(tombstone, &store->tombstones, link)
	{
		if (resource_version == NULL && tombstone->resource == resource)
			tombstone->resource_version[0] = '\0'; /* nothing is older than that */
	}
	size_t index = namespace_name == NULL ? 0 : lower_bound(table, namespace_name, "");
	while (index < table->count &&
	       (namespace_name == NULL ||
		strcmp(table->items[index]->namespace_name, namespace_name) == 0)) {
		const struct object *object = table->items[index];
		if (object->seen > mark || (resource_version != NULL &&
					    is_older(resource_version, object->resource_version)))
			index++;
		else
			remove_at(store, resource, index);
	}
}

void store_clear(struct store *store, enum resource_id resource)
{
	while (store->tables[resource].count > 0)
		remove_at(store, resource, store->tables[resource].count - 1);
}

void store_keep(struct store *store, const char *namespace_name)
{
	bool found = false;
	size_t index = kept_index(store, namespace_name, &found);
	store->listings++;
	if (found)
		return;
	store->kept = grow(store->kept, store->kept_count, sizeof(*store->kept));
	memmove(store->kept + index + 1, store->kept + index,
		(store->kept_count - index) * sizeof(char *));
	store->kept[index] = xstrdup(namespace_name);
	store->kept_count++;
}

void store_listed(struct store *store)
{
	if (store->listings > 0 && --store->listings == 0)
		trim_tombstones(store, TOMBSTONES_KEPT);
}

void store_unkeep(struct store *store, const char *namespace_name)
{
	bool found = false;
	size_t kept = kept_index(store, namespace_name, &found);
	if (!found)
		return;
	free(store->kept[kept]);
	memmove(store->kept + kept, store->kept + kept + 1,
		(store->kept_count - kept - 1) * sizeof(char *));
	store->kept_count--;
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		struct table *table = &store->tables[i];
		if (is_always_kept((enum resource_id)i))
			continue;
		size_t index = lower_bound(table, namespace_name, "");
		while (index < table->count &&
		       strcmp(table->items[index]->namespace_name, namespace_name) == 0) {
			if (table->items[index]->ledger || table->items[index]->managed)
				index++;
			else
				remove_at(store, (enum resource_id)i, index);
		}
	}
}

const struct object *store_get(const struct store *store, enum resource_id resource,
			       const char *namespace_name, const char *name)
{
	const struct table *table = &store->tables[resource];
	size_t index = lower_bound(table, namespace_name, name);
	if (index == table->count || compare(table->items[index], namespace_name, name) != 0)
		return NULL;
	return table->items[index];
}

struct object *const *store_range(const struct store *store, enum resource_id resource,
				  const char *namespace_name, size_t *ret_count)
{
	const struct table *table = &store->tables[resource];
	size_t first = lower_bound(table, namespace_name, "");
	size_t end = first;
	while (end < table->count && strcmp(table->items[end]->namespace_name, namespace_name) == 0)
		end++;
	*ret_count = end - first;
	return end == first ? NULL : table->items + first;
}

struct object *const *store_all(const struct store *store, enum resource_id resource,
				size_t *ret_count)
{
	*ret_count = store->tables[resource].count;
	return store->tables[resource].items;
}

size_t store_bytes(const struct store *store, enum resource_id resource)
{
	return store->tables[resource].bytes;
}

cJSON *object_parse(const struct object *object)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(object->json, object->json_len, &tree, &err) != STATUS_OK)
		return NULL;
	cJSON *metadata = json_member_mut(tree, "metadata");
	if (metadata != NULL)
		json_set_str(metadata, "resourceVersion", object->resource_version);
	return tree;
}

struct store *store_new(store_fn on_change, void *context)
{
	struct store *store = xcalloc(1, sizeof(*store));
	STAILQ_INIT(&store->tombstones);
	buffer_init(&store->scratch, LIMIT_WATCH_FRAME_BYTES);
	store->on_change = on_change;
	store->context = context;
	return store;
}

void store_freep(struct store **store)
{
	if (*store == NULL)
		return;
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		struct table *table = &(*store)->tables[i];
		for (size_t k = 0; k < table->count; k++)
			free(table->items[k]);
		free(table->items);
	}
	for (size_t i = 0; i < (*store)->kept_count; i++)
		free((*store)->kept[i]);
	free((*store)->kept);
	trim_tombstones(*store, 0);
	buffer_release(&(*store)->scratch);
	free(*store);
	*store = NULL;
}
