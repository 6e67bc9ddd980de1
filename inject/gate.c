/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/gate.h"

#include <string.h>

#include "base/util.h"

static const struct gate_rule *find(const struct gate_rule *rules, size_t count,
				    const struct image *image)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < GATE_PATTERNS && rules[i].match[k] != NULL; k++)
			if (image_matches(image, rules[i].match[k]))
				return &rules[i];
	return NULL;
}

enum component gate_identify(const struct image *image, const struct gate_rule **ret_rule)
{
	*ret_rule = find(never_gates, never_gate_count, image);
	if (*ret_rule != NULL)
		return COMPONENT_NEVER;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		const struct component_rules *rules = component_rules((enum component)c);
		if (rules == NULL)
			continue;
		*ret_rule = find(rules->gates, rules->gate_count, image);
		if (*ret_rule != NULL)
			return rules->component;
	}
	return COMPONENT_NONE;
}

/*
 * A version that the user names for an image that no row knows: the number itself tells
 * the family where a component has several (llm-d counts 0.x, GAIE 1.x).
 */
static const struct gate_rule *rule_for_number(const struct component_rules *rules,
					       const struct version *version)
{
	if (rules->component == COMPONENT_EPP)
		return &rules->gates[version->part[0] >= 1 ? 2 : 1];
	if (rules->component == COMPONENT_VLLM || rules->component == COMPONENT_ROUTING_PROXY)
		return &rules->gates[1];
	return &rules->gates[0];
}

static const struct gate_band *band_of(const struct gate_rule *rule, const struct version *version)
{
	size_t i = 0;
	while (rule->bands[i].below != NULL && !version_is_below(version, rule->bands[i].below))
		i++;
	return &rule->bands[i];
}

static void note_version(struct gate_verdict *verdict, const char *text, size_t len)
{
	if (len >= sizeof(verdict->version))
		len = sizeof(verdict->version) - 1;
	memcpy(verdict->version, text, len);
	verdict->version[len] = '\0';
}

static const struct gate_band *choose(const struct gate_rule *rule, const struct version *version,
				      bool trusted)
{
	if (version->kind == VERSION_NONE || (rule->version_of == NULL && !trusted))
		return &rule->unreadable;
	const struct gate_band *band = band_of(rule, version);
	/* A number further in the tag is good enough to refuse, not to trust. */
	if (version->kind == VERSION_EMBEDDED && band->mode != GATE_SKIP)
		return &rule->unreadable;
	return band;
}

void gate_judge(enum component component, const struct image *image, const char *version,
		bool modern, struct gate_verdict *ret_verdict)
{
	struct gate_verdict verdict = {.mode = GATE_SKIP, .reason = REASON_NOT_A_COMPONENT};
	const struct component_rules *rules = component_rules(component);
	*ret_verdict = verdict;
	if (rules == NULL)
		return;
	const char *text = version != NULL ? version : image->tag;
	size_t len = version != NULL ? strlen(version) : image->tag_len;
	if (text != NULL) {
		version_read(text, len, &verdict.number);
		if (verdict.number.kind != VERSION_NONE)
			note_version(&verdict, text, len);
	}
	const struct gate_rule *rule = find(rules->gates, rules->gate_count, image);
	if (rule == NULL && version != NULL && verdict.number.kind != VERSION_NONE)
		rule = rule_for_number(rules, &verdict.number);
	const struct gate_band *band = &rules->unknown_image;
	if (rule != NULL) {
		band = choose(rule, &verdict.number, version != NULL);
		verdict.source = rule->source;
		verdict.version_of = rule->version_of;
		verdict.plaintext = rule->plaintext_below != NULL &&
				    verdict.number.kind != VERSION_NONE &&
				    version_is_below(&verdict.number, rule->plaintext_below);
	}
	verdict.mode = band->mode;
	verdict.reason = band->reason;
	verdict.service = band->service;
	/* The user's word for a row without versions of its own is verification enough. */
	if (version != NULL && verdict.number.kind == VERSION_EXACT &&
	    verdict.reason == REASON_UNVERIFIED)
		verdict.reason = REASON_INJECTED;
	if (modern && verdict.mode == GATE_ENV)
		verdict.mode = GATE_FLAG;
	*ret_verdict = verdict;
}

const struct image_override *gate_override(const struct settings *settings, const char *image)
{
	for (size_t i = 0; image != NULL && i < settings->image_count; i++)
		if (glob_matches(settings->images[i].match, image, strlen(image)))
			return &settings->images[i];
	return NULL;
}

static bool knows_flag(const struct launch *launch, const char *name)
{
	struct flag_syntax syntax = {.name = name, .is_switch = true, .single_dash = true};
	struct launch_flag flag;
	if (name == NULL)
		return false;
	launch_find_flag(launch, &syntax, &flag);
	bool present = flag.presence == FLAG_PRESENT;
	launch_flag_release(&flag);
	return present;
}

bool gate_is_modern(const struct component_rules *rules, const struct launch *launch)
{
	for (size_t i = 0; i < ARRAY_LEN(rules->modern); i++)
		if (knows_flag(launch, rules->modern[i]))
			return true;
	return false;
}

static const char *mode_name(const struct gate_band *band)
{
	static const char *const names[] = {
	    [GATE_SKIP] = "",
	    [GATE_ENV] = "variables only",
	    [GATE_FLAG] = "variables and flags",
	    [GATE_FLAG_IF_PRESENT] = "both if the flag is there already, else UnknownVersion",
	};
	return names[band->mode];
}

static void document_band(struct buffer *out, const struct gate_band *band)
{
	if (band->mode == GATE_SKIP)
		buffer_addf(out, "skipped: %s", reason_info(band->reason)->word);
	else
		buffer_add_str(out, mode_name(band));
	if (band->mode != GATE_SKIP && band->reason == REASON_UNVERIFIED)
		buffer_add_str(out, " (Unverified)");
}

static void document_rule(struct buffer *out, const char *component, const struct gate_rule *rule)
{
	buffer_addf(out, "| %s | ", component);
	for (size_t k = 0; k < GATE_PATTERNS && rule->match[k] != NULL; k++)
		buffer_addf(out, "%s`%s`", k == 0 ? "" : ", ", rule->match[k]);
	buffer_addf(out, " | %s | ", rule->version_of == NULL ? "-" : rule->version_of);
	const char *from = NULL;
	for (size_t i = 0; i < GATE_BANDS; i++) {
		const struct gate_band *band = &rule->bands[i];
		if (from == NULL && band->below == NULL)
			buffer_add_str(out, "any: ");
		else if (from == NULL)
			buffer_addf(out, "< %s: ", band->below);
		else if (band->below == NULL)
			buffer_addf(out, "; >= %s: ", from);
		else
			buffer_addf(out, "; %s to < %s: ", from, band->below);
		document_band(out, band);
		from = band->below;
		if (from == NULL)
			break;
	}
	buffer_add_str(out, " | ");
	document_band(out, &rule->unreadable);
	buffer_addf(out, " | %s |\n", rule->source);
}

void gate_document(struct buffer *out)
{
	buffer_add_str(out, "| Component | Image name | Version of | Decision | Tag tells no "
			    "version | Why |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < never_gate_count; i++)
		document_rule(out, "never", &never_gates[i]);
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		const struct component_rules *rules = component_rules((enum component)c);
		if (rules == NULL)
			continue;
		for (size_t i = 0; i < rules->gate_count; i++)
			document_rule(out, rules->name, &rules->gates[i]);
		buffer_addf(out, "| %s | any other name, told by its command line | - | - | ",
			    rules->name);
		document_band(out, &rules->unknown_image);
		buffer_add_str(out, " | no row knows the image |\n");
	}
}
