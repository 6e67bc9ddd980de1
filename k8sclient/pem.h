/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this PEM text whole? Files are rotated under us and may be read half-written or
 * empty; the old content is kept until the new one passes this. What the certificates
 * say is OpenSSL's to judge, inside libcurl.
 */
#ifndef LLMD_K8SCLIENT_PEM_H
#define LLMD_K8SCLIENT_PEM_H

#include <stdbool.h>

/* True when `text` holds at least one block whose label ends with `label` ("CERTIFICATE", "PRIVATE KEY"), and each such block is complete DER. */
bool pem_is_whole(const char *text, const char *label);

#endif
