/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/program.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"

static const struct program_info {
	const char *title;
	bool traceable;
	bool argparse;
} infos[PROGRAM_COUNT] = {
    [PROGRAM_UNKNOWN] = {"the server", false, true},
    [PROGRAM_VLLM_SERVE] = {"`vllm serve`", true, true},
    [PROGRAM_VLLM_MODULE] = {"`python3 -m vllm.entrypoints.openai.api_server`", true, true},
    [PROGRAM_VLLM_OTHER] = {"a vLLM command other than `vllm serve`", false, true},
    [PROGRAM_SGLANG] = {"SGLang", true, true},
    [PROGRAM_EPP] = {"the endpoint picker", true, false},
    [PROGRAM_PD_SIDECAR] = {"the routing proxy", true, false},
    [PROGRAM_SIMULATOR] = {"llm-d-inference-sim", false, false},
    [PROGRAM_OTHER] = {"another program", false, false},
};

/* A row without sub-command holds for all others of that program. */
static const struct program_row {
	const char *name;
	const char *subcommand;
	enum program program;
} programs[] = {
    {"vllm", "serve", PROGRAM_VLLM_SERVE},
    {"vllm", NULL, PROGRAM_VLLM_OTHER},
    {"sglang", "serve", PROGRAM_SGLANG},
    {"sglang", NULL, PROGRAM_OTHER},
    {"epp", NULL, PROGRAM_EPP},
    {"pd-sidecar", NULL, PROGRAM_PD_SIDECAR},
    {"llm-d-routing-sidecar", NULL, PROGRAM_PD_SIDECAR},
    {"llm-d-inference-sim", NULL, PROGRAM_SIMULATOR},
};

static const struct program_row modules[] = {
    {"vllm.entrypoints.openai.api_server", NULL, PROGRAM_VLLM_MODULE},
    {"vllm.entrypoints.cli.main", "serve", PROGRAM_VLLM_SERVE},
    {"vllm.entrypoints.cli.main", NULL, PROGRAM_VLLM_OTHER},
    {"sglang.launch_server", NULL, PROGRAM_SGLANG},
};

/* Programs that start no server of ours whatever their arguments are; also what scripts use for set-up. */
static const char *const others[] = {
    ":",
    "[",
    "agentgateway",
    "apt-get",
    "awk",
    "basename",
    "bbr",
    "cat",
    "cd",
    "chmod",
    "chown",
    "cp",
    "curl",
    "date",
    "declare",
    "df",
    "dirname",
    "echo",
    "envoy",
    "exit",
    "export",
    "false",
    "find",
    "free",
    "git",
    "grep",
    "head",
    "hostname",
    "hf",
    "huggingface-cli",
    "id",
    "inference-perf",
    "ip",
    "kill",
    "ldconfig",
    "llm-d-coordinator",
    "ln",
    "local",
    "ls",
    "lwepp",
    "mkdir",
    "mooncake_client",
    "mooncake_master",
    "mount",
    "mv",
    "nginx",
    "nproc",
    "nvidia-smi",
    "pause",
    "pgrep",
    "pip",
    "pip3",
    "pkill",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "ray",
    "read",
    "readonly",
    "requester",
    "return",
    "rm",
    "sed",
    "seq",
    "set",
    "shift",
    "sleep",
    "sort",
    "sysctl",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "tritonserver",
    "trtllm-serve",
    "true",
    "type",
    "ulimit",
    "umask",
    "uname",
    "unset",
    "uvicorn",
    "wait",
    "wc",
    "wget",
    "which",
};

/* Of those, the ones for which a server's name among their arguments is only text. */
static const char *const printers[] = {
    ":",     "[",      "awk",      "declare", "echo", "export", "grep", "local", "pgrep",
    "pkill", "printf", "readonly", "sed",     "test", "trap",   "type", "which",
};

static const char *const shells[] = {"sh", "bash", "dash", "ash"};

/*
 * A wrapper runs the words behind its own options. `valued`: option letters that take
 * the next word when nothing is attached; an option that is in neither list makes
 * the wrapper unknown. Sources: their manual pages (coreutils 9.1, util-linux 2.38,
 * numactl 2.0.16, tini 0.19, dumb-init 1.2.5, bash 5.2).
 */
static const struct wrapper {
	const char *name;
	const char *plain;
	const char *valued;
	const char *const *long_plain; /* names; "--name=value" is accepted of both */
	const char *const *long_valued;
	size_t positionals; /* words of its own before the command */
	bool assignments;   /* NAME=VALUE words come before it */
	bool shell_only;    /* a builtin or reserved word */
} wrappers[] = {
    {.name = "exec", .shell_only = true, .plain = "cl", .valued = "a"},
    {.name = "command", .shell_only = true, .plain = "p", .valued = ""},
    {.name = "builtin", .shell_only = true, .plain = "", .valued = ""},
    {.name = "env",
     .plain = "i0v",
     .valued = "uC",
     .assignments = true,
     .long_plain = (const char *const[]){"ignore-environment", "debug", NULL},
     .long_valued = (const char *const[]){"unset", "chdir", NULL}},
    {.name = "nohup", .plain = "", .valued = ""},
    {.name = "setsid", .plain = "cfw", .valued = ""},
    {.name = "time", .plain = "pv", .valued = ""},
    {.name = "nice",
     .plain = "",
     .valued = "n",
     .long_valued = (const char *const[]){"adjustment", NULL}},
    {.name = "ionice",
     .plain = "t",
     .valued = "cn",
     .long_valued = (const char *const[]){"class", "classdata", NULL}},
    {.name = "stdbuf",
     .plain = "",
     .valued = "ioe",
     .long_valued = (const char *const[]){"input", "output", "error", NULL}},
    {.name = "timeout",
     .plain = "v",
     .valued = "ks",
     .positionals = 1,
     .long_plain = (const char *const[]){"preserve-status", "foreground", "verbose", NULL},
     .long_valued = (const char *const[]){"kill-after", "signal", NULL}},
    {.name = "taskset",
     .plain = "c",
     .valued = "",
     .positionals = 1,
     .long_plain = (const char *const[]){"cpu-list", NULL}},
    {.name = "numactl",
     .plain = "al",
     .valued = "NmCipP",
     .long_plain = (const char *const[]){"all", "localalloc", NULL},
     .long_valued = (const char *const[]){"cpunodebind", "membind", "physcpubind", "interleave",
					  "preferred", "preferred-many", NULL}},
    {.name = "tini", .plain = "sgvw", .valued = "pe"},
    {.name = "dumb-init",
     .plain = "cv",
     .valued = "r",
     .long_plain = (const char *const[]){"single-child", "verbose", NULL},
     .long_valued = (const char *const[]){"rewrite", NULL}},
    {.name = "gosu", .plain = "", .valued = "", .positionals = 1},
    {.name = "su-exec", .plain = "", .valued = "", .positionals = 1},
};

const char *program_basename(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static bool in_list(const char *const *list, const char *text, size_t len)
{
	for (; list != NULL && *list != NULL; list++)
		if (strlen(*list) == len && memcmp(*list, text, len) == 0)
			return true;
	return false;
}

static bool in_table(const char *const *table, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i], text) == 0)
			return true;
	return false;
}

static const struct wrapper *wrapper_named(const char *name, bool in_shell)
{
	for (size_t i = 0; i < ARRAY_LEN(wrappers); i++)
		if (strcmp(wrappers[i].name, name) == 0 && (in_shell || !wrappers[i].shell_only))
			return &wrappers[i];
	return NULL;
}

/* At an option of the wrapper: how many words it takes, 0 when it is not known. */
static size_t wrapper_option(const struct wrapper *wrapper, const char *text)
{
	if (text[1] == '-') {
		const char *name = text + 2;
		size_t len = strcspn(name, "=");
		if (in_list(wrapper->long_plain, name, len))
			return 1;
		if (in_list(wrapper->long_valued, name, len))
			return name[len] == '=' ? 1 : 2;
		return 0;
	}
	for (const char *c = text + 1; *c != '\0'; c++) {
		if (strchr(wrapper->valued, *c) != NULL)
			return c[1] == '\0' ? 2 : 1;
		if (strchr(wrapper->plain, *c) == NULL)
			return 0;
	}
	return 1;
}

/* The index behind the wrapper's own words, or 0 when that cannot be told. */
static size_t behind_wrapper(const struct wrapper *wrapper, const struct program_word *words,
			     size_t count, size_t at)
{
	size_t i = at + 1;
	while (i < count && words[i].text[0] == '-' && words[i].text[1] != '\0') {
		if (strcmp(words[i].text, "--") == 0) {
			i++;
			break;
		}
		size_t taken = wrapper_option(wrapper, words[i].text);
		/* An expansion behind "--name=" is that option's value; anywhere else it is anything. */
		if (taken == 0 || (!words[i].literal && strchr(words[i].text, '=') == NULL))
			return 0;
		i += taken;
	}
	while (wrapper->assignments && i < count && strchr(words[i].text, '=') != NULL)
		i++;
	return i + wrapper->positionals;
}

static bool is_python(const char *name)
{
	if (!text_has_prefix(name, "python"))
		return false;
	return name[strspn(name + 6, "0123456789.") + 6] == '\0';
}

static enum program program_of_rows(const struct program_row *rows, size_t row_count,
				    const char *name, const struct program_word *next,
				    size_t *ret_taken, bool *ret_hidden)
{
	for (size_t i = 0; i < row_count; i++) {
		const struct program_row *row = &rows[i];
		if (strcmp(row->name, name) != 0)
			continue;
		*ret_taken = 0;
		if (row->subcommand == NULL)
			return row->program;
		if (next != NULL && !next->literal) {
			*ret_hidden = true;
			return PROGRAM_UNKNOWN;
		}
		if (next != NULL && strcmp(next->text, row->subcommand) == 0) {
			*ret_taken = 1;
			return row->program;
		}
	}
	return PROGRAM_UNKNOWN;
}

static void found_sure(struct program_found *found, enum program program, size_t own)
{
	found->match = PROGRAM_MATCH_SURE;
	found->program = program;
	found->own = own;
}

static void find_module(const struct program_word *words, size_t count, const char *module,
			size_t own, struct program_found *found)
{
	size_t taken = 0;
	bool hidden = false;
	enum program program = program_of_rows(modules, ARRAY_LEN(modules), module,
					       own < count ? &words[own] : NULL, &taken, &hidden);
	if (hidden || module[0] == '-')
		return;
	if (program == PROGRAM_UNKNOWN)
		program = text_has_prefix(module, "vllm.") ? PROGRAM_VLLM_OTHER : PROGRAM_OTHER;
	found_sure(found, program, own + taken);
}

/* python's own options up to -m; a script file or -c text could start anything. */
static void find_python(const struct program_word *words, size_t count, struct program_found *found)
{
	for (size_t i = found->head + 1; i < count; i++) {
		const char *text = words[i].text;
		if (!words[i].literal || text[0] != '-' || text[1] == '-')
			return;
		for (const char *c = text + 1; *c != '\0'; c++) {
			bool attached = c[1] != '\0';
			if (*c == 'm' && attached) {
				find_module(words, count, c + 1, i + 1, found);
				return;
			}
			if (*c == 'm') {
				if (i + 1 < count && words[i + 1].literal)
					find_module(words, count, words[i + 1].text, i + 2, found);
				return;
			}
			if (*c == 'W' || *c == 'X') {
				i += !attached;
				break;
			}
			if (strchr("bBdEiIOPqsSuvx", *c) == NULL)
				return;
		}
	}
}

/* A pair of neighbouring words, or one word's text, names a model server. */
static bool mentions_engine(const struct program_word *words, size_t count, size_t from)
{
	for (size_t i = from; i < count; i++) {
		const char *name = program_basename(words[i].text);
		const char *next = i + 1 < count ? words[i + 1].text : "";
		if ((strcmp(name, "vllm") == 0 || strcmp(name, "sglang") == 0) &&
		    strcmp(next, "serve") == 0)
			return true;
		if (program_text_mentions_engine(words[i].text))
			return true;
	}
	return false;
}

bool program_text_mentions_engine(const char *text)
{
	static const char *const names[] = {"vllm serve", "vllm.entrypoints.openai.api_server",
					    "sglang serve", "sglang.launch_server"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strstr(text, names[i]) != NULL)
			return true;
	return false;
}

/* words[found->head] is the program behind all wrappers. */
static void find_head(const struct program_word *words, size_t count, bool in_shell,
		      struct program_found *found)
{
	const char *name = program_basename(words[found->head].text);
	size_t own = found->head + 1;
	size_t taken = 0;
	bool hidden = false;
	if (in_shell && strcmp(name, "eval") == 0) {
		found->match = PROGRAM_MATCH_EVAL;
	} else if (in_table(shells, ARRAY_LEN(shells), name)) {
		found->match = PROGRAM_MATCH_SHELL;
		found->own = own;
	} else if (is_python(name)) {
		find_python(words, count, found);
	} else {
		enum program program =
		    program_of_rows(programs, ARRAY_LEN(programs), name,
				    own < count ? &words[own] : NULL, &taken, &hidden);
		/* `ray job submit -- vllm serve …` starts one after all. */
		if (program == PROGRAM_UNKNOWN && in_table(others, ARRAY_LEN(others), name) &&
		    (in_table(printers, ARRAY_LEN(printers), name) ||
		     !mentions_engine(words, count, own))) {
			program = PROGRAM_OTHER;
			found->harmless = true;
		}
		if (program != PROGRAM_UNKNOWN)
			found_sure(found, program, own + taken);
	}
}

void program_find(const struct program_word *words, size_t count, bool in_shell,
		  struct program_found *ret_found)
{
	*ret_found = (struct program_found){.own = count};
	while (ret_found->head < count && words[ret_found->head].literal) {
		/* A flag of the image's own entry point: --data-dir=/mnt/sh starts no shell. */
		if (words[ret_found->head].text[0] == '-')
			break;
		const char *name = program_basename(words[ret_found->head].text);
		const struct wrapper *wrapper = wrapper_named(name, in_shell);
		if (wrapper == NULL) {
			find_head(words, count, in_shell, ret_found);
			break;
		}
		size_t behind = behind_wrapper(wrapper, words, count, ret_found->head);
		if (behind == 0)
			break;
		ret_found->head = behind < count ? behind : count;
	}
	if (ret_found->match != PROGRAM_MATCH_SURE)
		ret_found->mentions_engine = mentions_engine(words, count, 0);
}

bool program_is_traceable(enum program program)
{
	return infos[program].traceable;
}

bool program_uses_argparse(enum program program)
{
	return infos[program].argparse;
}

const char *program_title(enum program program)
{
	return infos[program].title;
}
