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
	record->settings[0] = '\0';
	record->count = 0;
	record->at_us = 0;
	record->undone = false;
}

static void pardon(struct undo_record *record, const struct undo_input *input)
{
	bool asked = input->retry != NULL && !text_equal(input->retry, record->retry);
	bool changed =
	    record->settings[0] != '\0' && strcmp(record->settings, input->settings) != 0;
	if (asked || changed) {
		record->count = 0; /* what is undone now counts as the first time again */
		record->undone = false;
	}
	replace(&record->retry, input->retry);
	copy_hash(record->settings, input->settings);
}

static void count_undo(struct undo_record *record, const struct undo_input *input)
{
	if (record->count > 0 && input->now_us - record->at_us >= DAY_US)
		record->count = 0;
	record->count++;
	record->at_us = input->now_us;
	record->undone = true;
}

enum undo_verdict undo_judge(struct undo_record *record, const struct undo_input *input)
{
	if (record->uid != NULL && !text_equal(record->uid, input->uid))
		undo_forget(record); /* made anew under the same name */
	pardon(record, input);
	if (input->injected) {
		replace(&record->uid, input->uid);
		copy_hash(record->hash, input->hash);
		record->undone = false;
		return UNDO_NONE;
	}
	if (!input->evidence)
		return UNDO_NONE;
	if (!record->undone)
		count_undo(record, input);
	if (record->count >= 2)
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
	if (record->retry != NULL)
		json_set_str(row, "retry", record->retry);
	if (record->count == 0)
		return;
	moment_format(record->at_us, at);
	json_set_int(row, "undoCount", (long)record->count);
	json_set_str(row, "undoTime", at);
	json_set_str(row, "settingsHash", record->settings);
	if (record->undone)
		json_set_bool(row, "undone", true);
}

void undo_from_row(const cJSON *row, struct undo_record *ret_record)
{
	struct undo_record record = {0};
	long count = json_int(row, "undoCount", 0);
	replace(&record.uid, json_str(row, "uid"));
	replace(&record.retry, json_str(row, "retry"));
	copy_hash(record.hash, json_str(row, "planHash"));
	copy_hash(record.settings, json_str(row, "settingsHash"));
	record.count = count > 0 && count < 1000 ? (unsigned)count : 0;
	record.at_us = moment_parse(json_str(row, "undoTime"), 0);
	record.undone = json_bool(row, "undone", false);
	*ret_record = record;
}
