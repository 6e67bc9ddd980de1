/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/frames.h"

#include <string.h>

void frames_init(struct frames *frames, size_t ceiling)
{
	*frames = (struct frames){.ceiling = ceiling};
	buffer_init(&frames->partial, ceiling);
}

void frames_release(struct frames *frames)
{
	buffer_release(&frames->partial);
}

void frames_clear(struct frames *frames)
{
	size_t ceiling = frames->ceiling;
	frames_release(frames);
	frames_init(frames, ceiling);
}

bool frames_is_partial(const struct frames *frames)
{
	return frames->inside;
}

/* A frame that came in one piece is handed on where it lies, without a copy. */
static bool end_frame(struct frames *frames, const char *data, size_t len, frame_fn on_frame,
		      void *context)
{
	struct slice frame = {data, len};
	frames->inside = false;
	if (frames->partial.len > 0) {
		buffer_add(&frames->partial, data, len);
		frame = (struct slice){frames->partial.data, frames->partial.len};
	}
	bool more = true;
	if (frames->skipping || frames->partial.full || len > frames->ceiling)
		frames->skipped++;
	else
		more = on_frame(context, frame);
	frames->skipping = false;
	buffer_clear(&frames->partial);
	return more;
}

static void keep_partial(struct frames *frames, const char *data, size_t len)
{
	if (frames->skipping)
		return;
	buffer_add(&frames->partial, data, len);
	if (frames->partial.full) {
		frames->skipping = true;
		buffer_release(&frames->partial);
		buffer_init(&frames->partial, frames->ceiling);
	}
}

enum status frames_feed(struct frames *frames, const char *data, size_t len, frame_fn on_frame,
			void *context, struct error *err)
{
	size_t at = 0;
	while (at < len) {
		if (!frames->inside) {
			if (is_json_space(data[at])) {
				at++;
				continue;
			}
			if (data[at] != '{')
				return error_set(
				    err, STATUS_INVALID,
				    "the stream holds something else than JSON objects");
			frames->inside = true;
			frames->scan = (struct json_scan){0};
		}
		bool ended = false;
		size_t used = json_scan_run(&frames->scan, data + at, len - at, &ended);
		if (!ended)
			keep_partial(frames, data + at, used);
		else if (!end_frame(frames, data + at, used, on_frame, context))
			return STATUS_OK;
		at += used;
	}
	return STATUS_OK;
}
