/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A workload as a person names it, and its row in the status of the namespace's Tracing:
 * what the operator says of it. A word to the operator is an annotation on the workload.
 */
#ifndef LLMD_CMD_TARGET_H
#define LLMD_CMD_TARGET_H

#include "cmd/online.h"
#include "controller/resource.h"

struct target {
	enum resource_id resource;
	const char *name; /* borrowed from the row */
	const cJSON *row;
};

/* The workload that a row of status is about; false when it names none. Borrows the row. */
bool target_of_row(const cJSON *row, struct target *ret_target);

/*
 * "Kind/name" (any case, the plural or its beginning do as well, and the group may stand
 * behind: "deployment.apps/name") or just the name, of whatever kind.
 */
bool target_is_named(const char *words, enum resource_id resource, const char *name);

/*
 * `words` as above, a bare name only where one row alone has it. STATUS_NOT_FOUND, STATUS_INVALID with what there is.
 */
NODISCARD enum status target_find(const char *words, const cJSON *tracing,
				  struct target *ret_target, struct error *err);

/* "Deployment/shop/decode"; free() it. */
NODISCARD char *target_title(const struct target *target, const char *namespace_name);

/*
 * Sets annotations (an object of texts) on the workload itself: its pods stay. A write that was
 * begun is waited for. `resource_version` NULL: whatever it is by now; else STATUS_CONFLICT
 * when somebody wrote since.
 */
NODISCARD enum status target_annotate(struct online *online, const struct target *target,
				      const char *namespace_name, const char *resource_version,
				      const cJSON *annotations, struct error *err);

#endif
