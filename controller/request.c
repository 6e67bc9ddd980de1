/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/request.h"

#include "base/limits.h"
#include "inject/settings.h"
#include "k8sclient/client.h"

static const struct {
	const char *method;
	const char *content_type;
	const char *subresource; /* NULL: the object itself */
	const char *query;
	bool collection; /* the path ends before the name */
} rows[] = {
    [INTENT_CREATE] = {"POST", CONTENT_JSON, NULL, "?fieldManager=" FIELD_MANAGER, true},
    [INTENT_APPLY] = {"PATCH", CONTENT_APPLY_PATCH, NULL,
		      "?fieldManager=" FIELD_MANAGER "&force=true", false},
    [INTENT_DELETE] = {"DELETE", CONTENT_JSON, NULL, "", false},
    [INTENT_PATCH] = {"PATCH", CONTENT_JSON_PATCH, NULL, "?fieldManager=" FIELD_MANAGER, false},
    [INTENT_GIVE_BACK] = {"PATCH", CONTENT_JSON_PATCH, NULL, "?fieldManager=" FIELD_MANAGER, false},
    [INTENT_STATUS] = {"PATCH", CONTENT_MERGE_PATCH, "status", "?fieldManager=" FIELD_MANAGER,
		       false},
    [INTENT_READ] = {"GET", NULL, NULL, "", false},
    [INTENT_LOG] = {"GET", NULL, "log", "?tailLines=50&limitBytes=16384&container=", false},
};

static void build_delete_options(const struct intent *intent, struct buffer *body)
{
	buffer_add_str(body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
			     "\"propagationPolicy\":\"Background\"");
	if (intent->uid != NULL) {
		buffer_add_str(body, ",\"preconditions\":{\"uid\":");
		json_print_string(intent->uid, body);
		if (intent->version != NULL) {
			buffer_add_str(body, ",\"resourceVersion\":");
			json_print_string(intent->version, body);
		}
		buffer_add_char(body, '}');
	}
	buffer_add_char(body, '}');
}

void intent_request_build(const struct intent *intent, struct intent_request *ret_request)
{
	const struct resource *resource = resource_get(intent->resource);
	bool cluster = intent->namespace_name[0] == '\0';
	*ret_request = (struct intent_request){.method = rows[intent->type].method,
					       .content_type = rows[intent->type].content_type};
	/* contents are nobody's business here; a server that cannot leave them out is not asked */
	if (intent->type == INTENT_READ && (resource->flags & RESOURCE_ON_DEMAND) != 0)
		ret_request->accept =
		    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
	buffer_init(&ret_request->path, KIB(4));
	buffer_init(&ret_request->body, LIMIT_REQUEST_BYTES);
	path_build(&ret_request->path, resource->api_version, resource->plural,
		   cluster ? NULL : intent->namespace_name,
		   rows[intent->type].collection ? NULL : intent->name,
		   rows[intent->type].subresource);
	buffer_add_str(&ret_request->path, rows[intent->type].query);
	if (intent->type == INTENT_LOG)
		ret_request->accept = "text/plain, */*";
	if (intent->type == INTENT_LOG)
		path_add_escaped(&ret_request->path, intent->word);
	if (intent->type == INTENT_LOG && !intent->present)
		buffer_add_str(&ret_request->path, "&previous=true");
	if (intent->type == INTENT_DELETE)
		build_delete_options(intent, &ret_request->body);
	else if (intent->body != NULL)
		json_print(intent->body, &ret_request->body);
}

void intent_request_read(enum resource_id id, const char *namespace_name, const char *name,
			 struct intent_request *ret_request)
{
	const struct resource *resource = resource_get(id);
	*ret_request = (struct intent_request){.method = "GET"};
	buffer_init(&ret_request->path, KIB(4));
	buffer_init(&ret_request->body, KIB(1));
	path_build(&ret_request->path, resource->api_version, resource->plural,
		   namespace_name[0] == '\0' ? NULL : namespace_name, name, NULL);
}

void intent_request_release(struct intent_request *request)
{
	buffer_release(&request->path);
	buffer_release(&request->body);
}
