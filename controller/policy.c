/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "controller/guard.h"
#include "controller/mesh.h"

static void hold(struct policy *policy, enum reason reason, const char *message)
{
	policy->phase = PHASE_HOLD;
	policy->reason = reason;
	(void)snprintf(policy->message, sizeof(policy->message), "%s", message);
}

static void explain_hold(const struct view *view, struct policy *policy)
{
	switch (policy->reason) {
	case REASON_BAD_SWITCH_VALUE:
		(void)snprintf(policy->message, sizeof(policy->message),
			       "annotation " ANNOTATION_ENABLED " is \"%.100s\"; only \"true\" and "
			       "\"false\" mean something; nothing is changed",
			       view->switch_value);
		break;
	case REASON_REMOVAL_PENDING:
		(void)snprintf(policy->message, sizeof(policy->message),
			       "annotation " ANNOTATION_ENABLED "%s is gone; everything is taken "
			       "back %u s after that, at once when it is \"false\"",
			       view->options->enable_from_tracing ? " (and spec.enabled)" : "",
			       (unsigned)(view->options->removal_grace_ms / 1000));
		break;
	case REASON_MASS_REMOVAL:
		(void)snprintf(policy->message, sizeof(policy->message),
			       "annotation " ANNOTATION_ENABLED " is gone from this and more than "
			       "%d other namespaces within %d minutes; nothing is taken back until "
			       "it is set: \"false\" takes back, \"true\" keeps",
			       GUARD_NAMESPACES - 1, GUARD_SPAN_MS / 60000);
		break;
	case REASON_SETTINGS_MISSING:
		(void)snprintf(
		    policy->message, sizeof(policy->message),
		    view->access[RESOURCE_TRACING] == ACCESS_READABLE
			? "the Tracing " TRACING_NAME " of this namespace is gone; nothing "
			  "injected changes until there is one again or the annotation "
			  "goes"
			: "Tracings cannot be read (is the CRD installed, may the operator "
			  "list them?); nothing injected changes until they can");
		break;
	default:
		break;
	}
}

static void check_secrets(const struct view *view, struct policy *policy)
{
	struct secrets_verdict verdict;
	secrets_judge(&view->memory->secrets, view->tracing, &verdict);
	policy->reads_secrets = true;
	if (verdict.unknown)
		hold(policy, REASON_NONE, "");
	else if (verdict.message[0] != '\0')
		hold(policy, REASON_SECRET_NOT_USABLE, verdict.message);
	policy->unknown = verdict.unknown;
}

/*
 * A boost has its time. While it lasts the hash is another one, so that what differs by it
 * is carried out, and taken back when it is over; this key is looked at again then.
 */
static void apply_boost(const struct view *view, struct policy *policy)
{
	struct boost_settings *boost = &policy->settings.boost;
	int64_t until_us = moment_parse(boost->until, 0);
	char text[64];
	if (boost->ratio == NULL || until_us <= view->now.wall_us)
		return;
	uint64_t left_ms = (uint64_t)((until_us - view->now.wall_us + 999) / 1000);
	boost->active = true;
	if (policy->again_ms == 0 || left_ms < policy->again_ms)
		policy->again_ms = left_ms;
	if (policy->settings.where == SAMPLING_COLLECTOR)
		return;
	(void)snprintf(text, sizeof(text), "%s boost %.32s", policy->settings_hash, boost->ratio);
	hash_short(text, strlen(text), policy->settings_hash);
}

static void read_settings(const struct view *view, struct policy *policy)
{
	struct error err;
	bool on = policy->phase == PHASE_ON;
	settings_user_hash(view->tracing, policy->said_hash);
	memcpy(policy->settings_hash, policy->said_hash, sizeof(policy->settings_hash));
	settings_led_hash(view->tracing, policy->led_hash);
	if (settings_read(view->tracing, view->options->defaults, &policy->settings, &err) !=
	    STATUS_OK) {
		if (on)
			hold(policy, REASON_BAD_SETTINGS, err.message);
		return;
	}
	policy->has_settings = true;
	apply_boost(view, policy);
	if (on && admin_policy_check(view->options->admin, view->options->defaults,
				     &policy->settings, &err) != STATUS_OK)
		hold(policy, REASON_POLICY_DENIED, err.message);
	if (policy->phase == PHASE_ON)
		check_secrets(view, policy);
}

bool policy_is_about_settings(const struct policy *policy)
{
	return policy->reason == REASON_BAD_SETTINGS || policy->reason == REASON_POLICY_DENIED ||
	       policy->reason == REASON_SECRET_NOT_USABLE;
}

static void find_path(const struct view *view, struct preflight_path *path)
{
	const cJSON *pods =
	    json_get(view_live(view, "Deployment", "otel-collector", NULL), "spec.template");
	struct mesh_space space = {
	    .name = view->name, .labels = view->labels, .policies = view->peer_authentications};
	path->policies = view->network_policies;
	path->collector = json_get(pods, "metadata.labels");
	path->strict = mesh_refuses_plaintext(&space, pods, PREFLIGHT_PORT);
	path->labels = view->labels;
}

void policy_decide(const struct view *view, struct policy *ret_policy)
{
	struct phase_result phase = view_phase(view);
	*ret_policy = (struct policy){
	    .phase = phase.phase,
	    .reason = phase.reason,
	    .again_ms = phase.again_ms,
	    .operator_version = view->options->version == NULL ? "" : view->options->version,
	    .tracing_uid = json_str(view->tracing, "metadata.uid"),
	    .dry_run = view->options->dry_run};
	find_path(view, &ret_policy->path);
	explain_hold(view, ret_policy);
	if (view->tracing != NULL || view->options->dry_run)
		read_settings(view, ret_policy);
	if (ret_policy->phase == PHASE_ON && ret_policy->has_settings) {
		pins_apply(view->tracing, view->options->admin, &ret_policy->settings,
			   &ret_policy->pins);
		collector_decide(view, &ret_policy->settings, &ret_policy->collector);
		pins_tell(&ret_policy->pins, &ret_policy->collector);
		if (ret_policy->collector.again_ms > 0 &&
		    (ret_policy->again_ms == 0 ||
		     ret_policy->collector.again_ms < ret_policy->again_ms))
			ret_policy->again_ms = ret_policy->collector.again_ms;
	}
}

void policy_release(struct policy *policy)
{
	if (policy->has_settings)
		settings_release(&policy->settings);
	pins_release(&policy->pins);
	policy->has_settings = false;
}

/* How workloads are restarted: those that wait are looked at again when it changes. */
static char *rollout_text(const struct rollout_settings *rollout)
{
	CLEANUP(str_freep)
	char *min_ready =
	    rollout->min_ready == NULL ? xstrdup("") : json_to_string(rollout->min_ready);
	CLEANUP(str_freep)
	char *days =
	    rollout->window_days == NULL ? xstrdup("") : json_to_string(rollout->window_days);
	return xasprintf("%s %s %s %ld %d %d %s %s %s %s", rollout->policy, rollout->gitops,
			 rollout->rehearse, rollout->max_concurrent, (int)rollout->pause_on_failure,
			 (int)rollout->allow_strategy_override, min_ready, days,
			 rollout->window_hours == NULL ? "" : rollout->window_hours,
			 rollout->window_zone == NULL ? "" : rollout->window_zone);
}

/* Whom the Tracing applies to. */
static char *selection_text(const struct settings *settings)
{
	CLEANUP(json_freep) cJSON *said = cJSON_CreateObject();
	cJSON *pools = json_set_array(said, "pools");
	for (size_t i = 0; i < settings->pool_count; i++)
		json_append(pools, cJSON_CreateString(settings->pools[i]));
	if (settings->match_labels != NULL)
		json_set(said, "matchLabels", json_clone(settings->match_labels));
	return json_to_string(said);
}

/* What the mesh says to the namespace's pods. */
static char *mesh_text(const struct preflight_path *path)
{
	CLEANUP(str_freep)
	char *labels = path->labels == NULL ? xstrdup("") : json_to_string(path->labels);
	const char *where = json_str(path->strict, "metadata.namespace");
	const char *name = json_str(path->strict, "metadata.name");
	return xasprintf("%s %s/%s", labels, where == NULL ? "" : where, name == NULL ? "" : name);
}

char *policy_fingerprint(const struct policy *policy)
{
	CLEANUP(str_freep) char *mesh = mesh_text(&policy->path);
	CLEANUP(str_freep)
	char *rollout = policy->has_settings ? rollout_text(&policy->settings.rollout) : NULL;
	CLEANUP(str_freep)
	char *selection = policy->has_settings ? selection_text(&policy->settings) : NULL;
	const char *suffix = policy->has_settings ? policy->settings.identity.suffix : NULL;
	return xasprintf("%d %d %d %s %s %s %s %s %s", (int)policy->phase, (int)policy->reason,
			 (int)policy->collector.ready, policy->settings_hash,
			 suffix == NULL ? "" : suffix, rollout == NULL ? "" : rollout,
			 selection == NULL ? "" : selection, mesh, policy->message);
}
