/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether requests are served at all: asked of the model servers themselves, the pods
 * behind the InferencePools of a namespace, through the API server (pods/proxy). That
 * tells "nobody asks" from "nothing is sampled".
 */
#ifndef LLMD_CMD_SERVED_H
#define LLMD_CMD_SERVED_H

#include "cmd/inventory.h"
#include "cmd/online.h"
#include "inject/trace_counters.h"

struct served {
	struct trace_counters counters; /* COUNTER_SERVED, summed over those that answered */
	char *trouble; /* what the first one that did not answer said; owned; NULL: none */
};

/*
 * A few pods of each pool. Who may not, or gets no answer, learns nothing: that is `trouble`
 * and no failure. Not 0 only when interrupted.
 */
NODISCARD enum status served_ask(struct online *online, const struct inventory *inventory,
				 const char *namespace_name, struct served *served,
				 struct error *err);
void served_release(struct served *served);

#endif
