/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One binary, one table of commands. Called as kubectl-llmd_tracing it is a kubectl plugin:
 * the same commands, another name in the help.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cmd/command.h"
#include "cmd/run.h"

struct command {
	const char *name;
	const char *summary;
	unsigned options; /* option bits */
	unsigned outputs; /* bits of enum output that -o may name */
	int (*run)(const struct options *options);
	int (*run_raw)(int argc, char **argv); /* reads its own arguments */
};

#define OUT(O) (1U << OUTPUT_##O)
#define INPUT_OPTIONS                                                                              \
	(OPTION_FILE | OPTION_RECURSIVE | OPTION_SETTINGS | OPTION_NAMESPACE | OPTION_OUTPUT)
#define INJECT_OPTIONS (INPUT_OPTIONS | OPTION_POLICY)
#define EDIT_OUTPUTS   (OUT(YAML) | OUT(JSON) | OUT(PATCH) | OUT(TEXT))
#define TELL_OUTPUTS   (OUT(TEXT) | OUT(JSON) | OUT(YAML))

static const struct command commands[] = {
    {"run", "the operator: watch a cluster and keep annotated namespaces traced", 0, 0, NULL,
     run_command},
    {"inject", "print the input with tracing turned on in it", INJECT_OPTIONS,
     EDIT_OUTPUTS | OUT(KUSTOMIZE), command_inject, NULL},
    {"uninject",
     "print the input with everything taken back that inject put in; with --cluster: take it "
     "back in a cluster",
     INPUT_OPTIONS | OPTION_CLUSTER | OPTIONS_CONNECT | OPTION_ALL_NAMESPACES | OPTION_DRY_RUN |
	 OPTION_FORCE,
     EDIT_OUTPUTS, command_uninject, NULL},
    {"diff", "show what inject would change; exit code 1 when something would", INJECT_OPTIONS,
     OUT(TEXT), command_diff, NULL},
    {"explain", "say for each container what is done and why", INJECT_OPTIONS, TELL_OUTPUTS,
     command_explain, NULL},
    {"check", "explain, with exit code 1 when something that could be traced is left out",
     INJECT_OPTIONS, TELL_OUTPUTS, command_check, NULL},
    {"render", "print the collector, Jaeger and other objects that the operator would create",
     OPTION_NAMESPACE | OPTION_SETTINGS | OPTION_POLICY | OPTION_CR | OPTION_OUTPUT | OPTION_AROUND,
     OUT(YAML) | OUT(JSON), command_render, NULL},
    {"verify",
     "prove that spans arrive and form one trace, or say why not; exit code 1 when they do not",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_SEND | OPTION_MODEL | OPTION_TIMEOUT | OPTION_OUTPUT,
     OUT(TEXT) | OUT(JSON), command_verify, NULL},
    {"slow", "list the slowest recent requests, and where their time went",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_LIMIT | OPTION_SINCE | OPTION_OUTPUT,
     OUT(TEXT) | OUT(JSON), command_slow, NULL},
    {"status", "show pools, workloads and containers: how each stands, why, and what happens next",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_WATCH | OPTION_OUTPUT, OUT(TEXT) | OUT(JSON),
     command_status, NULL},
    {"approve", "show what a write that waits would change in a workload, and let it through",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_WORKLOAD | OPTION_NEEDS_WORKLOAD | OPTION_YES |
	 OPTION_ACCEPT_OUTAGE,
     0, command_approve, NULL},
    {"retry", "let the operator try again what it has given up on: one workload, or all of them",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_WORKLOAD, 0, command_retry, NULL},
    {"rehearse",
     "try in a short pod without GPUs what images make of our flags; exit code 1 unless all can be "
     "traced",
     OPTION_WHERE | OPTIONS_CONNECT | OPTION_WORKLOAD | OPTION_IMAGE | OPTION_RUNNING |
	 OPTION_OUTPUT,
     OUT(TEXT) | OUT(JSON), command_rehearse, NULL},
    {"version", "print the version", 0, 0, command_version, NULL},
};

static const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	return strcmp(base, "kubectl-llmd_tracing") == 0 ? "kubectl llmd-tracing" : "llmd-tracing";
}

static void print_usage(const char *program, FILE *to)
{
	(void)fprintf(to, "usage: %s COMMAND [OPTION]...\n\n", program);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
	(void)fprintf(to, "\n%s COMMAND --help tells a command's options.\n", program);
}

static void print_command_help(const char *program, const struct command *command)
{
	struct buffer help CLEANUP(buffer_release) = {0};
	buffer_init(&help, 8192);
	options_help(command->options, command->outputs, &help);
	const char *operand = (command->options & OPTION_FILE) != 0             ? " -f FILE|-|DIR"
			      : (command->options & OPTION_NEEDS_WORKLOAD) != 0 ? " WORKLOAD"
			      : (command->options & OPTION_WORKLOAD) != 0       ? " [WORKLOAD]"
										: "";
	(void)printf("usage: %s %s%s [OPTION]...\n\n%s.\n\n%s", program, command->name, operand,
		     command->summary, help.data);
}

int report(enum status status, const struct error *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "llmd-tracing: %s\n", err->message);
	return status_info(status)->exit_code;
}

static int run_offline(const char *program, const struct command *command, int argc, char **argv)
{
	if (command->run_raw != NULL)
		return command->run_raw(argc, argv);
	struct options options CLEANUP(options_release) = {0};
	struct error err = {0};
	enum status status =
	    options_read(argc, argv, command->options, command->outputs, &options, &err);
	if (status != STATUS_OK) {
		(void)error_wrap(&err, "%s", command->name);
		return report(status, &err);
	}
	if (options.help) {
		print_command_help(program, command);
		return 0;
	}
	return command->run(&options);
}

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	const char *program = program_name(argc > 0 ? argv[0] : "");
	if (argc < 2) {
		print_usage(program, stderr);
		return status_info(STATUS_INVALID)->exit_code;
	}
	if (is_help(argv[1])) {
		print_usage(program, stdout);
		return 0;
	}
	const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return run_offline(program, &commands[i], argc - 1, argv + 1);
	(void)fprintf(stderr, "llmd-tracing: unknown command \"%s\"\n\n", argv[1]);
	print_usage(program, stderr);
	return status_info(STATUS_INVALID)->exit_code;
}
