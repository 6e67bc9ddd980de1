/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes' resource quantities ("512Mi", "1.5G", "100m", "1e9"), as far as amounts of
 * memory need them: k8s.io/apimachinery/pkg/api/resource has the grammar.
 */
#ifndef LLMD_INJECT_QUANTITY_H
#define LLMD_INJECT_QUANTITY_H

#include <stdbool.h>

/* The amount in whole units, rounded up; false when the text is no quantity of 0 or more, or too large. */
bool quantity_read(const char *text, long long *ret_amount);

#endif
