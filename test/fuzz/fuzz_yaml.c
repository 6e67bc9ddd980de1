/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream: documents cover it, and what was read is printed and read again
 * to the same tree.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_again(const cJSON *tree)
{
	struct buffer text;
	buffer_init(&text, MIB(64));
	yaml_print(tree, &text);
	struct yaml_stream again = {0};
	struct error err;
	enum status status = yaml_read_stream(text.data, text.len, &again, NULL, &err);
	/* Indentation may carry a printed text over a ceiling that its source kept below. */
	if (status != STATUS_OK && status != STATUS_LIMIT)
		abort();
	if (status == STATUS_OK && (again.count != 1 || !json_equal(tree, again.documents[0].tree)))
		abort();
	yaml_stream_release(&again);
	buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_stream stream = {0};
	struct yaml_stats stats = {0};
	struct error err;
	char *text = malloc(size + 1);
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	enum status status = yaml_read_stream(text, size, &stream, &stats, &err);
	size_t at = 0;
	for (size_t i = 0; status == STATUS_OK && i < stream.count; i++) {
		if (stream.documents[i].start != at || stream.documents[i].end < at)
			abort();
		at = stream.documents[i].end;
		if (stream.documents[i].tree != NULL)
			print_again(stream.documents[i].tree);
	}
	if (status == STATUS_OK && at != size)
		abort();
	yaml_stream_release(&stream);
	free(text);
	return 0;
}
