/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we know of the cluster: one sorted table per resource, holding the projection of
 * each object of interest (controller/project.h). Of interest are Namespaces, Tracings,
 * objects of namespaces that are kept, and anything that carries our ledger or
 * managed-by label; the rest is dropped at the door.
 *
 * Freshness (DESIGN §2, §3): an object never goes back to an older resourceVersion,
 * whatever brings it (watch event, list item, answer to a write of ours); a deletion seen
 * wins over an older list item or answer; what a complete list lacks is deleted unless it
 * is newer than the list.
 */
#ifndef LLMD_CONTROLLER_STORE_H
#define LLMD_CONTROLLER_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "controller/resource.h"

/* Immutable; belongs to the store and lives until it is replaced or deleted. */
struct object {
	const char *namespace_name; /* "" when it has none */
	const char *name;
	const char *uid;
	const char *resource_version;
	const char *json; /* projection */
	size_t json_len;
	unsigned long seen; /* when it was last put, in steps of the store */
	long generation;
	enum resource_id resource;
	bool ledger;
	bool managed;
	bool deleting;
};

struct store;

/* Something changed: `before` NULL for new, `after` NULL for gone. Both only for the call. */
typedef void (*store_fn)(void *context, const struct object *before, const struct object *after);

NODISCARD struct store *store_new(store_fn on_change, void *context);
void store_freep(struct store **store);

/*
 * Puts an object as the API gave it (raw JSON). True when it is in the store now or was
 * not of interest; false when the bytes could not be read (counted as broken by the caller).
 * `force`: a list after the server's history went back; older versions are taken too.
 */
bool store_put(struct store *store, enum resource_id resource, const char *json, size_t len,
	       bool force);

/* A deletion with the object's last state; false when the bytes could not be read. */
bool store_delete(struct store *store, enum resource_id resource, const char *json, size_t len);

/* It is known not to be there any more. */
void store_forget(struct store *store, enum resource_id resource, const char *namespace_name,
		  const char *name);

/*
 * Lists: take the mark before the first item, end with it when the list is complete.
 * `namespace_name` NULL: all namespaces. Objects in that scope that were not put since the
 * mark and are not newer than `resource_version` are gone. NULL: versions went back, or the
 * kind is not served; then no deletion of before counts any more either.
 */
unsigned long store_mark(struct store *store);
void store_end_list(struct store *store, enum resource_id resource, const char *namespace_name,
		    unsigned long mark, const char *resource_version);
/* The kind is no longer served: its objects are gone. */
void store_clear(struct store *store, enum resource_id resource);

/*
 * Which namespaces are kept. Ending it drops what is then of no interest. While a
 * namespace is being listed (between store_keep and store_listed) all deletions are remembered.
 */
void store_keep(struct store *store, const char *namespace_name);
void store_listed(struct store *store);
void store_unkeep(struct store *store, const char *namespace_name);
bool store_is_kept(const struct store *store, const char *namespace_name);

/* Borrowed until the next change; NULL when absent. `namespace_name` "" for none. */
const struct object *store_get(const struct store *store, enum resource_id resource,
			       const char *namespace_name, const char *name);

/* The objects of one resource in one namespace, sorted by name; NULL when there are none. */
struct object *const *store_range(const struct store *store, enum resource_id resource,
				  const char *namespace_name, size_t *ret_count);
/* All objects of a resource. */
struct object *const *store_all(const struct store *store, enum resource_id resource,
				size_t *ret_count);

size_t store_bytes(const struct store *store, enum resource_id resource);

/* The object as a tree, with its resourceVersion put in. Owned; NULL when it is no JSON. */
NODISCARD cJSON *object_parse(const struct object *object);

#endif
