/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a live object hold everything that we want of it? The API server adds defaults
 * and writes quantities in its own way ("1024Mi" becomes "1Gi"); neither is a difference.
 */
#ifndef LLMD_CONTROLLER_COVER_H
#define LLMD_CONTROLLER_COVER_H

#include <stdbool.h>

#include "base/json.h"

/*
 * True when each value of `wanted` is in `live`: objects by member, lists by position
 * (equal length), strings also as equal Kubernetes quantities.
 */
bool json_covers(const cJSON *live, const cJSON *wanted);

#endif
