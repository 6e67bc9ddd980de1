/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan time per object without parsing: plan_build and plan_patch together. Prints one
 * line a shape: microseconds (best and median of the rounds), and parsing apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "inject/plan.h"
#include "inject/settings.h"
#include "inject/surroundings.h"

enum { ROUNDS = 51, ENV_PER_CONTAINER = 5 };

struct shape {
	const char *name;
	bool engine; /* vLLM containers, else nginx */
	int containers;
	int iterations;
};

static const struct shape shapes[] = {
    {"untouched (1 container x 5 env, no component)", false, 1, 2000},
    {"inject 1 container x 5 env", true, 1, 1000},
    {"inject 10 containers x 5 env", true, 10, 200},
};

static void add_container(struct buffer *out, const struct shape *shape, int index)
{
	buffer_addf(out,
		    "%s{\"name\":\"c%d\",\"image\":\"%s\",\"command\":[%s],\"args\":[\"m/"
		    "Model\",\"--port=8000\","
		    "\"--tensor-parallel-size\",\"2\",\"--max-model-len=8192\"],\"env\":[",
		    index > 0 ? "," : "", index,
		    shape->engine ? "vllm/vllm-openai:v0.23.0" : "registry.example/nginx:1.27",
		    shape->engine ? "\"vllm\",\"serve\"" : "\"nginx\"");
	for (int e = 0; e < ENV_PER_CONTAINER; e++)
		buffer_addf(out, "%s{\"name\":\"VAR_%d\",\"value\":\"value-%d\"}", e > 0 ? "," : "",
			    e, e);
	buffer_add_str(out, "],\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"2\"}}}");
}

static char *make_object(const struct shape *shape)
{
	struct buffer out;
	buffer_init(&out, LIMIT_DOCUMENT_BYTES);
	buffer_add_str(
	    &out,
	    "{\"apiVersion\":\"apps/"
	    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"decode\",\"namespace\":"
	    "\"llm-d\",\"resourceVersion\":\"1234\",\"labels\":{\"app\":\"x\"}},\"spec\":{"
	    "\"replicas\":2,"
	    "\"selector\":{\"matchLabels\":{\"llm-d.ai/"
	    "role\":\"decode\"}},\"template\":{\"metadata\":"
	    "{\"labels\":{\"llm-d.ai/role\":\"decode\",\"llm-d.ai/inference-serving\":\"true\"}},"
	    "\"spec\":{\"containers\":[");
	for (int i = 0; i < shape->containers; i++)
		add_container(&out, shape, i);
	buffer_add_str(&out, "]}}}}");
	return out.data;
}

static double now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return x < y ? -1 : x > y ? 1 : 0;
}

static void report(const char *what, double *rounds)
{
	qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
	printf("%-55s best %8.2f us  median %8.2f us\n", what, rounds[0], rounds[ROUNDS / 2]);
}

static void plan_once(const cJSON *object, const struct settings *settings, const char *hash,
		      const struct facts *facts)
{
	struct error err = {.message = ""};
	struct plan *plan = NULL;
	struct plan_input input = {.object = object,
				   .settings = settings,
				   .settings_hash = hash,
				   .facts = facts,
				   .want = PLAN_INJECT};
	if (plan_build(&input, &plan, &err) != STATUS_OK) {
		(void)fprintf(stderr, "plan: %s\n", err.message);
		exit(1);
	}
	cJSON *patch = plan_patch(plan, PATCH_GUARD_RESOURCE_VERSION);
	char *text = json_to_string(patch);
	free(text);
	json_freep(&patch);
	plan_freep(&plan);
}

static void bench_shape(const struct shape *shape, const struct settings *settings,
			const char *hash)
{
	struct error err = {.message = ""};
	CLEANUP(str_freep) char *text = make_object(shape);
	double planning[ROUNDS];
	double parsing[ROUNDS];
	for (int round = 0; round < ROUNDS; round++) {
		cJSON *object = NULL;
		double start = now_us();
		for (int i = 0; i < shape->iterations; i++) {
			json_freep(&object);
			if (json_parse(text, strlen(text), &object, &err) != STATUS_OK)
				exit(1);
		}
		parsing[round] = (now_us() - start) / shape->iterations;
		struct facts facts;
		facts_from_object(object, &facts);
		start = now_us();
		for (int i = 0; i < shape->iterations; i++)
			plan_once(object, settings, hash, &facts);
		planning[round] = (now_us() - start) / shape->iterations;
		json_freep(&object);
	}
	report(shape->name, planning);
	report("  parsing it", parsing);
}

int main(void)
{
	struct settings settings;
	char hash[17];
	settings_init_defaults(&settings);
	settings_user_hash(NULL, hash);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		bench_shape(&shapes[i], &settings, hash);
	settings_release(&settings);
	return 0;
}
