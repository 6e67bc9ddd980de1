/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that no setting may lead to by itself: whoever writes a Tracing chooses where the
 * collector (and the operator, for its checks) connects to, and must not get further by
 * that than by their own pods. A name that resolves to such an address cannot be told from
 * another one here; whoever connects looks at the address too (host_is_forbidden again).
 */
#ifndef LLMD_INJECT_FORBIDDEN_HOST_H
#define LLMD_INJECT_FORBIDDEN_HOST_H

/*
 * What the host is ("the metadata service of a cloud", "a loopback address", …), or NULL
 * when nothing speaks against it. `host` without brackets; addresses in any form that
 * inet_aton takes (0x7f.1), IPv4 within IPv6 too. `api_server`: host of the API server as
 * the operator knows it, or NULL.
 */
const char *host_is_forbidden(const char *host, const char *api_server);

#endif
