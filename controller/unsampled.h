/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests are served, and no span of any arrives: whoever stands before the endpoint picker
 * sends an unsampled traceparent, which all components follow (docs/decisions/0280). Told by
 * comparing what one model server has served between two questions with what the collector
 * has accepted meanwhile, and for a while after. Part of the proof (proof.h). Pure.
 */
#ifndef LLMD_CONTROLLER_UNSAMPLED_H
#define LLMD_CONTROLLER_UNSAMPLED_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/verdict.h"
#include "inject/served.h"
#include "inject/trace_verdict.h"

/* Between the questions of a comparison: exporters send every 5 s. */
enum { UNSAMPLED_PAUSE_MS = 15000 };

struct unsampled {
	/* the collector, when it was last counted */
	bool counted;
	bool settled; /* it runs long enough for senders to have found it */
	bool silent;  /* nothing had come since the time before */
	double passed;
	double refused;
	uint64_t counted_ms;
	double share; /* of requests, that should be traced; 0: silence would have other causes */
	/* the model server that is compared; `pod` "": none */
	char pod[sizeof(((struct served_at *)0)->pod)];
	char uid[sizeof(((struct served_at *)0)->uid)];
	double served; /* at the first question … */
	uint64_t since_ms;
	double more; /* … and since, at the last one */
	uint64_t asked_ms;
	uint64_t wait_ms; /* longer while nothing is served */
	uint64_t due_ms;
	size_t which; /* of those that could be asked */
	/* what is known */
	bool known;
	bool told;
	struct verdict verdict; /* while `told` */
};

/* Something about what is expected has changed: begins anew. */
void unsampled_forget(struct unsampled *unsampled);

/* What status said before, for the same settings, holds until something else is known. */
void unsampled_inherit(struct unsampled *unsampled, const char *message);

/*
 * What would be made of silence: by the hops alone, and by whether any of them was `heard` ever.
 * Before that it takes two kinds of components that are silent: one may be unable to speak.
 */
void unsampled_expect(struct unsampled *unsampled, const struct trace_hops *hops, bool heard);

/* The collector's own counters are there. True: `told` has changed. */
bool unsampled_count(struct unsampled *unsampled, const struct trace_counters *collector,
		     uint64_t mono_ms);

/* Now is a time to ask a model server. */
bool unsampled_wants(const struct unsampled *unsampled, uint64_t mono_ms);

/*
 * It has answered that it has served so many; < 0 or `server` NULL: it has not. `servers`:
 * workloads that could be asked.
 */
void unsampled_answer(struct unsampled *unsampled, const struct served_at *server, double served,
		      size_t servers, uint64_t mono_ms);

/* A comparison is under way, of which the next step is due in UNSAMPLED_PAUSE_MS. */
bool unsampled_hurries(const struct unsampled *unsampled);

#define REASON_WORD_UNSAMPLED "UpstreamUnsampled"

#endif
