/* SPDX-License-Identifier: Apache-2.0 */
/* What `verify` has found out, and how it is shown (docs/cli.md: the output is stable). */
#ifndef LLMD_CMD_VERIFY_H
#define LLMD_CMD_VERIFY_H

#include "base/buffer.h"
#include "cmd/lineup.h"
#include "cmd/probe.h"
#include "cmd/served.h"
#include "cmd/sightings.h"
#include "inject/trace_diagnose.h"

struct verify_report {
	const char *namespace_name;
	const char *switch_value; /* of the annotation; NULL: missing */
	bool has_crd;
	int64_t now_us;
	struct lineup lineup;
	struct sightings sightings;
	struct sightings earlier; /* with --send: of the requests before that */
	struct served served;     /* what model servers have served, before that */
	struct probe probe;       /* url NULL: nothing was sent */
	bool queryable;           /* the back end can be asked */
	cJSON *notes;             /* array of texts: what else was noticed */
	struct trace_observation observation;
	struct trace_verdict verdict;
	struct trace_findings findings;
};

void verify_report_release(struct verify_report *report);

/* "Connected", "Incomplete", "Unknown" */
const char *verify_result(const struct verify_report *report);

void verify_show_text(const struct verify_report *report, struct buffer *out);
NODISCARD cJSON *verify_show_json(const struct verify_report *report);

#endif
