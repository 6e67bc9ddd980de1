/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes a survey when somebody asks for one: nodes, then pods, each listed once by pages
 * and dropped object by object. One at a time, for whoever asks meanwhile.
 */
#ifndef LLMD_CONTROLLER_SURVEYOR_H
#define LLMD_CONTROLLER_SURVEYOR_H

#include "controller/moment.h"
#include "controller/survey.h"
#include "k8sclient/client.h"

struct surveyor;

/* There is a new report. */
typedef void (*surveyor_fn)(void *context);

/* `may_read`: false where no Role could give it (namespaced mode): then nothing is ever sent. */
NODISCARD struct surveyor *surveyor_new(struct client *client, bool may_read,
					struct moment (*now)(void *context), surveyor_fn ended,
					void *context);
/* Nothing comes any more. */
void surveyor_freep(struct surveyor **surveyor);

/* Begins one, unless one is under way. `ended` is called later, never from inside. */
void surveyor_begin(struct surveyor *surveyor);
/* From time to time: one that takes too long is given up. */
void surveyor_tick(struct surveyor *surveyor);

/* The last one; borrowed until the loop turns. */
struct survey_report surveyor_report(struct surveyor *surveyor);

#endif
