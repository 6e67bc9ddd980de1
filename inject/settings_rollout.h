/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of spec.rollout. Private to settings*.c. */
#ifndef LLMD_INJECT_SETTINGS_ROLLOUT_H
#define LLMD_INJECT_SETTINGS_ROLLOUT_H

#include "base/error.h"
#include "base/json.h"

/* Immediate | OnNextChange | OnApproval | Never. */
NODISCARD enum status settings_check_rollout_policy(const char *value, const char *path,
						    struct error *err);
/* LeaveAlone | Patch. */
NODISCARD enum status settings_check_gitops(const char *value, const char *path, struct error *err);
/* Auto | Off. */
NODISCARD enum status settings_check_rehearse(const char *value, const char *path,
					      struct error *err);
/* "22:00-06:00" */
NODISCARD enum status settings_check_window_hours(const char *value, const char *path,
						  struct error *err);
/* "UTC+2" */
NODISCARD enum status settings_check_window_zone(const char *value, const char *path,
						 struct error *err);
/* A list of "Mon" to "Sun". */
NODISCARD enum status settings_check_window_days(const cJSON *node, const char *path,
						 struct error *err);
/* A whole number, or "50%". */
NODISCARD enum status settings_check_min_ready(const cJSON *node, const char *path,
					       struct error *err);

#endif
