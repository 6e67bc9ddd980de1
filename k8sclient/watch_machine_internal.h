/* SPDX-License-Identifier: Apache-2.0 */
/* What the three parts of the watch machine share: waits and requests, lists, streams. */
#ifndef LLMD_K8SCLIENT_WATCH_MACHINE_INTERNAL_H
#define LLMD_K8SCLIENT_WATCH_MACHINE_INTERNAL_H

#include "k8sclient/api_status.h"
#include "k8sclient/watch_machine.h"

/* watch_machine.c */
void machine_set_state(struct watch_machine *m, enum watch_state to, const char *why);
void machine_tell(struct watch_machine *m, enum watch_event_type type, struct slice object);
void machine_tell_error(struct watch_machine *m, enum watch_event_type type,
			const struct error *error);
void machine_skip(struct watch_machine *m, const char *why);
/* The request under way is of no use any more. */
void machine_cancel(struct watch_machine *m);
/* Asks for m->path. */
void machine_request(struct watch_machine *m, bool lists);
/* Trouble: tells it, breaks off a list, waits with backoff (or as long as the server wants). */
void machine_fail(struct watch_machine *m, const struct error *error, bool then_watch);
/* The server refused: by HTTP status or by an ERROR event. Decides what comes next. */
void machine_refused(struct watch_machine *m, const struct api_status *status);

/* watch_list.c */
void list_begin(struct watch_machine *m, enum watch_list_mode mode, const char *why);
void list_bytes(struct watch_machine *m, struct slice data);
void list_close(struct watch_machine *m);
/* Forgets a list that was begun; tells LIST_ABORT. */
void list_abort(struct watch_machine *m);
void list_item(struct watch_machine *m, struct slice object);
/* The list is complete as of `resource_version`: tells it; false when it has to be made anew. */
NODISCARD bool list_complete(struct watch_machine *m, const char *resource_version);

/* watch_stream.c */
void stream_begin_list(struct watch_machine *m, const char *why);
void stream_begin_watch(struct watch_machine *m, const char *why);
void stream_bytes(struct watch_machine *m, struct slice data);
void stream_close(struct watch_machine *m);
/* Not a byte for too long. */
void stream_idle(struct watch_machine *m);

#endif
