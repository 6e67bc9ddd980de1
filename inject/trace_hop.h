/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hop: one container on a request's way, with what its pod template says about tracing
 * right now. Read from the live object and its plan, so that a verdict about spans rests
 * on the same rules as the injection.
 */
#ifndef LLMD_INJECT_TRACE_HOP_H
#define LLMD_INJECT_TRACE_HOP_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/gate.h"
#include "inject/plan.h"

struct trace_hop {
	enum component component;
	char *workload; /* "Deployment/decode" */
	char *name;     /* "decode" */
	char *container;
	char *image;
	enum reason reason; /* of the plan: why it is not injected, or how it is */
	char *message;      /* of the plan; may be "" */
	bool on;            /* its template turns tracing on, by us or by the user */
	bool flag_missing;  /* variables alone are not enough and the flag is not there */
	bool decides;       /* on sampling, where an endpoint picker should */
	bool detached;      /* known to hand no trace context on */
	bool plaintext;     /* known to send plaintext, whatever the endpoint says */
	struct version version;
	/* effective values; NULL: not set, or not a literal */
	char *service; /* the service.name of its spans */
	char *endpoint;
	char *exporter;
	char *sampler;
	char *ratio;
	bool exporter_hidden; /* set, but by valueFrom */
};

struct trace_hops {
	struct trace_hop *items;
	size_t count;
};

enum { LIMIT_TRACE_HOPS = 1000 };

/*
 * Adds the containers of an object that are components of llm-d. `plan`: made from the same
 * `input` with PLAN_INJECT. Of a ModelService the containers of its children are read, since
 * these are what runs.
 */
void trace_hops_read(const struct plan_input *input, const struct plan *plan,
		     struct trace_hops *hops);
/* A container as it runs in a pod sends spans to that endpoint. */
bool trace_container_sends(enum component component, const cJSON *container, const char *endpoint);
/* It hands no trace context on: a version that cannot, or a proxy that is not traced. */
bool trace_hop_cuts_off(const struct trace_hop *hop);

void trace_hops_release(struct trace_hops *hops);

/* Drops the hops of one workload ("Deployment/decode"): it is gone or is read anew. */
void trace_hops_drop(struct trace_hops *hops, const char *workload);

#endif
