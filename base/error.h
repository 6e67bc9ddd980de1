/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes. A status names the *reaction* that is wanted, not the place where
 * something went wrong; the words for people stand in struct error, a plain value
 * on the caller's stack. Context is put in front on the way up: "verb object: cause".
 *
 * Contract of every function that takes `struct error *err`:
 *   - `err` may not be NULL; it is written only when the result is not STATUS_OK;
 *   - return parameters (`ret_…`) are set on success and untouched on failure.
 */
#ifndef LLMD_BASE_ERROR_H
#define LLMD_BASE_ERROR_H

#include "base/util.h"

enum status {
	STATUS_OK = 0,
	STATUS_INVALID,   /* the input is wrong; the same input will stay wrong */
	STATUS_NOT_FOUND, /* what was asked for is not there (yet) */
	STATUS_CONFLICT,  /* somebody else wrote; read again and plan again */
	STATUS_GONE,      /* a resourceVersion or continue token is too old: list again */
	STATUS_DENIED,    /* authentication, RBAC, quota or an admission policy refused */
	STATUS_RETRY,     /* may work later: network, 429, 5xx */
	STATUS_LIMIT,     /* a ceiling of ours was reached (base/limits.h) */
	STATUS_BUG,       /* our own mistake */
	STATUS_COUNT
};

/* What each status leads to, once for all shells. `exit_code` is the CLI's (docs/cli.md). */
struct status_info {
	const char *name;          /* CamelCase, stable: used as metric label and event reason */
	int exit_code;             /* of the command line */
	unsigned requeue_delay_ms; /* first delay of a key's backoff; 0: do not retry by itself */
};

enum { ERROR_MESSAGE_MAX = 1024 };

struct error {
	enum status status;
	char message[ERROR_MESSAGE_MAX]; /* NUL-terminated UTF-8, cut at a whole character */
};

/* The row of the table for `status`. Never NULL; static storage. */
const struct status_info *status_info(enum status status);

/* Sets *err and returns `status`, for `return error_set(err, STATUS_INVALID, "…", …)`. */
enum status error_set(struct error *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Puts "<fmt>: " before the message and returns err->status. */
enum status error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
