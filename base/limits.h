/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ceiling of the project. malloc failure aborts, so nothing that is fed from
 * outside may grow without one of these.
 */
#ifndef LLMD_BASE_LIMITS_H
#define LLMD_BASE_LIMITS_H

#define KIB(n) ((size_t)(n)*1024U)
#define MIB(n) ((size_t)(n)*1024U * 1024U)

#define LIMIT_STREAM_BYTES      MIB(16)  /* one input of the command line (DESIGN §4.9) */
#define LIMIT_DOCUMENT_BYTES    MIB(4)   /* one YAML or JSON document of it */
#define LIMIT_WATCH_FRAME_BYTES MIB(16)  /* one watch event or list item, as client-go */
#define LIMIT_BODY_BYTES        MIB(64)  /* a whole non-streamed API answer */
#define LIMIT_REQUEST_BYTES     MIB(3)   /* the API server refuses more */
#define LIMIT_LEDGER_BYTES      KIB(128) /* of the 256 KiB that annotations may have */
#define LIMIT_SCRIPT_BYTES      KIB(256) /* one shell script inside a container's command */
#define LIMIT_KUBECONFIG_BYTES  MIB(1)
#define LIMIT_TOKEN_BYTES       KIB(64)
#define LIMIT_HTTP_HEADER_BYTES KIB(64)
#define LIMIT_METRICS_BYTES     MIB(1)
#define LIMIT_LOG_LINE_BYTES    KIB(16) /* a longer entry loses its tail */

enum {
	LIMIT_JSON_DEPTH = 128,            /* nesting; Kubernetes schemas stay far below */
	LIMIT_YAML_DEPTH = 64,             /* libyaml 0.2.5 is quadratic in flow depth */
	LIMIT_YAML_NODES = 400000,         /* nodes of one document, aliases expanded */
	LIMIT_YAML_STREAM_NODES = 1600000, /* of all documents of one input */
	LIMIT_NODES_PER_DOCUMENT = 400000,
	LIMIT_STATUS_WORKLOADS = 200, /* rows of status.workloads */
	LIMIT_STATUS_REFUSED = 32,    /* rows of status.refusedImages */
	LIMIT_LOOKOUTS = 200,         /* watches of pods of workloads under rollout */
	LIMIT_PODS_SEEN = 64,         /* pods of one workload that are not Ready */
};

#endif
