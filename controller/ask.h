/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks at Services of a namespace: the metrics of its collector, the query API of its back
 * end, which may be elsewhere. Inside the cluster by the Service's name, outside of it through the API server's
 * proxy. And, inside only, one model server what it has served (inject/served.h), at its pod's
 * own address. Bounded in number, size and time, without credentials, redirects or proxies; what
 * may be called is the administrator's policy (inject/admin_policy.h).
 */
#ifndef LLMD_CONTROLLER_ASK_H
#define LLMD_CONTROLLER_ASK_H

#include "base/metrics.h"
#include "controller/proof.h"
#include "controller/view.h"
#include "k8sclient/client.h"

struct asker;

/* `turn`: as given to asker_send. */
typedef void (*asker_fn)(void *context, const char *namespace_name, unsigned long turn,
			 const struct proof_reply *reply);

/* All borrowed and outliving the asker. */
NODISCARD struct asker *asker_new(struct client *client, const struct operator_options *options,
				  struct metrics *metrics, asker_fn answered, void *context);
/* No answer comes any more. */
void asker_freep(struct asker **asker);

/* False: too many are under way. */
bool asker_may_send(const struct asker *asker);

struct asking {
	const char *service; /* of the namespace; for a whole URL a word for metrics */
	unsigned port;       /* 0: `path` is a whole URL */
	const char *path;    /* and query */
	const char *tenant;  /* X-Scope-OrgID; NULL: none */
	/*
	 * A Ready pod is looked for and asked instead: {component, image, endpoint, policies} as
	 * in served_want, and `pod`: the one that was asked before; NULL: not.
	 */
	const cJSON *engine;
};

/* What the policy forbids is answered from inside, everything else later. */
void asker_send(struct asker *asker, const char *namespace_name, const struct asking *asking,
		unsigned long turn);

#endif
