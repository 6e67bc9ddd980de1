/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is, in this order: override annotation, spec.images, command line,
 * image name, arguments together with the engine label. The container's name proves
 * nothing and is not looked at.
 */
#include "inject/plan_deciding.h"

#include <string.h>

#include "base/text.h"
#include "inject/program.h"

static enum component component_of(enum program program)
{
	switch (program) {
	case PROGRAM_VLLM_OTHER:
	case PROGRAM_SIMULATOR:
		return COMPONENT_NEVER;
	case PROGRAM_UNKNOWN:
	case PROGRAM_OTHER:
	case PROGRAM_COUNT:
		return COMPONENT_NONE;
	default:
		break;
	}
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		const struct component_rules *rules = component_rules((enum component)c);
		for (size_t i = 0; rules != NULL && i < COMPONENT_PROGRAMS; i++)
			if (rules->programs[i] == program)
				return rules->component;
	}
	return COMPONENT_NONE;
}

static const char *engine_label(const struct subject *subject)
{
	const cJSON *label =
	    json_member(json_member(subject->template->metadata, "labels"), "llm-d.ai/engine-type");
	return cJSON_IsString(label) ? label->valuestring : NULL;
}

/* The arguments alone tell nothing about an image whose entrypoint is not ours. */
static bool has_command(const cJSON *container)
{
	const cJSON *command = json_member(container, "command");
	return cJSON_IsArray(command) && command->child != NULL;
}

static enum component guess(struct deciding *deciding)
{
	const struct subject *subject = deciding->subject;
	const struct gate_rule *rule = NULL;
	if (deciding->overridden)
		return deciding->named;
	enum component by_image = gate_identify(&deciding->image, &rule);
	if (by_image == COMPONENT_NEVER) {
		(void)decide_skip(deciding, rule->bands[0].reason, "image %s: %s", subject->image,
				  rule->source);
		deciding->decision->component = COMPONENT_NEVER;
		return COMPONENT_NEVER;
	}
	if (by_image == COMPONENT_NONE && !has_command(subject->container))
		return component_from_args(json_member(subject->container, "args"),
					   engine_label(subject));
	return by_image;
}

/* The annotation names a component; a command line that surely is something else wins over it. */
static bool contradict(struct deciding *deciding, enum program program)
{
	enum component seen = component_of(program);
	if (program == PROGRAM_UNKNOWN || seen == deciding->named)
		return false;
	return decide_skip(deciding, REASON_BAD_OVERRIDE,
			   "it is said to be %s, but its command line runs %s",
			   component_name(deciding->named), program_title(program));
}

static bool settle(struct deciding *deciding, enum component component)
{
	enum program program = launch_program(deciding->launch);
	enum component seen = component_of(program);
	if (deciding->overridden && contradict(deciding, program))
		return true;
	if (seen == COMPONENT_NEVER) {
		deciding->decision->component = COMPONENT_NEVER;
		return decide_skip(deciding, REASON_NEVER, "it runs %s, which never gets a flag",
				   program_title(program));
	}
	if (program == PROGRAM_OTHER)
		return decide_skip(deciding, REASON_NOT_A_COMPONENT,
				   "its command line runs no component of llm-d");
	if (seen != COMPONENT_NONE)
		component = seen;
	if (component == COMPONENT_NONE)
		return decide_skip(deciding, REASON_UNKNOWN_IMAGE,
				   "neither image %s nor the command line tells what it runs",
				   deciding->subject->image);
	deciding->rules = component_rules(component);
	return false;
}

bool decide_identity(struct deciding *deciding)
{
	const struct subject *subject = deciding->subject;
	enum component component = guess(deciding);
	if (component == COMPONENT_NEVER)
		return true;
	const struct component_rules *rules = component_rules(component);
	enum program assume = rules == NULL ? PROGRAM_UNKNOWN : rules->assume;
	deciding->launch = launch_read(subject->container, assume);
	if (settle(deciding, component))
		return true;
	deciding->modern = gate_is_modern(deciding->rules, deciding->launch);
	if (subject->editable != NULL)
		deciding->editable = launch_read(subject->editable, deciding->rules->assume);
	return false;
}
