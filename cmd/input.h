/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user named with -f, read under ceilings and parsed: files, standard input,
 * directories. Messages begin with the file's name.
 */
#ifndef LLMD_CMD_INPUT_H
#define LLMD_CMD_INPUT_H

#include <stddef.h>

#include "base/error.h"
#include "base/yaml.h"
#include "cmd/options.h"

struct input {
	char *name; /* as given, "-" for standard input */
	char *text;
	size_t len;
	struct yaml_stream stream;
};

struct inputs {
	struct input *items;
	size_t count;
	size_t bytes; /* of all of them */
};

/*
 * Everything that options->files names, in that order; a directory's files are sorted by
 * name. STATUS_NOT_FOUND: no such file, or a directory without any; STATUS_LIMIT: a file
 * that is too large is not read at all, a pipe is read up to the ceiling.
 */
NODISCARD enum status inputs_read(const struct options *options, struct inputs *ret_inputs,
				  struct error *err);
void inputs_release(struct inputs *inputs);

/* One file with exactly one document (settings). */
NODISCARD enum status input_read_one(const char *path, cJSON **ret_tree, struct error *err);

#endif
