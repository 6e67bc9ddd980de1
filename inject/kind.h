/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the pod templates are in each kind of object that can be edited (DESIGN §4.1).
 * Paths are of the served versions that are listed in the table; another version of a
 * group is not a kind that we know.
 */
#ifndef LLMD_INJECT_KIND_H
#define LLMD_INJECT_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/surroundings.h"

enum { TEMPLATE_ID_MAX = 96, TEMPLATE_POINTER_MAX = 160, LIMIT_TEMPLATES = 256 };

struct pod_template {
	char id[TEMPLATE_ID_MAX]; /* ledger key: "template", "leader", "<role>.worker", "decode" */
	char pointer[TEMPLATE_POINTER_MAX]; /* of the pod spec, e.g. "/spec/template/spec" */
	const cJSON *spec;                  /* the pod spec; borrowed */
	const cJSON *metadata;              /* the template's metadata or NULL; borrowed */
	enum role role;                     /* what the structure itself says */
	bool merged;  /* ModelService: containers are merged over a base configuration */
	size_t child; /* ModelService: index into facts->children */
};

struct pod_templates {
	struct pod_template *items; /* owned */
	size_t count;
	bool in_template; /* an edit restarts pods (false for a Pod) */
};

/* True for an apiVersion and kind that kind_templates knows. */
bool kind_is_workload(const char *api_version, const char *kind);

/*
 * STATUS_NOT_FOUND: not such a kind. STATUS_INVALID: it is, but not of that kind's shape
 * (the message names the path). Templates that may be absent (leaderTemplate, decode) are
 * simply not listed.
 */
NODISCARD enum status kind_templates(const cJSON *object, struct pod_templates *ret_templates,
				     struct error *err);
void pod_templates_release(struct pod_templates *templates);

/* The role that a label value names: prefill, decode, encode; anything else is ROLE_NONE. */
enum role role_from_name(const char *name);

#endif
