/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of what was created stay what they were (docs/decisions/0113): a new version
 * of the operator, or new defaults of its, change no running collector and no Jaeger until
 * the Tracing names an image or somebody approves. status.images is the memory. Pure.
 */
#ifndef LLMD_CONTROLLER_PINS_H
#define LLMD_CONTROLLER_PINS_H

#include "base/json.h"
#include "controller/collector.h"
#include "inject/admin_policy.h"
#include "inject/settings.h"

#define ANNOTATION_APPROVE_IMAGES "tracing.llm-d.io/approve-images"

/* What the defaults offer where something older is kept; NULL: nothing. Owned. */
struct pins {
	char *collector;
	char *jaeger;
};

/* Puts what is pinned into `settings`. A pin that the administrator's policy (may be NULL) does not allow is none. */
void pins_apply(const cJSON *tracing, const struct admin_policy *admin, struct settings *settings,
		struct pins *ret_pins);
void pins_release(struct pins *pins);

/* Says ImageOutdated in the messages of what works. */
void pins_tell(const struct pins *pins, struct collector_plan *plan);

/* status.images; NULL when nothing is pinned. Owned. */
NODISCARD cJSON *pins_status(const cJSON *tracing, const struct settings *settings);

#endif
