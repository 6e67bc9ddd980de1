/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that the operator owns in an enabled namespace: collector, Jaeger,
 * their Services, ConfigMaps and NetworkPolicies, or the OpenTelemetryCollector.
 * Rendered from templates/ (embedded at build) and settings. Pure; `render` prints
 * exactly these, the controller applies exactly these.
 */
#ifndef LLMD_INJECT_OBJECTS_H
#define LLMD_INJECT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/settings.h"

/* The claim with Jaeger's traces, when they are files. */
#define JAEGER_CLAIM "jaeger-data"
/* "true" at a claim: it stays when everything else of ours goes. */
#define ANNOTATION_RETAIN "tracing.llm-d.io/retain"

struct objects_input {
	const char *namespace_name;
	const struct settings *settings;
	const cJSON *origins; /* groups of inject/origin.h; NULL: none. Borrowed */
	bool use_cr; /* OpenTelemetryCollector instead of ConfigMap + Deployment + Service */
	bool
	    foreign_collector; /* a fitting Service otel-collector that is not ours is used: no collector, and no Jaeger that nothing would feed */
	bool foreign_jaeger;
	const char *
	    operator_namespace; /* for NetworkPolicies (UI, metrics); NULL: not known, namespace only */
};

/*
 * An array of complete objects in the order in which they are to be applied (back end
 * first); each carries namespace, the managed-by label and no status. Owned.
 */
NODISCARD enum status objects_render(const struct objects_input *input, cJSON **ret_objects,
				     struct error *err);

/* One row per object the operator may ever own: to find what to take away. */
struct owned_object {
	const char *api_version;
	const char *kind;
	const char *name;
	bool backend; /* belongs to Jaeger, not to the collector */
};
extern const struct owned_object owned_objects[];
extern const size_t owned_object_count;

#endif
