/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Secrets that a Tracing names. Whoever writes a Tracing must not get at a Secret that
 * way which nobody meant for it: each has to carry the label tracing.llm-d.io/usable: "true".
 * They are read one by one, by name, as metadata: contents never come into this process.
 */
#ifndef LLMD_CONTROLLER_SECRETS_H
#define LLMD_CONTROLLER_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/intent.h"

#define LABEL_USABLE "tracing.llm-d.io/usable"

/* What the last GET of one Secret said. */
struct secret_note {
	char *name;
	char *trouble; /* why it cannot be used, for people; NULL: it can */
	uint64_t read_ms;
};

/* Of one namespace. Zeroed: none was read. */
struct secrets {
	struct secret_note *items;
	size_t count;
};

void secrets_release(struct secrets *secrets);

/*
 * Keeps the answer to a GET: `metadata` (NULL unless it is there), or why it was denied
 * (`denied`, in the server's words; else NULL).
 */
void secrets_note(struct secrets *secrets, const char *namespace_name, const char *name,
		  const cJSON *metadata, const char *denied, uint64_t now_ms);

/* Forgets those that the Tracing does not name any more. */
void secrets_keep(struct secrets *secrets, const cJSON *tracing);

struct secrets_verdict {
	bool unknown; /* one of them was not read yet: nothing can be said */
	char
	    message[1024]; /* the first one that cannot be used: path, name, why; "" when all can */
};

void secrets_judge(const struct secrets *secrets, const cJSON *tracing,
		   struct secrets_verdict *ret_verdict);

/* Reads of those that are unknown or were read long ago, and when to look again. */
void secrets_intend(const struct secrets *secrets, const char *namespace_name, const cJSON *tracing,
		    uint64_t now_ms, struct intents *intents);

#endif
