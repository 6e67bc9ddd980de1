/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch stream cut into JSON objects while it arrives. The API server writes one
 * object a line, but the rule is concatenated values (client-go reads with a JSON
 * decoder, not by lines), so newlines mean nothing here. Any cut of the stream gives
 * the same frames.
 */
#ifndef LLMD_K8SCLIENT_FRAMES_H
#define LLMD_K8SCLIENT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "k8sclient/slice.h"

struct frames {
	struct buffer partial; /* the bytes of a frame whose end has not come; private */
	struct json_scan scan; /* private */
	size_t ceiling;        /* largest frame; private */
	bool inside;           /* private */
	bool skipping;         /* private */
	size_t skipped; /* frames that were larger than the ceiling: dropped, the stream goes on */
};

/* The frame is borrowed for the call. False: no more frames are wanted. */
typedef bool (*frame_fn)(void *context, struct slice frame);

void frames_init(struct frames *frames, size_t ceiling);
void frames_release(struct frames *frames);
/* Forgets a partial frame and the count: a new stream begins. */
void frames_clear(struct frames *frames);

/*
 * STATUS_INVALID when something else than a JSON object begins at the top level: the
 * stream cannot be trusted any further.
 */
NODISCARD enum status frames_feed(struct frames *frames, const char *data, size_t len,
				  frame_fn on_frame, void *context, struct error *err);

/* True when the stream, ending now, would end inside a frame. */
bool frames_is_partial(const struct frames *frames);

#endif
