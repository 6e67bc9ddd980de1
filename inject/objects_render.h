/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the renderings of collector and Jaeger share: values for templates, pods,
 * Secrets. Private to inject/objects*.c.
 */
#ifndef LLMD_INJECT_OBJECTS_RENDER_H
#define LLMD_INJECT_OBJECTS_RENDER_H

#include "inject/objects.h"

/* The two programs that are deployed. */
struct part {
	const char *app; /* label app, promised by llm-d's guide */
	const char *component;
	const char *resources; /* member of pods.yaml */
	const char *config;    /* template of the configuration */
};

struct rendering {
	const struct objects_input *input;
	const struct part *part;
	cJSON *shared;  /* pods.yaml */
	cJSON *values;  /* of the part at hand */
	cJSON *objects; /* the result */
};

/* Forgets the values of the part before. */
void rendering_begin(struct rendering *r, const struct part *part);

/* The values that every pod needs; environment, volumes and mounts are lists to be added to. */
void rendering_set_pod(struct rendering *r, const char *image, const struct pod_settings *pod);

/* A value that is text, or absent. */
void rendering_set_text(struct rendering *r, const char *name, const char *text);
/* A value that is a copy of a tree, or absent. */
void rendering_set_tree(struct rendering *r, const char *name, const cJSON *tree);

/* Member `member` of `config` becomes a key of a Secret, by way of a variable of the pod. */
void rendering_set_secret(struct rendering *r, cJSON *config, const char *member,
			  const char *variable, const char *secret, const char *key);
void rendering_add_volume(struct rendering *r, cJSON *volume, const char *path, bool read_only);
/* The files of a connection's TLS as a volume, and their paths (and skip_verify) in `config`. */
void rendering_add_tls(struct rendering *r, const struct tls_settings *tls, cJSON *config);

/* CONFIG as text, or as a tree for the custom resource, and its hash at the pods. Takes `config`. */
NODISCARD enum status rendering_set_config(struct rendering *r, cJSON *config, bool as_tree,
					   struct error *err);

/* Adds objects from templates (NULL-ended) with namespace and labels. */
NODISCARD enum status rendering_add(struct rendering *r, const char *const *files,
				    struct error *err);

/* The labels of everything that is a part's. */
void rendering_set_labels(cJSON *labels, const struct part *part);
void rendering_copy_members(cJSON *to, const cJSON *from);

/* The two parts. */
NODISCARD enum status jaeger_render(struct rendering *r, struct error *err);
NODISCARD enum status collector_render(struct rendering *r, struct error *err);
/* A name of ours for a collector elsewhere; nothing when pods hold its endpoint themselves. */
NODISCARD enum status collector_render_elsewhere(struct rendering *r, struct error *err);

#endif
