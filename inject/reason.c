/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/reason.h"

#include <stddef.h>
#include <string.h>

/* The one table behind explain, Events, conditions, metrics and docs/reasons.md. */
static const struct reason_info reasons[REASON_COUNT] = {
    [REASON_NONE] = {"None", "Nothing to say about it.", "", false},
    [REASON_INJECTED] = {"Injected", "Tracing is turned on in this container.", "", false},
    [REASON_UNVERIFIED] =
	{"Unverified",
	 "Tracing is turned on, but the image reference tells no version that could be checked.",
	 "Name the version under spec.images to have it checked.", false},
    [REASON_USER_SET] = {"UserSet",
			 "Everything that tracing needs is already set by the user; nothing is "
			 "added.",
			 "", false},
    [REASON_NOT_A_COMPONENT] =
	{"NotAComponent",
	 "The container runs a program that is not a component of llm-d known to this operator.",
	 "If it is one, annotate tracing.llm-d.io/component.<container>.", false},
    [REASON_NEVER] = {"NeverInjected",
		      "The program is known not to accept tracing flags or to emit no spans.", "",
		      false},
    [REASON_UNKNOWN_IMAGE] =
	{"UnknownImage",
	 "Neither the image name nor the command line tells what the container runs.",
	 "Annotate tracing.llm-d.io/component.<container> or add the image to spec.images.", false},
    [REASON_UNKNOWN_VERSION] =
	{"UnknownVersion",
	 "The version cannot be told, and some versions of this program exit on the flag.",
	 "Name the version under spec.images.", true},
    [REASON_ENGINE_TOO_OLD] =
	{"EngineTooOld",
	 "This version of the engine crashes, downgrades itself or cannot trace when the flag is "
	 "given.",
	 "Upgrade the image, or name its true version under spec.images.", true},
    [REASON_NO_INSTRUMENTATION] = {"NoInstrumentation",
				   "This version emits no spans, so a restart would buy nothing.",
				   "Upgrade the image.", true},
    [REASON_REFUSES_FLAG] = {"RefusesFlag",
			     "A rehearsal showed that the image does not know the flag.",
			     "Upgrade the image, or name its true version under spec.images.",
			     true},
    [REASON_LACKS_PACKAGES] =
	{"LacksPackages",
	 "A rehearsal showed that the image lacks OpenTelemetry packages, without which the flag "
	 "crashes the engine.",
	 "Use an image with them, or name its true version under spec.images.", true},
    [REASON_NO_IMAGE] = {"NoImage", "The container names no image.", "Set the image.", true},
    [REASON_OPAQUE_COMMAND] =
	{"OpaqueCommand",
	 "Where the flag would have to go in this command line cannot be told with certainty.",
	 "Make the manual edit that the message prints.", true},
    [REASON_OPAQUE_BASE] =
	{"OpaqueBase",
	 "The ModelService's base configuration hides what the container runs, or would win over "
	 "an edit of the ModelService.",
	 "Make the edit in the base ConfigMap.", true},
    [REASON_IMAGE_DEFAULT] =
	{"ImageDefault",
	 "The container has neither command nor args; adding args would replace those of the "
	 "image.",
	 "Write the command line out in the manifest.", true},
    [REASON_SDK_DISABLED] = {"SdkDisabled",
			     "The user turned OpenTelemetry off with OTEL_SDK_DISABLED=true.", "",
			     false},
    [REASON_OVERRIDDEN] = {"Overridden", "An annotation or spec.images says none.", "", false},
    [REASON_BAD_OVERRIDE] =
	{"BadOverride", "An annotation of this operator holds a value that it does not know.",
	 "Use vllm, sglang, epp, routing-proxy or none; \"true\" or \"false\" for inject.", true},
    [REASON_COMPONENT_DISABLED] = {"ComponentDisabled", "spec.components turns this component off.",
				   "", false},
    [REASON_CONFLICTING_USER_VALUE] =
	{"ConflictingUserValue",
	 "What the user set for this container cannot work with what would be added.",
	 "Change or remove the value that the message names.", true},
    [REASON_HIDDEN_ENV] =
	{"HiddenEnvironment",
	 "envFrom may already set OTEL_ variables, which cannot be seen and would be overridden.",
	 "Write them under env, or annotate tracing.llm-d.io/component.<container> to say that "
	 "there are none.",
	 true},
    [REASON_ORDINARY_INIT] = {"OrdinaryInit", "An init container that ends before the pod serves.",
			      "", false},
    [REASON_REQUESTER] =
	{"Requester",
	 "A requester of fast model actuation: the server's pod hides in an annotation, which is "
	 "not edited.",
	 "Add the flags and variables to the server patch by hand.", true},
    [REASON_OPTED_OUT] = {"OptedOut", "tracing.llm-d.io/inject is \"false\".", "", false},
    [REASON_NOT_SELECTED] = {"NotSelected", "spec.selector leaves this workload out.", "", false},
    [REASON_INJECTION_OFF] = {"InjectionOff", "The Tracing says to inject nothing.", "", false},
    [REASON_NOTHING_LEADS_HERE] =
	{"NothingLeadsHere",
	 "No InferencePool, ModelService, llm-d label or annotation leads to this workload.",
	 "Annotate tracing.llm-d.io/inject: \"true\" if it serves llm-d.", false},
    [REASON_NOT_A_WORKLOAD] = {"NotAWorkload", "Not a kind whose pods can be traced.", "", false},
    [REASON_OWNED] = {"Owned", "Another object renders this one and is edited instead.", "", false},
    [REASON_KSERVE_OWNED] = {"KServeOwned", "KServe renders this object and would revert an edit.",
			     "Set on that object what the message says.", false},
    [REASON_UNKNOWN_OWNER] =
	{"UnknownOwner", "A controller of an unknown kind owns this object and may revert an edit.",
	 "Set on the owner what the message says.", true},
    [REASON_REMOVED] = {"Removed", "What was injected has been taken back.", "", false},
    [REASON_PLAN_OUTDATED] =
	{"PlanOutdated",
	 "Newer rules or defaults of the operator would change something; they wait for the "
	 "workload's next own change or for approval.",
	 "", false},
    [REASON_LEDGER_NEWER] = {"LedgerNewer",
			     "The injection was made by a newer operator and is left as it is.",
			     "Upgrade this operator.", true},
    [REASON_BAD_LEDGER] =
	{"BadLedger",
	 "The annotation tracing.llm-d.io/ledger cannot be read, so nothing is touched.",
	 "Restore the annotation, or remove it and the injected values by hand.", true},
    [REASON_PARTLY_CHANGED] =
	{"PartlyChanged",
	 "Some injected values were changed by the user since; those are now the user's and stay.",
	 "", false},
    [REASON_CONFLICTING] =
	{"Conflicting",
	 "Somebody else takes the injection away; it is not put in again, so that no pods restart "
	 "for nothing.",
	 "Put the printed values where the message says, or opt the workload out.", true},
    [REASON_SETTINGS_MISSING] =
	{"SettingsMissing",
	 "The Tracing cannot be read or is gone; nothing that is injected changes.", "", true},
    [REASON_BAD_SETTINGS] = {"BadSettings", "The Tracing holds a value that cannot be used.",
			     "Correct the field that the message names.", true},
    [REASON_POLICY_DENIED] =
	{"PolicyDenied",
	 "The Tracing asks for something that the administrator's policy does not allow; nothing "
	 "that is injected changes.",
	 "Choose a value that the message lists, or ask the administrator to allow it.", true},
    [REASON_SECRET_NOT_USABLE] =
	{"SecretNotUsable",
	 "The Tracing names a Secret that is not there or is not meant for it; nothing that is "
	 "injected changes.",
	 "Label the Secret tracing.llm-d.io/usable: \"true\" if it is meant for tracing.", true},
    [REASON_BAD_SWITCH_VALUE] = {"BadSwitchValue",
				 "tracing.llm-d.io/enabled is neither \"true\" nor \"false\".",
				 "Set it to \"true\" or \"false\".", true},
    [REASON_REMOVAL_PENDING] = {"RemovalPending",
				"The switch is gone; injection is removed after the grace period.",
				"", false},
    [REASON_MASS_REMOVAL] =
	{"MassRemoval",
	 "The switch went from several namespaces within minutes; nothing is taken back until "
	 "somebody says so.",
	 "Annotate the namespace tracing.llm-d.io/enabled: \"false\" to take back, \"true\" to "
	 "keep.",
	 true},
    [REASON_WAITING_FOR_COLLECTOR] = {"WaitingForCollector",
				      "Workloads are written only when the collector is available.",
				      "", false},
    [REASON_DENIED] = {"Denied", "The API server refused the write.",
		       "See its own words in the message.", true},
    [REASON_REHEARSING] =
	{"Rehearsing",
	 "A short pod without GPUs tries what this image makes of the flags, or a server of it is "
	 "asked for its version; nothing is written meanwhile.",
	 "", false},
    [REASON_WAITING_FOR_TURN] = {"WaitingForTurn", "Other workloads of the namespace come first.",
				 "", false},
    [REASON_ROLLING_OUT] = {"RollingOut",
			    "Its controller is replacing the pods by ones with the new template.",
			    "", false},
    [REASON_WAITING_FOR_ROLLOUT] =
	{"WaitingForRollout",
	 "As many workloads of the namespace as may at a time are being rolled out.",
	 "spec.rollout.maxConcurrent allows more.", false},
    [REASON_WAITING_FOR_CANARY] =
	{"WaitingForCanary",
	 "The smallest workload with the same images has to roll out before the others follow.", "",
	 false},
    [REASON_STALLED] =
	{"Stalled",
	 "The rollout of the write has made no progress for longer than its probes allow.",
	 "Look at its pods; annotate tracing.llm-d.io/inject: \"false\" to take the write back.",
	 true},
    [REASON_PAUSED_ON_FAILURE] =
	{"PausedOnFailure",
	 "The rollout of another workload of the namespace stalls, so no further one begins.",
	 "Mend or opt out the stalled one, or set spec.rollout.pauseOnFailure: false.", false},
    [REASON_REPORT_ONLY] = {"ReportOnly",
			    "spec.rollout.policy is Never: what would be done is only reported.",
			    "", false},
    [REASON_WAITING_FOR_CHANGE] =
	{"WaitingForChange",
	 "spec.rollout.policy is OnNextChange: the edit comes with the next change of the pod "
	 "template by somebody else.",
	 "", false},
    [REASON_WAITING_FOR_APPROVAL] =
	{"WaitingForApproval", "spec.rollout.policy is OnApproval: the edit waits for a person.",
	 "kubectl llmd-tracing approve shows the change and lets it through; it annotates the "
	 "workload tracing.llm-d.io/approve with the hash in the message.",
	 false},
    [REASON_WAITING_FOR_WINDOW] = {"WaitingForWindow",
				   "Restarts begin only within spec.rollout.window.", "", false},
    [REASON_RIDES_LATE] =
	{"RidesLate",
	 "The edit came after a change by somebody else; pods that had been replaced by then are "
	 "replaced once more.",
	 "", false},
    [REASON_NO_CLUSTER_DNS] =
	{"NoClusterDNS",
	 "The pods cannot resolve the collector's name, so a restart would buy nothing.",
	 "Set dnsPolicy: ClusterFirstWithHostNet in the pod template.", true},
    [REASON_EGRESS_BLOCKED] =
	{"EgressBlocked",
	 "A NetworkPolicy keeps the pods from the collector, so a restart would buy nothing.",
	 "Add the rule in the message to the policy that it names.", true},
    [REASON_MESH_BLOCKS_PLAINTEXT] =
	{"MeshBlocksPlaintext",
	 "The collector is in a mesh that takes no plaintext and the pods are outside of it, so a "
	 "restart would buy nothing.",
	 "Take one of the ways out in the message: the collector out of the mesh, the pods into "
	 "it, "
	 "or plaintext allowed at that port.",
	 true},
    [REASON_WOULD_EMPTY_ROLE] =
	{"WouldEmptyRole",
	 "Replacing the pods would leave fewer Ready servers of a pool's role than have to stay.",
	 "Add a replica, give it a strategy with maxSurge, or annotate "
	 "tracing.llm-d.io/accept-outage with the hash in the message.",
	 true},
    [REASON_WOULD_DEADLOCK] =
	{"WouldDeadlock",
	 "The strategy adds a pod before it takes one away, and no node has room for one more: the "
	 "rollout would wait for ever.",
	 "Set maxUnavailable: 1 until it is through, or spec.rollout.policy: OnNextChange. Where "
	 "nodes are added by themselves, annotate tracing.llm-d.io/accept-outage with the hash in "
	 "the message.",
	 true},
    [REASON_ALREADY_FAILING] =
	{"AlreadyFailing",
	 "The workload was not coming up before the operator touched it, and is left alone.",
	 "Mend it; tracing follows by itself.", true},
    [REASON_GITOPS_OWNED] =
	{"GitOpsOwned",
	 "Argo CD or Flux applies this workload and would put its own version back, a second "
	 "restart for nothing.",
	 "Put what the message prints into Git, or set spec.rollout.gitops: Patch.", true},
    [REASON_NOT_COMING_UP] =
	{"NotComingUp",
	 "Pods with the new template do not come up, and that need not be the operator's doing.",
	 "See the message; annotate tracing.llm-d.io/inject: \"false\" to take the write back.",
	 true},
    [REASON_REVERTED] =
	{"Reverted",
	 "A container with tracing ended before it was ever Ready, so the edit was taken back.",
	 "See the message. It is tried again when the image, the settings or the operator's "
	 "version change, or tracing.llm-d.io/retry gets another value.",
	 true},
    [REASON_IMAGE_REFUSED] =
	{"ImageRefused",
	 "Another workload with this image did not come up with tracing, so this one is not "
	 "touched.",
	 "See status.refusedImages; use another image, or annotate tracing.llm-d.io/retry to try "
	 "this one.",
	 true},
    [REASON_WAITING_FOR_PROOF] =
	{"WaitingForProof",
	 "A workload of another namespace is showing whether this image takes tracing.", "", false},
    [REASON_ROUTING_GAP] =
	{"RoutingGap",
	 "The endpoint picker goes before the new one comes: until that is Ready nobody picks "
	 "endpoints.",
	 "Give it a rolling strategy, or spec.rollout.window a time at which the gap does not "
	 "matter.",
	 true},
    [REASON_UNDONE] =
	{"Undone",
	 "Somebody else took the injection away; it is repaired once, after that rollout.",
	 "Put the printed values into the source of the manifest, or opt the workload out.", true},
    [REASON_DENIED_BY_POLICY] =
	{"DeniedByPolicy",
	 "An admission policy of the cluster refused the write; it is not tried again by itself.",
	 "Have the policy allow it, then give the workload's annotation tracing.llm-d.io/retry "
	 "another value.",
	 true},
    [REASON_REFUSED] = {"Refused", "The API server found the write invalid.",
			"See its own words in the message.", true},
};

const struct reason_info *reason_info(enum reason reason)
{
	unsigned row = (unsigned)reason;
	return &reasons[row < REASON_COUNT ? row : REASON_NONE];
}

enum reason reason_find(const char *word)
{
	for (int i = 0; word != NULL && i < REASON_COUNT; i++)
		if (strcmp(reasons[i].word, word) == 0)
			return (enum reason)i;
	return REASON_NONE;
}
