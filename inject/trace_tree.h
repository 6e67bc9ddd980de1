/* SPDX-License-Identifier: Apache-2.0 */
/* One trace as a tree for people: service, operation, duration, and a bar on a common time axis. */
#ifndef LLMD_INJECT_TRACE_TREE_H
#define LLMD_INJECT_TRACE_TREE_H

#include "base/buffer.h"
#include "inject/trace.h"

/*
 * Prints the spans of trace `id`: children under their parents, by start. A span whose
 * parent is not there stands at the top, marked "(parent not seen)". Spans that only point
 * at each other are printed once, too. Prints nothing when there is no such span.
 */
void trace_tree_print(const struct trace *trace, const char *id, struct buffer *out);

#endif
