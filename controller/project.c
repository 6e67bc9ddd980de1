/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/project.h"

#include <string.h>

#include "base/util.h"
#include "controller/mesh.h"
#include "inject/settings.h"

#define KUBECTL_COPY "kubectl.kubernetes.io/last-applied-configuration"
#define OWN_PREFIX   "tracing.llm-d.io/"

static bool in_list(const char *list, struct piece word)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		if (len == word.len && memcmp(list, word.at, len) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

static void add_piece(struct buffer *out, struct piece value)
{
	buffer_add(out, value.at, value.len);
}

static void add_member(struct buffer *out, struct piece key, struct piece value)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buffer_add_char(out, ',');
	buffer_add_char(out, '"');
	add_piece(out, key);
	buffer_add_str(out, "\":");
	add_piece(out, value);
}

bool project_header(struct piece object, struct header *ret_header)
{
	struct header header = {.metadata = scan_get(object, "metadata")};
	struct scan scan = scan_begin(header.metadata, '{');
	struct piece key;
	struct piece value;
	while (scan_member(&scan, &key, &value)) {
		if (piece_is(key, "name"))
			header.name = value;
		else if (piece_is(key, "namespace"))
			header.namespace_name = value;
		else if (piece_is(key, "uid"))
			header.uid = value;
		else if (piece_is(key, "resourceVersion"))
			header.resource_version = value;
		else if (piece_is(key, "generation"))
			header.generation = piece_int(value, 0);
		else if (piece_is(key, "deletionTimestamp"))
			header.deleting = !piece_is(value, "null");
		else if (piece_is(key, "annotations"))
			header.ledger = scan_get(value, ANNOTATION_LEDGER).at != NULL ||
					scan_get(value, ANNOTATION_STRATEGY).at != NULL;
		else if (piece_is(key, "labels"))
			header.managed =
			    piece_is_string(scan_get(value, LABEL_MANAGED_BY), MANAGED_BY);
	}
	if (scan.broken || header.name.len < 3 || header.resource_version.len < 3)
		return false;
	*ret_header = header;
	return true;
}

static void write_listed(const char *list, struct piece object, struct buffer *out)
{
	struct scan scan = scan_begin(object, '{');
	struct piece key;
	struct piece value;
	buffer_add_char(out, '{');
	while (scan_member(&scan, &key, &value))
		if (in_list(list, key))
			add_member(out, key, value);
	buffer_add_char(out, '}');
}

static void write_annotations(bool own_only, struct piece annotations, struct buffer *out)
{
	struct scan scan = scan_begin(annotations, '{');
	struct piece key;
	struct piece value;
	buffer_add_char(out, '{');
	while (scan_member(&scan, &key, &value)) {
		bool own = key.len > strlen(OWN_PREFIX) &&
			   memcmp(key.at, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
		if (own || (!own_only && !piece_is(key, KUBECTL_COPY)))
			add_member(out, key, value);
	}
	buffer_add_char(out, '}');
}

/* It has set something of the spec besides the number of replicas. */
static bool has_edited_spec(struct piece entry)
{
	struct scan scan = scan_begin(scan_path(entry, "fieldsV1.f:spec"), '{');
	struct piece key;
	struct piece value;
	while (scan_member(&scan, &key, &value))
		if (!piece_is(key, "f:replicas"))
			return true;
	return false;
}

static void write_manager(struct piece entry, const char *kept, struct buffer *out)
{
	struct scan scan = scan_begin(entry, '{');
	struct piece key;
	struct piece value;
	if (out->data[out->len - 1] == '}')
		buffer_add_char(out, ',');
	buffer_add_char(out, '{');
	while (scan_member(&scan, &key, &value))
		if (kept == NULL || in_list(kept, key))
			add_member(out, key, value);
	buffer_add_char(out, '}');
}

/*
 * Apply managers' and our own entries: what giving back field ownership needs (DESIGN §6).
 * Of the others that edited the spec: who, and when.
 */
static void write_managers(struct piece managers, struct buffer *out)
{
	struct scan scan = scan_begin(managers, '[');
	struct piece entry;
	buffer_add_char(out, '[');
	while (scan_element(&scan, &entry)) {
		if (piece_is_string(scan_get(entry, "operation"), "Apply") ||
		    piece_is_string(scan_get(entry, "manager"), FIELD_MANAGER))
			write_manager(entry, NULL, out);
		else if (has_edited_spec(entry) && scan_get(entry, "subresource").at == NULL)
			write_manager(entry, "manager,operation,time", out);
	}
	buffer_add_char(out, ']');
}

static void write_metadata(const struct resource *resource, struct piece metadata,
			   struct buffer *out)
{
	static const char kept[] =
	    "name,namespace,uid,generation,labels,ownerReferences,creationTimestamp,"
	    "deletionTimestamp";
	bool is_namespace = (resource->flags & RESOURCE_CLUSTER_SCOPED) != 0;
	bool is_edited = (resource->flags & RESOURCE_WORKLOAD) != 0;
	struct scan scan = scan_begin(metadata, '{');
	struct piece key;
	struct piece value;
	buffer_add_char(out, '{');
	while (scan_member(&scan, &key, &value)) {
		if (piece_is(key, "annotations")) {
			add_member(out, key, (struct piece){"", 0});
			write_annotations(is_namespace, value, out);
		} else if (piece_is(key, "managedFields") && is_edited) {
			add_member(out, key, (struct piece){"", 0});
			write_managers(value, out);
		} else if (is_namespace && piece_is(key, "labels")) {
			add_member(out, key, (struct piece){"", 0});
			write_listed(MESH_NAMESPACE_LABELS, value, out);
		} else if (in_list(kept, key)) {
			add_member(out, key, value);
		}
	}
	buffer_add_char(out, '}');
}

static void write_status(const struct resource *resource, struct piece status, struct buffer *out)
{
	if (strcmp(resource->status, "*") == 0)
		add_piece(out, status);
	else
		write_listed(resource->status, status, out);
}

void project_write(const struct resource *resource, struct piece object,
		   const struct header *header, struct buffer *out)
{
	bool is_namespace = (resource->flags & RESOURCE_CLUSTER_SCOPED) != 0;
	struct scan scan = scan_begin(object, '{');
	struct piece key;
	struct piece value;
	buffer_addf(out,
		    "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":", resource->api_version,
		    resource->kind);
	write_metadata(resource, header->metadata, out);
	while (scan_member(&scan, &key, &value)) {
		if (piece_is(key, "apiVersion") || piece_is(key, "kind") ||
		    piece_is(key, "metadata") || is_namespace)
			continue;
		if (!piece_is(key, "status")) {
			add_member(out, key, value);
		} else if (resource->status[0] != '\0') {
			add_member(out, key, (struct piece){"", 0});
			write_status(resource, value, out);
		}
	}
	buffer_add_char(out, '}');
	if (scan.broken)
		buffer_clear(out);
}
