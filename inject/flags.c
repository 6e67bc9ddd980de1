/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/flags.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Switches of Go programs in EPP args: a bare word behind one is not its value. */
static const char *const go_switches[] = {
    "tracing",
    "secure-serving",
    "metrics-endpoint-auth",
    "enable-pprof",
    "health-checking",
    "enable-cert-reload",
    "zap-devel",
    "ha-enable-leader-election",
    "enable-flow-control",
};

/* Beginnings of vLLM's and SGLang's switches: what follows one is not its value. */
static const char *const switch_prefixes[] = {"--enable-", "--no-", "--trust-remote-code",
					      "--enforce-eager", "--async-scheduling"};

bool flags_is_flag(const struct launch_word *word)
{
	const char *text = word->text;
	return text[0] == '-' && text[1] != '\0' && strchr("0123456789. ", text[1]) == NULL;
}

size_t flags_end(const struct launch_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (words->items[i].literal && strcmp(words->items[i].text, "--") == 0)
			return i;
	return words->count;
}

static bool names_equal(const char *given, size_t len, const char *name,
			const struct flag_syntax *flag)
{
	for (size_t i = 0; i < len; i++) {
		char c = given[i];
		if (flag->underscores && c == '_')
			c = '-';
		if (name[i] == '\0' || c != name[i])
			return false;
	}
	return true;
}

/* The word is `flag`, with or without "=value". */
static bool is_this_flag(const struct launch_word *word, const struct flag_syntax *flag)
{
	const char *text = word->text;
	const char *name = flag->name;
	if (text[0] != '-')
		return false;
	if (flag->single_dash && text[1] != '-')
		name++;
	size_t len = strcspn(text, "=");
	/* "--otlp-traces-end$X": the name itself is not known to its end. */
	if (text[len] == '\0' && !word->literal)
		return false;
	if (!names_equal(text, len, name, flag))
		return false;
	if (name[len] == '\0')
		return true;
	return flag->prefixes && flag->shortest != NULL && len >= strlen(flag->shortest);
}

static bool is_boolean(const struct launch_word *word)
{
	return word->literal &&
	       (strcmp(word->text, "true") == 0 || strcmp(word->text, "false") == 0);
}

/* Whether the next word is the value of a flag without "=". */
static bool takes_next(const struct launch_words *words, size_t i, const struct flag_syntax *flag)
{
	if (i + 1 >= words->count || strchr(words->items[i].text, '=') != NULL)
		return false;
	const struct launch_word *next = &words->items[i + 1];
	return flag->is_switch ? is_boolean(next) : !flags_is_flag(next);
}

void flags_find(const struct launch_words *words, size_t first, const struct flag_syntax *flag,
		struct flag_hit *ret_hit)
{
	size_t end = flags_end(words);
	*ret_hit = (struct flag_hit){0};
	for (size_t i = first; i < end; i++) {
		if (!is_this_flag(&words->items[i], flag))
			continue;
		ret_hit->count++;
		ret_hit->word = i;
		ret_hit->value_next = takes_next(words, i, flag);
		ret_hit->stops_parser =
		    ret_hit->value_next && flag->is_switch && i + 2 < words->count;
	}
}

/* The word before is a flag that waits for its value. */
static bool is_value(const struct launch_words *words, size_t first, size_t i)
{
	if (i <= first)
		return false;
	const struct launch_word *before = &words->items[i - 1];
	if (!flags_is_flag(before) || strchr(before->text, '=') != NULL)
		return false;
	for (size_t k = 0; k < ARRAY_LEN(switch_prefixes); k++)
		if (text_has_prefix(before->text, switch_prefixes[k]))
			return false;
	return true;
}

size_t flags_hidden(const struct launch_words *words, size_t first)
{
	size_t end = flags_end(words);
	for (size_t i = first; i < end; i++) {
		const struct launch_word *word = &words->items[i];
		if (!word->literal && word->text[0] == '\0' && !is_value(words, first, i))
			return i;
	}
	return words->count;
}

static bool is_go_switch(const char *name)
{
	name += strspn(name, "-");
	for (size_t i = 0; i < ARRAY_LEN(go_switches); i++)
		if (strcmp(name, go_switches[i]) == 0)
			return true;
	return false;
}

size_t flags_bare_word(const struct launch_words *words)
{
	size_t end = flags_end(words);
	for (size_t i = 0; i < end; i++) {
		const char *text = words->items[i].text;
		if (!flags_is_flag(&words->items[i]))
			return i;
		if (strchr(text, '=') != NULL || i + 1 >= end)
			continue;
		const struct launch_word *next = &words->items[i + 1];
		bool tracing = strcmp(text + strspn(text, "-"), "tracing") == 0;
		if (is_go_switch(text) ? tracing && is_boolean(next) : !flags_is_flag(next))
			i++;
	}
	return words->count;
}

bool flags_value_is_false(const char *value)
{
	static const char *const words[] = {"0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; value != NULL && i < ARRAY_LEN(words); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}
