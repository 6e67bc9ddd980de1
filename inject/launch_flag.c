/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for flags, and planning to add or replace them. */
#include "inject/launch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/util.h"
#include "inject/flags.h"
#include "inject/launch_internal.h"

/* What we write, endpoints included (LLMD §1.5 rule 3); the comma is for `=model,worker`. */
static const char token_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  ":/._-[]%?=~,";
/* Of those, the ones that no shell looks at in the middle of a word. */
static const char plain_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  ":/._-%=,";

/* The bytes of the word behind its '=', as written; NULL when it has none. */
static char *written_value(const struct launch *launch, const struct launch_word *word)
{
	char *written CLEANUP(str_freep) = launch_word_written(launch, word);
	const char *equals = strchr(word->text, '=');
	if (equals == NULL)
		return NULL;
	if (word->literal)
		return xstrdup(equals + 1);
	equals = strchr(written, '=');
	return xstrdup(equals == NULL ? "" : equals + 1);
}

void launch_flag_release(struct launch_flag *flag)
{
	str_freep(&flag->value);
	str_freep(&flag->hidden_in);
}

/* No occurrence is seen: may one hide? */
static void look_for_hidden(const struct launch *launch, struct launch_flag *found)
{
	size_t hidden = flags_hidden(&launch->own, launch->has_model);
	if (launch->config_file != NULL) {
		found->presence = FLAG_UNSURE;
		found->hidden_in = xasprintf("--config %s", launch->config_file);
		found->ours_would_win = true;
	} else if (hidden < launch->own.count) {
		found->presence = FLAG_UNSURE;
		found->hidden_in = launch_word_written(launch, &launch->own.items[hidden]);
		found->ours_would_win = launch->last;
	}
}

void launch_find_flag(const struct launch *launch, const struct flag_syntax *flag,
		      struct launch_flag *ret_flag)
{
	struct flag_hit hit;
	*ret_flag = (struct launch_flag){.presence = FLAG_ABSENT};
	flags_find(&launch->own, launch->has_model, flag, &hit);
	if (hit.count == 0) {
		look_for_hidden(launch, ret_flag);
		return;
	}
	const struct launch_word *word = &launch->own.items[hit.word];
	ret_flag->presence = FLAG_PRESENT;
	ret_flag->count = hit.count;
	ret_flag->list = word->list;
	ret_flag->index = word->index;
	ret_flag->tokens = hit.value_next ? 2 : 1;
	ret_flag->stops_parser = hit.stops_parser;
	if (!hit.value_next)
		ret_flag->value = written_value(launch, word);
	else if (word[1].literal)
		ret_flag->value = xstrdup(word[1].text);
	else
		ret_flag->value = launch_word_written(launch, &word[1]);
}

static size_t reference_length(const char *text)
{
	size_t len =
	    strspn(text + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return text[0] == '$' && text[1] == '(' && len > 0 && text[len + 2] == ')' ? len + 3 : 0;
}

/* "--name=value" or "--name" of allowed bytes; a value may be kubelet's $(NAME). */
static enum status check_token(const char *token, struct error *err)
{
	if (token[0] != '-' || token[1] != '-' || token[2] == '\0')
		return error_set(err, STATUS_INVALID, "%s is not a flag", token);
	for (const char *c = token; *c != '\0';) {
		size_t len = *c == '$' ? reference_length(c) : strchr(token_bytes, *c) != NULL;
		if (len == 0)
			return error_set(
			    err, STATUS_INVALID,
			    "%s holds a character that cannot stand in a command line safely",
			    token);
		c += len;
	}
	return STATUS_OK;
}

/*
 * One token as shell text. A $(NAME) becomes the variable itself, in double quotes: kubelet
 * would put its value into the script's text, whatever is in it.
 */
static void add_quoted(struct buffer *text, const char *token)
{
	if (token[strspn(token, plain_bytes)] == '\0') {
		buffer_add_str(text, token);
		return;
	}
	if (strchr(token, '$') == NULL) {
		buffer_addf(text, "'%s'", token);
		return;
	}
	buffer_add_char(text, '"');
	while (*token != '\0') {
		size_t len = *token == '$' ? reference_length(token) : 0;
		if (len > 0)
			buffer_addf(text, "${%.*s}", (int)len - 3, token + 2);
		else
			buffer_add_char(text, *token);
		token += len > 0 ? len : 1;
	}
	buffer_add_char(text, '"');
}

static char *script_text(const char *const *flags, size_t count, bool leading_blank)
{
	struct buffer text CLEANUP(buffer_release) = {0};
	buffer_init(&text, LIMIT_SCRIPT_BYTES);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 || leading_blank)
			buffer_add_char(&text, ' ');
		add_quoted(&text, flags[i]);
	}
	return xstrndup(text.data, text.len);
}

/* The refusal with what a person would do instead. */
static enum status refuse(const struct launch *launch, const char *const *flags, size_t count,
			  struct error *err)
{
	char *text CLEANUP(str_freep) = script_text(flags, count, false);
	if (launch->form == LAUNCH_OPAQUE)
		return error_set(err, STATUS_INVALID, "%s; to trace it, add %s %s", launch->why,
				 text, launch->where);
	if (launch->form == LAUNCH_IMAGE_DEFAULT)
		return error_set(
		    err, STATUS_INVALID,
		    "it has neither command nor args, and args alone would replace the "
		    "image's own; to trace it, write out the image's command and args "
		    "and end the args with %s",
		    text);
	if (launch->program == PROGRAM_UNKNOWN)
		return error_set(err, STATUS_INVALID,
				 "what its arguments are for cannot be told from them; if it is a "
				 "server that takes them, add %s as the last elements of args",
				 text);
	return error_set(err, STATUS_INVALID, "it runs %s, which does not take %s",
			 program_title(launch->program), text);
}

static void edit_set_tokens(struct launch_edit *edit, const char *const *tokens, size_t count)
{
	edit->tokens = xcalloc(count, sizeof(*edit->tokens));
	for (size_t i = 0; i < count; i++)
		edit->tokens[i] = xstrdup(tokens[i]);
	edit->token_count = count;
}

static bool can_edit(const struct launch *launch)
{
	return program_is_traceable(launch->program) && launch->form != LAUNCH_OPAQUE &&
	       launch->form != LAUNCH_IMAGE_DEFAULT;
}

enum status launch_add_flags(const struct launch *launch, const char *const *flags, size_t count,
			     struct launch_edit *ret_edit, struct error *err)
{
	if (count == 0)
		return error_set(err, STATUS_BUG, "no flags to add");
	for (size_t i = 0; i < count; i++)
		if (check_token(flags[i], err) != STATUS_OK)
			return err->status;
	if (!can_edit(launch))
		return refuse(launch, flags, count, err);
	struct launch_edit edit = {.op = launch->op,
				   .list = launch->list,
				   .index = launch->index,
				   .offset = launch->offset};
	if (launch->op == LAUNCH_SPLICE) {
		char *text CLEANUP(str_freep) = script_text(flags, count, true);
		edit_set_tokens(&edit, (const char *const[]){text}, 1);
	} else {
		edit_set_tokens(&edit, flags, count);
	}
	*ret_edit = edit;
	return STATUS_OK;
}

static void plan_list_replacement(const struct launch *launch, const struct flag_hit *hit,
				  const char *token, struct launch_edit *edit)
{
	const struct launch_word *word = &launch->own.items[hit->word];
	const struct launch_strings *list = &launch->lists[word->list];
	edit->op = LAUNCH_REPLACE;
	edit->old_token_count = hit->value_next ? 2 : 1;
	edit->old_tokens = xcalloc(edit->old_token_count, sizeof(*edit->old_tokens));
	for (size_t i = 0; i < edit->old_token_count; i++)
		edit->old_tokens[i] = xstrdup(list->items[word->index + i]);
	edit_set_tokens(edit, (const char *const[]){token}, 1);
}

static void plan_script_replacement(const struct launch *launch, const struct flag_hit *hit,
				    const char *token, struct launch_edit *edit)
{
	const struct launch_word *word = &launch->own.items[hit->word];
	const struct launch_word *last = &word[hit->value_next ? 1 : 0];
	const char *script = launch->lists[word->list].items[word->index];
	char *text CLEANUP(str_freep) = script_text((const char *const[]){token}, 1, false);
	edit->op = LAUNCH_SPLICE;
	edit->offset = word->start;
	edit->old_token_count = 1;
	edit->old_tokens = xcalloc(1, sizeof(*edit->old_tokens));
	edit->old_tokens[0] = xstrndup(script + word->start, last->end - word->start);
	edit_set_tokens(edit, (const char *const[]){text}, 1);
}

enum status launch_replace_flag(const struct launch *launch, const struct flag_syntax *flag,
				const char *token, struct launch_edit *ret_edit, struct error *err)
{
	struct flag_hit hit;
	if (check_token(token, err) != STATUS_OK)
		return err->status;
	flags_find(&launch->own, launch->has_model, flag, &hit);
	if (hit.count == 0)
		return error_set(err, STATUS_NOT_FOUND, "%s is not given", flag->name);
	if (!can_edit(launch))
		return refuse(launch, (const char *const[]){token}, 1, err);
	const struct launch_word *word = &launch->own.items[hit.word];
	if (hit.value_next && (word[1].list != word->list || word[1].in_script != word->in_script ||
			       (word->in_script && word[1].index != word->index)))
		return error_set(err, STATUS_INVALID,
				 "%s is the last word of command and its value the first of args; "
				 "write %s in its place",
				 flag->name, token);
	struct launch_edit edit = {.list = word->list, .index = word->index};
	if (word->in_script)
		plan_script_replacement(launch, &hit, token, &edit);
	else
		plan_list_replacement(launch, &hit, token, &edit);
	*ret_edit = edit;
	return STATUS_OK;
}
