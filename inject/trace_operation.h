/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations that the llm-d guide promises to show, and the spans by which each
 * component shows them, by version (LLMD §1.3, §2, §3.3). Data.
 */
#ifndef LLMD_INJECT_TRACE_OPERATION_H
#define LLMD_INJECT_TRACE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "inject/component.h"
#include "inject/image.h"

enum trace_group {
	GROUP_ROUTING,  /* request routing */
	GROUP_SCORING,  /* endpoint scoring */
	GROUP_KV_CACHE, /* KV-cache indexing */
	GROUP_TRANSFER, /* KV transfer */
	GROUP_ENGINE,   /* engine inference */
	GROUP_COUNT
};

struct trace_operation {
	enum component component;
	enum trace_group group;
	const char *glob; /* of span names */
	const char
	    *since; /* first version of the component's own numbering; NULL: all that are traced */
	bool configured; /* only with some plugins or connectors: never reported as missing */
};

extern const struct trace_operation trace_operations[];
extern const size_t trace_operation_count;

/* "request routing", … */
const char *trace_group_title(enum trace_group group);

/* The row of a span name, NULL when none knows it. */
const struct trace_operation *trace_operation_of(enum component component, const char *span_name);

/*
 * True when a component of that image and version shows the group in every request. An unknown
 * version promises nothing but what all versions show.
 */
bool trace_operation_is_promised(enum component component, enum trace_group group,
				 const struct image *image, const struct version *version);

/* The table as Markdown, for docs. */
void trace_operations_document(struct buffer *out);

#endif
