/* SPDX-License-Identifier: Apache-2.0 */
/* The files of templates/, put into the binary at build (hack/embed). */
#ifndef LLMD_INJECT_TEMPLATES_H
#define LLMD_INJECT_TEMPLATES_H

#include <stddef.h>

struct template_file {
	const char *name; /* "collector.yaml" */
	const char *text; /* NUL-terminated */
	size_t len;
};

extern const struct template_file template_files[];
extern const size_t template_file_count;

#endif
