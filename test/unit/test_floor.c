/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/yaml.h"
#include "controller/roster.h"

#define DEPLOYMENT(SPEC, AVAILABLE)                                                                \
	"{kind: Deployment, metadata: {name: w}, spec: {template: {spec: {}}, " SPEC               \
	"}, status: {availableReplicas: " AVAILABLE "}}"
#define STATEFULSET(SPEC, READY)                                                                   \
	"{kind: StatefulSet, metadata: {name: w}, spec: {template: {spec: {}}, " SPEC              \
	"}, status: {readyReplicas: " READY "}}"
#define LWS(SPEC, READY)                                                                           \
	"{kind: LeaderWorkerSet, metadata: {name: w}, spec: {leaderWorkerTemplate: {size: 2, "     \
	"workerTemplate: {spec: {}}}, " SPEC "}, status: {readyReplicas: " READY "}}"
#define ROLE(NAME, REPLICAS)                                                                       \
	"{name: " NAME ", spec: {replicas: " REPLICAS                                              \
	", leaderWorkerTemplate: {workerTemplate: {spec: {}}}}}"
#define SET(PREFILL, DECODE)                                                                       \
	"{kind: DisaggregatedSet, metadata: {name: w}, spec: {roles: [" ROLE(                      \
	    "prefill",                                                                             \
	    PREFILL) ", " ROLE("decode", DECODE) "]}, status: {roleStatuses: [{name: prefill, "    \
						 "readyReplicas: " PREFILL                         \
						 "}, {name: decode, readyReplicas: " DECODE "}]}}"

static const struct {
	const char *what;
	const char *object;
	bool epp, fail_close;
	long others;           /* Ready servers of the same role elsewhere */
	const char *min_ready; /* JSON, or NULL */
	const char *words;     /* begin of; NULL: the floor holds */
} table[] = {
    {"a surge pod stands in", DEPLOYMENT("replicas: 1", "1"), 0, 0, 0, NULL, NULL},
    {"one replica that goes first",
     DEPLOYMENT("replicas: 1, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", "1"), 0,
     0, 0, NULL, "by its own strategy 0 of 1 Ready decode servers would be left"},
    {"two of them", DEPLOYMENT("replicas: 2, strategy: {rollingUpdate: {maxSurge: 0}}", "2"), 0, 0,
     0, NULL, NULL},
    {"two, one of which is not ready",
     DEPLOYMENT("replicas: 2, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 2}}", "1"), 0,
     0, 0, NULL, "by its own strategy 0 of 1 Ready"},
    {"Recreate", DEPLOYMENT("replicas: 4, strategy: {type: Recreate}", "4"), 0, 0, 0, NULL,
     "by its own strategy 0 of 4 Ready"},
    {"Recreate beside others of the role",
     DEPLOYMENT("replicas: 4, strategy: {type: Recreate}", "4"), 0, 0, 1, NULL, NULL},
    {"Recreate: the floor is switched off",
     DEPLOYMENT("replicas: 4, strategy: {type: Recreate}", "4"), 0, 0, 0, "0", NULL},
    {"nothing is Ready: nothing is lost",
     DEPLOYMENT("replicas: 1, strategy: {type: Recreate}", "0"), 0, 0, 0, NULL, NULL},
    {"half has to stay",
     DEPLOYMENT("replicas: 4, strategy: {rollingUpdate: {maxUnavailable: 3}}", "4"), 0, 0, 0,
     "\"50%\"",
     "by its own strategy 1 of 4 Ready decode servers would be left while its pods are "
     "replaced, and 2 have to stay"},
    {"half of all", DEPLOYMENT("replicas: 4, strategy: {rollingUpdate: {maxUnavailable: 3}}", "4"),
     0, 0, 4, "\"50%\"", NULL},
    {"below it anyway, and nothing taken away", DEPLOYMENT("replicas: 2", "2"), 0, 0, 0, "5", NULL},
    {"StatefulSet of one", STATEFULSET("replicas: 1", "1"), 0, 0, 0, NULL,
     "by its own strategy 0 of 1"},
    {"StatefulSet of one, OnDelete",
     STATEFULSET("replicas: 1, updateStrategy: {type: OnDelete}", "1"), 0, 0, 0, NULL, NULL},
    {"LeaderWorkerSet of one: its default takes the group away", LWS("replicas: 1", "1"), 0, 0, 0,
     NULL, "by its own strategy 0 of 1"},
    {"LeaderWorkerSet of two", LWS("replicas: 2", "2"), 0, 0, 0, NULL, NULL},
    {"LeaderWorkerSet with a surge group",
     LWS("replicas: 1, rolloutStrategy: {rollingUpdateConfiguration: {maxSurge: 1, maxUnavailable: "
	 "0}}",
	 "1"),
     0, 0, 0, NULL, NULL},
    {"DisaggregatedSet: one role is alone", SET("1", "2"), 0, 0, 0, NULL,
     "by its own strategy 0 of 1 Ready prefill servers"},
    {"DisaggregatedSet: two of each", SET("2", "2"), 0, 0, 0, NULL, NULL},
    {"no replicas", DEPLOYMENT("replicas: 0, strategy: {type: Recreate}", "0"), 0, 0, 0, NULL,
     NULL},
    {"the picker of a FailOpen pool", DEPLOYMENT("replicas: 1, strategy: {type: Recreate}", "1"), 1,
     0, 0, NULL, NULL},
    {"the picker of a FailClose pool", DEPLOYMENT("replicas: 1, strategy: {type: Recreate}", "1"),
     1, 1, 0, NULL, "by its own strategy 0 of 1 Ready endpoint pickers"},
    {"and one that surges", DEPLOYMENT("replicas: 1", "1"), 1, 1, 0, NULL, NULL},
};

static struct roster_row *add(struct roster *roster, const char *name, const char *pools,
			      const struct replica_sets *sets, bool epp, bool fail_close)
{
	struct facts facts = {.role = ROLE_DECODE, .epp = epp, .epp_fail_close = fail_close};
	(void)snprintf(facts.pools, sizeof(facts.pools), "%s", pools);
	struct roster_row *row = roster_need(roster, RESOURCE_DEPLOYMENT, name);
	row->state = WORKLOAD_PENDING;
	shares_read(sets, &facts, &row->shares);
	return row;
}

TEST(the_floor)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct roster roster = {0};
		struct replica_sets sets;
		struct error err = {.message = ""};
		struct facts facts = {.role = ROLE_DECODE,
				      .epp = table[i].epp,
				      .epp_fail_close = table[i].fail_close};
		char words[400] = "";
		CLEANUP(json_freep) cJSON *object = NULL;
		CLEANUP(json_freep) cJSON *min_ready = NULL;
		CHECK_INT(yaml_read(table[i].object, strlen(table[i].object), &object, &err),
			  STATUS_OK);
		CHECK_STR_ROW(err.message, "", table[i].what);
		if (table[i].min_ready != NULL)
			CHECK_INT(json_parse(table[i].min_ready, strlen(table[i].min_ready),
					     &min_ready, &err),
				  STATUS_OK);
		replica_sets_read(object, &facts, &sets);
		struct replica_sets others = {.count = 1};
		others.items[0] = (struct replicas){
		    .role = ROLE_DECODE, .wanted = table[i].others, .ready = table[i].others};
		(void)add(&roster, "others", "pool", &others, false, false);
		/* of another pool: counts for nothing */
		others.items[0].ready = others.items[0].wanted = 9;
		(void)add(&roster, "strangers", "else", &others, false, false);
		const struct roster_row *row =
		    add(&roster, "w", "pool", &sets, table[i].epp, table[i].fail_close);
		row = roster_find(&roster, RESOURCE_DEPLOYMENT, "w");
		bool broken = floor_is_broken(&roster, row, min_ready, words, sizeof(words));
		CHECK_INT_ROW(broken, table[i].words != NULL, table[i].what);
		if (broken && table[i].words != NULL) {
			words[strlen(words) < strlen(table[i].words) ? strlen(words)
								     : strlen(table[i].words)] =
			    '\0';
			CHECK_STR_ROW(words, table[i].words, table[i].what);
		}
		roster_release(&roster);
	}
}

/* Two workloads of one role, each Recreate: not both at a time, however many slots there are. */
TEST(what_others_are_losing_counts)
{
	struct roster roster = {0};
	struct replica_sets sets = {.count = 1};
	char words[400];
	sets.items[0] =
	    (struct replicas){.role = ROLE_DECODE, .wanted = 1, .ready = 1, .max_unavailable = 1};
	(void)add(&roster, "a", "pool", &sets, false, false);
	(void)add(&roster, "b", "pool", &sets, false, false);
	const struct roster_row *b = roster_find(&roster, RESOURCE_DEPLOYMENT, "b");
	CHECK(!floor_is_broken(&roster, b, NULL, words, sizeof(words)));
	roster_find(&roster, RESOURCE_DEPLOYMENT, "a")->pace.rolling = true;
	CHECK(floor_is_broken(&roster, b, NULL, words, sizeof(words)));
	roster_release(&roster);
}
