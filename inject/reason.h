/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons: one CamelCase word and one sentence each, the same in `explain`, Events,
 * conditions, metrics and docs/reasons.md (generated from the table in reason.c).
 */
#ifndef LLMD_INJECT_REASON_H
#define LLMD_INJECT_REASON_H

#include <stdbool.h>

enum reason {
	REASON_NONE = 0,
	/* injected */
	REASON_INJECTED,
	REASON_UNVERIFIED, /* injected; the tag tells no version */
	REASON_USER_SET,   /* everything is already set by the user: nothing to add */
	/* skipped: the container */
	REASON_NOT_A_COMPONENT, /* not a component of llm-d that we know */
	REASON_NEVER,           /* known program that must not get our flags */
	REASON_UNKNOWN_IMAGE,
	REASON_UNKNOWN_VERSION,
	REASON_ENGINE_TOO_OLD,
	REASON_NO_INSTRUMENTATION, /* accepts the flag, emits nothing */
	REASON_REFUSES_FLAG,       /* a rehearsal says so */
	REASON_LACKS_PACKAGES,     /* as well */
	REASON_NO_IMAGE,
	REASON_OPAQUE_COMMAND,
	REASON_OPAQUE_BASE,
	REASON_IMAGE_DEFAULT, /* no command, no args: adding args would replace the image's CMD */
	REASON_SDK_DISABLED,  /* user's OTEL_SDK_DISABLED=true */
	REASON_OVERRIDDEN,    /* override annotation or spec.images says none */
	REASON_BAD_OVERRIDE,  /* an override annotation whose value is not understood */
	REASON_COMPONENT_DISABLED, /* spec.components.X.enabled: false */
	REASON_CONFLICTING_USER_VALUE, /* what the user set cannot work with tracing (bad endpoint, split pair, …) */
	REASON_HIDDEN_ENV,    /* envFrom may hold OTEL_ names that cannot be seen */
	REASON_ORDINARY_INIT, /* init container that is not a native sidecar */
	REASON_REQUESTER,     /* FMA requester: server spec hides in an annotation */
	/* skipped: the object */
	REASON_OPTED_OUT,
	REASON_NOT_SELECTED,
	REASON_INJECTION_OFF, /* the Tracing itself says: nothing here */
	REASON_NOTHING_LEADS_HERE,
	REASON_NOT_A_WORKLOAD,
	REASON_OWNED,
	REASON_KSERVE_OWNED,
	REASON_UNKNOWN_OWNER,
	/* the ledger */
	REASON_REMOVED, /* taken back */
	REASON_PLAN_OUTDATED,
	REASON_LEDGER_NEWER,
	REASON_BAD_LEDGER,     /* the annotation cannot be read: nothing is touched */
	REASON_PARTLY_CHANGED, /* some of our entries were changed by the user and stay */
	/* the controller */
	REASON_CONFLICTING, /* undone twice by others within 24 h */
	REASON_SETTINGS_MISSING,
	REASON_BAD_SETTINGS,
	REASON_POLICY_DENIED,     /* the settings go beyond what the administrator allows */
	REASON_SECRET_NOT_USABLE, /* one that the settings name */
	REASON_BAD_SWITCH_VALUE,
	REASON_REMOVAL_PENDING,
	REASON_MASS_REMOVAL, /* too many namespaces lost the switch at a time */
	REASON_WAITING_FOR_COLLECTOR,
	REASON_REHEARSING,          /* its image is being tried in a pod of its own */
	REASON_WAITING_FOR_TURN,    /* others come before it */
	REASON_ROLLING_OUT,         /* its own pods are being replaced */
	REASON_WAITING_FOR_ROLLOUT, /* as many as may are being rolled out */
	REASON_WAITING_FOR_CANARY,  /* the smallest workload with its image has to work first */
	REASON_STALLED,             /* its rollout makes no progress */
	REASON_PAUSED_ON_FAILURE,   /* another one's does not */
	REASON_REPORT_ONLY,         /* spec.rollout.policy: Never */
	REASON_WAITING_FOR_CHANGE,  /* OnNextChange */
	REASON_WAITING_FOR_APPROVAL,
	REASON_WAITING_FOR_WINDOW,
	REASON_RIDES_LATE,            /* some pods had been replaced before our edit came */
	REASON_NO_CLUSTER_DNS,        /* spans could not reach the collector */
	REASON_EGRESS_BLOCKED,        /* a NetworkPolicy keeps them from it */
	REASON_MESH_BLOCKS_PLAINTEXT, /* a mesh does */
	REASON_WOULD_EMPTY_ROLE,      /* the capacity floor */
	REASON_WOULD_DEADLOCK,        /* a surge pod finds no place on any node */
	REASON_ALREADY_FAILING,       /* it did not come up before we touched it */
	REASON_GITOPS_OWNED,          /* on an accelerator, and a tool applies it from Git */
	REASON_NOT_COMING_UP,         /* its new pods fail, and that need not be our doing */
	REASON_REVERTED,              /* it crashed with tracing, which was taken back */
	REASON_IMAGE_REFUSED,         /* another workload with its image did */
	REASON_WAITING_FOR_PROOF,     /* its image is being tried in another namespace */
	REASON_ROUTING_GAP,           /* announced: its picker goes before the new one comes */
	REASON_UNDONE, /* undone by others: written again once their rollout is through */
	REASON_DENIED,
	REASON_DENIED_BY_POLICY, /* an admission policy or webhook did */
	REASON_REFUSED,          /* the API server found the write invalid */
	REASON_COUNT
};

struct reason_info {
	const char *word;    /* "OpaqueCommand" */
	const char *meaning; /* one sentence for people */
	const char *advice;  /* what to do about it; "" when nothing */
	bool warning;        /* Event type Warning */
};

/* Never NULL. */
const struct reason_info *reason_info(enum reason reason);

/* The reason of that word; REASON_NONE when there is none (NULL, or of another version). */
enum reason reason_find(const char *word);

#endif
