/* SPDX-License-Identifier: Apache-2.0 */
/* Whom else the outcome of one key concerns: they are looked at again. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller_internal.h"

/* Workloads of all namespaces whose pods are being replaced by a write of ours. */
size_t wake_count_rolling(const struct controller *controller)
{
	size_t rolling = 0;
	for (size_t i = 0; i < controller->namespace_count; i++) {
		const struct roster *roster = &controller->namespaces[i]->roster;
		for (size_t k = 0; k < roster->count; k++)
			rolling += roster->rows[k].pace.rolling && !roster->rows[k].pace.stalled;
	}
	return rolling;
}

/* Room within the operator's cap has come: it goes to whoever takes it first. */
void wake_for_room(struct controller *controller)
{
	uint64_t now = controller_now(controller).mono_ms;
	bool any = false;
	for (size_t i = 0; i < controller->namespace_count; i++)
		any = any || controller->namespaces[i]->roster.full;
	if (!any || wake_count_rolling(controller) >= controller->max_concurrent)
		return;
	for (size_t i = 0; i < controller->namespace_count; i++) {
		struct namespace *space = controller->namespaces[i];
		if (!space->roster.full)
			continue;
		space->roster.full = false;
		const struct roster_row *next = pace_next(&space->roster, now);
		if (next != NULL)
			add_workload_key(controller, next->resource, space->name, next->name);
	}
}

/* Servers came or went: who waits for them is looked at again. */
void wake_below_floor(struct controller *controller, const struct namespace *space,
		      const struct roster_row *changed)
{
	for (size_t i = 0; i < space->roster.count; i++) {
		const struct roster_row *row = &space->roster.rows[i];
		if (row != changed && row->state == WORKLOAD_PENDING &&
		    row->reason == REASON_WOULD_EMPTY_ROLE)
			add_workload_key(controller, row->resource, space->name, row->name);
	}
}

void wake_without(struct controller *controller, const struct namespace *space,
		  const struct roster_row *gone)
{
	if (gone == NULL)
		return;
	if (gone->pace.rolling)
		add_workload_keys(controller, space->name);
	else /* of a role with fewer servers fewer have to stay */
		wake_below_floor(controller, space, gone);
}

void wake_surveyor(void *context)
{
	struct controller *controller = context;
	if (!controller->closing)
		surveyor_begin(controller->surveyor);
}

void wake_surveying(void *context)
{
	struct controller *controller = context;
	for (size_t i = 0; i < controller->namespace_count; i++) {
		struct namespace *space = controller->namespaces[i];
		for (size_t k = 0; k < space->roster.count; k++) {
			struct roster_row *row = &space->roster.rows[k];
			if (row->surveying)
				add_workload_key(controller, row->resource, space->name, row->name);
		}
	}
}

/* Those that lost the switch just now with too many others are held, and the others with them. */
void wake_guarded(struct controller *controller, struct namespace *space)
{
	if (!space->just_lost)
		return;
	space->just_lost = false;
	if (!guard_note(&controller->guard, space->name, controller_now(controller).mono_ms))
		return;
	for (size_t i = 0; i < controller->namespace_count; i++) {
		struct namespace *lost = controller->namespaces[i];
		if (!lost->missing || lost->removing || lost->guarded)
			continue;
		lost->guarded = true;
		add_namespace_key(controller, lost->name, 0);
	}
}

/* One that is being deleted shows nothing about an image any more. */
static bool is_ending(const struct controller *controller, const struct namespace *space)
{
	const struct object *object =
	    store_get(controller->store, RESOURCE_NAMESPACE, "", space->name);
	return object != NULL && object->deleting;
}

/* A namespace whose lists never end keeps nobody waiting. */
void elsewhere_gather(const struct controller *controller, const struct namespace *own,
		      struct elsewhere *ret_elsewhere)
{
	*ret_elsewhere = (struct elsewhere){
	    .rosters = xcalloc(controller->namespace_count + 1, sizeof(*ret_elsewhere->rosters))};
	for (size_t i = 0; i < controller->namespace_count; i++) {
		const struct namespace *space = controller->namespaces[i];
		if (space == own || is_ending(controller, space))
			continue;
		ret_elsewhere->rosters[ret_elsewhere->count++] = &space->roster;
		ret_elsewhere->unseen |= space->policy_seen == NULL && !space->listing;
	}
}

static void wake_those(struct controller *controller, const struct namespace *space,
		       enum reason reason)
{
	for (size_t i = 0; i < space->roster.count; i++) {
		const struct roster_row *row = &space->roster.rows[i];
		if (row->reason == reason)
			add_workload_key(controller, row->resource, space->name, row->name);
	}
}

void wake_for_image(struct controller *controller, const struct namespace *space,
		    const struct roster_row *row, const struct image_news *before)
{
	bool refused = space->roster.refused.count != before->refused;
	if (row->reason != before->reason && pace_ends_for_several(before->reason))
		wake_those(controller, space, before->reason); /* its turn is asked after theirs */
	if (!refused && row->pace.rolling == before->rolling && row->pace.proven == before->proven)
		return;
	if (refused) /* its neighbours may wait for any reason */
		add_workload_keys(controller, space->name);
	for (size_t i = 0; i < controller->namespace_count; i++) {
		if (controller->namespaces[i] == space)
			continue;
		wake_those(controller, controller->namespaces[i], REASON_WAITING_FOR_PROOF);
		wake_those(controller, controller->namespaces[i], REASON_IMAGE_REFUSED);
	}
}

void wake_with_log(struct controller *controller, const struct intent *intent,
		   const struct response *response)
{
	const struct namespace *space = controller_namespace(controller, intent->namespace_name);
	struct roster_row *row =
	    space == NULL ? NULL : roster_find(&space->roster, intent->owner, intent->owner_name);
	if (row == NULL)
		return;
	/* no log is an answer, too: then the exit alone has to do */
	bool there = response->status == STATUS_OK;
	free(row->seen.log);
	row->seen.log = xstrndup(there ? response->body : "", there ? response->body_len : 0);
	row->seen.unread = response->status == STATUS_DENIED;
	add_workload_key(controller, row->resource, space->name, row->name);
}
