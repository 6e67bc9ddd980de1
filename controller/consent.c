/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/consent.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/moment.h"
#include "inject/kind.h"
#include "inject/window.h"

bool consent_is_given(const cJSON *object, const char *annotation, const char *hash)
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *given = json_member(annotations, annotation);
	return hash[0] != '\0' && cJSON_IsString(given) && strcmp(given->valuestring, hash) == 0;
}

void consent_hash(const struct plan *plan, char ret_hash[17])
{
	struct buffer text;
	buffer_init(&text, LIMIT_WATCH_FRAME_BYTES);
	for (size_t i = 0; i < plan->edit_count; i++)
		buffer_addf(&text, "%s\n%s\n", plan->edits[i].pointer, plan->edits[i].what);
	hash_short(text.data, text.len, ret_hash);
	buffer_release(&text);
}

static void hash_templates(const cJSON *object, char ret_hash[17])
{
	struct error ignored;
	struct buffer text;
	struct pod_templates templates CLEANUP(pod_templates_release) = {.items = NULL};
	ret_hash[0] = '\0';
	if (kind_templates(object, &templates, &ignored) != STATUS_OK)
		return;
	buffer_init(&text, LIMIT_WATCH_FRAME_BYTES);
	for (size_t i = 0; i < templates.count; i++) {
		json_print_canonical(templates.items[i].spec, &text);
		if (templates.items[i].metadata != NULL)
			json_print_canonical(templates.items[i].metadata, &text);
	}
	hash_short(text.data, text.len, ret_hash);
	buffer_release(&text);
}

static void wait_for(struct consent_verdict *verdict, enum reason reason, const char *words)
{
	verdict->waits = reason;
	(void)snprintf(verdict->words, sizeof(verdict->words), "%s", words);
}

/* Its pods are being replaced for another reason, or none of it serves yet. */
static bool is_changing(const struct consent *consent, const struct consent_input *input,
			const char *now)
{
	if (input->rollout->phase != ROLLOUT_PROGRESSING)
		return false;
	return (!input->traced && input->rollout->ready == 0) ||
	       (consent->template[0] != '\0' && strcmp(consent->template, now) != 0);
}

static void judge_change(struct consent *consent, const struct consent_input *input,
			 struct consent_verdict *verdict)
{
	char now[17];
	hash_templates(input->object, now);
	verdict->rides = is_changing(consent, input, now);
	if (verdict->rides)
		return;
	memcpy(consent->template, now, sizeof(now));
	wait_for(verdict, REASON_WAITING_FOR_CHANGE,
		 "waiting for the next change of its pod template");
}

static void judge_approval(const struct consent_input *input, struct consent_verdict *verdict)
{
	char words[300];
	if (consent_is_given(input->object, ANNOTATION_APPROVE, input->hash))
		return;
	(void)snprintf(words, sizeof(words),
		       "waiting for the annotation " ANNOTATION_APPROVE ": %s", input->hash);
	wait_for(verdict, REASON_WAITING_FOR_APPROVAL, words);
}

static void judge_window(const struct consent_input *input, struct consent_verdict *verdict)
{
	const struct rollout_settings *settings = input->settings;
	struct window window = {.days = settings->window_days,
				.hours = settings->window_hours,
				.zone = settings->window_zone};
	int64_t opens_us = 0;
	char text[MOMENT_TEXT_MAX];
	char words[300];
	if (window_is_open(&window, input->wall_us, &opens_us))
		return;
	moment_format(opens_us, text);
	(void)snprintf(words, sizeof(words),
		       "waiting for the window of spec.rollout.window, which "
		       "opens at %s",
		       opens_us == 0 ? "no time" : text);
	wait_for(verdict, REASON_WAITING_FOR_WINDOW, words);
	if (opens_us > input->wall_us)
		verdict->again_ms = (uint64_t)((opens_us - input->wall_us) / 1000 + 1);
}

void consent_judge(struct consent *consent, const struct consent_input *input,
		   struct consent_verdict *ret_verdict)
{
	const char *policy = input->settings->policy;
	*ret_verdict = (struct consent_verdict){.waits = REASON_NONE};
	(void)snprintf(consent->pending, sizeof(consent->pending), "%s", input->hash);
	if (!text_equal(policy, ROLLOUT_ON_NEXT_CHANGE))
		consent->template[0] = '\0';
	if (text_equal(policy, ROLLOUT_NEVER))
		wait_for(ret_verdict, REASON_REPORT_ONLY, "");
	else if (text_equal(policy, ROLLOUT_ON_NEXT_CHANGE) && input->replaces)
		judge_change(consent, input, ret_verdict);
	else if (text_equal(policy, ROLLOUT_ON_APPROVAL))
		judge_approval(input, ret_verdict);
	/* what rides costs no restart of its own */
	if (ret_verdict->waits == REASON_NONE && !ret_verdict->rides && input->replaces)
		judge_window(input, ret_verdict);
}

void consent_forget(struct consent *consent)
{
	*consent = (struct consent){.pending = ""};
}

void consent_to_row(const struct consent *consent, cJSON *row)
{
	if (consent->pending[0] != '\0')
		json_set_str(row, "pendingHash", consent->pending);
	if (consent->template[0] != '\0')
		json_set_str(row, "templateHash", consent->template);
}

void consent_from_row(const cJSON *row, struct consent *ret_consent)
{
	const char *template = json_str(row, "templateHash");
	consent_forget(ret_consent);
	if (template != NULL && strlen(template) < sizeof(ret_consent->template))
		memcpy(ret_consent->template, template, strlen(template) + 1);
}
