/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/sampling_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inject/component_rules.h"
#include "inject/sampling.h"
#include "inject/settings_check.h"

/* What its template should say; NULL: anything, its callers decide. */
static const char *wanted_ratio(const struct trace_hop *hop, const struct settings *settings)
{
	switch (settings->where) {
	case SAMPLING_COLLECTOR:
		return SAMPLE_ALL;
	case SAMPLING_PODS:
		return settings->ratio;
	case SAMPLING_ROOT:
		break;
	}
	if (hop->component == COMPONENT_EPP)
		return settings_ratio(settings);
	return hop->decides || ratio_is_one(settings->ratio) ? settings->ratio : NULL;
}

static bool is_other_number(const char *a, const char *b)
{
	double difference = strtod(a, NULL) - strtod(b, NULL);
	return difference > 1e-9 || difference < -1e-9;
}

/* Other samplers: Go components do not know them, engines do what they say. */
static const char *judge_sampler(const struct trace_hop *hop, const char *wanted, char *words)
{
	const char *sampler = hop->sampler;
	if (component_rules(hop->component)->grpc_url_only) {
		(void)snprintf(words, SAMPLING_WORDS_MAX,
			       "OTEL_TRACES_SAMPLER=%.60s is ignored by this program, which keeps "
			       "a tenth",
			       sampler);
		return "SamplerIgnored";
	}
	bool follows = text_has_prefix(sampler, "parentbased_");
	bool same = text_equal(sampler, "parentbased_always_on") &&
		    (wanted == NULL || ratio_is_one(wanted));
	if (follows && (wanted == NULL || same))
		return NULL;
	(void)snprintf(words, SAMPLING_WORDS_MAX,
		       "the user set OTEL_TRACES_SAMPLER=%.60s, which %s", sampler,
		       follows ? "looks at no ratio" : "does not follow its callers' decision");
	return "UserSet";
}

const char *sampling_trouble(const struct trace_hop *hop, const struct settings *settings,
			     char ret_words[SAMPLING_WORDS_MAX])
{
	const char *wanted = wanted_ratio(hop, settings);
	bool go = component_rules(hop->component)->grpc_url_only;
	struct error err;
	ret_words[0] = '\0';
	if (hop->sampler != NULL && strcmp(hop->sampler, "parentbased_traceidratio") != 0 &&
	    hop->sampler[0] != '\0')
		return judge_sampler(hop, wanted, ret_words);
	if (hop->ratio == NULL)
		return NULL;
	if (settings_check_ratio(hop->ratio, "", &err) != STATUS_OK) {
		(void)snprintf(ret_words, SAMPLING_WORDS_MAX,
			       "OTEL_TRACES_SAMPLER_ARG=%.60s is no plain decimal from 0 to 1, so "
			       "the program keeps %s",
			       hop->ratio, go ? "a tenth" : "what it likes");
		return "SamplerIgnored";
	}
	if (wanted == NULL || !is_other_number(hop->ratio, wanted))
		return NULL;
	(void)snprintf(ret_words, SAMPLING_WORDS_MAX, "keeps %.40s instead of %.40s", hop->ratio,
		       wanted);
	return "RatiosDiffer";
}
