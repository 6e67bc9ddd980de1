/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/batch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { LIST_DEPTH_MAX = 4 };

struct space {
	char *name;
	struct surroundings *surroundings;
	const cJSON *tracing;     /* borrowed from a document, or NULL */
	size_t tracing_entry;     /* whose entry that is */
	struct settings settings; /* read when `ready` */
	bool ready;
	char hash[17];
	char led_hash[17];
};

/* ---- collecting ---- */

static size_t hash_name(const char *name)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */
	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211U;
	return (size_t)hash;
}

/* The slot that holds `name`, or the empty one where it belongs; at most half are taken. */
static size_t find_slot(const struct batch *batch, const char *name)
{
	size_t slot = hash_name(name) & (batch->slot_count - 1);
	while (batch->slots[slot] != 0 &&
	       strcmp(batch->spaces[batch->slots[slot] - 1].name, name) != 0)
		slot = (slot + 1) & (batch->slot_count - 1);
	return slot;
}

static void make_slots(struct batch *batch)
{
	free(batch->slots);
	batch->slot_count = batch->slot_count == 0 ? 64 : batch->slot_count * 2;
	batch->slots = xcalloc(batch->slot_count, sizeof(*batch->slots));
	for (size_t i = 0; i < batch->space_count; i++)
		batch->slots[find_slot(batch, batch->spaces[i].name)] = i + 1;
}

/* An input may name a hundred thousand namespaces, so they are hashed. */
static size_t find_space(struct batch *batch, const char *name)
{
	if (batch->space_count * 2 >= batch->slot_count)
		make_slots(batch);
	size_t slot = find_slot(batch, name);
	if (batch->slots[slot] != 0)
		return batch->slots[slot] - 1;
	batch->spaces = grow(batch->spaces, batch->space_count, sizeof(*batch->spaces));
	batch->spaces[batch->space_count++] =
	    (struct space){.name = xstrdup(name), .surroundings = surroundings_new()};
	batch->slots[slot] = batch->space_count;
	return batch->space_count - 1;
}

static bool is_list(const cJSON *object)
{
	const char *kind = json_str(object, "kind");
	return kind != NULL && text_has_suffix(kind, "List") &&
	       cJSON_IsArray(json_member(object, "items"));
}

/* DeploymentList's items need not say that they are Deployments. */
static cJSON *with_type(const cJSON *item, const cJSON *list)
{
	const char *kind = json_str(list, "kind");
	const char *version = json_str(list, "apiVersion");
	size_t len = strlen(kind) - strlen("List");
	if (json_str(item, "kind") != NULL || len == 0 || version == NULL)
		return NULL;
	char *name CLEANUP(str_freep) = xstrndup(kind, len);
	cJSON *typed = json_clone(item);
	json_set_str(typed, "apiVersion", version);
	json_set_str(typed, "kind", name);
	return typed;
}

static void add_entry(struct batch *batch, const struct options *options, struct entry entry)
{
	const char *name = json_str(entry_object(&entry), "metadata.namespace");
	if (name == NULL || *name == '\0')
		name = options_namespace(options);
	entry.space = find_space(batch, name);
	batch->entries = grow(batch->entries, batch->count, sizeof(*batch->entries));
	batch->entries[batch->count++] = entry;
}

static void add_object(struct batch *batch, const struct options *options, struct entry entry,
		       size_t depth)
{
	if (!cJSON_IsObject(entry.object))
		return;
	if (!is_list(entry.object) || depth == LIST_DEPTH_MAX) {
		add_entry(batch, options, entry);
		return;
	}
	json_freep(&entry.typed);
	cJSON *list = entry.object;
	cJSON *items = json_member_mut(list, "items");
	for (cJSON *item = items->child; item != NULL; item = item->next) {
		struct entry inner = entry;
		inner.object = item;
		inner.typed = cJSON_IsObject(item) ? with_type(item, list) : NULL;
		add_object(batch, options, inner, depth + 1);
	}
}

static void collect(struct batch *batch, const struct options *options)
{
	for (size_t i = 0; i < batch->inputs->count; i++) {
		struct yaml_stream *stream = &batch->inputs->items[i].stream;
		for (size_t j = 0; j < stream->count; j++)
			add_object(batch, options,
				   (struct entry){.input = i,
						  .document = j,
						  .object = stream->documents[j].tree},
				   0);
	}
}

/* ---- settings and surroundings ---- */

static enum status wrap(const struct batch *batch, const struct entry *entry, struct error *err)
{
	char *place CLEANUP(str_freep) = entry_place(batch, entry);
	char *title CLEANUP(str_freep) = entry_title(batch, entry);
	return error_wrap(err, "%s: %s", place, title);
}

static bool is_tracing(const cJSON *object)
{
	return text_equal(json_str(object, "apiVersion"), TRACING_API_VERSION) &&
	       text_equal(json_str(object, "kind"), TRACING_KIND);
}

static enum status note_tracing(struct batch *batch, size_t index, struct error *err)
{
	const struct entry *entry = &batch->entries[index];
	const cJSON *object = entry_object(entry);
	struct space *space = &batch->spaces[entry->space];
	if (!text_equal(json_str(object, "metadata.name"), TRACING_NAME)) {
		(void)error_set(err, STATUS_INVALID,
				"metadata.name: a Tracing has to be named \"%s\"", TRACING_NAME);
		return wrap(batch, entry, err);
	}
	if (space->tracing != NULL) {
		(void)error_set(err, STATUS_INVALID, "a second Tracing for namespace %s",
				space->name);
		return wrap(batch, entry, err);
	}
	space->tracing = object;
	space->tracing_entry = index;
	return STATUS_OK;
}

static enum status look_around(struct batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->count; i++) {
		const cJSON *object = entry_object(&batch->entries[i]);
		surroundings_add(batch->spaces[batch->entries[i].space].surroundings, object);
		enum status status = is_tracing(object) ? note_tracing(batch, i, err) : STATUS_OK;
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status read_space(struct batch *batch, struct space *space, const char *file,
			      enum plan_want want, struct error *err)
{
	const cJSON *tracing = batch->settings != NULL ? batch->settings : space->tracing;
	const struct settings *defaults = &batch->admin.defaults;
	enum status status = settings_read(tracing, defaults, &space->settings, err);
	if (status == STATUS_OK) {
		settings_user_hash(tracing, space->hash);
		settings_led_hash(tracing, space->led_hash);
		space->ready = true;
		if (want == PLAN_INJECT) /* taking back is always allowed */
			status = admin_policy_check(&batch->admin.policy, defaults,
						    &space->settings, err);
	}
	if (status == STATUS_OK)
		return STATUS_OK;
	if (batch->settings != NULL)
		return error_wrap(err, "%s", file);
	char *place CLEANUP(str_freep) = entry_place(batch, &batch->entries[space->tracing_entry]);
	return error_wrap(err, "%s", place);
}

static enum status read_settings(struct batch *batch, const struct options *options,
				 enum plan_want want, struct error *err)
{
	struct admin_files files = {.policy = options->policy};
	enum status status = admin_read(&files, false, &batch->admin, err);
	if (status == STATUS_OK && options->settings != NULL) {
		status = input_read_one(options->settings, &batch->settings, err);
		if (status == STATUS_OK && !is_tracing(batch->settings))
			return error_set(err, STATUS_INVALID, "%s: not a %s of %s",
					 options->settings, TRACING_KIND, TRACING_API_VERSION);
	}
	for (size_t i = 0; i < batch->space_count && status == STATUS_OK; i++)
		status = read_space(batch, &batch->spaces[i], options->settings, want, err);
	return status;
}

/* ---- planning ---- */

/*
 * Who names a file means it: where the operator would ask what leads to a workload, the
 * command line takes the file itself as that. An opt-out, another owner and everything that
 * is decided container by container hold as always (docs/cli.md).
 */
static void take_file_as_evidence(struct facts *facts)
{
	if (facts->evidence != EVIDENCE_NONE)
		return;
	facts->evidence = EVIDENCE_EXPLICIT;
	(void)snprintf(facts->why, sizeof(facts->why), "named on the command line");
}

static enum status plan_entry(struct batch *batch, struct entry *entry, enum plan_want want,
			      struct error *err)
{
	const cJSON *object = entry_object(entry);
	struct space *space = &batch->spaces[entry->space];
	const char *kind = json_str(object, "kind");
	const char *version = json_str(object, "apiVersion");
	if (kind == NULL || version == NULL || !plan_is_workload_kind(version, kind))
		return STATUS_OK;
	surroundings_facts(space->surroundings, object, &entry->facts);
	entry->facts.pool_excluded = !facts_selected(&entry->facts, object, &space->settings);
	take_file_as_evidence(&entry->facts);
	struct plan_input input = {
	    .object = object,
	    .settings = &space->settings,
	    .settings_hash = space->hash,
	    .led_hash = space->led_hash,
	    .facts = &entry->facts,
	    .want = want,
	    .take_updates = true,
	};
	if (plan_build(&input, &entry->plan, err) != STATUS_OK)
		return wrap(batch, entry, err);
	return STATUS_OK;
}

enum status batch_build(const struct options *options, struct inputs *inputs, enum plan_want want,
			struct batch *ret_batch, struct error *err)
{
	struct batch batch = {.inputs = inputs};
	collect(&batch, options);
	enum status status = look_around(&batch, err);
	if (status == STATUS_OK)
		status = read_settings(&batch, options, want, err);
	for (size_t i = 0; i < batch.count && status == STATUS_OK; i++)
		status = plan_entry(&batch, &batch.entries[i], want, err);
	if (status != STATUS_OK) {
		batch_release(&batch);
		return status;
	}
	*ret_batch = batch;
	return STATUS_OK;
}

void batch_release(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		plan_freep(&batch->entries[i].plan);
		json_freep(&batch->entries[i].typed);
	}
	for (size_t i = 0; i < batch->space_count; i++) {
		surroundings_freep(&batch->spaces[i].surroundings);
		if (batch->spaces[i].ready)
			settings_release(&batch->spaces[i].settings);
		free(batch->spaces[i].name);
	}
	free(batch->slots);
	free(batch->entries);
	free(batch->spaces);
	json_freep(&batch->settings);
	admin_release(&batch->admin);
	*batch = (struct batch){0};
}

const cJSON *entry_object(const struct entry *entry)
{
	return entry->typed != NULL ? entry->typed : entry->object;
}

enum status batch_edit(const struct batch *batch, const struct entry *entry, cJSON **ret_object,
		       struct error *err)
{
	if (plan_apply(entry->plan, entry->object, ret_object, err) != STATUS_OK)
		return wrap(batch, entry, err);
	return STATUS_OK;
}

const char *entry_namespace(const struct batch *batch, const struct entry *entry)
{
	return batch->spaces[entry->space].name;
}

char *entry_title(const struct batch *batch, const struct entry *entry)
{
	const cJSON *object = entry_object(entry);
	const char *kind = json_str(object, "kind");
	const char *name = json_str(object, "metadata.name");
	return xasprintf("%s/%s/%s", kind != NULL ? kind : "?", entry_namespace(batch, entry),
			 name != NULL ? name : "?");
}

char *entry_place(const struct batch *batch, const struct entry *entry)
{
	const struct input *input = &batch->inputs->items[entry->input];
	if (input->stream.count == 1)
		return xstrdup(input->name);
	return xasprintf("%s: document %zu", input->name, entry->document + 1);
}
