/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell with -c: which of the script's commands is the program, and is it certain.
 * An edit in the words of one literal command changes that command and nothing else,
 * wherever it stands (branch, loop, pipeline); so what is refused is only doubt about
 * which text the shell runs: several servers, substitutions, eval, nested shells,
 * wrappers that are not known, redefined names, functions that nobody calls.
 */
#include "inject/launch_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/util.h"
#include "inject/program.h"
#include "inject/shell.h"

/* The shell's own words in command ++ args. */
struct shell_call {
	const struct launch_words *argv;
	size_t script;    /* index in argv */
	size_t first_arg; /* of $1; $0 is before it */
	struct shell_view view;
	struct shell_script *parsed;
	bool forwards; /* "$@" is still what the container's args say */
};

/* What is found while the script's commands are looked at. */
struct script_finds {
	size_t servers;            /* commands that start a program which takes our flags */
	struct launch_words words; /* of the last of them */
	struct program_found found;
	const struct shell_command *command;
	enum program aside; /* simulator or another vLLM command */
	const char *obstacle_where;
	bool all_harmless;    /* every command is one that starts no server */
	const char *obstacle; /* text that may start a server unseen */
};

static const char where_in_script[] = "right after the model in the server's command of the script";

static void shell_call_release(struct shell_call *call)
{
	shell_view_release(&call->view);
	shell_script_freep(&call->parsed);
}

static void finds_release(struct script_finds *finds)
{
	launch_words_release(&finds->words);
}

static bool is_long_option(const char *text)
{
	static const char *const long_options[] = {"--login", "--norc", "--noprofile", "--posix"};
	for (size_t i = 0; i < ARRAY_LEN(long_options); i++)
		if (strcmp(text, long_options[i]) == 0)
			return true;
	return false;
}

bool launch_may_be_shell_option(const char *text)
{
	bool is_long = strncmp(text, "--", 2) == 0 && text[2] != '\0';
	return text[0] == '-' && (!is_long || is_long_option(text));
}

/* At an option word: how many argv words it takes; 0: not known. *ret_command: it holds the c. */
static size_t shell_option(const char *text, bool *ret_command)
{
	size_t taken = 1;
	if (is_long_option(text))
		return 1;
	for (const char *c = text + 1; *c != '\0'; c++) {
		if (*c == 'c' && text[0] == '-')
			*ret_command = true;
		else if (*c == 'o' || *c == 'O')
			taken++;
		else if (strchr("abefhiklmptuvxBCEHPT", *c) == NULL)
			return 0; /* among them -n (reads without running), -r, -s (reads standard input) */
	}
	return taken;
}

/* Finds the script behind the shell's options; false with the reason set. */
static bool find_script(struct launch *launch, struct shell_call *call, size_t at)
{
	bool has_command = false;
	size_t i = at;
	while (i < call->argv->count) {
		const struct launch_word *word = &call->argv->items[i];
		const char *text = word->text;
		if (strcmp(text, "--") == 0 || strcmp(text, "-") == 0) {
			i++;
			break;
		}
		if ((text[0] != '-' && text[0] != '+') || text[1] == '\0')
			break;
		size_t taken = word->literal ? shell_option(text, &has_command) : 0;
		if (taken == 0) {
			launch_opaque(launch, "to the server's command line in the script",
				      "what the shell's option %s does here is not known", text);
			return false;
		}
		i += taken;
	}
	if (!has_command) {
		const char *file =
		    i < call->argv->count ? call->argv->items[i].text : "standard input";
		launch_opaque(launch, "right after the model where it starts the server",
			      "the shell runs %s, which this operator cannot see", file);
		return false;
	}
	if (i >= call->argv->count) {
		launch_opaque(launch, "to the server's command line",
			      "the shell's -c has no script");
		return false;
	}
	call->script = i;
	call->first_arg = i + 2;
	return true;
}

static void add_script_word(struct launch_words *words, const struct shell_call *call,
			    const struct shell_word *word)
{
	const struct launch_word *element = &call->argv->items[call->script];
	struct launch_word added = {.text = xstrdup(word->value),
				    .literal = (word->flags & SHELL_WORD_DYNAMIC) == 0,
				    .splits = (word->flags & SHELL_WORD_SPLITS) != 0,
				    .in_script = true,
				    .list = element->list,
				    .index = element->index,
				    .start = shell_view_origin(&call->view, word->start),
				    .end = shell_view_origin(&call->view, word->end)};
	launch_words_add(words, &added);
}

/* The words of a command; a "$@" that forwards the container's args becomes those. */
static void command_words(const struct launch *launch, const struct shell_call *call,
			  const struct shell_command *command, struct launch_words *words)
{
	bool forwards = call->forwards && (command->context & SHELL_IN_FUNCTION) == 0;
	for (size_t i = 0; i < command->word_count; i++) {
		if ((command->words[i].flags & SHELL_WORD_ALL_ARGS) == 0 || !forwards) {
			add_script_word(words, call, &command->words[i]);
			continue;
		}
		for (size_t k = call->first_arg; k < call->argv->count; k++)
			launch_words_add_element(words, launch, call->argv->items[k].list,
						 call->argv->items[k].index);
	}
}

static bool mentions(const struct shell_call *call, const struct shell_command *command)
{
	for (size_t i = 0; i < command->word_count; i++) {
		const struct shell_word *word = &command->words[i];
		char *text CLEANUP(str_freep) =
		    xstrndup(call->view.text + word->start, word->end - word->start);
		if (strstr(text, "vllm") != NULL || strstr(text, "sglang") != NULL)
			return true;
	}
	return false;
}

static bool has_command_option(const struct launch_words *words, size_t from)
{
	bool command = false;
	for (size_t i = from; i < words->count && words->items[i].text[0] == '-'; i++)
		if (shell_option(words->items[i].text, &command) == 0)
			break;
	return command;
}

static void look_at_command(const struct launch *launch, const struct shell_call *call,
			    const struct shell_command *command, struct script_finds *finds)
{
	struct launch_words words CLEANUP(launch_words_release) = {0};
	struct program_found found;
	command_words(launch, call, command, &words);
	if (words.count == 0)
		return;
	struct program_word *view CLEANUP(launch_program_words_freep) =
	    launch_program_words(&words);
	program_find(view, words.count, true, &found);
	if (found.match == PROGRAM_MATCH_SURE && program_is_traceable(found.program)) {
		finds->servers++;
		launch_words_release(&finds->words);
		finds->words = words;
		finds->found = found;
		finds->command = command;
		words = (struct launch_words){0};
		return;
	}
	if (found.match == PROGRAM_MATCH_SURE && found.program != PROGRAM_OTHER)
		finds->aside = found.program;
	finds->all_harmless &= found.harmless;
	if (found.match == PROGRAM_MATCH_EVAL && mentions(call, command)) {
		finds->obstacle = "`eval` reads the server's command line once more";
		finds->obstacle_where =
		    call->parsed->uses_positional
			? "as the last elements of args, which the script hands on by $@ (so "
			  "without "
			  "spaces and shell characters), or right after the model inside the text "
			  "that "
			  "eval reads"
			: "right after the model inside the text that eval reads";
	} else if (found.match == PROGRAM_MATCH_SHELL && mentions(call, command) &&
		   has_command_option(&words, found.own)) {
		finds->obstacle = "the server is started by a shell inside the script";
		finds->obstacle_where = "right after the model in the inner shell's text";
	} else if (found.match == PROGRAM_MATCH_NONE && found.mentions_engine) {
		finds->obstacle =
		    "the server is started through a program whose arguments are not known";
		finds->obstacle_where = where_in_script;
	}
}

static bool calls_function(const struct shell_script *script, const char *name)
{
	for (size_t i = 0; i < script->command_count; i++) {
		const struct shell_command *command = &script->commands[i];
		if (command->word_count > 0 && strcmp(command->words[0].value, name) == 0 &&
		    !((command->context & SHELL_IN_FUNCTION) != 0 &&
		      strcmp(script->functions[command->function], name) == 0))
			return true;
	}
	return false;
}

/* The name is a function or an alias of the script. */
static bool is_redefined(const struct shell_call *call, const struct script_finds *finds)
{
	const struct shell_script *script = call->parsed;
	for (size_t i = 0; i < finds->found.own && i < finds->words.count; i++)
		for (size_t k = 0; k < script->function_count; k++)
			if (strcmp(script->functions[k], finds->words.items[i].text) == 0)
				return true;
	for (size_t i = 0; i < script->command_count; i++)
		if (script->commands[i].word_count > 0 &&
		    strcmp(script->commands[i].words[0].value, "alias") == 0)
			return true;
	return false;
}

/* `set` and `shift` change "$@". */
static bool changes_arguments(const struct shell_script *script)
{
	for (size_t i = 0; i < script->command_count; i++) {
		const struct shell_command *command = &script->commands[i];
		if (command->word_count == 0 || (command->context & SHELL_IN_FUNCTION) != 0)
			continue;
		if (strcmp(command->words[0].value, "shift") == 0)
			return true;
		if (strcmp(command->words[0].value, "set") != 0)
			continue;
		for (size_t k = 1; k < command->word_count; k++) {
			const struct shell_word *word = &command->words[k];
			if ((word->flags & SHELL_WORD_DYNAMIC) != 0 ||
			    strcmp(word->value, "--") == 0 || strcmp(word->value, "-") == 0)
				return true;
			if (word->value[0] != '-' && word->value[0] != '+' &&
			    !(k > 1 && strchr(command->words[k - 1].value, 'o') != NULL))
				return true;
		}
	}
	return false;
}

static void settle_one(struct launch *launch, const struct shell_call *call,
		       struct script_finds *finds)
{
	const char *title = program_title(finds->found.program);
	const struct shell_command *command = finds->command;
	launch->program = finds->found.program;
	if ((command->context & SHELL_IN_SUBSTITUTION) != 0)
		launch_opaque(launch, where_in_script, "%s runs inside a command substitution",
			      title);
	else if ((command->context & SHELL_IN_FUNCTION) != 0 &&
		 !calls_function(call->parsed, call->parsed->functions[command->function]))
		launch_opaque(
		    launch, where_in_script,
		    "%s stands in the function %s, which the script does not call by its name",
		    title, call->parsed->functions[command->function]);
	else if (is_redefined(call, finds))
		launch_opaque(launch, where_in_script,
			      "the script defines functions or aliases that may stand for %s",
			      title);
	else
		launch->form = LAUNCH_SCRIPT;
	if (launch->form == LAUNCH_SCRIPT)
		launch_settle(launch, &finds->words, finds->found.own);
}

static void settle_script_finds(struct launch *launch, const struct shell_call *call,
				struct script_finds *finds)
{
	const char *mentioned =
	    program_text_mentions_engine(call->view.text)
		? "no command of the script starts a server, though its text names one"
		: "no command of the script starts a server that this operator knows";
	if (finds->servers > 1)
		launch_opaque(launch, "right after the model in each of them",
			      "the script holds %zu commands that start a server", finds->servers);
	else if (finds->obstacle != NULL)
		launch_opaque(launch, finds->obstacle_where, "%s", finds->obstacle);
	else if (finds->servers == 1)
		settle_one(launch, call, finds);
	else if (finds->aside != PROGRAM_UNKNOWN || finds->all_harmless) {
		launch->program = finds->aside != PROGRAM_UNKNOWN ? finds->aside : PROGRAM_OTHER;
		launch->form = LAUNCH_SCRIPT;
	} else {
		launch_opaque(launch, "right after the model where the server is started", "%s",
			      mentioned);
	}
}

void launch_read_shell(struct launch *launch, const struct launch_words *argv, size_t at)
{
	struct shell_call call CLEANUP(shell_call_release) = {.argv = argv};
	struct script_finds finds CLEANUP(finds_release) = {.all_harmless = true};
	struct error err;
	if (!find_script(launch, &call, at))
		return;
	const struct launch_word *element = &argv->items[call.script];
	shell_view_init(&call.view, launch->lists[element->list].items[element->index]);
	if (shell_parse(call.view.text, call.view.len, &call.parsed, &err) != STATUS_OK) {
		launch_opaque(launch, where_in_script,
			      "the script cannot be read with certainty: %s", err.message);
		return;
	}
	call.forwards = !changes_arguments(call.parsed);
	for (size_t i = 0; i < call.parsed->command_count; i++)
		look_at_command(launch, &call, &call.parsed->commands[i], &finds);
	settle_script_finds(launch, &call, &finds);
}
