/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a change in the store concerns. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller_internal.h"
#include "controller/mesh.h"
#include "controller/workload_walk.h"
#include "inject/objects.h"

enum { KEY_MAX_BYTES = 1024 };

void key_of_namespace(struct buffer *key, const char *namespace_name)
{
	buffer_addf(key, "n/%s", namespace_name);
}

void key_of_workload(struct buffer *key, enum resource_id resource, const char *namespace_name,
		     const char *name)
{
	buffer_addf(key, "w/%d/%s/%s", (int)resource, namespace_name, name);
}

bool key_parse(const char *text, struct key *ret_key)
{
	if (strncmp(text, "n/", 2) == 0) {
		*ret_key = (struct key){.namespace_name = xstrdup(text + 2)};
		return true;
	}
	char *end = NULL;
	long resource = strncmp(text, "w/", 2) == 0 ? strtol(text + 2, &end, 10) : -1;
	const char *slash =
	    resource >= 0 && resource < RESOURCE_COUNT && *end == '/' ? strchr(end + 1, '/') : NULL;
	if (slash == NULL)
		return false;
	*ret_key = (struct key){.workload = true,
				.resource = (enum resource_id)resource,
				.namespace_name = xstrndup(end + 1, (size_t)(slash - end - 1)),
				.name = xstrdup(slash + 1)};
	return true;
}

void key_release(struct key *key)
{
	free(key->namespace_name);
	free(key->name);
	*key = (struct key){.name = NULL};
}

void add_namespace_key(struct controller *controller, const char *namespace_name, uint64_t delay_ms)
{
	struct buffer key;
	buffer_init(&key, KEY_MAX_BYTES);
	key_of_namespace(&key, namespace_name);
	if (delay_ms == 0)
		queue_add(controller->queue, key.data);
	else
		queue_add_after(controller->queue, key.data, controller_now(controller).mono_ms,
				delay_ms);
	buffer_release(&key);
	pump_soon(controller);
}

void add_workload_key(struct controller *controller, enum resource_id resource,
		      const char *namespace_name, const char *name)
{
	struct buffer key;
	buffer_init(&key, KEY_MAX_BYTES);
	key_of_workload(&key, resource, namespace_name, name);
	queue_add(controller->queue, key.data);
	buffer_release(&key);
	pump_soon(controller);
}

void add_workload_keys(struct controller *controller, const char *namespace_name)
{
	struct workload_walk walk = {controller->store, namespace_name, 0, 0};
	const struct object *o;
	while ((o = workload_walk_next(&walk)) != NULL)
		add_workload_key(controller, o->resource, namespace_name, o->name);
}

static bool is_owned_name(const struct object *object)
{
	const char *kind = resource_get(object->resource)->kind;
	for (size_t i = 0; i < owned_object_count; i++)
		if (strcmp(owned_objects[i].kind, kind) == 0 &&
		    strcmp(owned_objects[i].name, object->name) == 0)
			return true;
	return false;
}

/* A namespace is worth a look when its annotation is or was there, or we know it already. */
static void namespace_changed(struct controller *controller, const struct object *before,
			      const struct object *after)
{
	static const char mark[] = "\"" ANNOTATION_ENABLED "\"";
	const struct object *object = after != NULL ? after : before;
	bool now =
	    after != NULL && memmem(after->json, after->json_len, mark, sizeof(mark) - 1) != NULL;
	bool then = before != NULL &&
		    memmem(before->json, before->json_len, mark, sizeof(mark) - 1) != NULL;
	if (now || then || controller_namespace(controller, object->name) != NULL)
		add_namespace_key(controller, object->name, 0);
}

static void workload_changed(struct controller *controller, const struct object *before,
			     const struct object *after)
{
	static const char mark[] = "\"ModelService\"";
	const struct object *object = after != NULL ? after : before;
	size_t count = 0;
	assert(object != NULL); /* a change has a before or an after */
	add_workload_key(controller, object->resource, object->namespace_name, object->name);
	if (object->managed || is_owned_name(object) || (before != NULL && before->managed) ||
	    before == NULL || after == NULL || before->generation != after->generation ||
	    before->ledger != after->ledger)
		add_namespace_key(controller, object->namespace_name, 0);
	if (object->resource != RESOURCE_DEPLOYMENT ||
	    memmem(object->json, object->json_len, mark, sizeof(mark) - 1) == NULL)
		return;
	struct object *const *parents =
	    store_range(controller->store, RESOURCE_MODELSERVICE, object->namespace_name, &count);
	for (size_t i = 0; i < count; i++)
		add_workload_key(controller, RESOURCE_MODELSERVICE, object->namespace_name,
				 parents[i]->name);
}

/* What is said in its root namespace is said to the whole mesh. */
static void mesh_changed(struct controller *controller, const char *namespace_name)
{
	bool all = strcmp(namespace_name, MESH_ROOT_NAMESPACE) == 0;
	for (size_t i = 0; i < controller->namespace_count; i++)
		if (all || strcmp(controller->namespaces[i]->name, namespace_name) == 0)
			add_namespace_key(controller, controller->namespaces[i]->name, 0);
}

void on_store_change(void *context, const struct object *before, const struct object *after)
{
	struct controller *controller = context;
	const struct object *object = after != NULL ? after : before;
	const struct resource *resource = resource_get(object->resource);
	if (object->resource == RESOURCE_NAMESPACE) {
		namespace_changed(controller, before, after);
		return;
	}
	if (object->resource == RESOURCE_PEERAUTHENTICATION) {
		mesh_changed(controller, object->namespace_name);
		return;
	}
	if (object->resource == RESOURCE_MODELSERVICE &&
	    (before == NULL || after == NULL || before->generation != after->generation))
		base_configs_drop(controller->configs, object->namespace_name);
	if ((resource->flags & RESOURCE_WORKLOAD) != 0)
		workload_changed(controller, before, after);
	else if (object->resource != RESOURCE_SERVICE || is_owned_name(object) || object->managed)
		add_namespace_key(controller, object->namespace_name, 0);
	if (object->resource == RESOURCE_POOL || object->resource == RESOURCE_POOL_X ||
	    object->resource == RESOURCE_SERVICE ||
	    (object->resource == RESOURCE_NETWORKPOLICY && !object->managed))
		add_workload_keys(controller, object->namespace_name);
}

/*
 * A workload that nobody has looked at since the start is one that the order has to reckon with, and
 * about which the status of before is truer.
 */
void enroll_all(struct controller *controller, struct namespace *space)
{
	struct workload_walk walk = {controller->store, space->name, 0, 0};
	const struct object *o;
	while ((o = workload_walk_next(&walk)) != NULL)
		if (!o->deleting)
			(void)roster_need(&space->roster, o->resource, o->name);
}
