/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/discovery.h"

#include <string.h>

#include "base/text.h"

/* The next of a comma-separated list into `version`; NULL when there is none (or it is too long). */
static const char *next_version(const char *list, char version[static 32])
{
	size_t len = strcspn(list, ",");
	if (len == 0 || len >= 32)
		return NULL;
	memcpy(version, list, len);
	version[len] = '\0';
	return list + len + (list[len] == ',' ? 1 : 0);
}

static void set_served(struct discovery_state *state, const char *version)
{
	state->answer = DISCOVERY_SERVED;
	memcpy(state->version, version, strlen(version) + 1);
}

static const cJSON *find_by(const cJSON *list, const char *path, const char *value)
{
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	while (item != NULL && !text_equal(json_str(item, path), value))
		item = item->next;
	return item;
}

/* From the best version on: a stale one may hide the kind, so nothing worse is concluded from it. */
static void judge_kind(const cJSON *group, const struct discovery_kind *kind,
		       struct discovery_state *state)
{
	char version[32];
	const char *rest = kind->versions;
	const cJSON *versions = json_member(group, "versions");
	*state = (struct discovery_state){.answer = DISCOVERY_ABSENT};
	while ((rest = next_version(rest, version)) != NULL) {
		const cJSON *served = find_by(versions, "version", version);
		if (served == NULL)
			continue;
		if (text_equal(json_str(served, "freshness"), "Stale")) {
			state->answer = DISCOVERY_UNKNOWN;
			return;
		}
		if (find_by(json_member(served, "resources"), "resource", kind->plural) != NULL) {
			set_served(state, version);
			return;
		}
	}
}

static void read_aggregated(const cJSON *tree, const struct discovery_kind *kinds, size_t count,
			    struct discovery_state *states)
{
	const cJSON *items = json_member(tree, "items");
	for (size_t i = 0; i < count; i++)
		if (*kinds[i].group != '\0')
			judge_kind(find_by(items, "metadata.name", kinds[i].group), &kinds[i],
				   &states[i]);
}

static bool lists_version(const char *versions, const char *wanted)
{
	char version[32];
	while ((versions = next_version(versions, version)) != NULL)
		if (strcmp(version, wanted) == 0)
			return true;
	return false;
}

static void read_resources(const cJSON *tree, const struct discovery_kind *kinds, size_t count,
			   struct discovery_state *states)
{
	const char *group_version = json_str(tree, "groupVersion");
	const char *slash = group_version == NULL ? NULL : strchr(group_version, '/');
	if (slash == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(kinds[i].group);
		if (len == 0 || strncmp(group_version, kinds[i].group, len) != 0 ||
		    group_version[len] != '/' || !lists_version(kinds[i].versions, slash + 1))
			continue;
		if (find_by(json_member(tree, "resources"), "name", kinds[i].plural) != NULL)
			set_served(&states[i], slash + 1);
		else
			states[i] = (struct discovery_state){.answer = DISCOVERY_ABSENT};
	}
}

static void read_groups(const cJSON *tree, const struct discovery_kind *kinds, size_t count,
			struct discovery_state *states)
{
	for (size_t i = 0; i < count; i++) {
		const cJSON *group = find_by(json_member(tree, "groups"), "name", kinds[i].group);
		char version[32];
		bool found = *kinds[i].group == '\0';
		for (const char *rest = kinds[i].versions;
		     !found && (rest = next_version(rest, version)) != NULL;)
			found = find_by(json_member(group, "versions"), "version", version) != NULL;
		if (!found)
			states[i] = (struct discovery_state){.answer = DISCOVERY_ABSENT};
	}
}

static void read_core(const struct discovery_kind *kinds, size_t count,
		      struct discovery_state *states)
{
	char version[32];
	for (size_t i = 0; i < count; i++)
		if (*kinds[i].group == '\0' && next_version(kinds[i].versions, version) != NULL)
			set_served(&states[i], version);
}

enum status discovery_read(const char *text, size_t len, const struct discovery_kind *kinds,
			   size_t count, struct discovery_state *states,
			   enum discovery_document *ret_document, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	enum status status = json_parse(text, len, &tree, err);
	if (status != STATUS_OK)
		return error_wrap(err, "read discovery");
	const char *kind = json_str(tree, "kind");
	if (text_equal(kind, "APIGroupDiscoveryList")) {
		*ret_document = DISCOVERY_AGGREGATED;
		read_aggregated(tree, kinds, count, states);
	} else if (text_equal(kind, "APIResourceList")) {
		*ret_document = DISCOVERY_RESOURCES;
		read_resources(tree, kinds, count, states);
	} else if (text_equal(kind, "APIGroupList")) {
		*ret_document = DISCOVERY_GROUPS;
		read_groups(tree, kinds, count, states);
	} else {
		return error_set(err, STATUS_INVALID, "read discovery: kind is %s",
				 kind == NULL ? "absent" : kind);
	}
	read_core(kinds, count, states);
	return STATUS_OK;
}
