/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { SERIES_MAX = 1000 };

/* controller-runtime's buckets for reconcile times, thinned: seconds. */
static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

struct series {
	char *labels; /* values joined by '\x1f' */
	double value; /* counter, gauge; histogram: sum */
	unsigned long count;
	unsigned long in_bucket[ARRAY_LEN(buckets)];
};

struct metric {
	enum metric_type type;
	const char *name;
	const char *help;
	const char *labels;
	struct series *series;
	size_t count;
	struct metric *next;
};

struct metrics {
	struct metric *first;
};

struct metrics *metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

static void metric_free(struct metric *metric)
{
	for (size_t i = 0; i < metric->count; i++)
		free(metric->series[i].labels);
	free(metric->series);
	free(metric);
}

void metrics_freep(struct metrics **metrics)
{
	if (*metrics == NULL)
		return;
	for (struct metric *metric = (*metrics)->first; metric != NULL;) {
		struct metric *next = metric->next;
		metric_free(metric);
		metric = next;
	}
	free(*metrics);
	*metrics = NULL;
}

struct metric *metrics_family(struct metrics *metrics, enum metric_type type, const char *name,
			      const char *help, const char *labels)
{
	struct metric **end = &metrics->first;
	for (; *end != NULL; end = &(*end)->next) {
		if (strcmp((*end)->name, name) == 0) {
			assert((*end)->type == type && strcmp((*end)->labels, labels) == 0);
			return *end;
		}
	}
	struct metric *metric = xcalloc(1, sizeof(*metric));
	*metric = (struct metric){.type = type, .name = name, .help = help, .labels = labels};
	*end = metric;
	return metric;
}

static struct series *find(const struct metric *metric, const char *label_values)
{
	for (size_t i = 0; i < metric->count; i++)
		if (strcmp(metric->series[i].labels, label_values) == 0)
			return &metric->series[i];
	return NULL;
}

/* The catch-all series: as many "other" as there are labels. */
static char *overflow_labels(const struct metric *metric)
{
	struct buffer values;
	buffer_init(&values, 1024);
	buffer_add_str(&values, "other");
	for (const char *c = metric->labels; *c != '\0'; c++)
		if (*c == ',')
			buffer_add_str(&values, "\x1fother");
	return values.data;
}

static struct series *series_for(struct metric *metric, const char *label_values)
{
	struct series *found = find(metric, label_values);
	if (found != NULL)
		return found;
	char *labels =
	    metric->count >= SERIES_MAX ? overflow_labels(metric) : xstrdup(label_values);
	found = metric->count >= SERIES_MAX ? find(metric, labels) : NULL;
	if (found != NULL) {
		free(labels);
		return found;
	}
	metric->series = grow(metric->series, metric->count, sizeof(*metric->series));
	found = &metric->series[metric->count++];
	*found = (struct series){.labels = labels};
	return found;
}

void metric_add(struct metric *metric, const char *label_values, double amount)
{
	series_for(metric, label_values)->value += amount;
}

void metric_set(struct metric *metric, const char *label_values, double value)
{
	series_for(metric, label_values)->value = value;
}

void metric_observe(struct metric *metric, const char *label_values, double seconds)
{
	struct series *series = series_for(metric, label_values);
	series->value += seconds;
	series->count++;
	for (size_t i = 0; i < ARRAY_LEN(buckets); i++)
		if (seconds <= buckets[i])
			series->in_bucket[i]++;
}

double metric_get(const struct metric *metric, const char *label_values)
{
	const struct series *series = find(metric, label_values);
	return series == NULL ? 0 : series->value;
}

static void add_label_value(struct buffer *out, const char *value, size_t len)
{
	buffer_add_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\n')
			buffer_add_str(out, "\\n");
		else if (value[i] == '"' || value[i] == '\\')
			buffer_addf(out, "\\%c", value[i]);
		else
			buffer_add_char(out, value[i]);
	}
	buffer_add_char(out, '"');
}

/* {a="1",b="2"} with one label more (`le`) when `extra` is given. */
static void add_labels(struct buffer *out, const struct metric *metric, const struct series *series,
		       const char *extra)
{
	if (*metric->labels == '\0' && extra == NULL)
		return;
	buffer_add_char(out, '{');
	const char *name = metric->labels;
	const char *value = series->labels;
	while (*name != '\0') {
		size_t name_len = strcspn(name, ",");
		size_t value_len = strcspn(value, "\x1f");
		buffer_add(out, name, name_len);
		buffer_add_char(out, '=');
		add_label_value(out, value, value_len);
		name += name_len;
		value += value_len + (value[value_len] != '\0' ? 1 : 0);
		if (*name == ',') {
			buffer_add_char(out, ',');
			name++;
		}
	}
	if (extra != NULL)
		buffer_addf(out, "%sle=\"%s\"", *metric->labels == '\0' ? "" : ",", extra);
	buffer_add_char(out, '}');
}

static void add_sample(struct buffer *out, const struct metric *metric, const struct series *series,
		       const char *suffix, const char *le, double value)
{
	buffer_addf(out, "%s%s", metric->name, suffix);
	add_labels(out, metric, series, le);
	buffer_addf(out, " %.15g\n", value);
}

static void print_histogram(struct buffer *out, const struct metric *metric,
			    const struct series *series)
{
	char le[32];
	for (size_t i = 0; i < ARRAY_LEN(buckets); i++) {
		(void)snprintf(le, sizeof(le), "%g", buckets[i]);
		add_sample(out, metric, series, "_bucket", le, (double)series->in_bucket[i]);
	}
	add_sample(out, metric, series, "_bucket", "+Inf", (double)series->count);
	add_sample(out, metric, series, "_sum", NULL, series->value);
	add_sample(out, metric, series, "_count", NULL, (double)series->count);
}

void metrics_print(const struct metrics *metrics, struct buffer *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	for (const struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
		buffer_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
			    metric->name, types[metric->type]);
		for (size_t i = 0; i < metric->count; i++) {
			if (metric->type == METRIC_HISTOGRAM)
				print_histogram(out, metric, &metric->series[i]);
			else
				add_sample(out, metric, &metric->series[i], "", NULL,
					   metric->series[i].value);
		}
	}
}
