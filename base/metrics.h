/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics registry: counters, gauges and histograms with labels, printed in the
 * Prometheus text format 0.0.4. One registry object is made in `cmd` and handed down;
 * there is no global. Names follow controller-runtime where it has one (KUBERNETES §2).
 */
#ifndef LLMD_BASE_METRICS_H
#define LLMD_BASE_METRICS_H

#include <stddef.h>

#include "base/buffer.h"

struct metrics; /* registry */
struct metric;  /* one family */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

NODISCARD struct metrics *metrics_new(void);
void metrics_freep(struct metrics **metrics);

/*
 * Registers a family, or returns the one of that name (type and labels must agree).
 * `labels`: label names separated by ',' ("code,method"), or "". Borrowed static texts.
 * Histogram buckets are controller-runtime's (5 ms … 60 s). A family holds at most 1,000
 * series; later ones go to a series whose labels are all "other".
 */
struct metric *metrics_family(struct metrics *metrics, enum metric_type type, const char *name,
			      const char *help, const char *labels);

/* Values of labels in the order of `labels`, separated by '\x1f' (or "" without labels). */
void metric_add(struct metric *metric, const char *label_values, double amount);
void metric_set(struct metric *metric, const char *label_values, double value);
void metric_observe(struct metric *metric, const char *label_values, double seconds);
/* Current value of a counter or gauge series (0 when absent); tests and status use it. */
double metric_get(const struct metric *metric, const char *label_values);

void metrics_print(const struct metrics *metrics, struct buffer *out);

#endif
