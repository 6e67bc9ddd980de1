/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `llmd-tracing run`: one table for reader and help. */
#ifndef LLMD_CMD_RUN_OPTIONS_H
#define LLMD_CMD_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"

struct run_options {
	const char *kubeconfig; /* NULL: by KUBECONFIG, in-cluster, ~/.kube/config */
	const char *context;
	const char *settings;       /* file; NULL: none */
	const char *policy;         /* file; NULL: none */
	const char *image_registry; /* NULL: as the images say */
	char **namespaces;          /* NULL: the whole cluster; owned, as its texts */
	size_t namespace_count;
	const char *health_bind;
	enum log_level log_level;
	bool log_json;
	bool dry_run;
	bool enable_from_tracing;
	bool rehearse;
	bool help;
	uint64_t removal_grace_ms;
	uint64_t collector_timeout_ms;
	uint64_t shutdown_grace_ms;
	long max_concurrent;
};

/* Reads argv[1..]; texts are borrowed from argv. STATUS_INVALID names the option. */
NODISCARD enum status run_options_read(int argc, char **argv, struct run_options *ret_options,
				       struct error *err);
void run_options_release(struct run_options *options);
void run_options_help(FILE *out);

/* A DNS label (RFC 1123): nothing else names a namespace, least of all an empty variable of a script. */
NODISCARD enum status namespace_name_check(const char *name, const char *option, struct error *err);

/* "60s", "1m30s", "500ms", "15" (seconds) into milliseconds; false when it is none. */
bool duration_parse(const char *text, uint64_t *ret_ms);

#endif
