/* SPDX-License-Identifier: Apache-2.0 */
/* Which flags are missing, which are the user's, which one is to be replaced. */
#include "inject/plan_deciding.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/flags.h"

static char *token_of(const struct deciding *deciding, const struct flag_rule *rule)
{
	const struct settings *settings = deciding->subject->input->settings;
	const char *name = rule->syntax.name;
	switch (rule->value) {
	case FLAG_VALUE_TRUE:
		return xasprintf("%s=true", name);
	case FLAG_VALUE_ENDPOINT:
		return xasprintf("%s=%s", name,
				 deciding->endpoint != NULL ? deciding->endpoint
							    : settings->endpoint);
	case FLAG_VALUE_DETAILED:
		return settings->detailed == NULL ? NULL
						  : xasprintf("%s=%s", name, settings->detailed);
	case FLAG_VALUE_NONE:
	default:
		return xstrdup(name);
	}
}

static void want_token(struct deciding *deciding, const struct flag_rule *rule)
{
	char *token = token_of(deciding, rule);
	if (token != NULL)
		deciding->tokens[deciding->token_count++] = token;
}

/* "-poolName": only Go's flag package reads it so, which EPPs without spans use (LLMD §3.1). */
static bool has_single_dash_word(const cJSON *list)
{
	if (!cJSON_IsArray(list))
		return false;
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		const char *text = cJSON_IsString(item) ? item->valuestring : "";
		if (text[0] == '-' && isalpha((unsigned char)text[1]) != 0 &&
		    isalpha((unsigned char)text[2]) != 0)
			return true;
	}
	return false;
}

/* The version is not known: only an image that has the flag already surely takes it. */
static bool check_unknown_version(struct deciding *deciding, const struct flag_rule *rule,
				  const struct launch_flag *flag)
{
	const cJSON *container = deciding->subject->container;
	if (deciding->verdict.mode != GATE_FLAG_IF_PRESENT)
		return false;
	if (flag->presence != FLAG_PRESENT)
		return decide_skip(deciding, REASON_UNKNOWN_VERSION,
				   "image %s tells no version, and without %s on its command line "
				   "it cannot be told whether it takes that flag",
				   deciding->subject->image, rule->syntax.name);
	if (flag->stops_parser || has_single_dash_word(json_member(container, "args")) ||
	    has_single_dash_word(json_member(container, "command")))
		return decide_skip(
		    deciding, REASON_UNKNOWN_VERSION,
		    "image %s tells no version, and its arguments look like those of "
		    "a version that reads flags by Go's flag package and has no spans",
		    deciding->subject->image);
	return false;
}

/* ModelService: what the base says stands behind what the ModelService says, and wins. */
static bool replace_flag(struct deciding *deciding, const struct flag_rule *rule,
			 const struct launch_flag *flag)
{
	const struct launch *launch = deciding->launch;
	struct decision *decision = deciding->decision;
	char *token CLEANUP(str_freep) = token_of(deciding, rule);
	struct error err;
	if (deciding->editable != NULL) {
		const cJSON *args = json_member(deciding->subject->editable, "args");
		size_t own = cJSON_IsArray(args) ? (size_t)cJSON_GetArraySize(args) : 0;
		if (flag->list != LAUNCH_ARGS || flag->index >= own)
			return decide_skip(deciding, REASON_OPAQUE_BASE,
					   "the base configuration says %s=%s, which wins over the "
					   "ModelService; change it there to %s",
					   rule->syntax.name, flag->value, token);
		launch = deciding->editable;
	}
	if (launch_replace_flag(launch, &rule->syntax, token, &decision->edit, &err) != STATUS_OK)
		return decide_skip(deciding, REASON_OPAQUE_COMMAND, "%s", err.message);
	decision->has_edit = true;
	return false;
}

static bool present_flag(struct deciding *deciding, const struct flag_rule *rule,
			 const struct launch_flag *flag)
{
	if (rule->value != FLAG_VALUE_TRUE || !flags_value_is_false(flag->value))
		return false;
	if (rule->replace_false)
		return replace_flag(deciding, rule, flag);
	return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE, "the user set %s=%s",
			   rule->syntax.name, flag->value);
}

void decide_find_flag(const struct deciding *deciding, const struct flag_syntax *syntax,
		      struct launch_flag *ret_flag)
{
	launch_find_flag(deciding->launch, syntax, ret_flag);
	if (deciding->editable == NULL)
		return;
	struct launch_flag own CLEANUP(launch_flag_release) = {0};
	launch_find_flag(deciding->editable, syntax, &own);
	bool same = ret_flag->presence == FLAG_PRESENT && text_equal(ret_flag->value, own.value);
	if (own.presence != FLAG_PRESENT || same)
		return;
	launch_flag_release(ret_flag);
	*ret_flag = own;
	own = (struct launch_flag){0};
}

/* A configuration that may say it already, and that a flag of ours would beat. */
static bool check_hiding(struct deciding *deciding, const struct flag_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LEN(deciding->rules->hiding); i++) {
		struct launch_flag flag CLEANUP(launch_flag_release) = {0};
		struct flag_syntax syntax = {.name = deciding->rules->hiding[i],
					     .single_dash = true};
		if (syntax.name == NULL)
			continue;
		decide_find_flag(deciding, &syntax, &flag);
		/* The inline one can be read: it is silent, or the user has spoken. */
		bool inlined = flag.value != NULL && strchr(flag.value, ':') != NULL;
		if (flag.presence != FLAG_PRESENT ||
		    (inlined && strstr(flag.value, rule->syntax.name + 2) == NULL))
			continue;
		return decide_skip(deciding, REASON_OPAQUE_COMMAND,
				   "%s may set %s, and a flag on the command line would win over "
				   "it; to trace it, set %s: true there",
				   syntax.name, rule->syntax.name + 2, rule->syntax.name + 2);
	}
	return false;
}

static bool plan_flag(struct deciding *deciding, const struct flag_rule *rule)
{
	struct launch_flag flag CLEANUP(launch_flag_release) = {0};
	decide_find_flag(deciding, &rule->syntax, &flag);
	if (check_unknown_version(deciding, rule, &flag))
		return true;
	if (flag.presence == FLAG_PRESENT)
		return present_flag(deciding, rule, &flag);
	/* Beside an endpoint that comes out empty it would stop the engine (LLMD §1.1). */
	if (rule->value == FLAG_VALUE_DETAILED &&
	    (deciding->subject->input->settings->detailed == NULL || deciding->endpoint_unsure))
		return false;
	if (flag.presence == FLAG_UNSURE && flag.ours_would_win) {
		char *token CLEANUP(str_freep) = token_of(deciding, rule);
		return decide_skip(deciding, REASON_OPAQUE_COMMAND,
				   "%s may set %s, and a flag on the command line would win over "
				   "it; to trace it, set %s there",
				   flag.hidden_in, rule->syntax.name, token);
	}
	if (check_hiding(deciding, rule))
		return true;
	want_token(deciding, rule);
	return false;
}

/* It works as it is; with ours beside it the program would end. */
static bool check_deadly(struct deciding *deciding)
{
	const struct component_rules *rules = deciding->rules;
	struct launch_flag flag CLEANUP(launch_flag_release) = {0};
	if (rules->deadly.name == NULL)
		return false;
	decide_find_flag(deciding, &rules->deadly, &flag);
	if (flag.presence != FLAG_PRESENT)
		return false;
	return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE, "the user set %s: %s",
			   rules->deadly.name, rules->deadly_why);
}

bool decide_flags(struct deciding *deciding)
{
	const struct component_rules *rules = deciding->rules;
	if (deciding->verdict.mode == GATE_ENV)
		return false;
	if (rules->obsolete.name != NULL) {
		struct launch_flag flag CLEANUP(launch_flag_release) = {0};
		decide_find_flag(deciding, &rules->obsolete, &flag);
		if (flag.presence == FLAG_PRESENT)
			return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE,
					   "the user set %s, an older spelling; a version that "
					   "takes it does not take ours",
					   rules->obsolete.name);
	}
	if (check_deadly(deciding))
		return true;
	for (size_t i = 0; i < rules->flag_count; i++)
		if (plan_flag(deciding, &rules->flags[i]))
			return true;
	return false;
}
