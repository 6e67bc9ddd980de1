/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

void sha256(const void *data, size_t len, unsigned char ret_digest[SHA256_BYTES])
{
	if (EVP_Digest(data, len, ret_digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void hash_short(const void *data, size_t len, char ret_hex[17])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[SHA256_BYTES];
	sha256(data, len, digest);
	for (size_t i = 0; i < 8; i++) {
		ret_hex[2 * i] = hex[digest[i] >> 4];
		ret_hex[2 * i + 1] = hex[digest[i] & 15U];
	}
	ret_hex[16] = '\0';
}
