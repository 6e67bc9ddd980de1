/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's connection to a cluster: the operator's client on a loop of the command's
 * own. Commands do one thing after the other, so what is asked for is waited for here;
 * every wait is bounded by the request's own limit and ends at Ctrl-C.
 */
#ifndef LLMD_CMD_ONLINE_H
#define LLMD_CMD_ONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/options.h"
#include "k8sclient/client.h"
#include "k8sclient/config.h"

enum { EXIT_INTERRUPTED = 130 }; /* as a shell says it: 128 + SIGINT */

struct online {
	uv_loop_t loop;
	struct log log; /* errors only: the command tells the rest itself */
	struct metrics *metrics;
	struct client_config config;
	struct client *client;
	uv_signal_t interrupt;
	uv_signal_t terminate;
	bool interrupted; /* a first Ctrl-C; a second one ends the process at once */
	bool open;
};

/*
 * Reads the kubeconfig that the options name and asks the server whether it is there and
 * accepts us. `online` stays where it is until online_close (its loop points into it), which is due
 * after a failure too.
 */
NODISCARD enum status online_open(struct online *online, const struct options *options,
				  struct error *err);
void online_close(struct online *online);

/* -n, else the context's namespace, else "default". Borrowed. */
const char *online_namespace(const struct online *online, const struct options *options);

/*
 * Runs the loop until *done. False: interrupted before (unless `finish`: what was begun,
 * like a write, is to be waited for all the same).
 */
bool online_wait(struct online *online, const bool *done, bool finish);

/* Lets that time pass. False: interrupted before. */
bool online_sleep(struct online *online, uint64_t ms);

/* The same, but no longer than until *wake. */
bool online_sleep_until(struct online *online, const bool *wake, uint64_t ms);

/* STATUS_RETRY "interrupted" */
enum status online_interrupted(struct error *err);

struct answer {
	enum status status; /* STATUS_OK for 2xx */
	long http_code;     /* 0: none */
	char reason[64];    /* of a refusal of the API server itself; "" when it is another's */
	struct buffer body;
	struct error error; /* unless STATUS_OK: the server's own words */
};
void answer_release(struct answer *answer);

/* One request, to its end. Not 0 only when interrupted; else the answer tells how it went. */
NODISCARD enum status online_request(struct online *online, const struct request_spec *spec,
				     struct answer *ret_answer, struct error *err);

/* GET of a JSON object. The message begins with the path. */
NODISCARD enum status online_get(struct online *online, const char *path, cJSON **ret_tree,
				 struct error *err);

typedef void (*online_item_fn)(void *context, const char *json, size_t len);

/*
 * A whole list, page by page, each item as raw JSON. A list that expires between two
 * pages is begun anew, so an item may come twice. `query` "labelSelector=…" or NULL.
 */
NODISCARD enum status online_list(struct online *online, const char *path, const char *query,
				  online_item_fn on_item, void *context, struct error *err);

#endif
