/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/settings.h"

/* One that cannot be used is looked at again soon: somebody is waiting for the label. */
enum { READ_AGAIN_MS = 300000, READ_AGAIN_TROUBLE_MS = 20000 };

static void note_release(struct secret_note *note)
{
	free(note->name);
	free(note->trouble);
}

void secrets_release(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		note_release(&secrets->items[i]);
	free(secrets->items);
	*secrets = (struct secrets){.items = NULL};
}

static struct secret_note *find(const struct secrets *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (strcmp(secrets->items[i].name, name) == 0)
			return &secrets->items[i];
	return NULL;
}

static char *judge_one(const char *namespace_name, const char *name, const cJSON *metadata,
		       const char *denied)
{
	const cJSON *labels = json_get(metadata, "metadata.labels");
	const cJSON *usable = json_member(labels, LABEL_USABLE);
	if (denied != NULL)
		return xasprintf("may not be looked at, so it is not used: %.400s", denied);
	if (metadata == NULL)
		return xasprintf("is not there (in namespace %s)", namespace_name);
	if (cJSON_IsString(usable) && strcmp(usable->valuestring, "true") == 0)
		return NULL;
	return xasprintf("does not carry the label " LABEL_USABLE ": \"true\"; who may change it "
			 "says so by kubectl -n %s label secret %s " LABEL_USABLE "=true",
			 namespace_name, name);
}

void secrets_note(struct secrets *secrets, const char *namespace_name, const char *name,
		  const cJSON *metadata, const char *denied, uint64_t now_ms)
{
	struct secret_note *note = find(secrets, name);
	if (note == NULL) {
		secrets->items = grow(secrets->items, secrets->count, sizeof(*secrets->items));
		note = &secrets->items[secrets->count++];
		*note = (struct secret_note){.name = xstrdup(name)};
	}
	free(note->trouble);
	note->trouble = judge_one(namespace_name, name, metadata, denied);
	note->read_ms = now_ms;
}

void secrets_keep(struct secrets *secrets, const cJSON *tracing)
{
	struct secret_use uses[SECRET_USES_MAX];
	size_t count = settings_secrets(tracing, uses);
	for (size_t i = secrets->count; i-- > 0;) {
		bool named = false;
		for (size_t k = 0; k < count && !named; k++)
			named = strcmp(uses[k].name, secrets->items[i].name) == 0;
		if (named)
			continue;
		note_release(&secrets->items[i]);
		secrets->items[i] = secrets->items[--secrets->count];
	}
}

void secrets_judge(const struct secrets *secrets, const cJSON *tracing,
		   struct secrets_verdict *ret_verdict)
{
	struct secret_use uses[SECRET_USES_MAX];
	size_t count = settings_secrets(tracing, uses);
	*ret_verdict = (struct secrets_verdict){.unknown = false};
	for (size_t i = 0; i < count; i++) {
		const struct secret_note *note = find(secrets, uses[i].name);
		if (note == NULL) {
			ret_verdict->unknown = true;
			return;
		}
		if (note->trouble != NULL && ret_verdict->message[0] == '\0')
			(void)snprintf(ret_verdict->message, sizeof(ret_verdict->message),
				       "%s: Secret %.253s %s", uses[i].path, uses[i].name,
				       note->trouble);
	}
}

static bool is_first_use(const struct secret_use *uses, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(uses[i].name, uses[index].name) == 0)
			return false;
	return true;
}

void secrets_intend(const struct secrets *secrets, const char *namespace_name, const cJSON *tracing,
		    uint64_t now_ms, struct intents *intents)
{
	struct secret_use uses[SECRET_USES_MAX];
	size_t count = settings_secrets(tracing, uses);
	for (size_t i = 0; i < count; i++) {
		const struct secret_note *note = find(secrets, uses[i].name);
		uint64_t limit =
		    note != NULL && note->trouble != NULL ? READ_AGAIN_TROUBLE_MS : READ_AGAIN_MS;
		if (!is_first_use(uses, i))
			continue;
		if (note == NULL || now_ms - note->read_ms >= limit) {
			struct intent *intent = intents_add(intents, INTENT_READ, RESOURCE_SECRET,
							    namespace_name, uses[i].name);
			intent->is_report = note != NULL; /* what is known holds meanwhile */
		} else {
			intents_again(intents, limit - (now_ms - note->read_ms));
		}
	}
}
