/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "inject/program.h"

enum { WORDS_MAX = 16 };

/* Words are separated by blanks; one that begins with '?' is an expansion with the literal beginning behind it. */
static size_t split(char *text, struct program_word *words)
{
	size_t count = 0;
	char *rest = text;
	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
		bool dynamic = word[0] == '?';
		words[count++] = (struct program_word){word + dynamic, !dynamic};
	}
	return count;
}

static const struct {
	const char *words;
	bool in_shell;
	enum program_match match;
	enum program program;
	size_t own;
} rows[] = {
    {"vllm serve m", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 2},
    {"/usr/bin/vllm serve", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 2},
    {"vllm chat", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_OTHER, 1},
    {"vllm ?", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 2},
    {"?vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 2},
    {"python3 -m vllm.entrypoints.openai.api_server x", false, PROGRAM_MATCH_SURE,
     PROGRAM_VLLM_MODULE, 3},
    {"python -u -X dev -OO -Wignore -m sglang.launch_server", false, PROGRAM_MATCH_SURE,
     PROGRAM_SGLANG, 8},
    {"python3.12 -mvllm.entrypoints.cli.main serve m", false, PROGRAM_MATCH_SURE,
     PROGRAM_VLLM_SERVE, 3},
    {"python3 -m vllm.entrypoints.cli.main bench", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_OTHER,
     3},
    {"python3 -m vllm.entrypoints.cli.main ?", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 4},
    {"python3 -m http.server", false, PROGRAM_MATCH_SURE, PROGRAM_OTHER, 3},
    {"python3 -m --port=1", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"python3 -m ?x", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"python3 -c code", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"python3 --version", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 2},
    {"python3 serve.py", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 2},
    {"python3-config -m vllm.entrypoints.openai.api_server", false, PROGRAM_MATCH_NONE,
     PROGRAM_UNKNOWN, 3},
    {"pythonw -m x", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"/app/epp --v=1", false, PROGRAM_MATCH_SURE, PROGRAM_EPP, 1},
    {"lwepp --v=1", false, PROGRAM_MATCH_SURE, PROGRAM_OTHER, 1},
    {"bash -c x", false, PROGRAM_MATCH_SHELL, PROGRAM_UNKNOWN, 1},
    {"--data-dir=/mnt/sh -c x", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"--cache=/opt/vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 2},
    {"zsh -c x", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"exec vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"exec vllm serve", true, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 3},
    {"exec -c -a name vllm serve", true, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 6},
    {"exec", true, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 1},
    {"command vllm serve", true, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 3},
    {"command -v vllm", true, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"eval vllm serve", true, PROGRAM_MATCH_EVAL, PROGRAM_UNKNOWN, 3},
    {"eval vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 3},
    {"env -i -u A --unset=B --chdir /x C=1 ?D= vllm serve", false, PROGRAM_MATCH_SURE,
     PROGRAM_VLLM_SERVE, 11},
    {"env -S vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 4},
    {"nice -n 5 nohup setsid -w stdbuf -oL -e 0 vllm serve", false, PROGRAM_MATCH_SURE,
     PROGRAM_VLLM_SERVE, 12},
    {"nice -5 vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 4},
    {"timeout -s TERM --kill-after=5 1h vllm serve", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE,
     7},
    {"taskset -c 0-3 vllm serve", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 5},
    {"numactl -N 0 --membind 0 ?--physcpubind= -l vllm serve", false, PROGRAM_MATCH_SURE,
     PROGRAM_VLLM_SERVE, 9},
    {"numactl ?-N vllm serve", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 4},
    {"tini -s -p SIGTERM -- vllm serve", false, PROGRAM_MATCH_SURE, PROGRAM_VLLM_SERVE, 7},
    {"dumb-init --rewrite 15:3 -- bash -c x", false, PROGRAM_MATCH_SHELL, PROGRAM_UNKNOWN, 5},
    {"gosu vllm python3 -m sglang.launch_server", false, PROGRAM_MATCH_SURE, PROGRAM_SGLANG, 5},
    {"ray start --head", false, PROGRAM_MATCH_SURE, PROGRAM_OTHER, 1},
    {"ray submit -- vllm serve m", false, PROGRAM_MATCH_NONE, PROGRAM_UNKNOWN, 6},
    {"echo vllm serve m", false, PROGRAM_MATCH_SURE, PROGRAM_OTHER, 1},
};

TEST(programs)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct program_word words[WORDS_MAX];
		struct program_found found;
		char *text CLEANUP(str_freep) = xstrdup(rows[i].words);
		size_t count = split(text, words);
		program_find(words, count, rows[i].in_shell, &found);
		CHECK_INT_ROW(found.match, rows[i].match, rows[i].words);
		CHECK_INT_ROW(found.program, rows[i].program, rows[i].words);
		CHECK_INT_ROW(found.own, rows[i].own, rows[i].words);
	}
}

TEST(unknown_starts_that_name_a_server)
{
	static const char *const naming[] = {
	    "nsys profile vllm serve m", "uv run /opt/bin/sglang serve",
	    "accelerate launch -m vllm.entrypoints.openai.api_server",
	    "launcher --cmd=sglang.launch_server"};
	static const char *const silent[] = {"launcher vllm", "/app/start --serve",
					     "python3 serve.py"};
	struct program_word words[WORDS_MAX];
	struct program_found found;
	for (size_t i = 0; i < ARRAY_LEN(naming); i++) {
		char *text CLEANUP(str_freep) = xstrdup(naming[i]);
		program_find(words, split(text, words), false, &found);
		CHECK_INT_ROW(found.match, PROGRAM_MATCH_NONE, naming[i]);
		CHECK_INT_ROW(found.mentions_engine, true, naming[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		char *text CLEANUP(str_freep) = xstrdup(silent[i]);
		program_find(words, split(text, words), false, &found);
		CHECK_INT_ROW(found.mentions_engine, false, silent[i]);
	}
}

TEST(every_program_has_its_row)
{
	size_t traceable = 0;
	for (enum program program = PROGRAM_UNKNOWN; program < PROGRAM_COUNT; program++) {
		CHECK(program_title(program) != NULL && program_title(program)[0] != '\0');
		traceable += program_is_traceable(program);
	}
	CHECK_INT(traceable, 5);
	CHECK(!program_is_traceable(PROGRAM_SIMULATOR) &&
	      !program_is_traceable(PROGRAM_VLLM_OTHER));
}
