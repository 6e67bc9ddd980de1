/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of single settings values. Each takes the value, the path it stands at
 * ("spec.sampling.ratio") and gives STATUS_INVALID with "<path>: what is wrong; what to do".
 */
#ifndef LLMD_INJECT_SETTINGS_CHECK_H
#define LLMD_INJECT_SETTINGS_CHECK_H

#include <stdbool.h>

#include "base/error.h"

typedef enum status (*settings_check_fn)(const char *value, const char *path, struct error *err);

/* Text that goes into env or objects: not empty, no control characters, no "{{", no "$(". */
NODISCARD enum status settings_check_text(const char *value, const char *path, struct error *err);
/* What goes into OTEL_SERVICE_NAME: letters, digits and . _ / : - */
NODISCARD enum status settings_check_service_name(const char *value, const char *path,
						  struct error *err);
/* An image reference. */
NODISCARD enum status settings_check_image(const char *value, const char *path, struct error *err);
/* 0 to 1 as plain decimal. */
NODISCARD enum status settings_check_ratio(const char *value, const char *path, struct error *err);
/* Of a checked ratio: "1", "1.0", … */
bool ratio_is_one(const char *ratio);
/* A moment of RFC 3339 in UTC, to the second: "2026-01-31T18:00:00Z". */
NODISCARD enum status settings_check_time(const char *value, const char *path, struct error *err);
/* Only the sampler that every component honours (LLMD §8.13). */
NODISCARD enum status settings_check_sampler(const char *value, const char *path,
					     struct error *err);
/* all | model | worker | none. */
NODISCARD enum status settings_check_detailed(const char *value, const char *path,
					      struct error *err);
/* Always | IfNotPresent | Never. */
NODISCARD enum status settings_check_pull_policy(const char *value, const char *path,
						 struct error *err);
/* The name of an object: a DNS subdomain (RFC 1123). */
NODISCARD enum status settings_check_name(const char *value, const char *path, struct error *err);
NODISCARD enum status settings_check_mode(const char *value, const char *path, struct error *err);
/* One of the NULL-ended words. */
NODISCARD enum status settings_check_choice(const char *value, const char *const *words,
					    const char *path, struct error *err);
/* More than nothing: "10Gi". */
NODISCARD enum status settings_check_quantity(const char *value, const char *path,
					      struct error *err);
/* Whole hours or minutes: "72h". */
NODISCARD enum status settings_check_hours(const char *value, const char *path, struct error *err);
/* Milliseconds, seconds or minutes, up to an hour: "500ms", "5s". */
NODISCARD enum status settings_check_duration(const char *value, const char *path,
					      struct error *err);
/* A checked duration in milliseconds. */
long duration_ms(const char *value);
/* What may end a service name. */
NODISCARD enum status settings_check_suffix(const char *value, const char *path, struct error *err);
/* Letters, digits, '_', '-' and '.', as index prefixes, keyspaces and datacenters have them. */
NODISCARD enum status settings_check_word(const char *value, const char *path, struct error *err);
/* What may stand in X-Scope-OrgID: one tenant, or several with '|' between them. */
NODISCARD enum status settings_check_tenant(const char *value, const char *path, struct error *err);
/* An http(s) URL of safe characters; port and path may be absent. */
NODISCARD enum status settings_check_url(const char *value, const char *path, struct error *err);
/* The same with its port, so that what may be called is beyond doubt. */
NODISCARD enum status settings_check_query(const char *value, const char *path, struct error *err);
/* A host name or address, perhaps with ":port". */
NODISCARD enum status settings_check_host(const char *value, const char *path, struct error *err);
/* Dotted numbers: "0.23.0". */
NODISCARD enum status settings_check_version(const char *value, const char *path,
					     struct error *err);

/* The pieces of a checked endpoint: "http://host:4317". */
struct endpoint {
	bool tls;       /* https */
	char host[256]; /* without brackets */
	int port;
};

/* Takes a checked endpoint apart; false when it is not of that form. */
bool endpoint_split(const char *text, struct endpoint *ret_endpoint);

/*
 * The same of what settings_check_url or settings_check_host let pass: a path is left out
 * and an absent port is 80, 443, or 9042 where there is no scheme (Cassandra).
 */
bool server_split(const char *text, struct endpoint *ret_endpoint);

/*
 * True when a Service of type ExternalName can stand for it, so that pods keep
 * http://otel-collector:4317: plaintext (a certificate names another host), port 4317 (such
 * a Service cannot change it), and a full DNS name (a CNAME target is not searched for, and
 * an address is none). NAME.NAMESPACE.svc becomes full by the cluster's domain, where that is
 * known (else NULL). The name comes in ret_host.
 */
bool endpoint_external_name(const struct endpoint *endpoint, const char *cluster_domain,
			    char ret_host[256]);

#endif
