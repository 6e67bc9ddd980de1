/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/run_options.h"

enum value_type {
	VALUE_SWITCH, /* a bool */
	VALUE_TEXT,   /* a borrowed string */
	VALUE_NAMESPACE,
	VALUE_FILES, /* one more of them */
	VALUE_OUTPUT,
	VALUE_DURATION, /* milliseconds */
	VALUE_NUMBER,   /* size_t, 1 to NUMBER_MAX */
};

enum { NUMBER_MAX = 1000 };

struct option_row {
	unsigned bit;
	char letter; /* '\0': only the long form */
	const char *name;
	const char *argument; /* NULL: a switch */
	enum value_type type;
	size_t place; /* of the value in struct options */
	const char *help;
};

#define PLACE(MEMBER) offsetof(struct options, MEMBER)

/* --help is always there and has no bit. */
static const struct option_row rows[] = {
    {OPTION_FILE, 'f', "filename", "FILE", VALUE_FILES, PLACE(files),
     "a file, a directory (*.yaml, *.yml, *.json in it) or - for standard input; may be repeated"},
    {OPTION_RECURSIVE, 'R', "recursive", NULL, VALUE_SWITCH, PLACE(recursive),
     "with a directory: those below it too"},
    {OPTION_SETTINGS, 0, "settings", "FILE", VALUE_TEXT, PLACE(settings),
     "a Tracing that holds for everything, instead of those in the input"},
    {OPTION_AROUND, 0, "around", "FILE", VALUE_TEXT, PLACE(around),
     "a List of the namespace's workloads, InferencePools and Services: what is put on their "
     "spans"},
    {OPTION_POLICY, 0, "policy", "FILE", VALUE_TEXT, PLACE(policy),
     "what Tracings may ask for, as the operator's administrator says it (docs/policy.md)"},
    {OPTION_NAMESPACE, 'n', "namespace", "NAMESPACE", VALUE_NAMESPACE, PLACE(namespace_name),
     "of objects that name none (default \"default\")"},
    {OPTION_CLUSTER, 0, "cluster", NULL, VALUE_SWITCH, PLACE(cluster),
     "instead of files: what -n or -A names in a cluster"},
    {OPTION_WHERE, 'n', "namespace", "NAMESPACE", VALUE_NAMESPACE, PLACE(namespace_name),
     "to look at (default: that of the kubeconfig's context)"},
    {OPTION_ALL_NAMESPACES, 'A', "all-namespaces", NULL, VALUE_SWITCH, PLACE(all_namespaces),
     "with --cluster: every namespace"},
    {OPTION_KUBECONFIG, 0, "kubeconfig", "FILE", VALUE_TEXT, PLACE(kubeconfig),
     "default: KUBECONFIG, the pod's files, ~/.kube/config"},
    {OPTION_CONTEXT, 0, "context", "NAME", VALUE_TEXT, PLACE(context), "context of the kubeconfig"},
    {OPTION_DRY_RUN, 0, "dry-run", NULL, VALUE_SWITCH, PLACE(dry_run),
     "with --cluster: say what would be done, write nothing"},
    {OPTION_FORCE, 0, "force", NULL, VALUE_SWITCH, PLACE(force),
     "with --cluster: also in annotated namespaces while an operator runs"},
    {OPTION_SEND, 0, "send", "URL", VALUE_TEXT, PLACE(send),
     "send one small completion there (http://gateway:port) with a sampled trace of its own"},
    {OPTION_MODEL, 0, "model", "NAME", VALUE_TEXT, PLACE(model),
     "of --send (default: the first one of URL/v1/models)"},
    {OPTION_TIMEOUT, 0, "timeout", "DURATION", VALUE_DURATION, PLACE(timeout_ms),
     "how long to wait for the spans of --send (default 30s)"},
    {OPTION_YES, 'y', "yes", NULL, VALUE_SWITCH, PLACE(yes), "ask nothing"},
    {OPTION_ACCEPT_OUTAGE, 0, "accept-outage", NULL, VALUE_SWITCH, PLACE(accept_outage),
     "also where fewer servers stay Ready meanwhile than spec.rollout.minReadyPerRole"},
    {OPTION_WATCH, 'w', "watch", NULL, VALUE_SWITCH, PLACE(watch),
     "go on showing what changes, until Ctrl-C"},
    {OPTION_WATCH, 0, "timeout", "DURATION", VALUE_DURATION, PLACE(timeout_ms),
     "with --watch: end after that time"},
    {OPTION_IMAGE, 0, "image", "IMAGE", VALUE_TEXT, PLACE(image),
     "this one, whether a workload has it or not"},
    {OPTION_IMAGE, 0, "component", "COMPONENT", VALUE_TEXT, PLACE(component),
     "what --image is: vllm, sglang, epp or routing-proxy"},
    {OPTION_RUNNING, 0, "running", NULL, VALUE_SWITCH, PLACE(running),
     "make no pods: ask vLLM servers that run for their version"},
    {OPTION_LIMIT, 0, "limit", "N", VALUE_NUMBER, PLACE(limit), "how many to show (default 10)"},
    {OPTION_SINCE, 0, "since", "DURATION", VALUE_DURATION, PLACE(since_ms),
     "how far to look back (default 1h)"},
    {OPTION_OUTPUT, 'o', "output", "FORMAT", VALUE_OUTPUT, PLACE(output), "one of"},
    {OPTION_CR, 0, "cr", NULL, VALUE_SWITCH, PLACE(use_cr),
     "an OpenTelemetryCollector instead of ConfigMap, Deployment and Service"},
    {0, 'h', "help", NULL, VALUE_SWITCH, PLACE(help), "print this"},
};

static const char *const output_names[OUTPUT_COUNT] = {
    [OUTPUT_YAML] = "yaml",           [OUTPUT_JSON] = "json", [OUTPUT_PATCH] = "patch",
    [OUTPUT_KUSTOMIZE] = "kustomize", [OUTPUT_TEXT] = "text",
};

static void list_outputs(unsigned outputs, struct buffer *out)
{
	bool first = true;
	for (unsigned i = OUTPUT_YAML; i < OUTPUT_COUNT; i++) {
		if ((outputs & (1U << i)) == 0)
			continue;
		buffer_addf(out, "%s%s", first ? "" : ", ", output_names[i]);
		first = false;
	}
}

static enum status read_output(const char *name, unsigned outputs, enum output *ret_output,
			       struct error *err)
{
	for (unsigned i = OUTPUT_YAML; i < OUTPUT_COUNT; i++) {
		if ((outputs & (1U << i)) != 0 && strcmp(name, output_names[i]) == 0) {
			*ret_output = (enum output)i;
			return STATUS_OK;
		}
	}
	struct buffer list;
	buffer_init(&list, 256);
	list_outputs(outputs, &list);
	(void)error_set(err, STATUS_INVALID, "-o %s: not one of %s", name, list.data);
	buffer_release(&list);
	return STATUS_INVALID;
}

static enum status read_number(const struct option_row *row, const char *value, size_t *ret_number,
			       struct error *err)
{
	char *end = NULL;
	long number = strtol(value, &end, 10);
	if (end == value || *end != '\0' || number < 1 || number > NUMBER_MAX)
		return error_set(err, STATUS_INVALID, "--%s %s: no number from 1 to %d", row->name,
				 value, (int)NUMBER_MAX);
	*ret_number = (size_t)number;
	return STATUS_OK;
}

static enum status read_duration(const struct option_row *row, const char *value, uint64_t *ret_ms,
				 struct error *err)
{
	uint64_t ms = 0;
	if (!duration_parse(value, &ms) || ms == 0)
		return error_set(err, STATUS_INVALID, "--%s %s: no duration like 30s, 5m, 1h30m",
				 row->name, value);
	*ret_ms = ms;
	return STATUS_OK;
}

static enum status set_option(const struct option_row *row, const char *value, unsigned outputs,
			      struct options *options, struct error *err)
{
	void *place = (char *)options + row->place;
	options->given |= row->bit;
	if (value == NULL) {
		*(bool *)place = true;
		return STATUS_OK;
	}
	switch (row->type) {
	case VALUE_SWITCH: /* has no value */
		break;
	case VALUE_TEXT:
		*(const char **)place = value;
		return STATUS_OK;
	case VALUE_NAMESPACE:
		*(const char **)place = value;
		return namespace_name_check(value, "-n", err);
	case VALUE_FILES:
		options->files = grow(options->files, options->file_count, sizeof(*options->files));
		options->files[options->file_count++] = value;
		return STATUS_OK;
	case VALUE_OUTPUT:
		return read_output(value, outputs, &options->output, err);
	case VALUE_DURATION:
		return read_duration(row, value, place, err);
	case VALUE_NUMBER:
		return read_number(row, value, place, err);
	}
	return error_set(err, STATUS_BUG, "option --%s has no type", row->name);
}

/* The row that `word` names, and where in it a joined value begins (NULL: none). */
static const struct option_row *find_row(const char *word, unsigned allowed,
					 const char **ret_joined)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];
		if (row->bit != 0 && (row->bit & allowed) == 0)
			continue;
		size_t len = strlen(row->name);
		*ret_joined = NULL;
		if (word[1] == '-' && strncmp(word + 2, row->name, len) == 0 &&
		    (word[2 + len] == '\0' || word[2 + len] == '=')) {
			*ret_joined = word[2 + len] == '=' ? word + 3 + len : NULL;
			return row;
		}
		if (word[1] == row->letter && word[1] != '-' && word[1] != '\0') {
			*ret_joined = word[2] != '\0' ? word + 2 + (word[2] == '=') : NULL;
			return row;
		}
	}
	return NULL;
}

static enum status read_words(int argc, char **argv, unsigned allowed, unsigned outputs,
			      struct options *options, struct error *err)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		const char *joined = NULL;
		if ((allowed & OPTION_WORKLOAD) != 0 && word[0] != '-' &&
		    options->workload == NULL) {
			options->workload = word;
			continue;
		}
		if (word[0] != '-' || word[1] == '\0')
			return error_set(err, STATUS_INVALID, "unexpected argument \"%s\"%s", word,
					 (allowed & OPTION_FILE) != 0 ? " (name files with -f)"
								      : "");
		const struct option_row *row = find_row(word, allowed, &joined);
		if (row == NULL)
			return error_set(err, STATUS_INVALID,
					 "unknown option %s (--help lists them)", word);
		if (row->argument == NULL && joined != NULL)
			return error_set(err, STATUS_INVALID, "option %s takes no value", word);
		const char *value = joined;
		if (row->argument != NULL && value == NULL && i + 1 < argc)
			value = argv[++i];
		if (row->argument != NULL && value == NULL)
			return error_set(err, STATUS_INVALID, "option %s wants a %s", word,
					 row->argument);
		enum status status = set_option(row, value, outputs, options, err);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

enum status options_read(int argc, char **argv, unsigned allowed, unsigned outputs,
			 struct options *ret_options, struct error *err)
{
	struct options options = {0};
	enum status status = read_words(argc, argv, allowed, outputs, &options, err);
	if (status == STATUS_OK && !options.help && (allowed & OPTION_FILE) != 0 &&
	    options.file_count == 0 && !options.cluster)
		status = error_set(err, STATUS_INVALID,
				   "no input: name it with -f FILE, -f -, or -f DIR");
	if (status == STATUS_OK && !options.help && (allowed & OPTION_NEEDS_WORKLOAD) != 0 &&
	    options.workload == NULL)
		status = error_set(err, STATUS_INVALID,
				   "no workload: name it as Kind/name, or by its name");
	if (status == STATUS_OK && options.all_namespaces && options.namespace_name != NULL)
		status = error_set(err, STATUS_INVALID, "-n and -A: only one of them");
	if (status != STATUS_OK) {
		options_release(&options);
		return status;
	}
	*ret_options = options;
	return STATUS_OK;
}

void options_release(struct options *options)
{
	free(options->files);
	*options = (struct options){0};
}

void options_help(unsigned allowed, unsigned outputs, struct buffer *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];
		if (row->bit != 0 && (row->bit & allowed) == 0)
			continue;
		char letter[] = {'-', row->letter, ',', ' ', '\0'};
		char *name CLEANUP(str_freep) = xasprintf(
		    "%s--%s%s%s", row->letter != '\0' ? letter : "    ", row->name,
		    row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
		buffer_addf(out, "  %-26s %s", name, row->help);
		if (row->bit == OPTION_OUTPUT) {
			buffer_add_char(out, ' ');
			list_outputs(outputs, out);
		}
		buffer_add_char(out, '\n');
	}
}

const char *options_namespace(const struct options *options)
{
	return options->namespace_name != NULL ? options->namespace_name : "default";
}
