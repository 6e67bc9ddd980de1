/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a watch stream and as a list: whatever the cuts, the same pieces come out
 * and the same outcome. The first two bytes choose the cuts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "k8sclient/frames.h"
#include "k8sclient/list_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING = 256 };

/* All pieces, each ended by a newline; and how it ended. */
struct heard {
	struct buffer pieces;
	enum status status;
	size_t skipped;
	bool partial;
};

static bool hear(void *context, struct slice piece)
{
	struct heard *heard = context;
	/* Looking inside must be safe whatever it is. */
	struct slice value;
	char version[64];
	(void)!slice_resource_version(piece, version, sizeof(version));
	(void)!slice_member(piece, "type", &value);
	if (piece.len == 0 || piece.data[0] != '{' || piece.len > CEILING)
		abort();
	buffer_add(&heard->pieces, piece.data, piece.len);
	buffer_add_char(&heard->pieces, '\n');
	return true;
}

/* The length of the next cut: a small generator seeded by the input. */
static size_t next_cut(uint32_t *seed, size_t left)
{
	*seed = *seed * 1664525U + 1013904223U;
	size_t cut = 1 + (*seed >> 24) % 31;
	return cut < left ? cut : left;
}

static void as_frames(const char *data, size_t size, uint32_t seed, struct heard *heard)
{
	struct frames frames;
	struct error err;
	frames_init(&frames, CEILING);
	for (size_t at = 0; at < size && heard->status == STATUS_OK;) {
		size_t cut = seed == 0 ? size : next_cut(&seed, size - at);
		heard->status = frames_feed(&frames, data + at, cut, hear, heard, &err);
		at += cut;
	}
	heard->skipped = frames.skipped;
	heard->partial = frames_is_partial(&frames);
	frames_release(&frames);
}

static void as_list(const char *data, size_t size, uint32_t seed, struct heard *heard)
{
	struct list_stream list;
	struct error err;
	list_stream_init(&list, CEILING);
	for (size_t at = 0; at < size && heard->status == STATUS_OK;) {
		size_t cut = seed == 0 ? size : next_cut(&seed, size - at);
		heard->status = list_stream_feed(&list, data + at, cut, hear, heard, &err);
		at += cut;
	}
	heard->partial = list_stream_end(&list, &err) != STATUS_OK;
	heard->skipped = list.skipped;
	buffer_add_str(&heard->pieces, list.resource_version);
	buffer_add_str(&heard->pieces, list.continue_token.data);
	list_stream_release(&list);
}

static void compare(const char *data, size_t size, uint32_t seed,
		    void (*run)(const char *, size_t, uint32_t, struct heard *))
{
	struct heard whole = {.status = STATUS_OK};
	struct heard cut = {.status = STATUS_OK};
	buffer_init(&whole.pieces, 1U << 24);
	buffer_init(&cut.pieces, 1U << 24);
	run(data, size, 0, &whole);
	run(data, size, seed, &cut);
	if (whole.status != cut.status || whole.skipped != cut.skipped ||
	    whole.pieces.len != cut.pieces.len ||
	    memcmp(whole.pieces.data, cut.pieces.data, cut.pieces.len) != 0)
		abort();
	if (whole.status == STATUS_OK && whole.partial != cut.partial)
		abort();
	buffer_release(&whole.pieces);
	buffer_release(&cut.pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	uint32_t seed = 1U + data[0] * 256U + data[1];
	compare((const char *)data + 2, size - 2, seed, as_frames);
	compare((const char *)data + 2, size - 2, seed, as_list);
	return 0;
}
