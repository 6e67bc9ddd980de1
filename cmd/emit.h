/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edited input as text (DESIGN §4.9): documents without an edit byte for byte, edited
 * ones printed anew, all in their order.
 */
#ifndef LLMD_CMD_EMIT_H
#define LLMD_CMD_EMIT_H

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/batch.h"

/* Most that one command ever prints: the input and what is added to it. */
#define LIMIT_OUTPUT_BYTES ((size_t)256 * 1024U * 1024U)

/*
 * Applies every plan to the documents and adds the whole stream to `out`. Use once: the
 * trees of the input are changed. `ret_comments_lost`: how many edited documents had some.
 */
NODISCARD enum status emit_stream(struct batch *batch, enum output output, struct buffer *out,
				  size_t *ret_comments_lost, struct error *err);

/*
 * One line of JSON for each changed object: {file, document, apiVersion, kind, namespace,
 * name, patch}, the patch with `test` operations.
 */
void emit_patches(const struct batch *batch, struct buffer *out);

/*
 * What Git needs so that the objects come out traced by themselves: a Kustomize Component
 * with a JSON patch for each changed object, without what only the operator uses (ledger).
 * STATUS_INVALID where two objects have one target.
 */
NODISCARD enum status emit_kustomize(const struct batch *batch, struct buffer *out,
				     struct error *err);

/* Writes everything to standard output; nothing when `out` is full. */
NODISCARD enum status emit_flush(const struct buffer *out, struct error *err);

#endif
