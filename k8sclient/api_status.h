/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer of the API server means: the Status object of a refusal (KUBERNETES
 * §1.3) or an ERROR event, and HTTP's Retry-After.
 */
#ifndef LLMD_K8SCLIENT_API_STATUS_H
#define LLMD_K8SCLIENT_API_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { RETRY_AFTER_MAX_MS = 600000 };

struct api_status {
	long code;       /* Status.code, else HTTP's; 0: unknown */
	char reason[64]; /* "Conflict", "Expired", …; "" when there is none */
	char cause[64];  /* reason of the first cause that says more than `reason`, or "" */
	unsigned
	    retry_after_ms; /* details.retryAfterSeconds; 0: none; clamped to RETRY_AFTER_MAX_MS */
	char message[ERROR_MESSAGE_MAX]; /* the server's words, one line; never "" */
};

/*
 * Reads the body of a refusal. Anything is accepted: a Status, other JSON, HTML of a
 * proxy, nothing; `http_code` fills what the body does not say (0: an ERROR event).
 */
void api_status_read(const char *body, size_t len, long http_code, struct api_status *ret_status);

/* The reaction to an HTTP code (or Status.code). */
enum status api_status_reaction(long code);

/* 410 by code or reason ("Gone" up to Kubernetes 1.17, "Expired" since). */
bool api_status_is_gone(const struct api_status *status);

/* The server's cache has not come as far as the resourceVersion that was asked for. */
bool api_status_is_too_large_version(const struct api_status *status);

/*
 * A refusal whose words are those of an admission policy or webhook (as the API server
 * frames them, whatever code the policy chose): it says no until the object or the policy changes.
 */
bool api_message_is_policy_denial(const char *message);

/*
 * A Retry-After header's value: seconds or an HTTP date (RFC 9110 §10.2.3), as
 * milliseconds from `now` (seconds since 1970). 0 when it says nothing; clamped.
 */
unsigned retry_after_parse(const char *value, int64_t now);

#endif
