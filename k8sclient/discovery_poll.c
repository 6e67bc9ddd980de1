/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "k8sclient/client_internal.h"
#include "k8sclient/discovery.h"
#include "k8sclient/slice.h"
#include "k8sclient/watch.h"

#define ACCEPT_AGGREGATED                                                                          \
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                    \
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"               \
	"application/json"

enum { POLL_MS = 60000, RETRY_MS = 10000 };

/* After a CRD changed: it is served once it is Established, within a second or so. */
static const uint64_t burst_ms[] = {200, 1000, 3000, 10000};

struct discovery {
	struct client *client;
	const struct discovery_kind *kinds;
	size_t count;
	discovery_fn on_change;
	void *context;
	struct discovery_state *states; /* as told */
	struct discovery_state *round;  /* of the round under way */
	uv_timer_t *timer;              /* freed by its close callback */
	struct request *request;
	struct watch *crds;
	bool *listed; /* by kind: its CRD was in the list */
	size_t burst; /* index of the next delay; ARRAY_LEN: none */

	/* one by one, on servers without the aggregated form */
	size_t kind;
	const char *versions; /* those of kinds[kind] that are still to be asked for */
	bool unknown;         /* an error among them */

	bool cluster_scope;
	bool told;
	bool crds_watched; /* the watch works: no need to poll */
	bool again;        /* asked for while a round is under way */
};

static void ask(struct discovery *d);

static void on_timer(uv_timer_t *timer)
{
	ask(timer->data);
}

static void on_timer_closed(uv_handle_t *timer)
{
	free(timer);
}

static void wait_ms(struct discovery *d, uint64_t delay_ms)
{
	(void)uv_timer_start(d->timer, on_timer, delay_ms, 0);
}

static void schedule(struct discovery *d, bool failed)
{
	if (d->again) {
		d->again = false;
		wait_ms(d, 0);
	} else if (d->burst < ARRAY_LEN(burst_ms)) {
		wait_ms(d, burst_ms[d->burst++]);
	} else if (failed) {
		wait_ms(d, RETRY_MS);
	} else if (!d->cluster_scope || !d->crds_watched) {
		wait_ms(d, POLL_MS);
	}
}

static bool same(const struct discovery_state *a, const struct discovery_state *b)
{
	return a->answer == b->answer && strcmp(a->version, b->version) == 0;
}

static void round_done(struct discovery *d)
{
	bool changed = !d->told;
	for (size_t i = 0; i < d->count; i++) {
		if (d->round[i].answer == DISCOVERY_UNKNOWN || same(&d->round[i], &d->states[i]))
			continue;
		d->states[i] = d->round[i];
		changed = true;
	}
	d->told = true;
	schedule(d, false);
	if (changed)
		d->on_change(d->context, d->states);
}

/* The next version of kinds[d->kind], or of the next kind that is not settled. */
static bool next_question(struct discovery *d, struct buffer *path)
{
	for (; d->kind < d->count; d->kind++, d->versions = NULL, d->unknown = false) {
		const struct discovery_kind *kind = &d->kinds[d->kind];
		struct discovery_state *state = &d->round[d->kind];
		if (d->versions == NULL) {
			if (state->answer != DISCOVERY_UNKNOWN)
				continue;
			d->versions = kind->versions;
		}
		if (state->answer == DISCOVERY_SERVED)
			continue;
		size_t len = strcspn(d->versions, ",");
		if (len == 0) {
			state->answer = d->unknown ? DISCOVERY_UNKNOWN : DISCOVERY_ABSENT;
			continue;
		}
		buffer_addf(path, "/apis/%s/%.*s", kind->group, (int)len, d->versions);
		d->versions += len + (d->versions[len] == ',' ? 1 : 0);
		return true;
	}
	return false;
}

static void ask_one_by_one(struct discovery *d);

static void on_resources(void *context, const struct response *response)
{
	struct discovery *d = context;
	struct error err;
	enum discovery_document document;
	d->request = NULL;
	if (response->status != STATUS_NOT_FOUND &&
	    (response->status != STATUS_OK ||
	     discovery_read(response->body, response->body_len, d->kinds, d->count, d->round,
			    &document, &err) != STATUS_OK))
		d->unknown = true;
	ask_one_by_one(d);
}

static void ask_one_by_one(struct discovery *d)
{
	struct buffer path;
	buffer_init(&path, 512);
	if (next_question(d, &path)) {
		struct request_spec spec = {.method = "GET", .path = path.data};
		d->request = client_send(d->client, &spec, on_resources, d);
	} else {
		round_done(d);
	}
	buffer_release(&path);
}

static void on_apis(void *context, const struct response *response)
{
	struct discovery *d = context;
	struct error err = response->error;
	enum discovery_document document = DISCOVERY_RESOURCES;
	enum status status = response->status;
	d->request = NULL;
	if (status == STATUS_OK)
		status = discovery_read(response->body, response->body_len, d->kinds, d->count,
					d->round, &document, &err);
	if (status != STATUS_OK) {
		log_entry(d->client->log, LOG_WARN, "cannot tell which kinds are served", "error",
			  err.message, NULL);
		schedule(d, true);
	} else if (document == DISCOVERY_GROUPS) {
		d->kind = 0;
		d->versions = NULL;
		d->unknown = false;
		ask_one_by_one(d);
	} else {
		round_done(d);
	}
}

static void ask(struct discovery *d)
{
	struct request_spec spec = {.method = "GET", .path = "/apis", .accept = ACCEPT_AGGREGATED};
	if (d->request != NULL) {
		d->again = true;
		return;
	}
	memset(d->round, 0, d->count * sizeof(*d->round));
	d->request = client_send(d->client, &spec, on_apis, d);
}

static void burst(struct discovery *d)
{
	d->burst = 1;
	wait_ms(d, burst_ms[0]);
}

/* The kind whose CRD (named "<plural>.<group>") `object` is; false for CRDs of others. */
static bool find_kind(const struct discovery *d, const struct watch_event *event, size_t *ret_kind)
{
	struct slice object = {event->object, event->object_len};
	struct slice metadata;
	struct slice value;
	char name[256];
	if (!slice_member(object, "metadata", &metadata) ||
	    !slice_member(metadata, "name", &value) || !slice_string(value, name, sizeof(name)))
		return false;
	size_t plural = strcspn(name, ".");
	for (size_t i = 0; i < d->count; i++) {
		if (strlen(d->kinds[i].plural) == plural &&
		    strncmp(name, d->kinds[i].plural, plural) == 0 && name[plural] == '.' &&
		    strcmp(name + plural + 1, d->kinds[i].group) == 0) {
			*ret_kind = i;
			return true;
		}
	}
	return false;
}

/* Kinds that are not CRDs (apps, core) are never listed, and always served. */
static bool list_contradicts(const struct discovery *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->listed[i] && d->states[i].answer != DISCOVERY_SERVED)
			return true;
	return false;
}

static void on_crd(void *context, const struct watch_event *event)
{
	struct discovery *d = context;
	size_t kind = 0;
	switch (event->type) {
	case WATCH_LIST_BEGIN:
		memset(d->listed, 0, d->count * sizeof(*d->listed));
		break;
	case WATCH_LIST_ITEM:
		if (find_kind(d, event, &kind))
			d->listed[kind] = true;
		break;
	case WATCH_LIST_END:
		d->crds_watched = true;
		/* Also catches what was deleted while nobody watched. */
		if (d->told && list_contradicts(d))
			burst(d);
		else
			discovery_kick(d);
		break;
	case WATCH_PUT:
	case WATCH_DELETE:
		if (find_kind(d, event, &kind))
			burst(d);
		break;
	case WATCH_ABSENT:
	case WATCH_DENIED:
	case WATCH_TROUBLE:
		if (d->crds_watched)
			wait_ms(d, POLL_MS);
		d->crds_watched = false;
		break;
	case WATCH_ALIVE:
		d->crds_watched = true;
		break;
	case WATCH_LIST_ABORT:
		break;
	}
}

struct discovery *discovery_start(struct client *client, const struct discovery_kind *kinds,
				  size_t count, bool cluster_scope, discovery_fn on_change,
				  void *context)
{
	struct discovery *d = xcalloc(1, sizeof(*d));
	*d = (struct discovery){.client = client,
				.kinds = kinds,
				.count = count,
				.cluster_scope = cluster_scope,
				.on_change = on_change,
				.context = context,
				.states = xcalloc(count, sizeof(*d->states)),
				.round = xcalloc(count, sizeof(*d->round)),
				.listed = xcalloc(count, sizeof(*d->listed)),
				.burst = ARRAY_LEN(burst_ms),
				.timer = xcalloc(1, sizeof(*d->timer))};
	(void)uv_timer_init(client->loop, d->timer);
	d->timer->data = d;
	ask(d);
	if (cluster_scope) {
		struct watch_spec spec = {.api_version = "apiextensions.k8s.io/v1",
					  .plural = "customresourcedefinitions",
					  .metadata_only = true};
		d->crds = watch_start(client, &spec, on_crd, d);
	}
	return d;
}

void discovery_kick(struct discovery *d)
{
	wait_ms(d, 0);
}

void discovery_stop(struct discovery *d)
{
	if (d->request != NULL)
		request_cancel(d->request);
	if (d->crds != NULL)
		watch_stop(d->crds);
	uv_close((uv_handle_t *)d->timer, on_timer_closed);
	free(d->states);
	free(d->round);
	free(d->listed);
	free(d);
}
