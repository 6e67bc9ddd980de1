/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small request of our own through the serving stack, with a sampled trace context
 * (W3C traceparent), so that its spans are surely kept and can be found by their id.
 */
#ifndef LLMD_CMD_PROBE_H
#define LLMD_CMD_PROBE_H

#include "cmd/online.h"
#include "inject/trace.h"

struct probe {
	char trace[TRACE_ID_SIZE];
	char *url;   /* owned: that of the completion */
	char *model; /* owned */
	long http_code;
	uint64_t took_ms;
	char *trouble; /* owned: what an answer that is none of 2xx said; NULL: served */
};

/* STATUS_INVALID: no URL that can be sent to. To know before anything else is asked. */
NODISCARD enum status probe_check_url(const char *url, struct error *err);

/*
 * `url`: "http://host[:port][/prefix]"; `model` NULL: the first one of /v1/models.
 * STATUS_INVALID: no such URL; STATUS_RETRY: nobody answered; an answer of whatever code
 * is a result.
 */
NODISCARD enum status probe_send(struct online *online, const char *url, const char *model,
				 struct probe *ret_probe, struct error *err);
void probe_release(struct probe *probe);

#endif
