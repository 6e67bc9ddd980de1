/* SPDX-License-Identifier: Apache-2.0 */
/* Whether all components of a namespace together keep the share that is asked for. */
#include "hops.h"

#include "controller/sampling_tell.h"
#include "inject/sampling_judge.h"

/* Hops of hops.h, by their place. */
enum { HOP_EPP, HOP_PROXY, HOP_DECODE, HOP_PREFILL, HOP_COUNT };

struct change {
	int hop; /* the hop that is changed; -1: none */
	const char *sampler;
	const char *ratio;
	bool off;
	bool decides;
};

struct given {
	const char *name;
	enum sampling_where where;
	const char *asked;
	const char *pods[HOP_COUNT]; /* ratios that stand there */
	struct change change;
	const char *mode; /* of the collector; NULL: a Deployment */
	size_t entries, called;
	bool unsampled;
	bool pending, accelerators;
	const char *want;
	const char *words; /* somewhere in the message; NULL: any */
};

#define SAME(RATIO)                                                                                \
	{                                                                                          \
		RATIO, RATIO, RATIO, RATIO                                                         \
	}
#define ROOTED                                                                                     \
	{                                                                                          \
		"0.1", "1.0", "1.0", "1.0"                                                         \
	}
#define NONE                                                                                       \
	{                                                                                          \
		.hop = -1                                                                          \
	}

static const struct given cases[] = {
    {.name = "as it is by default",
     .asked = "1.0",
     .pods = SAME("1.0"),
     .change = NONE,
     .want = "True Consistent",
     .words = "ratio 1.0: the endpoint picker decides"},
    {.name = "the picker decides",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .want = "True Consistent"},
    {.name = "led containers may have any ratio",
     .asked = "0.1",
     .pods = SAME("0.1"),
     .change = {HOP_DECODE, .ratio = "0.7"},
     .want = "True Consistent"},
    {.name = "the same number in other digits",
     .asked = "0.10",
     .pods = {"0.1", "1", "1.00", "1"},
     .change = NONE,
     .want = "True Consistent"},
    {.name = "the picker has another",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_EPP, .ratio = "0.5"},
     .want = "False RatiosDiffer",
     .words = "1 of 4 containers: Deployment/epp container main: keeps 0.5 instead of 0.1"},
    {.name = "a sampler that Go does not know",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_EPP, .sampler = "always_on"},
     .want = "False SamplerIgnored",
     .words = "OTEL_TRACES_SAMPLER=always_on is ignored by this program, which keeps a tenth"},
    {.name = "a ratio that Go cannot read",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_PROXY, .ratio = "10%"},
     .want = "False SamplerIgnored",
     .words = "container routing-proxy: OTEL_TRACES_SAMPLER_ARG=10% is no plain decimal"},
    {.name = "an engine that does not follow",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_DECODE, .sampler = "traceidratio"},
     .want = "False UserSet",
     .words = "the user set OTEL_TRACES_SAMPLER=traceidratio, which does not follow"},
    {.name = "an engine that follows",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_DECODE, .sampler = "parentbased_always_on"},
     .want = "True Consistent"},
    {.name = "one that has to decide by itself",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_DECODE, .ratio = "0.1", .decides = true},
     .want = "True SomeDecideThemselves",
     .words = "1 containers have it themselves"},
    {.name = "and does not",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_DECODE, .ratio = "1.0", .decides = true},
     .want = "False RatiosDiffer",
     .words = "keeps 1.0 instead of 0.1"},
    {.name = "in pods all are the same",
     .where = SAMPLING_PODS,
     .asked = "0.1",
     .pods = SAME("0.1"),
     .change = NONE,
     .want = "True Consistent"},
    {.name = "in pods one is not",
     .where = SAMPLING_PODS,
     .asked = "0.1",
     .pods = SAME("0.1"),
     .change = {HOP_PREFILL, .ratio = "0.2"},
     .want = "False RatiosDiffer",
     .words = "Deployment/prefill container main: keeps 0.2 instead of 0.1"},
    {.name = "three kinds of trouble are told by one word",
     .where = SAMPLING_PODS,
     .asked = "0.1",
     .pods = {"0.5", "x", "0.5", "0.5"},
     .change = NONE,
     .want = "False SeveralCauses",
     .words = "4 of 4 containers"},
    {.name = "the collector decides",
     .where = SAMPLING_COLLECTOR,
     .asked = "0.1",
     .pods = SAME("1.0"),
     .change = NONE,
     .want = "True Consistent",
     .words = "ratio 0.1: the collector decides"},
    {.name = "but a pod has decided before",
     .where = SAMPLING_COLLECTOR,
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .want = "False RatiosDiffer",
     .words = "keeps 0.1 instead of 1.0"},
    {.name = "a collector that is not ours",
     .where = SAMPLING_COLLECTOR,
     .asked = "0.1",
     .pods = SAME("1.0"),
     .change = NONE,
     .mode = "Foreign",
     .want = "False NotOurCollector",
     .words = "everything is sent on"},
    {.name = "the same is no matter where pods decide",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .mode = "Foreign",
     .want = "True Consistent"},
    {.name = "no picker is traced",
     .asked = "0.1",
     .pods = ROOTED,
     .change = {HOP_EPP, .off = true},
     .want = "False NobodyDecides",
     .words = "3 containers keep everything"},
    {.name = "callers decide",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .entries = 10,
     .called = 9,
     .want = "False CallerDecides",
     .words = "where: Collector"},
    {.name = "callers leave nothing to be traced",
     .asked = "1.0",
     .pods = SAME("1.0"),
     .change = NONE,
     .unsampled = true,
     .want = "False UpstreamUnsampled",
     .words = "pod p has served"},
    {.name = "of which they had been asked before",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .entries = 10,
     .called = 10,
     .unsampled = true,
     .want = "False UpstreamUnsampled"},
    {.name = "few of them prove nothing",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .entries = 4,
     .called = 4,
     .want = "True Consistent"},
    {.name = "half of them are not most",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .entries = 10,
     .called = 5,
     .want = "True Consistent"},
    {.name = "with everything traced they take nothing",
     .asked = "1.0",
     .pods = SAME("1.0"),
     .change = NONE,
     .entries = 10,
     .called = 10,
     .want = "True Consistent"},
    {.name = "the collector bounds callers",
     .where = SAMPLING_COLLECTOR,
     .asked = "0.1",
     .pods = SAME("1.0"),
     .change = NONE,
     .entries = 10,
     .called = 10,
     .want = "True Consistent"},
    {.name = "what is being written is not held against anybody",
     .asked = "0.1",
     .pods = SAME("0.5"),
     .change = NONE,
     .pending = true,
     .want = "Unknown InProgress"},
    {.name = "accelerators above a tenth",
     .asked = "0.5",
     .pods = {"0.5", "1.0", "1.0", "1.0"},
     .change = NONE,
     .accelerators = true,
     .want = "True Consistent",
     .words = "more than 0.1 costs"},
    {.name = "accelerators at a tenth",
     .asked = "0.1",
     .pods = ROOTED,
     .change = NONE,
     .accelerators = true,
     .want = "True Consistent",
     .words = "all others follow it"},
};

static void set_hops(const struct given *given, struct trace_hops *hops)
{
	set_up(hops);
	for (size_t i = 0; i < HOP_COUNT; i++)
		set(&hops->items[i].ratio, given->pods[i]);
	if (given->change.hop < 0)
		return;
	struct trace_hop *hop = &hops->items[given->change.hop];
	if (given->change.sampler != NULL)
		set(&hop->sampler, given->change.sampler);
	if (given->change.ratio != NULL)
		set(&hop->ratio, given->change.ratio);
	hop->on = !given->change.off;
	hop->decides = given->change.decides;
}

TEST(consistency)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct given *given = &cases[i];
		struct settings settings CLEANUP(settings_release) = {0};
		struct roster roster = {0};
		struct proof proof = {.entries = given->entries, .entries_called = given->called};
		struct collector_plan collector = {.mode = given->mode == NULL ? "Deployment"
									       : given->mode};
		struct verdict verdict = {.status = NULL};
		settings_init_defaults(&settings);
		set(&settings.ratio, given->asked);
		settings.where = given->where;
		struct roster_row *row = roster_need(&roster, RESOURCE_DEPLOYMENT, "d");
		row->state = given->pending ? WORKLOAD_PENDING : WORKLOAD_INJECTED;
		row->accelerators = given->accelerators;
		set_hops(given, &row->hops);
		if (given->unsampled)
			unsampled_inherit(&proof.unsampled, "pod p has served 20 requests");
		sampling_tell(&roster, &settings, &collector, &proof, &verdict);
		CLEANUP(str_freep) char *got = xasprintf("%s %s", verdict.status, verdict.reason);
		CHECK_STR_ROW(got, given->want, given->name);
		if (given->words != NULL && !CHECK(strstr(verdict.message, given->words) != NULL))
			printf("  %s: %s\n", given->name, verdict.message);
		if (given->accelerators && strcmp(given->asked, "0.1") == 0)
			CHECK(strstr(verdict.message, "accelerators") == NULL);
		roster_release(&roster);
	}
}

static const struct {
	enum sampling_where where;
	long limit, replicas;
	double passed, sent;
	double want;
} kepts[] = {
    {SAMPLING_COLLECTOR, 0, 1, 2000, 500, 0.25}, {SAMPLING_ROOT, 50, 1, 2000, 500, 0.25},
    {SAMPLING_ROOT, 0, 1, 2000, 500, -1},        {SAMPLING_COLLECTOR, 0, 2, 2000, 500, -1},
    {SAMPLING_COLLECTOR, 0, 1, 20, 5, -1},
};

TEST(what_the_collector_lets_through)
{
	for (size_t i = 0; i < ARRAY_LEN(kepts); i++) {
		struct settings settings = {.where = kepts[i].where,
					    .max_spans_per_second = kepts[i].limit,
					    .collector_replicas = kepts[i].replicas};
		struct proof proof = {.passed = kepts[i].passed, .sent = kepts[i].sent};
		CHECK_INT((int)(100 * sampling_kept(&proof, &settings)),
			  (int)(100 * kepts[i].want));
	}
	CHECK(sampling_kept(NULL, &(struct settings){.where = SAMPLING_COLLECTOR}) < 0);
}
