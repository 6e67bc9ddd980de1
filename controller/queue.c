/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/queue.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/alloc.h"

/*
 * In at most one of the lists. `processing` entries are in none, or in `delayed` when
 * a retry was asked for; `dirty` matters only while processing.
 */
enum place { PLACE_NONE, PLACE_READY, PLACE_DELAYED };

struct item {
	TAILQ_ENTRY(item) link;
	const char *key; /* what the tree compares: `text`, or a key that is looked for */
	char *text;
	uint64_t ready_at;
	unsigned failures;
	enum place place;
	bool processing;
	bool dirty;
};

TAILQ_HEAD(item_list, item);

struct queue {
	void *tree; /* tsearch by key */
	struct item_list ready;
	struct item_list delayed; /* by ready_at */
	struct queue_figures figures;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static struct item *find(const struct queue *queue, const char *key)
{
	struct item wanted = {.key = key};
	void *node = tfind(&wanted, &queue->tree, compare);
	return node == NULL ? NULL : *(struct item **)node;
}

static struct item *find_or_make(struct queue *queue, const char *key)
{
	struct item *item = find(queue, key);
	if (item != NULL)
		return item;
	item = xcalloc(1, sizeof(*item));
	item->text = xstrdup(key);
	item->key = item->text;
	if (tsearch(item, &queue->tree, compare) == NULL)
		abort();
	return item;
}

static void unlink_entry(struct queue *queue, struct item *item)
{
	if (item->place == PLACE_READY) {
		TAILQ_REMOVE(&queue->ready, item, link);
		queue->figures.depth--;
	} else if (item->place == PLACE_DELAYED) {
		TAILQ_REMOVE(&queue->delayed, item, link);
		queue->figures.delayed--;
	}
	item->place = PLACE_NONE;
}

/* Keys that nothing is known about any more take no memory. */
static void drop_if_idle(struct queue *queue, struct item *item)
{
	if (item->place != PLACE_NONE || item->processing || item->failures > 0)
		return;
	(void)tdelete(item, &queue->tree, compare);
	free(item->text);
	free(item);
}

static void make_ready(struct queue *queue, struct item *item, uint64_t since)
{
	unlink_entry(queue, item);
	item->ready_at = since;
	item->place = PLACE_READY;
	TAILQ_INSERT_TAIL(&queue->ready, item, link);
	queue->figures.depth++;
}

static void make_delayed(struct queue *queue, struct item *item, uint64_t ready_at)
{
	unlink_entry(queue, item);
	item->ready_at = ready_at;
	item->place = PLACE_DELAYED;
	queue->figures.delayed++;
	struct item *after = TAILQ_LAST(&queue->delayed, item_list);
	while (after != NULL && after->ready_at > ready_at)
		after = TAILQ_PREV(after, item_list, link);
	if (after == NULL)
		TAILQ_INSERT_HEAD(&queue->delayed, item, link);
	else
		TAILQ_INSERT_AFTER(&queue->delayed, after, item, link);
}

void queue_add(struct queue *queue, const char *key)
{
	struct item *item = find_or_make(queue, key);
	if (item->place == PLACE_READY || (item->processing && item->dirty))
		return;
	queue->figures.adds++;
	if (item->processing)
		item->dirty = true;
	else
		make_ready(queue, item, 0);
}

void queue_add_after(struct queue *queue, const char *key, uint64_t now, uint64_t delay_ms)
{
	struct item *item = find_or_make(queue, key);
	uint64_t ready_at = now + delay_ms;
	if (item->place == PLACE_READY ||
	    (item->place == PLACE_DELAYED && item->ready_at <= ready_at))
		return;
	make_delayed(queue, item, ready_at);
}

/* Delayed keys whose time has come, in the order of their times. */
static void promote(struct queue *queue, uint64_t now)
{
	struct item *item = TAILQ_FIRST(&queue->delayed);
	while (item != NULL && item->ready_at <= now) {
		struct item *next = TAILQ_NEXT(item, link);
		if (!item->processing) {
			queue->figures.adds++;
			make_ready(queue, item, item->ready_at);
		}
		item = next;
	}
}

const char *queue_next(struct queue *queue, uint64_t now, uint64_t *ret_waited_ms)
{
	promote(queue, now);
	struct item *item = TAILQ_FIRST(&queue->ready);
	if (item == NULL)
		return NULL;
	unlink_entry(queue, item);
	item->processing = true;
	item->dirty = false;
	queue->figures.processing++;
	if (ret_waited_ms != NULL)
		*ret_waited_ms = item->ready_at == 0 ? 0 : now - item->ready_at;
	return item->key;
}

void queue_done(struct queue *queue, const char *key, uint64_t now)
{
	struct item *item = find(queue, key);
	assert(item != NULL && item->processing);
	item->processing = false;
	queue->figures.processing--;
	if (item->dirty)
		make_ready(queue, item, now);
	item->dirty = false;
	drop_if_idle(queue, item);
}

uint64_t queue_retry(struct queue *queue, const char *key, uint64_t now, enum status status,
		     uint64_t at_least_ms)
{
	struct item *item = find_or_make(queue, key);
	uint64_t delay = status_info(status)->requeue_delay_ms;
	for (unsigned i = 0; i < item->failures && delay < QUEUE_BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > QUEUE_BACKOFF_MAX_MS)
		delay = QUEUE_BACKOFF_MAX_MS;
	if (delay < at_least_ms)
		delay = at_least_ms;
	if (item->failures < 64)
		item->failures++;
	queue->figures.retries++;
	if (delay > 0)
		queue_add_after(queue, key, now, delay);
	return delay;
}

void queue_forget(struct queue *queue, const char *key)
{
	struct item *item = find(queue, key);
	if (item == NULL)
		return;
	item->failures = 0;
	drop_if_idle(queue, item);
}

uint64_t queue_wait(const struct queue *queue, uint64_t now)
{
	if (!TAILQ_EMPTY(&queue->ready))
		return 0;
	const struct item *item = NULL;
	TAILQ_FOREACH(item, &queue->delayed, link)
	{
		if (!item->processing)
			return item->ready_at <= now ? 0 : item->ready_at - now;
	}
	return UINT64_MAX;
}

struct queue_figures queue_figures(const struct queue *queue)
{
	return queue->figures;
}

struct queue *queue_new(void)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));
	TAILQ_INIT(&queue->ready);
	TAILQ_INIT(&queue->delayed);
	return queue;
}

static void free_entry(void *node)
{
	struct item *item = node;
	free(item->text);
	free(item);
}

void queue_freep(struct queue **queue)
{
	if (*queue == NULL)
		return;
	tdestroy((*queue)->tree, free_entry);
	free(*queue);
	*queue = NULL;
}
