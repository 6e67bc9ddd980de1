/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a namespace says to its workloads right now: inject by these settings, change
 * nothing, take back. One pure function of the view, used for the namespace's own key and
 * for each of its workloads', so that neither acts on an older answer than the other.
 */
#ifndef LLMD_CONTROLLER_POLICY_H
#define LLMD_CONTROLLER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/collector.h"
#include "controller/pins.h"
#include "controller/preflight.h"
#include "controller/view.h"

/*
 * What the namespace says to its workloads. Belongs to one view (settings may point into
 * its Tracing); release before it.
 */
struct policy {
	enum phase phase;
	enum reason reason; /* PHASE_HOLD: why; settings that cannot be used turn ON into it */
	char message[1100]; /* for people; "" when there is nothing to say */
	bool
	    reads_secrets; /* all else would be fine: Secrets that the Tracing names are looked at */
	bool unknown;      /* one of them was not read yet: nothing can be said or done */
	bool has_settings;
	struct settings settings;
	struct pins pins;       /* PHASE_ON only */
	char settings_hash[17]; /* another one while a boost lasts */
	char said_hash[17];     /* settings_user_hash: for what a boost changes nothing of */
	char led_hash[17];      /* settings_led_hash; a boost leaves it as it is */
	struct collector_plan collector; /* PHASE_ON only */
	uint64_t again_ms;
	const char *operator_version; /* of the view's options; never NULL; borrowed */
	const char *tracing_uid;      /* of the view's Tracing, or NULL; borrowed */
	struct preflight_path path;   /* between workloads and collector; borrowed from the view */
	bool dry_run;                 /* nothing is written, so nothing is waited for */
};

/* From the view alone: used for the namespace's and for its workloads' keys. */
void policy_decide(const struct view *view, struct policy *ret_policy);
void policy_release(struct policy *policy);

/* It holds since the settings are wrong or not allowed: `message` says what is. */
bool policy_is_about_settings(const struct policy *policy);

/* A short text that differs whenever workloads have to be looked at again. Owned. */
NODISCARD char *policy_fingerprint(const struct policy *policy);

#endif
