/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/objects_template.h"

#include <stdbool.h>
#include <string.h>

#include "base/yaml.h"
#include "inject/templates.h"

enum { NAME_MAX_LENGTH = 40 };

/* The name in a text of the form "@NAME@". */
static bool read_placeholder(const cJSON *node, char name[NAME_MAX_LENGTH])
{
	if (!cJSON_IsString(node) || node->valuestring[0] != '@')
		return false;
	const char *text = node->valuestring + 1;
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	if (len == 0 || len >= NAME_MAX_LENGTH || strcmp(text + len, "@") != 0)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

static bool is_placeholder(const cJSON *node)
{
	char name[NAME_MAX_LENGTH];
	return read_placeholder(node, name);
}

static void move_items(cJSON *from, cJSON *to)
{
	while (from != NULL && from->child != NULL)
		json_append(to, cJSON_DetachItemViaPointer(from, from->child));
	json_freep(&from);
}

static enum status fill(const cJSON *node, const cJSON *values, cJSON **ret_tree,
			struct error *err);

static enum status fill_members(const cJSON *node, const cJSON *values, cJSON *to,
				struct error *err)
{
	for (const cJSON *child = node->child; child != NULL; child = child->next) {
		cJSON *filled = NULL;
		if (fill(child, values, &filled, err) != STATUS_OK)
			return error_wrap(err, "%s", cJSON_IsObject(node) ? child->string : "[]");
		if (cJSON_IsArray(node) && is_placeholder(child) && cJSON_IsArray(filled))
			move_items(filled, to);
		else if (cJSON_IsArray(node) && !cJSON_IsNull(filled))
			json_append(to, filled);
		else if (cJSON_IsNull(filled))
			json_freep(&filled);
		else
			json_set(to, child->string, filled);
	}
	return STATUS_OK;
}

static enum status fill(const cJSON *node, const cJSON *values, cJSON **ret_tree, struct error *err)
{
	char name[NAME_MAX_LENGTH];
	if (read_placeholder(node, name)) {
		const cJSON *value = json_member(values, name);
		if (value == NULL)
			return error_set(err, STATUS_BUG, "no value for @%s@", name);
		*ret_tree = json_clone(value);
		return STATUS_OK;
	}
	if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
		*ret_tree = json_clone(node);
		return STATUS_OK;
	}
	cJSON *filled CLEANUP(json_freep) =
	    cJSON_IsObject(node) ? cJSON_CreateObject() : cJSON_CreateArray();
	enum status status = fill_members(node, values, filled, err);
	if (status == STATUS_OK)
		*ret_tree = TAKE_PTR(filled);
	return status;
}

static const struct template_file *find(const char *name)
{
	for (size_t i = 0; i < template_file_count; i++)
		if (strcmp(template_files[i].name, name) == 0)
			return &template_files[i];
	return NULL;
}

const char *template_text(const char *file)
{
	const struct template_file *found = find(file);
	return found == NULL ? "" : found->text;
}

enum status template_render(const char *file, const cJSON *values, cJSON **ret_tree,
			    struct error *err)
{
	cJSON *tree CLEANUP(json_freep) = NULL;
	const struct template_file *found = find(file);
	if (found == NULL)
		return error_set(err, STATUS_BUG, "template %s: not in this binary", file);
	enum status status = yaml_read(found->text, found->len, &tree, err);
	if (status == STATUS_OK)
		status = fill(tree, values, ret_tree, err);
	return status == STATUS_OK ? STATUS_OK : error_wrap(err, "template %s", file);
}
