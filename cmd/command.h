/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands but `run`. Each gets its options read; what it returns is the exit code.
 */
#ifndef LLMD_CMD_COMMAND_H
#define LLMD_CMD_COMMAND_H

#include "base/error.h"
#include "cmd/options.h"

/* Exit codes besides those of base/error.h's table. */
enum {
	EXIT_DIFFERENT = 1, /* diff: something would change; check: something is left out;
			       * uninject --cluster: something was left;
			       * rehearse: not all can be traced */
};

/* "llmd-tracing: message" on standard error; gives the status's exit code. */
int report(enum status status, const struct error *err);

int command_inject(const struct options *options);
int command_uninject(const struct options *options);
/* With --cluster; the other one is for files. */
int command_uninject_cluster(const struct options *options);
int command_diff(const struct options *options);
int command_explain(const struct options *options);
int command_check(const struct options *options);
int command_render(const struct options *options);
int command_verify(const struct options *options);
int command_rehearse(const struct options *options);
int command_slow(const struct options *options);
int command_approve(const struct options *options);
int command_retry(const struct options *options);
int command_status(const struct options *options);
int command_version(const struct options *options);

/* The version that was built (cmd/version.c). */
const char *version_text(void);

#endif
