/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs on stderr: one line an entry, a constant message plus key=value
 * pairs (logfmt), or JSON. Never a secret, a header value or a prompt.
 */
#ifndef LLMD_BASE_LOG_H
#define LLMD_BASE_LOG_H

#include <stdbool.h>

#include "base/util.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log {
	enum log_level level; /* entries below are dropped */
	bool json;
	int fd;
};

/* Parses "debug", "info", "warn", "error". */
bool log_level_from_name(const char *name, enum log_level *ret_level);

/*
 * log_entry(log, LOG_INFO, "patched workload", "namespace", ns, "name", name, NULL):
 * pairs of strings ended by NULL; a NULL value is left out. Values are quoted as needed.
 */
void log_entry(const struct log *log, enum log_level level, const char *message, ...)
    __attribute__((sentinel));

#endif
