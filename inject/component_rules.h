/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each component is told in order to trace: its flags, how strict it is about the
 * endpoint, its service name, and which images are it, from which version on. Data;
 * the loops over it are in inject/plan_decide.c and inject/gate.c.
 */
#ifndef LLMD_INJECT_COMPONENT_RULES_H
#define LLMD_INJECT_COMPONENT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/component.h"
#include "inject/launch.h"
#include "inject/reason.h"

/* What a flag's value is. */
enum flag_value {
	FLAG_VALUE_NONE,     /* a store_true switch: the bare name */
	FLAG_VALUE_TRUE,     /* a Go bool: "=true" */
	FLAG_VALUE_ENDPOINT, /* the container's OTLP endpoint */
	FLAG_VALUE_DETAILED, /* spec.components.vllm.detailedTraces; left out when that is "none" */
};

struct flag_rule {
	struct flag_syntax syntax;
	enum flag_value value;
	bool replace_false; /* a false value is the charts' default, not a wish: it is replaced */
	const char *why;    /* one phrase for `explain` */
};

/* What may be given to an image of some version. */
enum gate_mode {
	GATE_SKIP,            /* nothing */
	GATE_ENV,             /* variables, no flag */
	GATE_FLAG,            /* variables and flags */
	GATE_FLAG_IF_PRESENT, /* as GATE_FLAG, but only if the flag is already there in some form */
};

/* Versions below `below` (NULL: all the rest). */
struct gate_band {
	const char *below;
	enum gate_mode mode;
	enum reason reason;  /* GATE_SKIP: why */
	const char *service; /* service name of this image family; NULL: the component's */
};

enum { GATE_PATTERNS = 10, GATE_BANDS = 4 };

/* One row of the gate table (LLMD §11): images by repository name, bands by version. */
struct gate_rule {
	const char *match[GATE_PATTERNS]; /* globs of image_matches, NULL-ended */
	const char *version_of; /* whose version the tag is; NULL: the tag tells nothing */
	struct gate_band bands[GATE_BANDS]; /* ascending; the last has below == NULL */
	struct gate_band unreadable;        /* the tag tells no version */
	bool by_construction; /* every tag of this name is new enough: never Unverified */
	const char *source;   /* where the numbers come from */
	const char *
	    plaintext_below; /* such versions send plaintext whatever the endpoint says; NULL: none */
};

enum { COMPONENT_FLAGS = 2, COMPONENT_PROGRAMS = 3 };

struct component_rules {
	enum component component;
	const char *name;
	enum program programs[COMPONENT_PROGRAMS]; /* PROGRAM_UNKNOWN-ended */
	enum program assume;                       /* what an args-only container of it runs */
	struct flag_rule flags[COMPONENT_FLAGS];
	size_t flag_count;
	struct flag_syntax obsolete; /* an older spelling, which forbids ours; name NULL: none */
	struct flag_syntax
	    deadly;             /* a switch beside which `flags` end the program; name NULL: none */
	const char *deadly_why; /* one phrase */
	const char *modern[2];  /* flags that only versions with `flags` know */
	const char *hiding[2];  /* flags whose value may set `flags`, and which ours would beat */
	const char *detached_below; /* such versions hand no trace context on; NULL: all do */
	bool grpc_url_only;         /* Go SDK: http(s)://host:port, never 4318, no http/protobuf */
	bool by_role;        /* the service name is "<service>-<role>", decode without a role */
	const char *service; /* default service name, or its stem */
	const struct gate_rule *gates;
	size_t gate_count;
	struct gate_band unknown_image; /* known by its command line only */
	const char *traced_by;          /* for messages: what turns it on */
};

/* Never NULL for the four components that can be traced; NULL for NONE and NEVER. */
const struct component_rules *component_rules(enum component component);

/* Images that are never injected, whatever their command says. */
extern const struct gate_rule never_gates[];
extern const size_t never_gate_count;

/*
 * Tells a component by flags alone, for args of an image that nobody knows. COMPONENT_NONE
 * unless it is certain. `engine_label`: the pod's label llm-d.ai/engine-type or NULL.
 */
enum component component_from_args(const cJSON *args, const char *engine_label);

/* The descriptors, one a file. */
extern const struct component_rules vllm_rules;
extern const struct component_rules sglang_rules;
extern const struct component_rules epp_rules;
extern const struct component_rules routing_proxy_rules;

#endif
