/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why spans are missing: the symptoms of LLMD §7 as a table, told from what is known of
 * the hops and what was observed. A finding names what is wrong, where, and what to do.
 */
#ifndef LLMD_INJECT_TRACE_DIAGNOSE_H
#define LLMD_INJECT_TRACE_DIAGNOSE_H

#include "inject/trace_verdict.h"

enum trace_symptom {
	/* of one hop, by its template */
	SYMPTOM_NOT_INSTRUMENTED, /* its version makes no spans */
	SYMPTOM_NOT_INJECTED,     /* skipped for another reason */
	SYMPTOM_FLAG_MISSING,
	SYMPTOM_NO_EXPORTER, /* spans go to the pod's stdout */
	SYMPTOM_SDK_SAMPLER, /* a sampler that Go components do not know: 10 % */
	SYMPTOM_SAMPLES_NONE,
	SYMPTOM_WRONG_PORT,
	SYMPTOM_BAD_ENDPOINT,
	SYMPTOM_TLS_TO_PLAINTEXT,
	SYMPTOM_PLAINTEXT_TO_TLS,
	/* of the namespace */
	SYMPTOM_UNNAMED, /* unknown_service */
	SYMPTOM_ONLY_GENERIC,
	SYMPTOM_COLLECTOR_REFUSES,
	SYMPTOM_BACKEND_REFUSES,
	SYMPTOM_BACKEND_FRESH,
	SYMPTOM_NETWORK_POLICY,
	SYMPTOM_UNSAMPLED_PARENT,
	SYMPTOM_UNREACHABLE, /* a sampled request was served and nothing came */
	SYMPTOM_NO_TRAFFIC,
	/* what is left, of one hop or of the whole */
	SYMPTOM_SILENT,     /* others are heard, this one is not */
	SYMPTOM_CUT_OFF,    /* an old proxy hands no context on */
	SYMPTOM_SEPARATE,   /* everybody is heard, but in traces of their own */
	SYMPTOM_OPERATIONS, /* promised operations were not seen */
	SYMPTOM_COUNT
};

struct symptom_info {
	const char *word;   /* "MissingExporter": a condition's reason */
	const char *cause;  /* one sentence */
	const char *advice; /* what to do */
};

/* Never NULL. */
const struct symptom_info *symptom_info(enum trace_symptom symptom);

struct trace_finding {
	enum trace_symptom symptom;
	size_t hop; /* index into the hops; SIZE_MAX: the namespace as a whole */
	char *text; /* owned; one or two sentences without advice */
};

struct trace_findings {
	struct trace_finding *items; /* surest first */
	size_t count;
};

enum { LIMIT_TRACE_FINDINGS = 100 };

/* Empty when everything that is expected has arrived, in one trace. */
void trace_diagnose(const struct trace_hops *hops, const struct trace_observation *observation,
		    const struct trace_verdict *verdict, struct trace_findings *ret_findings);
void trace_findings_release(struct trace_findings *findings);

/* The table as Markdown, for docs. */
void trace_symptoms_document(struct buffer *out);

#endif
