/* SPDX-License-Identifier: Apache-2.0 */
/* Which ratio a container gets, by who decides before it (spec.sampling.where). */
#include "rendered.h"

#include "inject/plan.h"

#define POOL(NAME, PICKER)                                                                         \
	"apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\n"                        \
	"metadata: {name: " NAME "}\n"                                                             \
	"spec: {selector: {matchLabels: {app: " NAME "}}, endpointPickerRef: {name: " PICKER       \
	"}}\n---\n"
#define SERVICE(NAME)                                                                              \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " NAME "}\n"                              \
	"spec: {selector: {picks: " NAME "}}\n---\n"
#define DEPLOYMENT(NAME, ANNOTATIONS, LABELS, SPEC)                                                \
	"apiVersion: apps/v1\nkind: Deployment\n"                                                  \
	"metadata: {name: " NAME ", annotations: {" ANNOTATIONS "}}\n"                             \
	"spec: {template: {metadata: {labels: {" LABELS "}}, spec: {" SPEC "}}}\n---\n"
#define PICKER(ANNOTATIONS, TAG)                                                                   \
	DEPLOYMENT("picker", ANNOTATIONS, "picks: epp, app: epp",                                  \
		   "containers: [{name: epp, image: 'ghcr.io/llm-d/llm-d-inference-scheduler:" TAG \
		   "', args: [--pool-name, p, --tracing=false]}]")
#define ENGINE                                                                                     \
	"containers: [{name: engine, image: 'vllm/vllm-openai:v0.23.0', command: [vllm, serve], "  \
	"args: [m]}]"
#define PROXY(IMAGE)                                                                               \
	"initContainers: [{name: proxy, restartPolicy: Always, image: 'ghcr.io/llm-d/" IMAGE       \
	"', args: ['--port=8000']}], "
#define SERVER(NAME, PROXIES) DEPLOYMENT(NAME, "", "app: p", PROXIES ENGINE)
#define WAY                   POOL("p", "epp") SERVICE("epp")
#define NEW                   PROXY("llm-d-router-disagg-sidecar:v0.10.0")
#define OLD                   PROXY("llm-d-router-disagg-sidecar:v0.9.0")
#define TENTH                 "sampling: {ratio: '0.1'}"

static const struct {
	const char *around;
	const char *spec;
	const char *want; /* of every Deployment, container by container */
} led[] = {
    {WAY PICKER("", "v0.8.0") SERVER("s", NEW), TENTH, "epp=0.1 proxy=1.0 engine=1.0"},
    {WAY PICKER("", "v0.8.0") SERVER("s", NEW), "{}", "epp=1.0 proxy=1.0 engine=1.0"},
    {WAY PICKER("", "v0.8.0") SERVER("s", NEW), "sampling: {ratio: '1'}", "epp=1 proxy=1 engine=1"},
    {WAY PICKER("", "v0.8.0") SERVER("s", NEW), "sampling: {ratio: '0.1', where: Pods}",
     "epp=0.1 proxy=0.1 engine=0.1"},
    {WAY PICKER("", "v0.8.0") SERVER("s", NEW), "sampling: {ratio: '0.1', where: Collector}",
     "epp=1.0 proxy=1.0 engine=1.0"},
    {SERVER("s", NEW), "sampling: {ratio: '0.1', where: Collector}", "proxy=1.0 engine=1.0"},
    /* no picker, none that is traced, none that may be */
    {SERVER("s", NEW), TENTH, "proxy=0.1 engine=0.1"},
    {WAY SERVER("s", NEW), TENTH, "proxy=0.1 engine=0.1"},
    {POOL("p", "epp") PICKER("", "v0.8.0") SERVER("s", ""), TENTH, "epp=0.1 engine=0.1"},
    {WAY PICKER("", "v0.5.0") SERVER("s", NEW), TENTH, "proxy=0.1 engine=0.1"},
    {WAY PICKER("tracing.llm-d.io/inject: 'false'", "v0.8.0") SERVER("s", ""), TENTH, "engine=0.1"},
    {WAY PICKER("", "v0.8.0") SERVER("s", ""),
     "{sampling: {ratio: '0.1'}, components: {epp: {enabled: false}}}", "engine=0.1"},
    /* of two pools, one without */
    {WAY POOL("x", "none") PICKER("", "v0.8.0") DEPLOYMENT("s", "", "app: p", ENGINE)
	 DEPLOYMENT("t", "", "app: x", ENGINE),
     TENTH, "epp=0.1 engine=1.0 engine=0.1"},
    /* a proxy that hands no context on: neither its engine nor the prefill servers are led */
    {WAY PICKER("", "v0.8.0") SERVER("s", OLD) SERVER("t", ""), TENTH,
     "epp=0.1 proxy=1.0 engine=0.1 engine=0.1"},
    {WAY PICKER("", "v0.8.0") SERVER("s", PROXY("llm-d-routing-sidecar:latest")), TENTH,
     "epp=0.1 proxy=1.0 engine=0.1"},
    {WAY PICKER("", "v0.8.0") SERVER("s", PROXY("llm-d-router-disagg-sidecar:latest")), TENTH,
     "epp=0.1 proxy=1.0 engine=1.0"},
    {WAY PICKER("", "v0.8.0") SERVER("s", PROXY("llm-d-router-disagg-sidecar:latest")),
     "{sampling: {ratio: '0.1'}, images: [{match: '*sidecar*', version: 0.9.0}]}",
     "epp=0.1 proxy=1.0 engine=0.1"},
    /* a pool whose picker is one of its own servers, and so on without end */
    {POOL("p", "epp") SERVICE("epp") DEPLOYMENT(
	 "s", "", "app: p, picks: epp",
	 "containers: [{name: engine, image: 'vllm/vllm-openai:v0.23.0', command: [vllm, serve]}]"),
     TENTH, "engine=0.1"},
};

static void add_ratios(const cJSON *containers, struct buffer *out)
{
	const cJSON *container = NULL;
	const cJSON *variable = NULL;
	cJSON_ArrayForEach(container, containers)
	{
		cJSON_ArrayForEach(variable, json_member(container, "env"))
		{
			if (text_equal(json_str(variable, "name"), "OTEL_TRACES_SAMPLER_ARG"))
				buffer_addf(out, "%s%s=%s", out->len == 0 ? "" : " ",
					    json_str(container, "name"),
					    json_str(variable, "value"));
		}
	}
}

/* What a Deployment becomes by a spec. Owned; NULL and a failed check. */
static cJSON *injected(const cJSON *object, const struct surroundings *around, const char *spec,
		       bool agreed, struct plan **ret_plan)
{
	struct settings settings;
	struct facts facts;
	struct error err = {.message = ""};
	cJSON *edited = NULL;
	if (!CHECK_INT_ROW(read_spec(spec, &settings, &err), STATUS_OK, spec))
		return NULL;
	surroundings_facts(around, object, &facts);
	facts.evidence = EVIDENCE_EXPLICIT;
	struct plan_input input = {.object = object,
				   .settings = &settings,
				   .settings_hash = spec,
				   .led_hash = strstr(spec, "Pods") != NULL ? "led, Pods" : "led",
				   .facts = &facts,
				   .want = PLAN_INJECT,
				   .take_updates = agreed};
	if (CHECK_INT_ROW(plan_build(&input, ret_plan, &err), STATUS_OK, spec))
		CHECK_INT_ROW(plan_apply(*ret_plan, object, &edited, &err), STATUS_OK, spec);
	settings_release(&settings);
	return edited;
}

static struct surroundings *look_around(const struct yaml_stream *stream)
{
	struct surroundings *around = surroundings_new();
	for (size_t i = 0; i < stream->count; i++)
		if (stream->documents[i].tree != NULL)
			surroundings_add(around, stream->documents[i].tree);
	return around;
}

static bool read_all(const char *yaml, struct yaml_stream *stream)
{
	struct error err = {.message = ""};
	return CHECK_STR(yaml_read_stream(yaml, strlen(yaml), stream, NULL, &err) == STATUS_OK
			     ? ""
			     : err.message,
			 "");
}

TEST(ratios)
{
	for (size_t i = 0; i < ARRAY_LEN(led); i++) {
		struct yaml_stream stream;
		struct buffer seen CLEANUP(buffer_release) = {0};
		if (!read_all(led[i].around, &stream))
			continue;
		struct surroundings *around CLEANUP(surroundings_freep) = look_around(&stream);
		buffer_init(&seen, 1000);
		for (size_t k = 0; k < stream.count; k++) {
			const cJSON *object = stream.documents[k].tree;
			struct plan *plan CLEANUP(plan_freep) = NULL;
			if (object == NULL || !text_equal(json_str(object, "kind"), "Deployment"))
				continue;
			cJSON *edited CLEANUP(json_freep) =
			    injected(object, around, led[i].spec, false, &plan);
			add_ratios(json_get(edited, "spec.template.spec.initContainers"), &seen);
			add_ratios(json_get(edited, "spec.template.spec.containers"), &seen);
		}
		CHECK_STR_ROW(seen.data, led[i].want, led[i].spec);
		yaml_stream_release(&stream);
	}
}

/* From one spec to the next: whether the pods of picker and server are replaced, and by which ratio. */
static const struct {
	const char *from;
	const char *to;
	const char *around;
	bool restarts;
	const char *want;
} changes[] = {
    /* another ratio is the picker's alone, also where everybody had been given one */
    {TENTH, "sampling: {ratio: '0.5'}", WAY PICKER("", "v0.8.0") SERVER("s", ""), false,
     "engine=1.0"},
    {"{}", TENTH, WAY PICKER("", "v0.8.0") SERVER("s", ""), false, "engine=1.0"},
    {"sampling: {where: Pods, ratio: '0.1'}", "sampling: {ratio: '0.5'}",
     WAY PICKER("", "v0.8.0") SERVER("s", ""), false, "engine=0.1"},
    {"sampling: {where: Pods, ratio: '0.1'}", "sampling: {ratio: '1.0'}",
     WAY PICKER("", "v0.8.0") SERVER("s", ""), false, "engine=0.1"},
    {"sampling: {where: Collector, ratio: '0.1'}", "sampling: {where: Collector, ratio: '0.5'}",
     WAY PICKER("", "v0.8.0") SERVER("s", ""), false, "engine=1.0"},
    {TENTH, "sampling: {where: Pods, ratio: '0.1'}", WAY PICKER("", "v0.8.0") SERVER("s", ""), true,
     "engine=0.1"},
    /* nobody leads */
    {TENTH, "sampling: {ratio: '0.5'}", SERVER("s", ""), true, "engine=0.5"},
    /* the picker appears: no reason for anything */
    {TENTH, TENTH, WAY PICKER("", "v0.8.0") SERVER("s", ""), false, "engine=0.1"},
};

TEST(changes)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		bool appears = strcmp(changes[i].from, changes[i].to) == 0;
		struct yaml_stream stream;
		struct buffer seen CLEANUP(buffer_release) = {0};
		struct plan *first CLEANUP(plan_freep) = NULL;
		struct plan *second CLEANUP(plan_freep) = NULL;
		struct surroundings *nothing CLEANUP(surroundings_freep) = surroundings_new();
		if (!read_all(changes[i].around, &stream))
			continue;
		struct surroundings *around CLEANUP(surroundings_freep) = look_around(&stream);
		const cJSON *server = NULL;
		for (size_t k = 0; k < stream.count; k++)
			if (stream.documents[k].tree != NULL)
				server = stream.documents[k].tree;
		cJSON *once CLEANUP(json_freep) =
		    injected(server, appears ? nothing : around, changes[i].from, false, &first);
		cJSON *twice CLEANUP(json_freep) =
		    injected(once, around, changes[i].to, false, &second);
		buffer_init(&seen, 1000);
		add_ratios(json_get(twice, "spec.template.spec.containers"), &seen);
		CHECK_STR_ROW(seen.data, changes[i].want, changes[i].to);
		CHECK_INT_ROW(second->template_changes, changes[i].restarts, changes[i].to);
		CHECK_INT_ROW(second->outdated, false, changes[i].to);
		yaml_stream_release(&stream);
	}
}

/* A traced server whose picker, or whose pool, is not there when the next ratio comes. */
static const struct {
	const char *from;
	const char *to;
	bool led;    /* a picker decided when it was written */
	bool gone;   /* and does not any more */
	bool agreed; /* a person has said so */
	bool writes, held, restarts;
	const char *want;
} losses[] = {
    /* nothing of it is the server's: not even the ledger is written */
    {"{}", TENTH, true, false, false, false, false, false, "engine=1.0"},
    {TENTH, "sampling: {ratio: '0.5'}", true, false, false, false, false, false, "engine=1.0"},
    /* gone for a moment or for good: nobody asked for a restart */
    {"{}", TENTH, true, true, false, false, true, false, "engine=1.0"},
    {TENTH, TENTH, true, true, false, false, true, false, "engine=1.0"},
    {"{}", TENTH, true, true, true, true, false, true, "engine=0.1"},
    {"{}", "{}", true, true, false, false, false, false, "engine=1.0"},
    /* that is a wish */
    {TENTH, "sampling: {where: Pods, ratio: '0.1'}", true, false, false, true, false, true,
     "engine=0.1"},
    /* nobody has ever decided before it */
    {"{}", TENTH, false, true, false, true, false, true, "engine=0.1"},
    {TENTH, "sampling: {ratio: '0.5'}", false, true, false, true, false, true, "engine=0.5"},
};

TEST(a_picker_that_is_gone_restarts_nobody)
{
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		struct yaml_stream stream;
		struct buffer seen CLEANUP(buffer_release) = {0};
		struct plan *first CLEANUP(plan_freep) = NULL;
		struct plan *second CLEANUP(plan_freep) = NULL;
		struct surroundings *nothing CLEANUP(surroundings_freep) = surroundings_new();
		if (!read_all(WAY PICKER("", "v0.8.0") SERVER("s", ""), &stream))
			continue;
		struct surroundings *around CLEANUP(surroundings_freep) = look_around(&stream);
		const cJSON *server = NULL;
		for (size_t k = 0; k < stream.count; k++)
			if (stream.documents[k].tree != NULL)
				server = stream.documents[k].tree;
		cJSON *once CLEANUP(json_freep) = injected(server, losses[i].led ? around : nothing,
							   losses[i].from, false, &first);
		cJSON *twice CLEANUP(json_freep) =
		    injected(once, losses[i].gone ? nothing : around, losses[i].to,
			     losses[i].agreed, &second);
		buffer_init(&seen, 1000);
		add_ratios(json_get(twice, "spec.template.spec.containers"), &seen);
		CHECK_STR_ROW(seen.data, losses[i].want, losses[i].to);
		CHECK_INT_ROW(second->changes, losses[i].writes, losses[i].to);
		CHECK_INT_ROW(second->template_changes, losses[i].restarts, losses[i].to);
		CHECK_INT_ROW(second->outdated, losses[i].held, losses[i].to);
		if (losses[i].held)
			CHECK(strstr(second->message, "no traced endpoint picker") != NULL);
		yaml_stream_release(&stream);
	}
}
