/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that did not come up with tracing, by component: not tried again until the image,
 * the operator's version or the settings change, or a person asks. Stands in the Tracing's
 * status (decision 0051), and there before the revert is written: a revert without its memory
 * would be followed by another try. Pure.
 */
#ifndef LLMD_CONTROLLER_REFUSED_H
#define LLMD_CONTROLLER_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "inject/plan.h"

/* Texts are owned, and never NULL in a list. */
struct refused {
	char *image;
	char *component; /* as in annotations: "vllm" */
	char *workload;  /* that was reverted: "Deployment/decode" */
	char *version;   /* of the operator that tried it */
	char *settings;  /* settings_user_hash then */
	char *retry;     /* hash of its retry annotation then; "" none */
	char *reason;    /* word of the class (controller/crash.h) */
	char *message;   /* for people */
	int64_t at_us;
};

struct refused_list {
	struct refused *items; /* oldest first */
	size_t count;
};

void refused_release(struct refused_list *list);

/* From and to status.refusedImages. The status is owned by the caller. */
void refused_load(struct refused_list *list, const cJSON *status);
NODISCARD cJSON *refused_status(const struct refused_list *list);

/* Copies `entry`; one about the same image and component goes. */
void refused_add(struct refused_list *list, const struct refused *entry);

/* Room for no more: then no image is tried that is not known to work. */
bool refused_is_full(const struct refused_list *list);

/* Drops what was found under other settings or by another operator; true when something went. */
bool refused_sweep(struct refused_list *list, const char *settings, const char *version);

/* Drops those that are about an image of the plan; true when something went. */
bool refused_pardon(struct refused_list *list, const struct plan *plan);

/* The first that is about a container which the plan injects, or NULL. Borrowed. */
const struct refused *refused_find(const struct refused_list *list, const struct plan *plan);

#endif
