/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_owner.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

enum { NEEDS_MAX = 4096 };

/* KServe's LLMInferenceService turns all of it on by one field (LLMD §5.6). */
static bool has_tracing(const struct facts *facts)
{
	return facts->standing == STANDING_KSERVE &&
	       text_has_prefix(facts->owner, "LLMInferenceService");
}

char *owner_sentence(const struct facts *facts)
{
	const char *owner = facts->owner[0] != '\0' ? facts->owner : "another object";
	if (facts->standing == STANDING_OWNED)
		return xasprintf("rendered by %s", owner);
	return xasprintf("rendered by %s, which may undo an edit; %s", owner,
			 has_tracing(facts) ? "set spec.tracing there"
					    : "set flags and variables there");
}

char *owner_needs(const struct plan_input *input)
{
	struct facts facts = *input->facts;
	struct plan_input free_input = *input;
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct buffer text;
	struct error ignored;
	if (facts.standing == STANDING_EDITABLE || facts.standing == STANDING_OWNED ||
	    has_tracing(&facts))
		return xstrdup("");
	facts.standing = STANDING_EDITABLE;
	free_input.facts = &facts;
	if (plan_build(&free_input, &plan, &ignored) != STATUS_OK || !plan->injected)
		return xstrdup("");
	buffer_init(&text, NEEDS_MAX);
	for (size_t i = 0; i < plan->edit_count; i++)
		if (!text_has_prefix(plan->edits[i].pointer, "/metadata/")) /* the ledger */
			buffer_addf(&text, "%s%s", text.len == 0 ? "; its pods need: " : "; ",
				    plan->edits[i].what);
	char *copy = xstrdup(text.data);
	buffer_release(&text);
	return copy;
}
