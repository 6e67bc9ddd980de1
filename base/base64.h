/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 §4): the *-data members of kubeconfigs, ids in JSON made from protobuf. */
#ifndef LLMD_BASE_BASE64_H
#define LLMD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/*
 * White space between characters is passed over (folded YAML, PEM). False: not base64.
 * *ret_data is NUL-terminated after its *ret_len bytes; free() it.
 */
NODISCARD bool base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len);

void base64_encode(const char *data, size_t len, struct buffer *out);

#endif
