/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a discovery document: versions come from our own table, absence only from a document that was read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "k8sclient/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct discovery_kind kinds[] = {
    {"", "services", "v1"}, {"a.io", "as", "v1,v1beta1"}, {"b.io", "bs", "v1alpha2"}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	enum discovery_document document;
	struct discovery_state states[ARRAY_LEN(kinds)];
	memset(states, 0, sizeof(states));
	bool read = discovery_read((const char *)data, size, kinds, ARRAY_LEN(kinds), states,
				   &document, &err) == STATUS_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!read && states[i].answer != DISCOVERY_UNKNOWN)
			abort();
		if (states[i].answer == DISCOVERY_SERVED &&
		    strstr(kinds[i].versions, states[i].version) == NULL)
			abort();
	}
	if (read && states[0].answer != DISCOVERY_SERVED)
		abort();
	return 0;
}
