/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done with one container, and why. Works on the pristine container: what this
 * operator added before is not there. Private to the plan.
 */
#ifndef LLMD_INJECT_PLAN_DECIDE_H
#define LLMD_INJECT_PLAN_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/component_rules.h"
#include "inject/env.h"
#include "inject/kind.h"
#include "inject/launch.h"
#include "inject/plan.h"

/* A container as decisions see it; everything is borrowed. */
struct subject {
	const struct plan_input *input;
	const struct pod_template *template;
	const char *name;
	const char *image;           /* NULL: none */
	bool init;                   /* stands in initContainers */
	bool native;                 /* with restartPolicy: Always */
	const cJSON *container;      /* {command, args}, pristine and effective */
	const struct list_view *env; /* pristine and effective */
	const cJSON *env_from;
	const char *held_ratio; /* that was put in before; NULL: none */
	/*
	 * ModelService: the part of the container that can be edited (its args are put before
	 * the base's), else NULL. `base_why`: why the base cannot be read, else NULL.
	 */
	const cJSON *editable;
	const char *base_why;
};

struct env_addition {
	enum env_name name;
	char *value; /* owned; NULL for downward API fields */
};

struct decision {
	enum component component;
	bool inject;
	enum reason reason;
	bool decides;   /* on sampling, where an endpoint picker should */
	bool has_ratio; /* of the settings, as a wish of the user's */
	char *message;  /* owned */
	bool has_edit;
	struct launch_edit edit; /* owned */
	struct env_addition env[ENV_ADDED_COUNT];
	size_t env_count;
};

void decide(const struct subject *subject, struct decision *ret_decision);
/* Turns a decision to inject into one not to. */
void decision_refuse(struct decision *decision, enum reason reason, const char *message);
void decision_release(struct decision *decision);

/* An override annotation of a container: the pod template's, else the object's; NULL. */
const char *decide_annotation(const struct subject *subject, const char *prefix);

#endif
