/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projection: of an object as the API gives it, the few facts that decide whether it
 * stays, and the compact JSON of the parts that plans look at. Works on the raw bytes,
 * so that an object of no interest costs one look at its metadata and no memory.
 *
 * What stays: apiVersion and kind (list items of built-in kinds lack them), of metadata
 * name, namespace, uid, generation, labels, annotations without kubectl's copy of the
 * object, ownerReferences, creation and deletion time, and of managedFields the entries
 * of Apply managers and our own without their times; spec, data and the like whole; of
 * status what the resource's row names. metadata.resourceVersion is not part of it:
 * equal text means that nothing which concerns us has changed.
 */
#ifndef LLMD_CONTROLLER_PROJECT_H
#define LLMD_CONTROLLER_PROJECT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "controller/resource.h"
#include "controller/scan.h"

struct header {
	struct piece namespace_name; /* JSON strings with their quotes; {NULL, 0}: absent */
	struct piece name;
	struct piece uid;
	struct piece resource_version;
	struct piece metadata;
	long generation;
	bool ledger;   /* carries our ledger annotation */
	bool managed;  /* app.kubernetes.io/managed-by: llmd-tracing */
	bool deleting; /* has a deletionTimestamp */
};

/* Reads the header. False when the bytes are no object with name and resourceVersion. */
bool project_header(struct piece object, struct header *ret_header);

/* Writes the projection; a broken object gives an empty buffer. */
void project_write(const struct resource *resource, struct piece object,
		   const struct header *header, struct buffer *out);

#endif
