/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of all commands but `run` (cmd/run.h): one table of options, from which
 * both the reader and the help text come.
 */
#ifndef LLMD_CMD_OPTIONS_H
#define LLMD_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum output {
	OUTPUT_DEFAULT, /* as the input is written */
	OUTPUT_YAML,
	OUTPUT_JSON,
	OUTPUT_PATCH,
	OUTPUT_KUSTOMIZE,
	OUTPUT_TEXT,
	OUTPUT_COUNT
};

/* Bits of struct command.options. */
enum option_bit {
	OPTION_FILE = 1 << 0,
	OPTION_RECURSIVE = 1 << 1,
	OPTION_SETTINGS = 1 << 2,
	OPTION_NAMESPACE = 1 << 3,
	OPTION_OUTPUT = 1 << 4,
	OPTION_CR = 1 << 5,
	OPTION_POLICY = 1 << 6,
	OPTION_CLUSTER = 1 << 7,
	OPTION_KUBECONFIG = 1 << 8,
	OPTION_CONTEXT = 1 << 9,
	OPTION_ALL_NAMESPACES = 1 << 10,
	OPTION_DRY_RUN = 1 << 11,
	OPTION_FORCE = 1 << 12,
	OPTION_WHERE = 1 << 13, /* --namespace of a command that looks at a cluster */
	OPTION_SEND = 1 << 14,
	OPTION_MODEL = 1 << 15,
	OPTION_TIMEOUT = 1 << 16,
	OPTION_LIMIT = 1 << 17,
	OPTION_SINCE = 1 << 18,
	OPTION_WORKLOAD = 1 << 19,       /* one word that is no option */
	OPTION_NEEDS_WORKLOAD = 1 << 20, /* and it has to be there */
	OPTION_YES = 1 << 21,
	OPTION_ACCEPT_OUTAGE = 1 << 22,
	OPTION_WATCH = 1 << 23, /* --timeout of it as well */
	OPTION_IMAGE = 1 << 24,
	OPTION_RUNNING = 1 << 25,
	OPTION_AROUND = 1 << 26,
};

#define OPTIONS_CONNECT (OPTION_KUBECONFIG | OPTION_CONTEXT)

struct options {
	const char **files; /* owned array of borrowed strings */
	size_t file_count;
	bool recursive;
	const char *settings;       /* file or NULL */
	const char *policy;         /* file or NULL */
	const char *around;         /* file or NULL */
	const char *namespace_name; /* of objects that name none; NULL: "default" */
	enum output output;
	bool use_cr;
	bool cluster;
	const char *kubeconfig; /* file or NULL */
	const char *context;    /* or NULL */
	bool all_namespaces;
	bool dry_run;
	bool force;
	bool yes;
	bool accept_outage;
	bool watch;
	bool running;
	const char *workload;  /* "Kind/name" or "name"; NULL: none */
	const char *send;      /* URL or NULL */
	const char *model;     /* or NULL */
	const char *image;     /* or NULL */
	const char *component; /* or NULL; of the image */
	uint64_t timeout_ms;
	uint64_t since_ms;
	size_t limit; /* 0: not said, as with the two before it */
	bool help;
	unsigned given; /* bits of the options that were there */
};

/*
 * Reads argv[1..argc). `allowed` are option bits, `outputs` bits (1 << OUTPUT_…) that -o may
 * name. STATUS_INVALID with one line for people. Strings are borrowed from argv.
 */
NODISCARD enum status options_read(int argc, char **argv, unsigned allowed, unsigned outputs,
				   struct options *ret_options, struct error *err);
void options_release(struct options *options);

/* The help lines of the allowed options. */
void options_help(unsigned allowed, unsigned outputs, struct buffer *out);

/* "default" unless -n names another. */
const char *options_namespace(const struct options *options);

#endif
