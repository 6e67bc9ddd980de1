/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/launch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/util.h"
#include "inject/flags.h"
#include "inject/launch_internal.h"
#include "inject/program.h"

static const char *const list_names[] = {[LAUNCH_COMMAND] = "command", [LAUNCH_ARGS] = "args"};

void launch_opaque(struct launch *launch, const char *where, const char *fmt, ...)
{
	char *why = NULL;
	va_list args;
	if (launch->form == LAUNCH_OPAQUE)
		return;
	va_start(args, fmt);
	if (vasprintf(&why, fmt, args) < 0)
		abort();
	va_end(args);
	launch->form = LAUNCH_OPAQUE;
	launch->why = why;
	launch->where = xstrdup(where);
}

void launch_words_add(struct launch_words *words, const struct launch_word *word)
{
	words->items = grow(words->items, words->count, sizeof(*words->items));
	words->items[words->count++] = *word;
}

/* Where kubelet's first reference begins: "$(" that no dollar escapes and that is closed. */
static size_t literal_length(const char *text)
{
	size_t i = 0;
	while (text[i] != '\0') {
		if (text[i] == '$' && text[i + 1] == '$')
			i++;
		else if (text[i] == '$' && text[i + 1] == '(' && strchr(text + i, ')') != NULL)
			break;
		i++;
	}
	return i;
}

void launch_words_add_element(struct launch_words *words, const struct launch *launch,
			      enum launch_list list, size_t index)
{
	const char *text = launch->lists[list].items[index];
	size_t literal = literal_length(text);
	struct launch_word word = {.text = xstrndup(text, literal),
				   .literal = text[literal] == '\0',
				   .list = list,
				   .index = index,
				   .end = strlen(text)};
	launch_words_add(words, &word);
}

void launch_words_release(struct launch_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i].text);
	free(words->items);
	*words = (struct launch_words){0};
}

struct program_word *launch_program_words(const struct launch_words *words)
{
	struct program_word *copy = xcalloc(words->count, sizeof(*copy));
	for (size_t i = 0; i < words->count; i++)
		copy[i] = (struct program_word){words->items[i].text, words->items[i].literal};
	return copy;
}

void launch_program_words_freep(struct program_word **words)
{
	free(*words);
	*words = NULL;
}

char *launch_word_written(const struct launch *launch, const struct launch_word *word)
{
	return xstrndup(launch->lists[word->list].items[word->index] + word->start,
			word->end - word->start);
}

void launch_freep(struct launch **launch)
{
	if (*launch == NULL)
		return;
	for (size_t list = 0; list < 2; list++) {
		for (size_t i = 0; i < (*launch)->lists[list].count; i++)
			free((*launch)->lists[list].items[i]);
		free((*launch)->lists[list].items);
	}
	launch_words_release(&(*launch)->own);
	free((*launch)->model);
	free((*launch)->config_file);
	free((*launch)->why);
	free((*launch)->where);
	free(*launch);
	*launch = NULL;
}

static void copy_list(struct launch *launch, enum launch_list list, const cJSON *source)
{
	struct launch_strings *copy = &launch->lists[list];
	if (source == NULL || cJSON_IsNull(source))
		return;
	if (!cJSON_IsArray(source)) {
		launch_opaque(launch, "as the last elements of args", "`%s` is not a list",
			      list_names[list]);
		return;
	}
	for (const cJSON *item = source->child; item != NULL; item = item->next) {
		if (!cJSON_IsString(item)) {
			launch_opaque(launch, "as the last elements of args",
				      "%s[%zu] is not a string", list_names[list], copy->count);
			return;
		}
		copy->items = grow(copy->items, copy->count, sizeof(*copy->items));
		copy->items[copy->count++] = xstrdup(item->valuestring);
	}
}

/* Flags go before word `at`, or behind the last word. */
static void insert_before(struct launch *launch, size_t at)
{
	launch->op = LAUNCH_INSERT;
	if (at < launch->own.count) {
		launch->list = launch->own.items[at].list;
		launch->index = launch->own.items[at].index;
		return;
	}
	bool in_args =
	    launch->lists[LAUNCH_ARGS].count > 0 || launch->lists[LAUNCH_COMMAND].count > 0;
	launch->list = in_args ? LAUNCH_ARGS : LAUNCH_COMMAND;
	launch->index = launch->lists[launch->list].count;
}

/* Nothing before word `at` can take that word for a value of its own. */
static bool is_apart(const struct launch_words *words, size_t at, size_t first)
{
	const char *before = at > 0 ? words->items[at - 1].text : "";
	return at <= first || (before[0] == '-' && strchr(before, '=') != NULL);
}

/* How many words stand in command and args, before those of a script. */
static size_t words_of_lists(const struct launch_words *words)
{
	size_t count = 0;
	while (count < words->count && !words->items[count].in_script)
		count++;
	return count;
}

/*
 * In exec form: at the end, since the model stays where it is and what follows an
 * nargs="+" option is safe in "=" form; but before a bare "--", and before a word that
 * may hide a flag, where nothing that stands before it could be torn from its values.
 */
static void settle_exec(struct launch *launch)
{
	const struct launch_words *words = &launch->own;
	size_t first = launch->has_model;
	size_t hidden = flags_hidden(words, first);
	size_t end = flags_end(words);
	assert(words->items != NULL || words->count == 0);
	/* argparse takes `MODEL --` together; with flags between them it refuses the "--". */
	if (program_uses_argparse(launch->program) && end + 1 == words->count)
		launch_opaque(launch, "in place of that \"--\"",
			      "its arguments end in a bare \"--\", which argparse accepts only "
			      "right behind the model");
	size_t handed = words_of_lists(words);
	size_t at = end < handed ? end : handed;
	if (at == handed && handed < words->count && !flags_is_flag(&words->items[handed]) &&
	    !is_apart(words, handed, first))
		launch_opaque(launch, "right after the model",
			      "what the script puts behind $@ may belong to the last of its "
			      "arguments");
	if (hidden < at && is_apart(words, hidden, first))
		at = hidden;
	launch->last = hidden < at;
	insert_before(launch, at < handed ? at : words->count);
}

/*
 * Whether an unquoted expansion right behind `vllm serve` is the model and nothing else:
 * $MODEL by its name; any other variable when a flag or nothing follows it (were it flags
 * or empty, the words behind it would begin with the model); never one that is named for
 * flags, nor all arguments, since the flags in it would stand before ours and lose.
 */
static bool is_model_expansion(const char *written, bool followed_by_flag)
{
	static const char *const flags[] = {"args", "flag", "opt", "param", "extra", "@", "*"};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcasestr(written, flags[i]) != NULL)
			return false;
	return followed_by_flag || strcasestr(written, "model") != NULL;
}

/*
 * In a script: right behind the model, else right behind the program's name or
 * sub-command (`anchor` is that word), so before everything that may hide a flag.
 */
static void settle_script(struct launch *launch, const struct launch_word *anchor)
{
	const struct launch_word *first = launch->own.count > 0 ? &launch->own.items[0] : NULL;
	if (first != NULL && program_uses_argparse(launch->program) && !flags_is_flag(first)) {
		bool vague = first->splits && first->text[0] == '\0';
		bool serve = launch->program == PROGRAM_VLLM_SERVE;
		char *written CLEANUP(str_freep) = launch_word_written(launch, first);
		bool followed_by_flag =
		    launch->own.count < 2 || flags_is_flag(&launch->own.items[1]);
		if (!vague || serve)
			anchor = first;
		if (vague && serve && !is_model_expansion(written, followed_by_flag))
			launch_opaque(launch, "right after the model in that command",
				      "whether %s behind `serve` is the model cannot be told",
				      written);
	}
	if (!anchor->in_script) {
		settle_exec(launch);
		return;
	}
	launch->op = LAUNCH_SPLICE;
	launch->list = anchor->list;
	launch->index = anchor->index;
	launch->offset = anchor->end;
}

static char *value_of(const struct launch *launch, const char *name)
{
	struct flag_syntax flag = {.name = name, .underscores = true};
	struct launch_flag found;
	launch_find_flag(launch, &flag, &found);
	char *value = TAKE_PTR(found.value);
	launch_flag_release(&found);
	return value;
}

static void settle_model(struct launch *launch)
{
	const struct launch_word *first = launch->own.count > 0 ? &launch->own.items[0] : NULL;
	enum program program = launch->program;
	if (!program_uses_argparse(program))
		return;
	launch->config_file = value_of(launch, "--config");
	if (first != NULL && !flags_is_flag(first)) {
		/* The module takes its model by flag: an expansion there is as likely flags. */
		bool vague = !first->literal && first->text[0] == '\0';
		launch->has_model =
		    program == PROGRAM_VLLM_SERVE || (program == PROGRAM_VLLM_MODULE && !vague);
	}
	if (first != NULL && launch->has_model) {
		launch->model =
		    first->literal ? xstrdup(first->text) : launch_word_written(launch, first);
		return;
	}
	if (program == PROGRAM_SGLANG)
		launch->model = value_of(launch, "--model-path");
	if (launch->model == NULL)
		launch->model = value_of(launch, "--model");
}

void launch_settle(struct launch *launch, struct launch_words *all, size_t own)
{
	for (size_t i = own; i < all->count; i++)
		launch_words_add(&launch->own, &all->items[i]);
	all->count = own;
	if (!program_is_traceable(launch->program))
		return;
	settle_model(launch);
	if (launch->program == PROGRAM_EPP) {
		size_t bare = flags_bare_word(&launch->own);
		if (bare < launch->own.count) {
			char *written CLEANUP(str_freep) =
			    launch_word_written(launch, &launch->own.items[bare]);
			launch_opaque(launch, "before that word",
				      "`%s` in its arguments is neither a flag nor a value: Go's "
				      "flag package reads no flag behind it",
				      written);
		}
	}
	if (launch->form == LAUNCH_SCRIPT)
		settle_script(launch, &all->items[own - 1]);
	else if (launch->form != LAUNCH_OPAQUE)
		settle_exec(launch);
}

/* Flags that tell the program of an args-only container when two of a row are there (one for EPP). */
static enum program program_of_args(const struct launch_words *words)
{
	static const struct {
		enum program program;
		size_t needed;
		const char *flags[8];
	} signatures[] = {
	    {PROGRAM_EPP, 1, {"--pool-name", "--endpoint-selector"}},
	    {PROGRAM_PD_SIDECAR,
	     2,
	     {"--vllm-port", "--model-server-port", "--kv-connector", "--connector",
	      "--secure-proxy", "--ec-connector", "--enable-ssrf-protection",
	      "--enable-prefiller-sampling"}},
	};
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		size_t seen = 0;
		for (size_t k = 0; k < ARRAY_LEN(signatures[i].flags); k++) {
			if (signatures[i].flags[k] == NULL)
				break;
			struct flag_syntax flag = {.name = signatures[i].flags[k],
						   .single_dash = true};
			struct flag_hit hit;
			flags_find(words, 0, &flag, &hit);
			seen += hit.count > 0;
		}
		if (seen >= signatures[i].needed)
			return signatures[i].program;
	}
	return PROGRAM_UNKNOWN;
}

static const char *const other_subcommands[] = {"bench",    "chat",   "collect-env",
						"complete", "launch", "run-batch"};

/* No command, and args that do not begin with a program: they follow the image's entrypoint. */
static void read_args_only(struct launch *launch, struct launch_words *argv, enum program assume)
{
	launch->form = LAUNCH_ARGS_ONLY;
	launch->program = assume != PROGRAM_UNKNOWN ? assume : program_of_args(argv);
	/* An entrypoint `vllm` takes the sub-command from args. */
	bool takes_subcommand =
	    launch->program == PROGRAM_VLLM_SERVE || launch->program == PROGRAM_SGLANG;
	const char *first = argv->items[0].text;
	size_t own = takes_subcommand && strcmp(first, "serve") == 0;
	for (size_t i = 0; i < ARRAY_LEN(other_subcommands); i++)
		if (takes_subcommand && strcmp(first, other_subcommands[i]) == 0)
			launch->program = PROGRAM_VLLM_OTHER;
	launch_settle(launch, argv, own);
}

static void read_unknown(struct launch *launch, const struct launch_words *argv,
			 const struct program_found *found)
{
	const struct launch_word *head = &argv->items[found->head < argv->count ? found->head : 0];
	char *written CLEANUP(str_freep) = launch_word_written(launch, head);
	const char *where = found->mentions_engine
				? "to the server's own words in command or args, behind the model"
				: "to the command line of the server that it starts";
	if (!head->literal)
		launch_opaque(launch, where,
			      "the program is held in %s, which is known only at run time",
			      written);
	else
		launch_opaque(launch, where,
			      "what `%s` starts, and how it reads its arguments, is not known",
			      written);
}

/*
 * Whether args that follow a known image's entrypoint name a program all the same (the
 * entrypoint hands them to exec): not so a model that is called /models/vllm.
 */
static bool is_whole_command(const struct launch_words *argv, const struct program_found *found)
{
	if (found->match == PROGRAM_MATCH_SHELL)
		return found->own < argv->count &&
		       launch_may_be_shell_option(argv->items[found->own].text);
	return found->match == PROGRAM_MATCH_SURE &&
	       (found->own > found->head + 1 || found->program == PROGRAM_SIMULATOR);
}

static void read_argv(struct launch *launch, enum program assume)
{
	struct launch_words argv CLEANUP(launch_words_release) = {0};
	struct program_found found;
	for (enum launch_list list = LAUNCH_COMMAND; list <= LAUNCH_ARGS; list++)
		for (size_t i = 0; i < launch->lists[list].count; i++)
			launch_words_add_element(&argv, launch, list, i);
	struct program_word *words CLEANUP(launch_program_words_freep) =
	    launch_program_words(&argv);
	program_find(words, argv.count, false, &found);
	bool args_only = launch->lists[LAUNCH_COMMAND].count == 0;
	if (args_only && assume != PROGRAM_UNKNOWN && !is_whole_command(&argv, &found)) {
		read_args_only(launch, &argv, assume);
	} else if (found.match == PROGRAM_MATCH_SHELL) {
		launch_read_shell(launch, &argv, found.own);
	} else if (found.match == PROGRAM_MATCH_SURE) {
		launch->program = found.program;
		launch->form = LAUNCH_EXEC;
		launch_settle(launch, &argv, found.own);
	} else if (args_only) {
		read_args_only(launch, &argv, assume);
	} else {
		read_unknown(launch, &argv, &found);
	}
}

struct launch *launch_read(const cJSON *container, enum program assume)
{
	struct launch *launch = xcalloc(1, sizeof(*launch));
	launch->form = LAUNCH_IMAGE_DEFAULT;
	copy_list(launch, LAUNCH_COMMAND, json_member(container, "command"));
	copy_list(launch, LAUNCH_ARGS, json_member(container, "args"));
	if (launch->form == LAUNCH_OPAQUE)
		return launch;
	if (launch->lists[LAUNCH_COMMAND].count + launch->lists[LAUNCH_ARGS].count == 0)
		launch->program = assume;
	else
		read_argv(launch, assume);
	return launch;
}

enum program launch_program(const struct launch *launch)
{
	return launch->program;
}

enum launch_form launch_form(const struct launch *launch)
{
	return launch->form;
}

const char *launch_why_opaque(const struct launch *launch)
{
	return launch->why == NULL ? "" : launch->why;
}

const char *launch_model(const struct launch *launch)
{
	return launch->model;
}

const char *launch_config_file(const struct launch *launch)
{
	return launch->config_file;
}
