/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/settings_fields.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define AT(MEMBER) offsetof(struct settings, MEMBER)
#define OF(COMPONENT, MEMBER)                                                                      \
	(offsetof(struct settings, components) +                                                   \
	 (size_t)(COMPONENT) * sizeof(struct component_settings) +                                 \
	 offsetof(struct component_settings, MEMBER))
#define TEXT(PATH, OFFSET, CHECK)                                                                  \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_TEXT, .offset = (OFFSET), .check = (CHECK)        \
	}
#define WORD(PATH, CHECK)                                                                          \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_WORD, .check = (CHECK)                            \
	}
#define CHOICE(PATH, OFFSET, WORDS)                                                                \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_CHOICE, .offset = (OFFSET), .words = (WORDS)      \
	}
#define BOOL(PATH, OFFSET)                                                                         \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_BOOL, .offset = (OFFSET)                          \
	}
#define NUMBER(PATH, OFFSET, LOW, HIGH)                                                            \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_NUMBER, .offset = (OFFSET), .low = (LOW),         \
		.high = (HIGH)                                                                     \
	}
#define TREE(PATH, OFFSET, CHECK)                                                                  \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_TREE, .offset = (OFFSET), .check_tree = (CHECK)   \
	}
#define LIST(PATH, READ)                                                                           \
	{                                                                                          \
		.path = (PATH), .type = SETTINGS_LIST, .read_list = (READ)                         \
	}

/* NOLINTBEGIN(bugprone-macro-parentheses): literals are joined, members are named. */
/* How pods are made, below PATH. */
#define POD(PATH, POD)                                                                             \
	TEXT(PATH ".imagePullPolicy", AT(POD.pull_policy), settings_check_pull_policy),            \
	    TREE(PATH ".imagePullSecrets", AT(POD.pull_secrets), settings_check_pull_secrets),     \
	    TREE(PATH ".resources", AT(POD.resources), settings_check_resources),                  \
	    TREE(PATH ".nodeSelector", AT(POD.node_selector), settings_check_labels),              \
	    TREE(PATH ".tolerations", AT(POD.tolerations), settings_check_tolerations),            \
	    TREE(PATH ".affinity", AT(POD.affinity), settings_check_affinity),                     \
	    TEXT(PATH ".priorityClassName", AT(POD.priority_class), settings_check_name),          \
	    TEXT(PATH ".serviceAccountName", AT(POD.service_account), settings_check_name),        \
	    TREE(PATH ".labels", AT(POD.labels), settings_check_pod_labels),                       \
	    TREE(PATH ".annotations", AT(POD.annotations), settings_check_annotations)

/* A connection's TLS, below PATH. */
#define TLS(PATH, MEMBER)                                                                          \
	BOOL(PATH ".insecureSkipVerify", AT(MEMBER.skip_verify)),                                  \
	    TREE(PATH ".caFrom", AT(MEMBER.ca), settings_check_secret_key),                        \
	    TREE(PATH ".certFrom", AT(MEMBER.cert), settings_check_secret_key),                    \
	    TREE(PATH ".keyFrom", AT(MEMBER.key), settings_check_secret_key)
/* NOLINTEND(bugprone-macro-parentheses) */

/* In the order of the enums of settings.h. */
static const char *const where_words[] = {"Root", "Pods", "Collector", NULL};
static const char *const backend_words[] = {"Jaeger", "OTLP", NULL};
static const char *const storage_words[] = {"Memory",     "Badger",    "Elasticsearch",
					    "OpenSearch", "Cassandra", NULL};
static const char *const query_words[] = {"Jaeger", "Tempo", NULL};
static const char *const protocol_words[] = {"grpc", "http", NULL};

const char *sampling_where_name(enum sampling_where where)
{
	return where_words[where];
}

const struct settings_field settings_fields[] = {
    BOOL("enabled", AT(enabled)),
    LIST("selector.pools", settings_read_pools),
    TREE("selector.matchLabels", AT(match_labels), settings_check_labels),
    TEXT("sampling.sampler", AT(sampler), settings_check_sampler),
    TEXT("sampling.ratio", AT(ratio), settings_check_ratio),
    CHOICE("sampling.where", AT(where), where_words),
    NUMBER("sampling.maxSpansPerSecond", AT(max_spans_per_second), 1, 1000000),
    TEXT("sampling.boost.ratio", AT(boost.ratio), settings_check_ratio),
    TEXT("sampling.boost.until", AT(boost.until), settings_check_time),
    WORD("collector.mode", settings_check_mode),
    TEXT("collector.endpoint", AT(collector_endpoint), settings_check_endpoint),
    TEXT("collector.image", AT(collector_image), settings_check_image),
    NUMBER("collector.replicas", AT(collector_replicas), 1, 50),
    BOOL("collector.spanMetrics", AT(collector_span_metrics)),
    TEXT("collector.tailSampling.ratio", AT(tail.ratio), settings_check_ratio),
    BOOL("collector.tailSampling.errors", AT(tail.errors)),
    TEXT("collector.tailSampling.slowerThan", AT(tail.slower_than), settings_check_duration),
    TEXT("collector.tailSampling.wait", AT(tail.wait), settings_check_duration),
    POD("collector", collector_pod),
    TEXT("identity.cluster", AT(identity.cluster), settings_check_word),
    TEXT("identity.environment", AT(identity.environment), settings_check_word),
    TEXT("identity.serviceNameSuffix", AT(identity.suffix), settings_check_suffix),
    CHOICE("backend.type", AT(backend), backend_words),
    TEXT("backend.jaeger.image", AT(jaeger_image), settings_check_image),
    NUMBER("backend.jaeger.maxTraces", AT(jaeger_max_traces), 100, 10000000),
    POD("backend.jaeger", jaeger_pod),
    CHOICE("backend.jaeger.storage.type", AT(storage.type), storage_words),
    BOOL("backend.jaeger.storage.retain", AT(storage.retain)),
    TEXT("backend.jaeger.storage.size", AT(storage.size), settings_check_quantity),
    TEXT("backend.jaeger.storage.storageClassName", AT(storage.storage_class), settings_check_name),
    TEXT("backend.jaeger.storage.existingClaim", AT(storage.existing_claim), settings_check_name),
    TEXT("backend.jaeger.storage.ttl", AT(storage.ttl), settings_check_hours),
    NUMBER("backend.jaeger.storage.fsGroup", AT(storage.fs_group), 0, 2147483647),
    TREE("backend.jaeger.storage.servers", AT(storage.servers), settings_check_servers),
    TEXT("backend.jaeger.storage.credentialsFrom", AT(storage.credentials), settings_check_name),
    TEXT("backend.jaeger.storage.indexPrefix", AT(storage.index_prefix), settings_check_word),
    TEXT("backend.jaeger.storage.keyspace", AT(storage.keyspace), settings_check_word),
    TEXT("backend.jaeger.storage.datacenter", AT(storage.datacenter), settings_check_word),
    TLS("backend.jaeger.storage.tls", storage.tls),
    TEXT("backend.otlp.endpoint", AT(otlp_endpoint), settings_check_url),
    CHOICE("backend.otlp.protocol", AT(otlp_protocol), protocol_words),
    TEXT("backend.otlp.tenant", AT(otlp_tenant), settings_check_tenant),
    TREE("backend.otlp.headersFrom", AT(otlp_headers), settings_check_headers),
    TLS("backend.otlp.tls", otlp_tls),
    CHOICE("backend.otlp.query.type", AT(otlp_query.type), query_words),
    TEXT("backend.otlp.query.endpoint", AT(otlp_query.endpoint), settings_check_query),
    BOOL("components.vllm.enabled", OF(COMPONENT_VLLM, enabled)),
    WORD("components.vllm.detailedTraces", settings_check_detailed),
    TEXT("components.vllm.serviceNames.prefill", OF(COMPONENT_VLLM, service_name_prefill),
	 settings_check_service_name),
    TEXT("components.vllm.serviceNames.decode", OF(COMPONENT_VLLM, service_name_decode),
	 settings_check_service_name),
    TEXT("components.vllm.serviceNames.default", OF(COMPONENT_VLLM, service_name),
	 settings_check_service_name),
    BOOL("components.sglang.enabled", OF(COMPONENT_SGLANG, enabled)),
    BOOL("components.epp.enabled", OF(COMPONENT_EPP, enabled)),
    TEXT("components.epp.serviceName", OF(COMPONENT_EPP, service_name),
	 settings_check_service_name),
    BOOL("components.routingProxy.enabled", OF(COMPONENT_ROUTING_PROXY, enabled)),
    TEXT("components.routingProxy.serviceName", OF(COMPONENT_ROUTING_PROXY, service_name),
	 settings_check_service_name),
    LIST("images", settings_read_images),
    BOOL("privacy.dropContent", AT(drop_content)),
    TEXT("rollout.policy", AT(rollout.policy), settings_check_rollout_policy),
    TEXT("rollout.gitops", AT(rollout.gitops), settings_check_gitops),
    TEXT("rollout.rehearse", AT(rollout.rehearse), settings_check_rehearse),
    NUMBER("rollout.maxConcurrent", AT(rollout.max_concurrent), 1, 100),
    BOOL("rollout.pauseOnFailure", AT(rollout.pause_on_failure)),
    BOOL("rollout.allowStrategyOverride", AT(rollout.allow_strategy_override)),
    TREE("rollout.minReadyPerRole", AT(rollout.min_ready), settings_check_min_ready),
    TREE("rollout.window.days", AT(rollout.window_days), settings_check_window_days),
    TEXT("rollout.window.hours", AT(rollout.window_hours), settings_check_window_hours),
    TEXT("rollout.window.timeZone", AT(rollout.window_zone), settings_check_window_zone),
};
const size_t settings_field_count = ARRAY_LEN(settings_fields);

/* What people may look for, and where it is instead. */
static const struct {
	const char *path;
	const char *instead;
} hints[] = {
    {"components.sglang.serviceName", "SGLang's service name is fixed"},
    {"components.sglang.serviceNames", "SGLang's service name is fixed"},
    {"components.sglang.detailedTraces", "SGLang has no such option and would exit"},
    {"components.vllm.serviceName",
     "vLLM's names go by role; use spec.components.vllm.serviceNames.default"},
    {"backend.otlp.tls.insecure", "the endpoint's scheme says it: http is plaintext, https is TLS"},
    {"backend.otlp.insecure", "the endpoint's scheme says it: http is plaintext, https is TLS"},
    {"sampling.samplerArg", "use spec.sampling.ratio"},
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How far two names are apart, letters' case aside: for "did you mean". */
static size_t distance(const char *a, const char *b)
{
	enum { LONGEST = 96 };
	size_t row[LONGEST + 1];
	size_t len = strlen(b);
	if (strlen(a) > LONGEST || len > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t same = strncasecmp(&a[i - 1], &b[j - 1], 1) == 0 ? 0 : 1;
			size_t best = least(diagonal + same, least(row[j], row[j - 1]) + 1);
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[len];
}

/* The known path, or inner part of one, that is nearest to `path`; "" when none is near. */
static void nearest_path(const char *path, char *best, size_t size)
{
	size_t nearest = 4;
	best[0] = '\0';
	for (size_t i = 0; i < settings_field_count; i++) {
		const char *known = settings_fields[i].path;
		for (size_t len = strcspn(known, ".");; len += 1 + strcspn(known + len + 1, ".")) {
			char part[96];
			(void)snprintf(part, sizeof(part), "%.*s", (int)len, known);
			size_t away = distance(path, part);
			if (away < nearest) {
				nearest = away;
				(void)snprintf(best, size, "%s", part);
			}
			if (known[len] == '\0')
				break;
		}
	}
}

static enum status unknown_field(const char *path, struct error *err)
{
	char best[96];
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (strcmp(path, hints[i].path) == 0)
			return error_set(err, STATUS_INVALID, "spec.%s: no such field; %s", path,
					 hints[i].instead);
	nearest_path(path, best, sizeof(best));
	if (best[0] != '\0')
		return error_set(err, STATUS_INVALID,
				 "spec.%s: no such field; did you mean spec.%s?", path, best);
	return error_set(err, STATUS_INVALID, "spec.%s: no such field; see docs/tracing-api.md",
			 path);
}

/* Exactly a field, or the way to one. */
static bool is_known(const char *path, bool *ret_inner)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < settings_field_count; i++) {
		const char *known = settings_fields[i].path;
		if (strncmp(known, path, len) != 0 || (known[len] != '\0' && known[len] != '.'))
			continue;
		*ret_inner = known[len] == '.';
		return true;
	}
	return false;
}

static enum status check_members(const cJSON *node, const char *path, struct error *err)
{
	for (const cJSON *child = node->child; child != NULL; child = child->next) {
		bool inner = false;
		char *below CLEANUP(str_freep) =
		    xasprintf("%s%s%s", path, *path == '\0' ? "" : ".", child->string);
		if (!is_known(below, &inner))
			return unknown_field(below, err);
		if (!inner || cJSON_IsNull(child))
			continue;
		if (!cJSON_IsObject(child))
			return error_set(err, STATUS_INVALID, "spec.%s: must be an object", below);
		if (check_members(child, below, err) != STATUS_OK)
			return STATUS_INVALID;
	}
	return STATUS_OK;
}

enum status settings_check_known(const cJSON *spec, struct error *err)
{
	return check_members(spec, "", err);
}
