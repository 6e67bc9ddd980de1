/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: what an image of some component may be given (LLMD §11). A list of what is
 * known to be bad, not of what is known to be good: a name that no row knows, or a tag
 * that tells no version, is Unverified and not refused, unless guessing could make the
 * program exit. The rows stand in the components' descriptors.
 */
#ifndef LLMD_INJECT_GATE_H
#define LLMD_INJECT_GATE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "inject/component_rules.h"
#include "inject/image.h"
#include "inject/launch.h"
#include "inject/settings.h"

/* The component whose gate row knows this image name; COMPONENT_NEVER for the never list, else NONE. */
enum component gate_identify(const struct image *image, const struct gate_rule **ret_rule);

struct gate_verdict {
	enum gate_mode mode;
	enum reason reason;  /* GATE_SKIP: why not; else REASON_INJECTED or REASON_UNVERIFIED */
	const char *service; /* the image family's service name; NULL: the component's */
	const char *source;  /* where the number comes from; NULL: no row knows the image */
	const char *version_of;
	bool plaintext;   /* the version is known to send plaintext even to https:// */
	char version[40]; /* the version that was read, "" when none */
	struct version number;
};

/*
 * What an image of `component` may be given. `version` is the user's word (spec.images)
 * and beats the tag; NULL when there is none. `modern`: the arguments prove a version
 * with the flag (component_from_args).
 */
void gate_judge(enum component component, const struct image *image, const char *version,
		bool modern, struct gate_verdict *ret_verdict);

/* The row of spec.images that speaks of an image: the first whose glob matches the whole reference; NULL: none. */
const struct image_override *gate_override(const struct settings *settings, const char *image);

/* True when the command line holds a flag that only versions with the component's flag know. */
bool gate_is_modern(const struct component_rules *rules, const struct launch *launch);

/* The gate table as Markdown, for docs. */
void gate_document(struct buffer *out);

#endif
