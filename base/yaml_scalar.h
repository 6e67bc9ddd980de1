/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a YAML scalar means. The rules are those of go-yaml v2 (resolve.go) as
 * sigs.k8s.io/yaml 1.6 uses it, down to its oddities, since that is how kubectl reads the
 * same file; test/yaml-oracle compares both.
 */
#ifndef LLMD_BASE_YAML_SCALAR_H
#define LLMD_BASE_YAML_SCALAR_H

#include <stdbool.h>

enum yaml_type {
	YAML_TYPE_NULL,
	YAML_TYPE_BOOL,
	YAML_TYPE_INT,
	YAML_TYPE_FLOAT,
	YAML_TYPE_STRING,
	YAML_TYPE_REFUSED, /* .inf, .nan, a tag that does not fit or that JSON cannot hold */
};

enum { YAML_NUMBER_MAX = 512 };

struct yaml_scalar {
	enum yaml_type type;
	bool truth;                       /* YAML_TYPE_BOOL */
	char number[YAML_NUMBER_MAX + 1]; /* YAML_TYPE_INT, _FLOAT: valid JSON text */
};

/*
 * `tag` is the resolved tag or NULL; `plain`: not quoted, not a block scalar. `text` is
 * NUL-terminated and borrowed; a string result is `text` itself.
 */
void yaml_resolve(const char *tag, bool plain, const char *text, struct yaml_scalar *ret_scalar);

/* The text of a mapping key that resolved to a float (strconv 'g', 32 bits). */
void yaml_float_key(const char *number, char ret_key[64]);

#endif
