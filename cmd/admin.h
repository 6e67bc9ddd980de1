/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the administrator says in files: the defaults of every namespace, and what a Tracing
 * may ask for. Read once, at the start; a chart mounts them from ConfigMaps.
 */
#ifndef LLMD_CMD_ADMIN_H
#define LLMD_CMD_ADMIN_H

#include "base/error.h"
#include "inject/admin_policy.h"
#include "inject/settings.h"

struct admin_files {
	const char *settings;       /* a Tracing or its spec; NULL: none */
	const char *policy;         /* NULL: none */
	const char *image_registry; /* NULL: as the images say */
};

struct admin {
	struct settings defaults;
	struct admin_policy policy;
};

/*
 * Messages begin with the option and the file. A default that the policy does not allow is
 * an error too (`check_defaults`), since every namespace would be refused.
 */
NODISCARD enum status admin_read(const struct admin_files *files, bool check_defaults,
				 struct admin *ret_admin, struct error *err);
/* Accepts a zeroed struct. */
void admin_release(struct admin *admin);

#endif
