/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/moment.h"

#define DAY_US (INT64_C(24) * 3600 * 1000000)

static void copy_hash(char target[17], const char *hash)
{
	(void)snprintf(target, 17, "%s", hash == NULL ? "" : hash);
}

void undo_record_release(struct undo_record *record)
{
	free(record->uid);
	free(record->retry);
	free(record->by);
	*record = (struct undo_record){0};
}

static void replace(char **text, const char *value)
{
	if (text_equal(*text, value))
		return;
	free(*text);
	*text = value == NULL ? NULL : xstrdup(value);
}

void undo_forget(struct undo_record *record)
{
	replace(&record->uid, NULL);
	record->hash[0] = '\0';
	replace(&record->by, NULL);
	record->pristine[0] = '\0';
	record->settings[0] = '\0';
	record->count = 0;
	record->at_us = 0;
	record->deploys = 0;
	record->since_us = 0;
	record->undone = false;
}

/* True when somebody who may has said so: what is undone now is written once more. */
static bool pardon(struct undo_record *record, const struct undo_input *input)
{
	bool asked = input->retry != NULL && !text_equal(input->retry, record->retry);
	bool changed =
	    record->settings[0] != '\0' && strcmp(record->settings, input->settings) != 0;
	if (asked || changed) {
		record->count = 0;
		record->deploys = 0;
	}
	replace(&record->retry, input->retry);
	copy_hash(record->settings, input->settings);
	return asked || changed;
}

void undo_obey(struct undo_record *record, const char *retry)
{
	replace(&record->retry, retry);
}

static bool is_deploy(const struct undo_record *record, const struct undo_input *input)
{
	return record->pristine[0] != '\0' && strcmp(record->pristine, input->pristine) != 0;
}

static void count_undo(struct undo_record *record, const struct undo_input *input)
{
	if (record->count > 0 && input->now_us - record->at_us >= DAY_US)
		record->count = 0;
	if (record->deploys > 0 && input->now_us - record->since_us >= DAY_US)
		record->deploys = 0;
	if (!is_deploy(record, input)) {
		record->count++;
		record->at_us = input->now_us;
	} else if (record->deploys++ == 0) {
		record->since_us = input->now_us;
	}
	replace(&record->by, input->by);
	record->undone = true;
}

static unsigned fights(bool accelerated)
{
	return accelerated ? UNDO_FIGHTS_ACCELERATED : UNDO_FIGHTS;
}

/* What stands there is to be written once more, and the next fight is a conflict. */
static void forgive(struct undo_record *record, const struct undo_input *input)
{
	record->count = fights(input->accelerated) - 1;
	record->at_us = input->now_us;
	record->undone = true;
}

bool undo_is_fight(const struct undo_record *record, bool accelerated)
{
	return record->count >= fights(accelerated);
}

static bool is_conflict(const struct undo_record *record, bool accelerated)
{
	return undo_is_fight(record, accelerated) ||
	       record->deploys > (accelerated ? UNDO_DEPLOYS_ACCELERATED : UNDO_DEPLOYS);
}

enum undo_verdict undo_judge(struct undo_record *record, const struct undo_input *input)
{
	/* made anew under the same name: what it lacks it never had */
	bool anew = record->uid != NULL && !text_equal(record->uid, input->uid);
	if (anew)
		undo_forget(record);
	bool pardoned = pardon(record, input);
	if (input->injected) {
		replace(&record->uid, input->uid);
		copy_hash(record->hash, input->hash);
		if (input->pristine[0] != '\0')
			copy_hash(record->pristine, input->pristine);
		record->undone = false;
		return UNDO_NONE;
	}
	if (!input->evidence || anew)
		return UNDO_NONE;
	if (pardoned)
		forgive(record, input);
	else if (!record->undone)
		count_undo(record, input);
	if (is_conflict(record, input->accelerated))
		return UNDO_CONFLICTING;
	return input->rollout_through ? UNDO_REPAIR : UNDO_WAIT;
}

void undo_to_row(const struct undo_record *record, cJSON *row)
{
	char at[MOMENT_TEXT_MAX];
	if (record->uid != NULL)
		json_set_str(row, "uid", record->uid);
	if (record->hash[0] != '\0')
		json_set_str(row, "planHash", record->hash);
	if (record->pristine[0] != '\0')
		json_set_str(row, "pristineHash", record->pristine);
	if (record->retry != NULL)
		json_set_str(row, "retry", record->retry);
	if (record->undone)
		json_set_bool(row, "undone", true);
	if (record->undone && record->by != NULL)
		json_set_str(row, "undoneBy", record->by);
	if (record->count > 0) {
		moment_format(record->at_us, at);
		json_set_int(row, "undoCount", (long)record->count);
		json_set_str(row, "undoTime", at);
	}
	if (record->deploys > 0) {
		moment_format(record->since_us, at);
		json_set_int(row, "deployCount", (long)record->deploys);
		json_set_str(row, "deployTime", at);
	}
	if (record->count > 0 || record->deploys > 0)
		json_set_str(row, "settingsHash", record->settings);
}

static unsigned read_count(const cJSON *row, const char *name)
{
	long count = json_int(row, name, 0);
	return count > 0 && count < 1000 ? (unsigned)count : 0;
}

void undo_from_row(const cJSON *row, struct undo_record *ret_record)
{
	struct undo_record record = {0};
	replace(&record.uid, json_str(row, "uid"));
	replace(&record.retry, json_str(row, "retry"));
	replace(&record.by, json_str(row, "undoneBy"));
	copy_hash(record.hash, json_str(row, "planHash"));
	copy_hash(record.pristine, json_str(row, "pristineHash"));
	copy_hash(record.settings, json_str(row, "settingsHash"));
	record.count = read_count(row, "undoCount");
	record.at_us = moment_parse(json_str(row, "undoTime"), 0);
	record.deploys = read_count(row, "deployCount");
	record.since_us = moment_parse(json_str(row, "deployTime"), 0);
	record.undone = json_bool(row, "undone", false);
	*ret_record = record;
}
