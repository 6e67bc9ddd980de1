/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition SamplingConsistent: whether all components of a namespace together keep the
 * share of requests that its settings ask for. Pure.
 */
#ifndef LLMD_CONTROLLER_SAMPLING_TELL_H
#define LLMD_CONTROLLER_SAMPLING_TELL_H

#include "controller/collector.h"
#include "controller/proof.h"
#include "controller/roster.h"

/* `collector` and `proof` may be NULL. Writes that wait are not held against anybody. */
void sampling_tell(const struct roster *roster, const struct settings *settings,
		   const struct collector_plan *collector, const struct proof *proof,
		   struct verdict *ret_verdict);

/* The share of the spans that our only collector has let through since it started; < 0: not known. */
double sampling_kept(const struct proof *proof, const struct settings *settings);

#endif
