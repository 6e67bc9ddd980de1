/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the body of a refusal, and as Retry-After. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "k8sclient/api_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct api_status *status)
{
	size_t len = strlen(status->message);
	if (len == 0 || text_utf8_valid_prefix(status->message, len) != len)
		abort();
	if (status->retry_after_ms > RETRY_AFTER_MAX_MS)
		abort();
	if (api_status_reaction(status->code) >= STATUS_COUNT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_status status;
	api_status_read((const char *)data, size, 0, &status);
	check(&status);
	api_status_read((const char *)data, size, 410, &status);
	check(&status);
	if (!api_status_is_gone(&status) || status.code != 410)
		abort();
	CLEANUP(str_freep) char *text = xstrndup((const char *)data, size);
	if (retry_after_parse(text, 784111777) > RETRY_AFTER_MAX_MS)
		abort();
	return 0;
}
