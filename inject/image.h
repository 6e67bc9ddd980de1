/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references and the versions in their tags. Knows the grammar of references
 * (registry with port, path, tag, digest) and of tags as llm-d's projects write them;
 * knows no project (that is inject/gate.h).
 */
#ifndef LLMD_INJECT_IMAGE_H
#define LLMD_INJECT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

/* A reference cut into its parts. Borrows the text it was read from. */
struct image {
	const char *path; /* repository without the registry: "llm-d/llm-d-cuda" */
	size_t path_len;
	const char *base; /* last part of the path */
	size_t base_len;
	const char *tag; /* NULL: none */
	size_t tag_len;
	bool has_digest;
};

/* Never fails: what is no reference at all is a path without a tag. `text` must outlive the result. */
void image_read(const char *text, struct image *ret_image);

/* With the registry that is meant where none is said: "docker.io/library/redis:7". Owned. */
char *image_full_name(const char *text);

/* As container runtimes list images: the full name by digest if it has one, else by tag (":latest"). Owned. */
char *image_listed_name(const char *text);

/*
 * True when `glob` (`*`, `?`) matches the end of the path, counted in whole parts:
 * "vllm-openai*" looks at the last part, "intel/vllm" at the last two. A trailing "-dev"
 * of the repository name (development builds of llm-d) does not count.
 */
bool image_matches(const struct image *image, const char *glob);

/* `*` stands for any run of characters (also '/'), `?` for one. */
bool glob_matches(const char *glob, const char *text, size_t len);

enum version_kind {
	VERSION_NONE,  /* the tag tells none: latest, sha-…, nightly-…, a date, a commit */
	VERSION_EXACT, /* the tag begins with it: v0.23.0, 0.23.0-cu130, v0.5.13.post1 */
	VERSION_EMBEDDED, /* it stands further in: nightly-v0.11.0-ab12 (good enough to refuse, not to trust) */
};

enum { VERSION_PARTS = 4 };

struct version {
	enum version_kind kind;
	unsigned part[VERSION_PARTS]; /* missing parts are 0 */
	bool prerelease; /* rc, alpha, beta, dev, pre, a1, b1: lower than its release */
};

/* Reads a tag, or a version that the user wrote. At least MAJOR.MINOR; years are no major versions. */
void version_read(const char *text, size_t len, struct version *ret_version);

/* True when `version` (not VERSION_NONE) is lower than `bound`, e.g. "0.17.0"; 0.17.0rc1 is. */
bool version_is_below(const struct version *version, const char *bound);

#endif
