/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

struct emitter {
	struct batch *batch;
	struct buffer *out;
	bool json; /* the output is JSON values, else YAML documents */
	size_t comments_lost;
};

static void end_line(struct buffer *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buffer_add_char(out, '\n');
}

/* The object keeps its node, so its place in a list and its document stay what they are. */
static enum status apply(struct batch *batch, struct entry *entry, struct error *err)
{
	cJSON *edited = NULL;
	enum status status = batch_edit(batch, entry, &edited, err);
	if (status != STATUS_OK)
		return status;
	cJSON *content = entry->object->child;
	entry->object->child = edited->child;
	edited->child = content;
	cJSON_Delete(edited);
	return STATUS_OK;
}

/* Entries stand in the order of their documents. */
static enum status apply_document(struct batch *batch, size_t *at, size_t input, size_t document,
				  bool *ret_edited, struct error *err)
{
	*ret_edited = false;
	for (; *at < batch->count; (*at)++) {
		struct entry *entry = &batch->entries[*at];
		if (entry->input != input || entry->document != document)
			return STATUS_OK;
		if (entry->plan == NULL || !entry->plan->changes)
			continue;
		enum status status = apply(batch, entry, err);
		if (status != STATUS_OK)
			return status;
		*ret_edited = true;
	}
	return STATUS_OK;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space around the value stays; one line stays one line. */
static void reprint_json(struct emitter *emitter, const struct input *input,
			 const struct yaml_document *document)
{
	size_t start = document->start;
	size_t end = document->end;
	while (start < end && is_space(input->text[start]))
		start++;
	while (end > start && is_space(input->text[end - 1]))
		end--;
	buffer_add(emitter->out, input->text + document->start, start - document->start);
	if (memchr(input->text + start, '\n', end - start) == NULL)
		json_print(document->tree, emitter->out);
	else
		json_print_pretty(document->tree, emitter->out);
	buffer_add(emitter->out, input->text + end, document->end - end);
}

static void reprint_yaml(struct emitter *emitter, const struct yaml_document *document)
{
	if (document->explicit_start)
		buffer_add_str(emitter->out, "---\n");
	yaml_print(document->tree, emitter->out);
	if (document->explicit_end)
		buffer_add_str(emitter->out, "...\n");
}

static void convert(struct emitter *emitter, const struct yaml_document *document)
{
	if (document->tree == NULL)
		return;
	if (emitter->json) {
		json_print_pretty(document->tree, emitter->out);
		buffer_add_char(emitter->out, '\n');
	} else {
		buffer_add_str(emitter->out, "---\n");
		yaml_print(document->tree, emitter->out);
	}
}

/* Between two inputs there has to be what stands between two documents. */
static void separate(struct emitter *emitter, const struct input *input,
		     const struct yaml_document *document)
{
	end_line(emitter->out);
	if (emitter->out->len == 0 || emitter->json || input->stream.json)
		return;
	if (input->text[document->start] == '%')
		buffer_add_str(emitter->out, "...\n");
	else if (!document->explicit_start)
		buffer_add_str(emitter->out, "---\n");
}

static void emit_document(struct emitter *emitter, const struct input *input, size_t index,
			  bool edited)
{
	const struct yaml_document *document = &input->stream.documents[index];
	if (index == 0)
		separate(emitter, input, document);
	if (input->stream.json != emitter->json)
		convert(emitter, document);
	else if (!edited)
		buffer_add(emitter->out, input->text + document->start,
			   document->end - document->start);
	else if (emitter->json)
		reprint_json(emitter, input, document);
	else
		reprint_yaml(emitter, document);
	if (document->has_comments && (edited || input->stream.json != emitter->json))
		emitter->comments_lost++;
}

static bool all_json(const struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (!inputs->items[i].stream.json)
			return false;
	return true;
}

enum status emit_stream(struct batch *batch, enum output output, struct buffer *out,
			size_t *ret_comments_lost, struct error *err)
{
	struct emitter emitter = {.batch = batch, .out = out};
	const struct inputs *inputs = batch->inputs;
	emitter.json = output == OUTPUT_JSON || (output == OUTPUT_DEFAULT && all_json(inputs));
	size_t at = 0;
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->items[i];
		for (size_t j = 0; j < input->stream.count; j++) {
			bool edited = false;
			enum status status = apply_document(batch, &at, i, j, &edited, err);
			if (status != STATUS_OK)
				return status;
			emit_document(&emitter, input, j, edited);
		}
	}
	*ret_comments_lost = emitter.comments_lost;
	return STATUS_OK;
}

static void set_text(cJSON *row, const char *key, const char *text)
{
	if (text != NULL)
		json_set_str(row, key, text);
}

void emit_patches(const struct batch *batch, struct buffer *out)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		if (entry->plan == NULL || !entry->plan->changes)
			continue;
		const cJSON *object = entry_object(entry);
		cJSON *row CLEANUP(json_freep) = cJSON_CreateObject();
		json_set_str(row, "file", batch->inputs->items[entry->input].name);
		json_set_int(row, "document", (long)entry->document + 1);
		set_text(row, "apiVersion", json_str(object, "apiVersion"));
		set_text(row, "kind", json_str(object, "kind"));
		json_set_str(row, "namespace", entry_namespace(batch, entry));
		set_text(row, "name", json_str(object, "metadata.name"));
		json_set(row, "patch", plan_patch(entry->plan, PATCH_GUARD_TESTS));
		json_print(row, out);
		buffer_add_char(out, '\n');
	}
}

/* Kustomize takes a name for a regular expression: in one of Kubernetes only a point means more than itself. */
static char *pattern_of(const char *name)
{
	struct buffer pattern;
	buffer_init(&pattern, KIB(4));
	for (; *name != '\0'; name++)
		buffer_add_str(&pattern, *name == '.' ? "[.]" : (char[]){*name, '\0'});
	return buffer_detach(&pattern);
}

/* Without the namespace, which the source may leave to a kustomization. */
static void emit_target(const cJSON *object, struct buffer *out)
{
	const char *version = json_str(object, "apiVersion");
	const char *slash = strchr(version, '/');
	cJSON *target CLEANUP(json_freep) = cJSON_CreateObject();
	if (slash != NULL) {
		CLEANUP(str_freep) char *group = xasprintf("%.*s", (int)(slash - version), version);
		json_set_str(target, "group", group);
	}
	json_set_str(target, "version", slash == NULL ? version : slash + 1);
	const char *name = json_str(object, "metadata.name");
	char *pattern CLEANUP(str_freep) = name == NULL ? NULL : pattern_of(name);
	set_text(target, "kind", json_str(object, "kind"));
	set_text(target, "name", pattern);
	json_print(target, out);
}

struct aim {
	char *target; /* owned */
	size_t entry;
};

static int compare_aims(const void *a, const void *b)
{
	const struct aim *left = a;
	const struct aim *right = b;
	int order = strcmp(left->target, right->target);
	return order != 0 ? order : (left->entry > right->entry) - (left->entry < right->entry);
}

static enum status refuse_aims(const struct batch *batch, const struct entry *first,
			       const struct entry *second, struct error *err)
{
	char *title CLEANUP(str_freep) = entry_title(batch, second);
	char *place CLEANUP(str_freep) = entry_place(batch, second);
	char *other_title CLEANUP(str_freep) = entry_title(batch, first);
	char *other_place CLEANUP(str_freep) = entry_place(batch, first);
	return error_set(
	    err, STATUS_INVALID,
	    "%s: %s: Kustomize finds what it patches by kind and name, so this one and "
	    "%s (%s) would get each other's patch too; give -o kustomize one of them "
	    "at a time",
	    place, title, other_title, other_place);
}

/* A target without a name is every workload of its kind. */
static enum status check_name(const struct batch *batch, const struct entry *entry,
			      struct error *err)
{
	if (!entry->plan->changes || json_str(entry_object(entry), "metadata.name") != NULL)
		return STATUS_OK;
	char *title CLEANUP(str_freep) = entry_title(batch, entry);
	char *place CLEANUP(str_freep) = entry_place(batch, entry);
	return error_set(err, STATUS_INVALID,
			 "%s: %s: has no metadata.name, by which Kustomize finds what it patches",
			 place, title);
}

/* A flag that is given twice may end a server, so no two workloads may share a target. */
static enum status check_aims(const struct batch *batch, struct error *err)
{
	enum status status = STATUS_OK;
	size_t count = 0;
	struct aim *aims = xcalloc(batch->count + 1, sizeof(*aims));
	for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
		struct buffer target;
		if (batch->entries[i].plan == NULL)
			continue;
		status = check_name(batch, &batch->entries[i], err);
		buffer_init(&target, KIB(4));
		emit_target(entry_object(&batch->entries[i]), &target);
		aims[count++] = (struct aim){.target = buffer_detach(&target), .entry = i};
	}
	if (count > 1)
		qsort(aims, count, sizeof(*aims), compare_aims);
	for (size_t i = 1; i < count && status == STATUS_OK; i++) {
		const struct entry *first = &batch->entries[aims[i - 1].entry];
		const struct entry *second = &batch->entries[aims[i].entry];
		if ((first->plan->changes || second->plan->changes) &&
		    text_equal(aims[i - 1].target, aims[i].target))
			status = refuse_aims(batch, first, second, err);
	}
	for (size_t i = 0; i < count; i++)
		free(aims[i].target);
	free(aims);
	return status;
}

enum status emit_kustomize(const struct batch *batch, struct buffer *out, struct error *err)
{
	enum status status = check_aims(batch, err);
	if (status != STATUS_OK)
		return status;
	buffer_add_str(out, "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
			    "patches:");
	size_t none = out->len;
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		if (entry->plan == NULL || !entry->plan->changes)
			continue;
		cJSON *patch CLEANUP(json_freep) = plan_source_patch(entry->plan);
		const cJSON *operation = NULL;
		buffer_add_str(out, "\n- target: ");
		emit_target(entry_object(entry), out);
		buffer_add_str(out, "\n  patch: |-\n    [");
		cJSON_ArrayForEach(operation, patch)
		{
			buffer_add_str(out, operation == patch->child ? "\n      " : ",\n      ");
			json_print(operation, out);
		}
		buffer_add_str(out, "\n    ]");
	}
	buffer_add_str(out, out->len == none ? " []\n" : "\n");
	return STATUS_OK;
}

enum status emit_flush(const struct buffer *out, struct error *err)
{
	enum status status = buffer_check(out, "output", err);
	if (status != STATUS_OK)
		return status;
	for (size_t at = 0; at < out->len;) {
		ssize_t wrote = write(STDOUT_FILENO, out->data + at, out->len - at);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			/* The command line is single-threaded. */
			return error_set(err, STATUS_RETRY, "write standard output: %s",
					 strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
		at += (size_t)wrote;
	}
	return STATUS_OK;
}
