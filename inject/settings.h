/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user asked for: the `spec` of a Tracing (tracing.llm-d.io/v1alpha1), read
 * over the operator's defaults into a plain value. Reading validates everything that
 * the CRD's schema validates too, since files for the CLI pass no API server.
 */
#ifndef LLMD_INJECT_SETTINGS_H
#define LLMD_INJECT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/component.h"

#define TRACING_GROUP                  "tracing.llm-d.io"
#define TRACING_API_VERSION            "tracing.llm-d.io/v1alpha1"
#define TRACING_KIND                   "Tracing"
#define TRACING_NAME                   "llm-d"
#define ANNOTATION_ENABLED             "tracing.llm-d.io/enabled"
#define ANNOTATION_INJECT              "tracing.llm-d.io/inject"
#define ANNOTATION_LEDGER              "tracing.llm-d.io/ledger"
#define ANNOTATION_STRATEGY            "tracing.llm-d.io/strategy"
#define ANNOTATION_COMPONENT_PREFIX    "tracing.llm-d.io/component."
#define ANNOTATION_SERVICE_NAME_PREFIX "tracing.llm-d.io/service-name."
/* On a workload: a person's word, by the hash of the plan that it is about. */
#define ANNOTATION_APPROVE       "tracing.llm-d.io/approve"
#define ANNOTATION_ACCEPT_OUTAGE "tracing.llm-d.io/accept-outage"
#define LABEL_MANAGED_BY         "app.kubernetes.io/managed-by"
#define MANAGED_BY               "llmd-tracing"
#define FIELD_MANAGER            "llmd-tracing"
#define DEFAULT_ENDPOINT         "http://otel-collector:4317"
/* The versions that the tests run (docs/decisions/0030). */
#define DEFAULT_COLLECTOR_IMAGE                                                                    \
	"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:" \
	"0.158.0"
#define DEFAULT_JAEGER_IMAGE "jaegertracing/jaeger:2.13.0"

enum collector_mode {
	COLLECTOR_AUTO,
	COLLECTOR_DEPLOYMENT,
	COLLECTOR_CR, /* "OpenTelemetryCollector" */
	COLLECTOR_SHARED,
	COLLECTOR_EXTERNAL,
};

/* spec.sampling.where: who decides which requests are traced. */
enum sampling_where {
	SAMPLING_ROOT, /* the EPP, where a request's first span is made; all others follow it */
	SAMPLING_PODS, /* every component for itself */
	SAMPLING_COLLECTOR, /* the collector, of everything */
};

/* spec.sampling.boost: another ratio for a while. */
struct boost_settings {
	char *ratio; /* NULL: none */
	char *until; /* RFC 3339, UTC */
	bool active; /* not read but set by who has a clock */
};

enum backend_type { BACKEND_JAEGER, BACKEND_OTLP };
enum query_type { QUERY_JAEGER, QUERY_TEMPO };

/* spec.backend.otlp.query: who can be asked for the spans that were sent. */
struct query_settings {
	enum query_type type;
	char *endpoint; /* base URL with port; NULL: nobody */
};

/* Where Jaeger keeps traces. */
enum storage_type {
	STORAGE_MEMORY,
	STORAGE_BADGER, /* files on a volume */
	STORAGE_ELASTICSEARCH,
	STORAGE_OPENSEARCH,
	STORAGE_CASSANDRA,
};

enum otlp_protocol { OTLP_GRPC, OTLP_HTTP };

/* An override of the gate table: images whose reference matches `match` (a glob over the whole reference). */
struct image_override {
	char *match;
	enum component component; /* COMPONENT_NONE with has_component: never inject */
	bool has_component;
	char *version; /* "0.23.0" or NULL: as the table says */
};

/* How the pods of the collector or of Jaeger are made, beyond their image. NULL: the operator's choice. */
struct pod_settings {
	char *pull_policy;
	cJSON *pull_secrets; /* [{name}] */
	cJSON *resources;    /* instead of ours as a whole, like all of these */
	cJSON *node_selector;
	cJSON *tolerations;
	cJSON *affinity;
	char *priority_class;
	char *service_account;
	cJSON *labels;      /* besides ours */
	cJSON *annotations; /* besides ours */
};

/* Of a connection to a back end. The three are {name, key} of a Secret in this namespace, or NULL. */
struct tls_settings {
	bool skip_verify;
	cJSON *ca;
	cJSON *cert;
	cJSON *key;
};

/* spec.backend.jaeger.storage; what is not of its type is not looked at. */
struct storage_settings {
	enum storage_type type;
	bool retain; /* the volume outlives the tracing of the namespace */
	char *size;
	char *storage_class;  /* NULL: the cluster's default */
	char *existing_claim; /* NULL: one of ours */
	char *ttl;            /* how long Badger keeps spans, "72h" */
	long fs_group;        /* 0: none, as OpenShift wants it */
	cJSON *servers;       /* URLs, for Cassandra hosts */
	char *credentials;    /* Secret with username and password, or NULL */
	char *index_prefix;
	char *keyspace;
	char *datacenter;
	struct tls_settings tls;
};

/* spec.collector.tailSampling: which whole traces are sent on. */
struct tail_settings {
	char *ratio;       /* of those that nothing else keeps; NULL: all are sent on */
	bool errors;       /* keep those with an error */
	char *slower_than; /* keep those that took longer; "5s", or NULL */
	char *wait;        /* for a trace's other spans; "60s" */
};

/* spec.identity: what tells the spans of this namespace from others' in the same back end. */
struct identity_settings {
	char *cluster;
	char *environment;
	char *suffix; /* of service names */
};

/* Per component: what the plan needs. */
struct component_settings {
	bool enabled;
	char *service_name;         /* NULL: by role and image family (DESIGN §4.8) */
	char *service_name_prefill; /* vLLM only; NULL: default */
	char *service_name_decode;
};

/* spec.rollout. */
#define ROLLOUT_IMMEDIATE      "Immediate"
#define ROLLOUT_ON_NEXT_CHANGE "OnNextChange"
#define ROLLOUT_ON_APPROVAL    "OnApproval"
#define ROLLOUT_NEVER          "Never"

/* spec.rollout.gitops: of workloads on accelerators that a tool applies from Git. */
#define GITOPS_LEAVE_ALONE "LeaveAlone"
#define GITOPS_PATCH       "Patch"

/* spec.rollout.rehearse: where the operator may make pods. */
#define REHEARSE_AUTO "Auto"
#define REHEARSE_OFF  "Off"

struct rollout_settings {
	char *policy;        /* one of the above */
	char *gitops;        /* one of the above */
	char *rehearse;      /* as well */
	long max_concurrent; /* workloads of the namespace whose pods are replaced at a time */
	bool pause_on_failure;
	bool allow_strategy_override; /* maxUnavailable: 1 for a rollout that needs it */
	cJSON *min_ready;   /* number or share of a role's replicas that stay Ready; NULL: 1 */
	cJSON *window_days; /* inject/window.h; NULL: every day */
	char *window_hours; /* NULL: the whole day */
	char *window_zone;  /* NULL: UTC */
};

struct settings {
	/* everything that ends up in pods */
	char *endpoint; /* literal for args and env, e.g. "http://otel-collector:4317" */
	char *sampler;  /* "parentbased_traceidratio" */
	char *ratio;    /* plain decimal, 0..1, as written, e.g. "1.0" */
	enum sampling_where where;
	struct boost_settings boost;
	char *detailed; /* "all" | "model" | "worker"; NULL: no --collect-detailed-traces */
	struct component_settings components[COMPONENT_COUNT];
	struct image_override *images;
	size_t image_count;
	bool enabled;       /* as said; what it means is the controller's to know (view.c) */
	bool injection_off; /* the Tracing itself says: take injection back */

	/* of Services ("cluster.local"); NULL: not known. Found out, not said by anybody. */
	char *cluster_domain;

	/* whom it applies to; NULL arrays: everything DESIGN §6 finds */
	char **pools;
	size_t pool_count;
	cJSON *match_labels; /* object or NULL */

	/* collector and back end (inject/objects.h) */
	enum collector_mode collector_mode;
	char *collector_endpoint; /* Shared and External: where the collector is */
	char *collector_image;
	long collector_replicas;
	bool collector_span_metrics;
	long max_spans_per_second; /* that are sent on, by all collectors together; 0: no limit */
	struct tail_settings tail;
	struct identity_settings identity;
	struct pod_settings collector_pod;
	enum backend_type backend;
	char *jaeger_image;
	long jaeger_max_traces;
	struct pod_settings jaeger_pod;
	struct storage_settings storage;
	char *otlp_endpoint; /* back end of type OTLP */
	enum otlp_protocol otlp_protocol;
	char *otlp_tenant;   /* X-Scope-OrgID, or NULL */
	cJSON *otlp_headers; /* [{header, name, key}] of Secrets, or NULL */
	struct tls_settings otlp_tls;
	struct query_settings otlp_query;
	bool drop_content; /* privacy.dropContent */

	/* how workloads are restarted; nothing of it ends up in pods */
	struct rollout_settings rollout;
};

/* As in spec.collector.mode. Never NULL. */
const char *collector_mode_name(enum collector_mode mode);

/* As in spec.sampling.where. */
const char *sampling_where_name(enum sampling_where where);

/* The ratio that holds now: of the boost while that is active, of the tail sampling where it decides. Borrowed. */
const char *settings_ratio(const struct settings *settings);

/* False for Shared and External: the collector is not ours, and nothing is done in it. */
bool settings_has_collector(const struct settings *settings);

/* The operator's defaults (static facts; images are the versions the tests run). */
void settings_init_defaults(struct settings *settings);

/*
 * Reads a Tracing object (whole object or NULL) over `defaults` (NULL: the built-in
 * ones). STATUS_INVALID names object, path and what to do:
 * "Tracing llm-d/llm-d: spec.sampling.ratio: …".
 */
NODISCARD enum status settings_read(const cJSON *tracing, const struct settings *defaults,
				    struct settings *ret_settings, struct error *err);

void settings_release(struct settings *settings);

/*
 * Hash (16 hex digits, NUL-terminated) over what ends up in pods *and was said by the user*
 * (fields present in the Tracing's spec), so that a changed operator default gives the same hash
 * (DESIGN §4.6, pinned plans). What is the collector's (maxSpansPerSecond, the ratio where it
 * samples) is no part of it, nor is the boost, which has its time. `tracing` may be NULL.
 */
void settings_user_hash(const cJSON *tracing, char ret_hash[17]);

/*
 * The same for an object none of whose containers has the ratio of the settings, since others
 * decide before them (inject/sampling.h): without that ratio, and never equal to the hash above.
 */
void settings_led_hash(const cJSON *tracing, char ret_hash[17]);

/* A Secret that a Tracing names, and where. */
struct secret_use {
	const char *name; /* borrowed from the Tracing */
	char path[96];    /* "spec.backend.otlp.headersFrom[0]" */
};
#define SECRET_USES_MAX 96

/*
 * The Secrets that a Tracing's spec names, in the order of its fields; `tracing` may be
 * NULL and need not be valid. What the operator's defaults name is not among them: the
 * administrator said that. Returns how many.
 */
size_t settings_secrets(const cJSON *tracing, struct secret_use ret_uses[SECRET_USES_MAX]);

/* Checks an OTLP gRPC endpoint: absolute http(s) URL, port present, not 4318, safe characters. `path` goes into the message. */
NODISCARD enum status settings_check_endpoint(const char *endpoint, const char *path,
					      struct error *err);

#endif
