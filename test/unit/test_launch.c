/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/json.h"
#include "inject/launch.h"

static const char *const vllm_flags[] = {"--otlp-traces-endpoint=http://c:4317",
					 "--collect-detailed-traces=all"};

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &tree, &err) != STATUS_OK) {
		printf("%s: %s\n", text, err.message);
		abort();
	}
	return tree;
}

static const char *list_name(const struct launch_edit *edit)
{
	return edit->list == LAUNCH_COMMAND ? "command" : "args";
}

/* The container's text after the edit; the edit is taken back again and compared. */
static char *edited(const char *container, const struct launch_edit *edit)
{
	struct error err;
	cJSON *tree CLEANUP(json_freep) = parse(container);
	bool had = cJSON_IsArray(json_member(tree, list_name(edit)));
	if (!had)
		(void)json_set_array(tree, list_name(edit));
	cJSON *list = json_member_mut(tree, list_name(edit));
	cJSON *before CLEANUP(json_freep) = json_clone(list);
	CHECK_INT_ROW(launch_edit_apply(edit, list, &err), STATUS_OK, container);
	char *text = json_to_string(tree);
	CHECK_INT_ROW(launch_edit_revert(edit, list, &err), STATUS_OK, container);
	CHECK(json_equal(before, list));
	return text;
}

static const struct {
	const char *container;
	enum program assume;
	enum program program;
	enum launch_form form;
	const char *after; /* NULL: refused */
} forms[] = {
    {"{\"command\":[\"vllm\",\"serve\"],\"args\":[\"m\",\"--port=1\"]}", PROGRAM_UNKNOWN,
     PROGRAM_VLLM_SERVE, LAUNCH_EXEC,
     "{\"command\":[\"vllm\",\"serve\"],\"args\":[\"m\",\"--port=1\","
     "\"--otlp-traces-endpoint=http://c:4317\",\"--collect-detailed-traces=all\"]}"},
    {"{\"command\":[\"vllm\",\"serve\",\"m\"],\"args\":null}", PROGRAM_UNKNOWN, PROGRAM_VLLM_SERVE,
     LAUNCH_EXEC,
     "{\"command\":[\"vllm\",\"serve\",\"m\"],\"args\":["
     "\"--otlp-traces-endpoint=http://c:4317\",\"--collect-detailed-traces=all\"]}"},
    {"{\"args\":[\"--port=1\",\"--\",\"m\"]}", PROGRAM_VLLM_SERVE, PROGRAM_VLLM_SERVE,
     LAUNCH_ARGS_ONLY,
     "{\"args\":[\"--port=1\",\"--otlp-traces-endpoint=http://c:4317\","
     "\"--collect-detailed-traces=all\",\"--\",\"m\"]}"},
    {"{\"args\":[\"org/sh\",\"--port=1\"]}", PROGRAM_VLLM_SERVE, PROGRAM_VLLM_SERVE,
     LAUNCH_ARGS_ONLY,
     "{\"args\":[\"org/sh\",\"--port=1\",\"--otlp-traces-endpoint=http://c:4317\","
     "\"--collect-detailed-traces=all\"]}"},
    {"{\"args\":[\"bash\",\"--login\",\"-c\",\"vllm serve m\"]}", PROGRAM_VLLM_SERVE,
     PROGRAM_VLLM_SERVE, LAUNCH_SCRIPT,
     "{\"args\":[\"bash\",\"--login\",\"-c\",\"vllm serve m "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all\"]}"},
    {"{\"command\":[\"sh\",\"-c\",\"exec vllm serve m \\\\\\n --port 1 # x\\n\"]}", PROGRAM_UNKNOWN,
     PROGRAM_VLLM_SERVE, LAUNCH_SCRIPT,
     "{\"command\":[\"sh\",\"-c\",\"exec vllm serve m --otlp-traces-endpoint=http://c:4317 "
     "--collect-detailed-traces=all \\\\\\n --port 1 # x\\n\"]}"},
    {"{\"command\":[\"sh\",\"-c\",\"kill $$$$; vllm serve\"]}", PROGRAM_UNKNOWN, PROGRAM_VLLM_SERVE,
     LAUNCH_SCRIPT,
     "{\"command\":[\"sh\",\"-c\",\"kill $$$$; vllm serve --otlp-traces-endpoint=http://c:4317 "
     "--collect-detailed-traces=all\"]}"},
    {"{}", PROGRAM_VLLM_SERVE, PROGRAM_VLLM_SERVE, LAUNCH_IMAGE_DEFAULT, NULL},
    {"{\"command\":[],\"args\":[]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_IMAGE_DEFAULT, NULL},
    {"{\"args\":[\"--model=m\"]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_ARGS_ONLY, NULL},
    {"{\"args\":[\"--model=m\"]}", PROGRAM_SIMULATOR, PROGRAM_SIMULATOR, LAUNCH_ARGS_ONLY, NULL},
    {"{\"args\":\"--model=m\"}", PROGRAM_VLLM_SERVE, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"args\":[\"m\",7]}", PROGRAM_VLLM_SERVE, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"command\":{\"a\":1}}", PROGRAM_VLLM_SERVE, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"[]", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_IMAGE_DEFAULT, NULL},
    {"{\"command\":[\"\"]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"command\":[\"env\"]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"command\":[\"python3\",\"-m\"]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"command\":[\"bash\"]}", PROGRAM_UNKNOWN, PROGRAM_UNKNOWN, LAUNCH_OPAQUE, NULL},
    {"{\"command\":[\"vllm\",\"bench\"]}", PROGRAM_VLLM_SERVE, PROGRAM_VLLM_OTHER, LAUNCH_EXEC,
     NULL},
};

TEST(forms)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *row = forms[i].container;
		struct error err = {0};
		struct launch_edit edit;
		cJSON *container CLEANUP(json_freep) = parse(row);
		struct launch *launch CLEANUP(launch_freep) =
		    launch_read(container, forms[i].assume);
		CHECK_INT_ROW(launch_program(launch), forms[i].program, row);
		CHECK_INT_ROW(launch_form(launch), forms[i].form, row);
		CHECK((launch_form(launch) == LAUNCH_OPAQUE) ==
		      (launch_why_opaque(launch)[0] != '\0'));
		enum status status = launch_add_flags(launch, vllm_flags, 2, &edit, &err);
		CHECK_INT_ROW(status, forms[i].after == NULL ? STATUS_INVALID : STATUS_OK, row);
		if (status != STATUS_OK) {
			CHECK(strstr(err.message, vllm_flags[0]) != NULL);
			continue;
		}
		char *after CLEANUP(str_freep) = edited(row, &edit);
		CHECK_STR_ROW(after, forms[i].after, row);
		launch_edit_release(&edit);
	}
}

/* What a person reads when it cannot be done. */
static const struct {
	const char *container;
	const char *message;
} manual_edits[] = {
    {"{\"command\":[\"nsys\",\"profile\",\"vllm\",\"serve\",\"m\"]}",
     "what `nsys` starts, and how it reads its arguments, is not known; to trace it, add "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all to the server's own words "
     "in "
     "command or args, behind the model"},
    {"{\"command\":[\"bash\",\"-c\",\"vllm serve a; vllm serve b\"]}",
     "the script holds 2 commands that start a server; to trace it, add "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all right after the model in "
     "each of them"},
    {"{\"command\":[\"bash\",\"-c\",\"eval \\\"vllm serve a $@\\\"\",\"--\"]}",
     "`eval` reads the server's command line once more; to trace it, add "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all as the last elements of "
     "args, which the script hands on by $@ (so without spaces and shell characters), or right "
     "after the model inside the text that eval reads"},
    {"{\"command\":[\"bash\",\"/start.sh\"]}",
     "the shell runs /start.sh, which this operator cannot see; to trace it, add "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all right after the model "
     "where it starts the server"},
    {"{\"command\":[\"bash\",\"-c\",\"vllm serve 'm\"]}",
     "the script cannot be read with certainty: line 1: a single quote without its partner; to "
     "trace it, add --otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all right after "
     "the model in the server's command of the script"},
    {"{\"command\":[\"vllm\",\"launch\",\"render\",\"m\"]}",
     "it runs a vLLM command other than `vllm serve`, which does not take "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all"},
    {"{}",
     "it has neither command nor args, and args alone would replace the image's own; to trace it, "
     "write out the image's command and args and end the args with "
     "--otlp-traces-endpoint=http://c:4317 --collect-detailed-traces=all"},
};

TEST(manual_edits)
{
	for (size_t i = 0; i < ARRAY_LEN(manual_edits); i++) {
		struct error err = {0};
		struct launch_edit edit;
		cJSON *container CLEANUP(json_freep) = parse(manual_edits[i].container);
		struct launch *launch CLEANUP(launch_freep) =
		    launch_read(container, PROGRAM_UNKNOWN);
		CHECK_INT(launch_add_flags(launch, vllm_flags, 2, &edit, &err), STATUS_INVALID);
		CHECK_STR_ROW(err.message, manual_edits[i].message, manual_edits[i].container);
	}
}

/* How one flag stands in a script and in exec form; NULL: refused. */
static const struct {
	const char *flag;
	const char *in_script;
} tokens[] = {
    {"--a=http://c.ns.svc:4317", " --a=http://c.ns.svc:4317"},
    {"--a=model,worker", " --a=model,worker"},
    {"--a=http://[fd00::1]:4317", " '--a=http://[fd00::1]:4317'"},
    {"--a=http://c?x=~y", " '--a=http://c?x=~y'"},
    {"--a=$(OTEL_EXPORTER_OTLP_ENDPOINT)", " \"--a=${OTEL_EXPORTER_OTLP_ENDPOINT}\""},
    {"--a=http://$(HOST):4317", " \"--a=http://${HOST}:4317\""},
    {"--switch", " --switch"},
    {"--a=b c", NULL},
    {"--a='b'", NULL},
    {"--a=b;c", NULL},
    {"--a=$b", NULL},
    {"--a=$(b c)", NULL},
    {"--a=$()", NULL},
    {"--a=$$(b)", NULL},
    {"--a=b\n", NULL},
    {"--a=`b`", NULL},
    {"-a", NULL},
    {"--", NULL},
    {"a", NULL},
    {"", NULL},
};

TEST(tokens)
{
	cJSON *script CLEANUP(json_freep) = parse("{\"command\":[\"sh\",\"-c\",\"vllm serve m\"]}");
	cJSON *exec CLEANUP(json_freep) = parse("{\"command\":[\"vllm\",\"serve\",\"m\"]}");
	struct launch *in_script CLEANUP(launch_freep) = launch_read(script, PROGRAM_UNKNOWN);
	struct launch *in_exec CLEANUP(launch_freep) = launch_read(exec, PROGRAM_UNKNOWN);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		const char *flag = tokens[i].flag;
		enum status want = tokens[i].in_script == NULL ? STATUS_INVALID : STATUS_OK;
		struct launch_edit edit = {0};
		struct error err;
		CHECK_INT_ROW(launch_add_flags(in_script, &flag, 1, &edit, &err), want, flag);
		if (want == STATUS_OK)
			CHECK_STR_ROW(edit.tokens[0], tokens[i].in_script, flag);
		launch_edit_release(&edit);
		CHECK_INT_ROW(launch_add_flags(in_exec, &flag, 1, &edit, &err), want, flag);
		if (want == STATUS_OK)
			CHECK_STR_ROW(edit.tokens[0], flag, flag);
		launch_edit_release(&edit);
	}
}

/* Taking back after the list was changed by others. */
static const struct {
	const char *name;
	struct launch_edit edit;
	const char *now;
	const char *after; /* NULL: STATUS_NOT_FOUND and untouched */
} reverts[] = {
#define TOKENS(...)                                                                                \
	.tokens = (char *[]){__VA_ARGS__},                                                         \
	.token_count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)
#define OLD(...)                                                                                   \
	.old_tokens = (char *[]){__VA_ARGS__},                                                     \
	.old_token_count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)
    {"where it was", {.index = 1, TOKENS("x", "y")}, "[\"a\",\"x\",\"y\"]", "[\"a\"]"},
    {"moved by elements before it",
     {.index = 1, TOKENS("x", "y")},
     "[\"b\",\"c\",\"a\",\"x\",\"y\"]",
     "[\"b\",\"c\",\"a\"]"},
    {"elements behind it",
     {.index = 1, TOKENS("x", "y")},
     "[\"a\",\"x\",\"y\",\"z\"]",
     "[\"a\",\"z\"]"},
    {"elements between",
     {.index = 1, TOKENS("x", "y")},
     "[\"a\",\"x\",\"b\",\"y\"]",
     "[\"a\",\"b\"]"},
    {"other order", {.index = 1, TOKENS("x", "y")}, "[\"y\",\"a\",\"x\"]", "[\"a\"]"},
    {"one is gone", {.index = 1, TOKENS("x", "y")}, "[\"a\",\"x\"]", NULL},
    {"one is changed", {.index = 1, TOKENS("x", "y")}, "[\"a\",\"x\",\"yy\"]", NULL},
    {"one is there twice", {.index = 1, TOKENS("x", "y")}, "[\"x\",\"a\",\"x\",\"b\",\"y\"]", NULL},
    {"twice: the one at its place",
     {.index = 3, TOKENS("x")},
     "[\"x\",\"a\",\"b\",\"x\"]",
     "[\"x\",\"a\",\"b\"]"},
    {"twice: the nearest",
     {.index = 2, TOKENS("x")},
     "[\"x\",\"a\",\"b\",\"x\"]",
     "[\"x\",\"a\",\"b\"]"},
    {"the same twice, one is left", {.index = 0, TOKENS("x", "x")}, "[\"a\",\"x\"]", NULL},
    {"list is empty", {.index = 0, TOKENS("x")}, "[]", NULL},
    {"numbers are no words", {.index = 0, TOKENS("1")}, "[1]", NULL},
    {"replaced",
     {.op = LAUNCH_REPLACE, .index = 1, TOKENS("x"), OLD("p", "q")},
     "[\"a\",\"x\",\"b\"]",
     "[\"a\",\"p\",\"q\",\"b\"]"},
    {"replaced and moved",
     {.op = LAUNCH_REPLACE, .index = 1, TOKENS("x"), OLD("p")},
     "[\"a\",\"b\",\"x\"]",
     "[\"a\",\"b\",\"p\"]"},
    {"replaced and changed",
     {.op = LAUNCH_REPLACE, .index = 1, TOKENS("x"), OLD("p")},
     "[\"a\",\"b\"]",
     NULL},
    {"spliced",
     {.op = LAUNCH_SPLICE, .index = 1, .offset = 3, TOKENS(" -x")},
     "[\"a\",\"v m -x; b\"]",
     "[\"a\",\"v m; b\"]"},
    {"spliced and moved in its text",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 3, TOKENS(" -x")},
     "[\"e; v m -x\"]",
     "[\"e; v m\"]"},
    {"spliced and moved in the list",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 3, TOKENS(" -x")},
     "[\"a\",\"v m -x\"]",
     "[\"a\",\"v m\"]"},
    {"spliced and grown",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 3, TOKENS(" -x")},
     "[\"v m -xy\"]",
     NULL},
    {"spliced and gone",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 3, TOKENS(" -x")},
     "[\"v m\"]",
     NULL},
    {"spliced, there twice",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 9, TOKENS(" -x")},
     "[\"v m -x; v n -x\"]",
     NULL},
    {"spliced, twice but at its place",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 3, TOKENS(" -x")},
     "[\"v m -x; v n -x\"]",
     "[\"v m; v n -x\"]"},
    {"text replaced",
     {.op = LAUNCH_SPLICE, .index = 0, .offset = 2, TOKENS("-x=1"), OLD("-x 0")},
     "[\"v -x=1 m\"]",
     "[\"v -x 0 m\"]"},
#undef TOKENS
#undef OLD
};

TEST(reverts)
{
	for (size_t i = 0; i < ARRAY_LEN(reverts); i++) {
		struct error err;
		cJSON *list CLEANUP(json_freep) = parse(reverts[i].now);
		enum status want = reverts[i].after == NULL ? STATUS_NOT_FOUND : STATUS_OK;
		CHECK_INT_ROW(launch_edit_revert(&reverts[i].edit, list, &err), want,
			      reverts[i].name);
		char *text CLEANUP(str_freep) = json_to_string(list);
		CHECK_STR_ROW(text, reverts[i].after == NULL ? reverts[i].now : reverts[i].after,
			      reverts[i].name);
	}
}

/* An edit that was planned on something else does nothing. */
TEST(stale_edits_are_refused)
{
	static char *x[] = {"x"};
	static const struct launch_edit edits[] = {
	    {.op = LAUNCH_INSERT, .index = 3, .tokens = x, .token_count = 1},
	    {.op = LAUNCH_REPLACE,
	     .index = 1,
	     .tokens = x,
	     .token_count = 1,
	     .old_tokens = x,
	     .old_token_count = 1},
	    {.op = LAUNCH_REPLACE,
	     .index = 5,
	     .tokens = x,
	     .token_count = 1,
	     .old_tokens = x,
	     .old_token_count = 1},
	    {.op = LAUNCH_SPLICE, .index = 0, .offset = 2, .tokens = x, .token_count = 1},
	    {.op = LAUNCH_SPLICE, .index = 7, .tokens = x, .token_count = 1},
	    {.op = LAUNCH_SPLICE,
	     .index = 0,
	     .tokens = x,
	     .token_count = 1,
	     .old_tokens = x,
	     .old_token_count = 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		struct error err;
		cJSON *list CLEANUP(json_freep) = parse("[\"a\",\"b\"]");
		CHECK_INT(launch_edit_apply(&edits[i], list, &err), STATUS_NOT_FOUND);
		char *text CLEANUP(str_freep) = json_to_string(list);
		CHECK_STR(text, "[\"a\",\"b\"]");
	}
}

static const struct flag_syntax endpoint = {.name = "--otlp-traces-endpoint",
					    .underscores = true,
					    .prefixes = true,
					    .shortest = "--otlp-t"};
static const struct flag_syntax tracing = {
    .name = "--tracing", .is_switch = true, .single_dash = true};

static const struct {
	const char *args; /* behind `vllm serve`, or the EPP's */
	const struct flag_syntax *flag;
	enum flag_presence presence;
	const char *value;
	size_t count, index, tokens;
} finds[] = {
    {"[\"m\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--otlp-traces-endpoint=u\"]", &endpoint, FLAG_PRESENT, "u", 1, 1, 1},
    {"[\"m\",\"--otlp_traces-endpoint\",\"u\"]", &endpoint, FLAG_PRESENT, "u", 1, 1, 2},
    {"[\"m\",\"--otlp-t=u\"]", &endpoint, FLAG_PRESENT, "u", 1, 1, 1},
    {"[\"m\",\"--otlp_tr\",\"u\"]", &endpoint, FLAG_PRESENT, "u", 1, 1, 2},
    {"[\"m\",\"--otlp=u\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--otlp-traces-endpoints=u\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--otlp-metrics-endpoint=u\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"-otlp-traces-endpoint=u\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--otlp-traces-endpoint=a\",\"--otlp-t=b\"]", &endpoint, FLAG_PRESENT, "b", 2, 2, 1},
    {"[\"m\",\"--otlp-traces-endpoint=\"]", &endpoint, FLAG_PRESENT, "", 1, 1, 1},
    {"[\"m\",\"--otlp-traces-endpoint\"]", &endpoint, FLAG_PRESENT, NULL, 1, 1, 1},
    {"[\"m\",\"--otlp-traces-endpoint\",\"--port\"]", &endpoint, FLAG_PRESENT, NULL, 1, 1, 1},
    {"[\"m\",\"--otlp-traces-endpoint=$(EP)\"]", &endpoint, FLAG_PRESENT, "$(EP)", 1, 1, 1},
    {"[\"m\",\"--otlp-traces-endpoint\",\"http://$(EP):1\"]", &endpoint, FLAG_PRESENT,
     "http://$(EP):1", 1, 1, 2},
    {"[\"m\",\"--\",\"--otlp-traces-endpoint=u\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--x\",\"$(EP)\"]", &endpoint, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"m\",\"--x=1\",\"$(EP)\"]", &endpoint, FLAG_UNSURE, NULL, 0, 0, 0},
    {"[\"--tracing=false\"]", &tracing, FLAG_PRESENT, "false", 1, 0, 1},
    {"[\"-tracing=false\"]", &tracing, FLAG_PRESENT, "false", 1, 0, 1},
    {"[\"--tracing\",\"false\"]", &tracing, FLAG_PRESENT, "false", 1, 0, 2},
    {"[\"--tracing\",\"--v=1\"]", &tracing, FLAG_PRESENT, NULL, 1, 0, 1},
    {"[\"--tracing-x=1\"]", &tracing, FLAG_ABSENT, NULL, 0, 0, 0},
    {"[\"--trac=1\"]", &tracing, FLAG_ABSENT, NULL, 0, 0, 0},
};

TEST(finds)
{
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		const char *row = finds[i].args;
		bool epp = finds[i].flag == &tracing;
		char *text CLEANUP(str_freep) =
		    xasprintf("{\"command\":[%s],\"args\":%s}",
			      epp ? "\"/app/epp\"" : "\"vllm\",\"serve\"", row);
		cJSON *container CLEANUP(json_freep) = parse(text);
		struct launch *launch CLEANUP(launch_freep) =
		    launch_read(container, PROGRAM_UNKNOWN);
		struct launch_flag found;
		launch_find_flag(launch, finds[i].flag, &found);
		CHECK_INT_ROW(found.presence, finds[i].presence, row);
		CHECK_STR_ROW(found.value, finds[i].value, row);
		CHECK_INT_ROW(found.count, finds[i].count, row);
		CHECK_INT_ROW(found.index, finds[i].index, row);
		CHECK_INT_ROW(found.tokens, finds[i].tokens, row);
		CHECK((found.hidden_in != NULL) == (found.presence == FLAG_UNSURE));
		launch_flag_release(&found);
	}
}
