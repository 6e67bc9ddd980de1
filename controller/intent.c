/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intent.h"

#include <stdlib.h>

#include "base/alloc.h"

void intents_release(struct intents *intents)
{
	for (size_t i = 0; i < intents->count; i++) {
		struct intent *intent = &intents->items[i];
		free(intent->namespace_name);
		free(intent->name);
		free(intent->uid);
		free(intent->version);
		free(intent->word);
		free(intent->owner_name);
		free(intent->action);
		free(intent->note);
		cJSON_Delete(intent->body);
		cJSON_Delete(intent->managers);
	}
	free(intents->items);
	*intents = (struct intents){0};
}

struct intent *intents_add(struct intents *intents, enum intent_type type,
			   enum resource_id resource, const char *namespace_name, const char *name)
{
	intents->items = grow(intents->items, intents->count, sizeof(*intents->items));
	struct intent *intent = &intents->items[intents->count++];
	*intent = (struct intent){
	    .type = type,
	    .resource = resource,
	    .namespace_name = xstrdup(namespace_name),
	    .name = xstrdup(name),
	};
	return intent;
}

void intents_add_event(struct intents *intents, enum resource_id resource,
		       const char *namespace_name, const char *name, const char *uid,
		       enum reason reason, const char *action, const char *note)
{
	struct intent *intent = intents_add(intents, INTENT_EVENT, resource, namespace_name, name);
	intent->uid = uid == NULL ? NULL : xstrdup(uid);
	intent->reason = reason;
	intent->action = xstrdup(action);
	intent->note = xstrdup(note);
}

void intents_add_event_word(struct intents *intents, enum resource_id resource,
			    const char *namespace_name, const char *name, const char *uid,
			    const char *word, bool warning, const char *note)
{
	intents_add_event(intents, resource, namespace_name, name, uid, REASON_NONE, "Reconcile",
			  note);
	intents->items[intents->count - 1].word = xstrdup(word);
	intents->items[intents->count - 1].warning = warning;
}

void intents_again(struct intents *intents, uint64_t ms)
{
	if (ms > 0 && (intents->again_ms == 0 || ms < intents->again_ms))
		intents->again_ms = ms;
}
