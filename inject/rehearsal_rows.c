/* SPDX-License-Identifier: Apache-2.0 */
/* What was rehearsed is remembered: rows of a Tracing's status, and what they do to the image table. */
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "inject/rehearsal.h"

cJSON *rehearsal_row(const struct rehearsal_of *of, const struct rehearsal *rehearsal,
		     const char *time)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "image", of->image);
	if (rehearsal->digest[0] != '\0')
		json_set_str(row, "digest", rehearsal->digest);
	json_set_str(row, "component", component_name(of->component));
	json_set_str(row, "verdict", rehearsal_word(rehearsal->verdict));
	if (rehearsal->version[0] != '\0')
		json_set_str(row, "version", rehearsal->version);
	json_set_str(row, "message", rehearsal->message);
	if (rehearsal->asked)
		json_set_bool(row, "asked", true);
	if (rehearsal->verdict == REHEARSAL_INCONCLUSIVE && of->settings != NULL)
		json_set_str(row, "settingsHash", of->settings);
	json_set_str(row, "time", time);
	return row;
}

/* The same bytes: the digest in the reference is the one that ran, or the reference is the same. */
static bool is_of_image(const cJSON *row, const char *image)
{
	const char *digest = json_str(row, "digest");
	const char *at = strchr(image, '@');
	return text_equal(json_str(row, "image"), image) ||
	       (at != NULL && text_equal(digest, at + 1));
}

const cJSON *rehearsal_find(const cJSON *rows, const char *image, enum component component)
{
	const cJSON *row = NULL;
	if (image == NULL)
		return NULL;
	cJSON_ArrayForEach(row, rows)
	{
		if (is_of_image(row, image) &&
		    text_equal(json_str(row, "component"), component_name(component)))
			return row;
	}
	return NULL;
}

void rehearsal_keep(cJSON *rows, cJSON *row)
{
	cJSON *item = rows->child;
	const char *image = json_str(row, "image");
	while (item != NULL) {
		cJSON *next = item->next;
		if (text_equal(json_str(item, "image"), image) &&
		    text_equal(json_str(item, "component"), json_str(row, "component")))
			cJSON_Delete(cJSON_DetachItemViaPointer(rows, item));
		item = next;
	}
	json_insert(rows, 0, row);
	while (cJSON_GetArraySize(rows) > REHEARSALS_MAX)
		cJSON_DeleteItemFromArray(rows, REHEARSALS_MAX);
}

static enum rehearsal_verdict verdict_of(const cJSON *row)
{
	const char *word = json_str(row, "verdict");
	for (unsigned i = 0; i < REHEARSAL_COUNT; i++)
		if (text_equal(word, rehearsal_word((enum rehearsal_verdict)i)))
			return (enum rehearsal_verdict)i;
	return REHEARSAL_INCONCLUSIVE;
}

void rehearsal_forget(cJSON *rows, const char *image, enum component component)
{
	cJSON *item = rows == NULL ? NULL : rows->child;
	while (item != NULL) {
		cJSON *next = item->next;
		if (verdict_of(item) == REHEARSAL_INCONCLUSIVE && is_of_image(item, image) &&
		    text_equal(json_str(item, "component"), component_name(component)))
			cJSON_Delete(cJSON_DetachItemViaPointer(rows, item));
		item = next;
	}
}

bool rehearsal_is_inconclusive(const cJSON *row)
{
	return row != NULL && verdict_of(row) == REHEARSAL_INCONCLUSIVE;
}

bool rehearsal_is_wanted(const cJSON *row, const struct plan_container *container)
{
	bool unsure = container->reason == REASON_UNKNOWN_VERSION ||
		      (container->inject && container->reason == REASON_UNVERIFIED);
	/* its version alone refused it: the packages may be there all the same */
	bool doubted = container->reason == REASON_ENGINE_TOO_OLD &&
		       rehearsal_is_inconclusive(row) && json_str(row, "version") != NULL;
	return (unsure || doubted) && container->image[0] != '\0' &&
	       (row == NULL || rehearsal_is_inconclusive(row));
}

static void refuse(struct gate_verdict *verdict, enum reason reason, const cJSON *row)
{
	const char *message = json_str(row, "message");
	verdict->mode = GATE_SKIP;
	verdict->reason = reason;
	verdict->version_of = NULL; /* the tag is no longer what tells */
	verdict->source = message == NULL ? "it was rehearsed" : message;
}

/* What is skipped for another reason than its version stays skipped: a flag alone makes no spans. */
static void trust(struct gate_verdict *verdict)
{
	bool unsure = verdict->mode != GATE_SKIP && verdict->reason == REASON_UNVERIFIED;
	if (!unsure && verdict->reason != REASON_ENGINE_TOO_OLD)
		return;
	verdict->mode = GATE_FLAG;
	verdict->reason = REASON_INJECTED;
}

/* As the row of the table that counts the engine's own versions has it. Other families count their own. */
static void doubt(const cJSON *row, enum component component, struct gate_verdict *verdict)
{
	struct gate_verdict told;
	struct image engine;
	struct version number;
	const char *version = json_str(row, "version");
	bool sglang = component == COMPONENT_SGLANG;
	if (version == NULL || verdict->mode == GATE_SKIP ||
	    (component != COMPONENT_VLLM && !sglang))
		return;
	version_read(version, strlen(version), &number);
	/* a build without the repository's tags calls itself 0.1.dev… */
	if (number.kind != VERSION_EXACT || version_is_below(&number, "0.2.0"))
		return;
	image_read(sglang ? "sglang" : "vllm-openai", &engine);
	gate_judge(component, &engine, version, false, &told);
	if (told.mode == GATE_SKIP &&
	    (verdict->version_of == NULL || text_equal(verdict->version_of, told.version_of)))
		*verdict = told;
}

void rehearsal_overrule(const cJSON *row, enum component component, bool brings_packages,
			struct gate_verdict *verdict)
{
	if (row == NULL)
		return;
	switch (verdict_of(row)) {
	case REHEARSAL_TRACEABLE:
		trust(verdict);
		break;
	case REHEARSAL_REFUSES_FLAG: /* variables do no harm, and old proxies trace by them alone */
		if (verdict->mode == GATE_FLAG || verdict->mode == GATE_FLAG_IF_PRESENT)
			refuse(verdict, REASON_REFUSES_FLAG, row);
		break;
	case REHEARSAL_LACKS_PACKAGES:
		if (!brings_packages && verdict->mode != GATE_SKIP)
			refuse(verdict, REASON_LACKS_PACKAGES, row);
		break;
	case REHEARSAL_INCONCLUSIVE:
		if (!brings_packages)
			doubt(row, component, verdict);
		break;
	case REHEARSAL_COUNT:
		break;
	}
}
