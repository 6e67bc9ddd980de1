/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

/* More than this in all: name less. Bounds what a wrong directory costs. */
#define TOTAL_BYTES MIB(64)
enum { FILES_MAX = 10000, FOLDER_DEPTH_MAX = 32 };

static void close_fdp(int *fd)
{
	if (*fd > STDIN_FILENO)
		(void)close(*fd);
}

static enum status system_error(struct error *err, const char *what)
{
	enum status status = errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND
			     : errno == EACCES || errno == EPERM ? STATUS_DENIED
								 : STATUS_INVALID;
	/* The command line is single-threaded. */
	return error_set(err, status, "%s: %s", what,
			 strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

/* Up to the ceiling and one byte more, by which it is known to be passed. */
static enum status read_fd(int fd, char **ret_text, size_t *ret_len, struct error *err)
{
	struct buffer text;
	buffer_init(&text, LIMIT_STREAM_BYTES);
	char piece[16384];
	enum status status = STATUS_OK;
	for (;;) {
		ssize_t got = read(fd, piece, sizeof(piece));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			status = system_error(err, "read");
		if (got <= 0)
			break;
		size_t before = text.len;
		buffer_add(&text, piece, (size_t)got);
		if (text.full) {
			status = error_set(err, STATUS_LIMIT,
					   "larger than %zu bytes (stopped after %zu bytes)",
					   LIMIT_STREAM_BYTES, before + (size_t)got);
			break;
		}
	}
	if (status == STATUS_OK) {
		*ret_len = text.len;
		*ret_text = TAKE_PTR(text.data);
	}
	buffer_release(&text);
	return status;
}

static enum status read_file(const char *path, char **ret_text, size_t *ret_len, struct error *err)
{
	int fd CLEANUP(close_fdp) = STDIN_FILENO;
	struct stat info;
	if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0)
		return system_error(err, "open");
	if (S_ISREG(info.st_mode) && (size_t)info.st_size > LIMIT_STREAM_BYTES)
		return error_set(err, STATUS_LIMIT,
				 "larger than %zu bytes: it has %zu (stopped after 0 bytes)",
				 LIMIT_STREAM_BYTES, (size_t)info.st_size);
	return read_fd(fd, ret_text, ret_len, err);
}

/* A chart's folder of templates is no input, and YAML's words for them help nobody. */
static enum status hint_template(const struct input *input, enum status status, struct error *err)
{
	if (status != STATUS_INVALID || memmem(input->text, input->len, "{{", 2) == NULL)
		return status;
	struct error cause = *err;
	return error_set(err, status,
			 "%s (it holds \"{{\": a template has to be rendered first, as by helm "
			 "template)",
			 cause.message);
}

static enum status add_file(struct inputs *inputs, const char *path, struct error *err)
{
	struct input input = {0};
	enum status status = read_file(path, &input.text, &input.len, err);
	if (status == STATUS_OK &&
	    (inputs->bytes + input.len > TOTAL_BYTES || inputs->count == FILES_MAX))
		status = error_set(err, STATUS_LIMIT,
				   "all input together is larger than %zu bytes or %d files",
				   TOTAL_BYTES, FILES_MAX);
	if (status == STATUS_OK)
		status = hint_template(
		    &input, yaml_read_stream(input.text, input.len, &input.stream, NULL, err), err);
	if (status != STATUS_OK) {
		free(input.text);
		return error_wrap(err, "%s", path);
	}
	input.name = xstrdup(path);
	inputs->bytes += input.len;
	inputs->items = grow(inputs->items, inputs->count, sizeof(*inputs->items));
	inputs->items[inputs->count++] = input;
	return STATUS_OK;
}

struct names {
	char **items;
	size_t count;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_manifest(const char *path)
{
	return text_has_suffix(path, ".yaml") || text_has_suffix(path, ".yml") ||
	       text_has_suffix(path, ".json");
}

static enum status list_folder(const char *path, struct names *ret_names, struct error *err)
{
	DIR *folder = opendir(path);
	if (folder == NULL) {
		(void)system_error(err, "open");
		return error_wrap(err, "%s", path);
	}
	const struct dirent *entry;
	enum status status = STATUS_OK;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while (status == STATUS_OK && (entry = readdir(folder)) != NULL) {
		bool may_be_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (!may_be_folder && !is_manifest(entry->d_name)))
			continue;
		if (ret_names->count == FILES_MAX)
			status =
			    error_set(err, STATUS_LIMIT, "%s: more than %d files", path, FILES_MAX);
		ret_names->items =
		    grow(ret_names->items, ret_names->count, sizeof(*ret_names->items));
		ret_names->items[ret_names->count++] = xasprintf("%s/%s", path, entry->d_name);
	}
	(void)closedir(folder);
	if (ret_names->count > 0)
		qsort(ret_names->items, ret_names->count, sizeof(*ret_names->items), compare_names);
	return status;
}

/* Files by name, then (with -R) what is below; a symbolic link to a folder is not followed. */
static enum status add_folder(struct inputs *inputs, const char *path, bool recursive, size_t depth,
			      struct error *err)
{
	struct names names CLEANUP(names_release) = {0};
	if (depth > FOLDER_DEPTH_MAX)
		return error_set(err, STATUS_LIMIT, "%s: folders nest deeper than %d", path,
				 FOLDER_DEPTH_MAX);
	enum status status = list_folder(path, &names, err);
	for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
		struct stat info;
		const char *name = names.items[i];
		if (lstat(name, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode)) {
			if (recursive)
				status = add_folder(inputs, name, recursive, depth + 1, err);
		} else if (is_manifest(name)) {
			status = add_file(inputs, name, err);
		}
	}
	return status;
}

static enum status add_path(struct inputs *inputs, const char *path, bool recursive,
			    struct error *err)
{
	struct stat info;
	if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
		return add_file(inputs, path, err);
	size_t before = inputs->count;
	enum status status = add_folder(inputs, path, recursive, 0, err);
	if (status == STATUS_OK && inputs->count == before)
		status = error_set(err, STATUS_NOT_FOUND,
				   "%s: no *.yaml, *.yml or *.json in this directory", path);
	return status;
}

enum status inputs_read(const struct options *options, struct inputs *ret_inputs, struct error *err)
{
	struct inputs inputs = {0};
	enum status status = STATUS_OK;
	size_t standard = 0;
	for (size_t i = 0; i < options->file_count && status == STATUS_OK; i++) {
		standard += strcmp(options->files[i], "-") == 0 ? 1 : 0;
		if (standard > 1)
			status = error_set(err, STATUS_INVALID, "-f - can be given once only");
		else
			status = add_path(&inputs, options->files[i], options->recursive, err);
	}
	if (status != STATUS_OK) {
		inputs_release(&inputs);
		return status;
	}
	*ret_inputs = inputs;
	return STATUS_OK;
}

void inputs_release(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		free(inputs->items[i].name);
		free(inputs->items[i].text);
		yaml_stream_release(&inputs->items[i].stream);
	}
	free(inputs->items);
	*inputs = (struct inputs){0};
}

enum status input_read_one(const char *path, cJSON **ret_tree, struct error *err)
{
	char *text CLEANUP(str_freep) = NULL;
	size_t len = 0;
	enum status status = read_file(path, &text, &len, err);
	if (status == STATUS_OK)
		status = yaml_read(text, len, ret_tree, err);
	if (status != STATUS_OK)
		return error_wrap(err, "%s", path);
	return STATUS_OK;
}
