/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a namespace as its operator reads them: what the Tracing leaves open is
 * what status.effective shows, since the operator's defaults are not known here.
 */
#ifndef LLMD_CMD_EFFECTIVE_H
#define LLMD_CMD_EFFECTIVE_H

#include "inject/settings.h"

/* As settings_read (whose errors are given on); a boost is active while the operator says so. */
NODISCARD enum status effective_read(const cJSON *tracing, struct settings *ret_settings,
				     struct error *err);

#endif
