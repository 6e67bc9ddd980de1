/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libcrypto. */
#ifndef LLMD_BASE_HASH_H
#define LLMD_BASE_HASH_H

#include <stddef.h>

enum { SHA256_BYTES = 32 };

void sha256(const void *data, size_t len, unsigned char ret_digest[SHA256_BYTES]);

/* The first 16 hex digits of the SHA-256, NUL-terminated: short hashes in annotations and names. */
void hash_short(const void *data, size_t len, char ret_hex[17]);

#endif
