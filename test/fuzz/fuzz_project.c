/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an object from the API server, for each resource: nothing is read past its
 * end; what is valid JSON and was taken has a projection that is valid JSON too, holds the
 * same name and spec; fields of any ownership can be given back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/managed_fields.h"
#include "controller/project.h"
#include "controller/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const struct object *before, const struct object *after)
{
	(void)context;
	(void)before;
	(void)after;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_projection(enum resource_id resource, struct piece raw, const cJSON *whole)
{
	struct header header;
	struct error err;
	struct buffer out;
	cJSON *tree = NULL;
	if (!project_header(raw, &header))
		return;
	buffer_init(&out, 1 << 20);
	project_write(resource_get(resource), raw, &header, &out);
	if (whole != NULL && out.len > 0 && !out.full &&
	    json_parse(out.data, out.len, &tree, &err) == STATUS_OK) {
		check(
		    json_equal(json_get(tree, "metadata.name"), json_get(whole, "metadata.name")));
		if (resource != RESOURCE_NAMESPACE)
			check(json_equal(json_member(tree, "spec"), json_member(whole, "spec")));
		cJSON_Delete(
		    managed_fields_give_back(json_get(tree, "metadata.managedFields"), whole));
	}
	cJSON_Delete(tree);
	buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	enum resource_id resource = (enum resource_id)(data[0] % RESOURCE_COUNT);
	char *text = xmalloc(size); /* of exact size but for one byte: over-reads show */
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	struct piece raw = {text, size - 1};
	struct error err;
	cJSON *whole = NULL;
	if (json_parse(text, size - 1, &whole, &err) != STATUS_OK)
		whole = NULL;
	check_projection(resource, raw, whole);
	struct store *store = store_new(ignore, NULL);
	store_keep(store, "a");
	(void)store_put(store, resource, text, size - 1, false);
	(void)store_put(store, resource, text, size - 1, true);
	size_t count = 0;
	struct object *const *items = store_all(store, resource, &count);
	for (size_t i = 0; i < count; i++)
		cJSON_Delete(object_parse(items[i]));
	(void)store_delete(store, resource, text, size - 1);
	store_freep(&store);
	cJSON_Delete(whole);
	free(text);
	return 0;
}
