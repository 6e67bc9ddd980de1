/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP request for an intent: method, path, media type, body. Pure. */
#ifndef LLMD_CONTROLLER_REQUEST_H
#define LLMD_CONTROLLER_REQUEST_H

#include "base/buffer.h"
#include "controller/intent.h"

struct intent_request {
	const char *method;
	const char *content_type; /* NULL: no body */
	const char *accept;       /* NULL: the object as JSON */
	struct buffer path;
	struct buffer body;
};

void intent_request_build(const struct intent *intent, struct intent_request *ret_request);
/* GET of the object that the intent is about. */
void intent_request_read(enum resource_id resource, const char *namespace_name, const char *name,
			 struct intent_request *ret_request);
void intent_request_release(struct intent_request *request);

#endif
