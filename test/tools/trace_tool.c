/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_tool MANIFESTS SERVICES TRACES METRICS [--sent ID] [--policy NAME] [--tls yes|no]
 *            [--traffic yes|no]
 * Judges answers of a real Jaeger and collector against workloads, as the operator and
 * `verify` do, and prints
 *   received=yes|no|unknown HEARD/EXPECTED connected=… parts=… groups=… trace=ID
 *   WORD WORKLOAD CONTAINER: TEXT    for each finding ("- -" for the namespace)
 * and the trace as a tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "inject/trace_answer.h"
#include "inject/trace_diagnose.h"
#include "inject/trace_tree.h"

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void read_file(const char *path, struct buffer *text)
{
	char chunk[65536];
	FILE *file = fopen(path, "rb");
	buffer_init(text, LIMIT_STREAM_BYTES);
	if (file == NULL)
		die(path);
	for (size_t n = 0; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
		buffer_add(text, chunk, n);
	(void)fclose(file);
}

static void add_hops(const cJSON *object, const struct settings *settings, struct trace_hops *hops)
{
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct facts facts;
	struct error err;
	facts_from_object(object, &facts);
	struct plan_input input = {.object = object,
				   .settings = settings,
				   .settings_hash = "",
				   .facts = &facts,
				   .want = PLAN_INJECT};
	if (plan_build(&input, &plan, &err) != STATUS_OK)
		die(err.message);
	trace_hops_read(&input, plan, hops);
}

static void read_hops(const char *path, struct trace_hops *hops)
{
	struct buffer text;
	struct yaml_stream stream;
	struct error err;
	struct settings settings CLEANUP(settings_release) = {0};
	settings_init_defaults(&settings);
	read_file(path, &text);
	if (yaml_read_stream(text.data, text.len, &stream, NULL, &err) != STATUS_OK)
		die(err.message);
	for (size_t i = 0; i < stream.count; i++)
		if (stream.documents[i].tree != NULL)
			add_hops(stream.documents[i].tree, &settings, hops);
	yaml_stream_release(&stream);
	buffer_release(&text);
}

static const char *const answers[] = {
    [ANSWER_UNKNOWN] = "unknown", [ANSWER_NO] = "no", [ANSWER_YES] = "yes"};

static enum trace_answer answer_of(const char *word)
{
	return strcmp(word, "yes") == 0 ? ANSWER_YES : ANSWER_NO;
}

static void read_options(char **args, struct trace_observation *seen)
{
	for (; args[0] != NULL && args[1] != NULL; args += 2) {
		if (strcmp(args[0], "--sent") == 0)
			seen->sent_trace = args[1];
		else if (strcmp(args[0], "--policy") == 0)
			seen->network_policy = args[1];
		else if (strcmp(args[0], "--tls") == 0)
			seen->tls = answer_of(args[1]);
		else if (strcmp(args[0], "--traffic") == 0)
			seen->traffic = answer_of(args[1]);
		else
			die(args[0]);
	}
}

static void print(const struct trace_hops *hops, const struct trace_observation *seen)
{
	struct trace_verdict verdict;
	struct trace_findings findings;
	struct buffer tree;
	char parts[256];
	char groups[256];
	buffer_init(&tree, MIB(1));
	trace_verdict(hops, seen, &verdict);
	trace_diagnose(hops, seen, &verdict, &findings);
	trace_parts_text(verdict.parts_seen, parts, sizeof(parts));
	trace_groups_text(verdict.groups_seen, groups, sizeof(groups));
	printf("received=%s %zu/%zu connected=%s parts=%s groups=%s trace=%s\n",
	       answers[verdict.received], verdict.seen, verdict.expected,
	       answers[verdict.connected], parts, groups, verdict.trace);
	for (size_t i = 0; i < findings.count; i++) {
		const struct trace_finding *finding = &findings.items[i];
		const struct trace_hop *hop =
		    finding->hop == SIZE_MAX ? NULL : &hops->items[finding->hop];
		printf("%s %s %s: %s\n", symptom_info(finding->symptom)->word,
		       hop == NULL ? "-" : hop->workload, hop == NULL ? "-" : hop->container,
		       finding->text);
	}
	trace_tree_print(seen->trace, verdict.trace, &tree);
	(void)fputs(tree.data, stdout);
	buffer_release(&tree);
	trace_findings_release(&findings);
	trace_verdict_release(&verdict);
}

int main(int argc, char **argv)
{
	struct trace_hops hops = {0};
	struct trace_names services = {0};
	struct trace trace = {0};
	struct trace_counters counters = {.calls = NULL};
	struct buffer texts[3];
	struct error err;
	if (argc < 5)
		return 2;
	read_hops(argv[1], &hops);
	for (int i = 0; i < 3; i++)
		read_file(argv[2 + i], &texts[i]);
	if (jaeger_read_names(texts[0].data, texts[0].len, &services, &err) != STATUS_OK ||
	    jaeger_read_traces(texts[1].data, texts[1].len, &trace, &err) != STATUS_OK)
		die(err.message);
	trace_counters_read(texts[2].data, texts[2].len, &counters);
	struct trace_observation seen = {
	    .trace = &trace, .services = &services, .counters = &counters};
	read_options(argv + 5, &seen);
	print(&hops, &seen);
	for (int i = 0; i < 3; i++)
		buffer_release(&texts[i]);
	trace_counters_release(&counters);
	trace_release(&trace);
	trace_names_release(&services);
	trace_hops_release(&hops);
	return 0;
}
