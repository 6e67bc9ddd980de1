/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/forbidden_host.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

static const char metadata[] = "the metadata service of a cloud";
static const char loopback[] = "a loopback address";
static const char link_local[] = "a link-local address";
static const char unspecified[] = "no address of a host";
static const char api[] = "the Kubernetes API server";

static const struct {
	const char *name; /* the whole host, or with a leading dot the end of it */
	const char *what;
} names[] = {
    {"metadata", metadata},
    {"metadata.google.internal", metadata},
    {"metadata.goog", metadata},
    {"instance-data", metadata},
    {"instance-data.ec2.internal", metadata},
    {"localhost", loopback},
    {".localhost", loopback},
    {"localhost.localdomain", loopback},
    {"ip6-localhost", loopback},
    {"ip6-loopback", loopback},
    {"kubernetes", api},
    {"kubernetes.default", api},
    {"kubernetes.default.svc", api},
};

/* In network order as a number; the longest ones first, since the first row counts. */
static const struct {
	uint32_t network;
	unsigned bits;
	const char *what;
} networks_v4[] = {
    {0xA9FEA9FE, 32, metadata}, /* 169.254.169.254: most clouds */
    {0xA9FEAA02, 32, metadata}, /* 169.254.170.2: ECS */
    {0xA9FEAA17, 32, metadata}, /* 169.254.170.23: EKS Pod Identity */
    {0x646464C8, 32, metadata}, /* 100.100.100.200: Alibaba */
    {0xC00000C0, 32, metadata}, /* 192.0.0.192: Oracle */
    {0xA83F8110, 32, metadata}, /* 168.63.129.16: Azure */
    {0xA9FE0000, 16, link_local}, {0x7F000000, 8, loopback},
    {0x00000000, 8, unspecified}, {0xE0000000, 3, unspecified}, /* multicast, reserved, broadcast */
};

static const struct {
	uint8_t network[16];
	unsigned bits;
	const char *what;
} networks_v6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, metadata},
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}, 128, metadata},
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, metadata},
    {{0xfe, 0x80}, 10, link_local},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, loopback},
    {{0}, 128, unspecified},
    {{0xff}, 8, unspecified}, /* multicast */
};

/* Where an IPv4 address stands in an IPv6 one: bytes before it, and how many there are. */
static const struct {
	uint8_t prefix[12];
	unsigned bytes;
} embeddings[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12}, /* mapped */
    {{0, 0x64, 0xff, 0x9b}, 12},                      /* NAT64 */
    {{0}, 12},                                        /* compatible */
    {{0x20, 0x02}, 2},                                /* 6to4 */
};

static bool begins_with(const uint8_t *address, const uint8_t *network, unsigned bits)
{
	unsigned bytes = bits / 8;
	unsigned rest = bits % 8;
	uint8_t mask = (uint8_t)(0xFFU << (8 - rest));
	return memcmp(address, network, bytes) == 0 &&
	       (rest == 0 || ((address[bytes] ^ network[bytes]) & mask) == 0);
}

static const char *judge_v4(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_LEN(networks_v4); i++)
		if (((address ^ networks_v4[i].network) >> (32 - networks_v4[i].bits)) == 0)
			return networks_v4[i].what;
	return NULL;
}

static const char *judge_v6(const uint8_t address[16])
{
	for (size_t i = 0; i < ARRAY_LEN(networks_v6); i++)
		if (begins_with(address, networks_v6[i].network, networks_v6[i].bits))
			return networks_v6[i].what;
	for (size_t i = 0; i < ARRAY_LEN(embeddings); i++) {
		uint32_t inner = 0;
		if (!begins_with(address, embeddings[i].prefix, embeddings[i].bytes * 8))
			continue;
		memcpy(&inner, address + embeddings[i].bytes, sizeof(inner));
		return judge_v4(ntohl(inner));
	}
	return NULL;
}

static const char *judge_name(const char *host)
{
	size_t len = strlen(host);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t tail = strlen(names[i].name);
		bool end = names[i].name[0] == '.' && len > tail;
		if (strcasecmp(end ? host + len - tail : host, names[i].name) == 0)
			return names[i].what;
	}
	/* with the cluster's domain behind it, whatever that is */
	static const char service[] = "kubernetes.default.svc.";
	return strncasecmp(host, service, sizeof(service) - 1) == 0 ? api : NULL;
}

const char *host_is_forbidden(const char *host, const char *api_server)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (api_server != NULL && strcasecmp(host, api_server) == 0)
		return api;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return judge_v6(v6.s6_addr);
	if (inet_aton(host, &v4) != 0)
		return judge_v4(ntohl(v4.s_addr));
	return judge_name(host);
}
