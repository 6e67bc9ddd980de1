/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes' resource quantities ("512Mi", "1.5G", "100m", "1e9"), of 0 and more:
 * k8s.io/apimachinery/pkg/api/resource has the grammar.
 */
#ifndef LLMD_INJECT_QUANTITY_H
#define LLMD_INJECT_QUANTITY_H

#include <stdbool.h>

/* The amount; false when the text is no quantity of 0 or more, or too large. */
bool quantity_read(const char *text, double *ret_amount);

/* The same in whole units, rounded up, as the API server keeps bytes. */
bool quantity_read_whole(const char *text, long long *ret_amount);

/* Two spellings of one amount ("1", "1000m"), as the API server may print it back. */
bool quantity_equal(const char *a, const char *b);

#endif
