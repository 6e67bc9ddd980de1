/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work queue: keys, each at most once, by client-go's rules (KUBERNETES §2). A key
 * that is added while it is being worked on is only marked dirty and comes again when it
 * is done; a key is never handed out twice at a time. Delays and backoff are per key.
 * Time comes in as a value: milliseconds of a clock that never goes back.
 */
#ifndef LLMD_CONTROLLER_QUEUE_H
#define LLMD_CONTROLLER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct queue;

/* Figures since the start, for workqueue_* metrics. */
struct queue_figures {
	unsigned long adds;
	unsigned long retries;
	size_t depth; /* ready to be handed out */
	size_t delayed;
	size_t processing;
};

NODISCARD struct queue *queue_new(void);
void queue_freep(struct queue **queue);

/* Ready at once; a delay that was pending for it ends. */
void queue_add(struct queue *queue, const char *key);

/* Ready in `delay_ms`, unless it is to be ready earlier anyway. */
void queue_add_after(struct queue *queue, const char *key, uint64_t now, uint64_t delay_ms);

/*
 * The next key, or NULL. It is being worked on until queue_done; the text lives until then.
 * `ret_waited_ms` may be NULL.
 */
const char *queue_next(struct queue *queue, uint64_t now, uint64_t *ret_waited_ms);

/* Work on it has ended; it becomes ready again when it was added meanwhile. */
void queue_done(struct queue *queue, const char *key, uint64_t now);

/*
 * Another try after a failure: the status' delay (base/error.h), doubled for each failure
 * in a row up to `QUEUE_BACKOFF_MAX_MS`, never less than `at_least_ms` (Retry-After). Returns the delay.
 * To be called while the key is being worked on.
 */
uint64_t queue_retry(struct queue *queue, const char *key, uint64_t now, enum status status,
		     uint64_t at_least_ms);

/* Success: failures in a row begin at zero again. */
void queue_forget(struct queue *queue, const char *key);

/* Milliseconds until a key is ready: 0 now, UINT64_MAX never. */
uint64_t queue_wait(const struct queue *queue, uint64_t now);

struct queue_figures queue_figures(const struct queue *queue);

#define QUEUE_BACKOFF_MAX_MS 300000U

#endif
