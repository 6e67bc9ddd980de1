/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ModelService's base ConfigMap holds Deployments as YAML text in which Go templates
 * ({{ .HFModelName }}) stand even where YAML would not bear them. Each template becomes a
 * word of private-use characters while the text is read, and "{{}}" again afterwards, so
 * that the plan sees that a template stands there and never what it would yield.
 */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "inject/surroundings_index.h"

static const char *const keys[] = {"prefillDeployment", "decodeDeployment", "eppDeployment"};
static const char stand_in[] = "\xEE\x80\x80\xEE\x80\x81";

static void replace_templates(const char *text, struct buffer *out)
{
	for (;;) {
		const char *open = strstr(text, "{{");
		const char *close = open == NULL ? NULL : strstr(open, "}}");
		if (close == NULL) {
			buffer_add_str(out, text);
			return;
		}
		buffer_add(out, text, (size_t)(open - text));
		buffer_add_str(out, stand_in);
		text = close + 2;
	}
}

/* The stand-in is longer than "{{}}", so that a string can be mended where it is. */
static void mend(cJSON *node)
{
	if (cJSON_IsString(node)) {
		char *at = node->valuestring;
		while ((at = strstr(at, stand_in)) != NULL) {
			char *rest = at + sizeof(stand_in) - 1;
			memcpy(at, "{{}}", 4);
			memmove(at + 4, rest, strlen(rest) + 1);
			at += 4;
		}
	}
	for (cJSON *child = node->child; child != NULL; child = child->next)
		mend(child);
}

cJSON *base_config_read(const cJSON *config_map)
{
	cJSON *deployments = cJSON_CreateObject();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const cJSON *text = json_member(json_member(config_map, "data"), keys[i]);
		if (!cJSON_IsString(text))
			continue;
		struct buffer plain;
		buffer_init(&plain, LIMIT_DOCUMENT_BYTES);
		replace_templates(text->valuestring, &plain);
		cJSON *tree = NULL;
		struct error err;
		if (!plain.full && yaml_read(plain.data, plain.len, &tree, &err) == STATUS_OK) {
			mend(tree);
			json_set(deployments, keys[i], tree);
		}
		buffer_release(&plain);
	}
	return deployments;
}
