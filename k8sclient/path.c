/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "k8sclient/client.h"

/* RFC 3986 §2.3: everything but the unreserved characters is encoded. */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

void path_add_escaped(struct buffer *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (is_unreserved(*c))
			buffer_add_char(out, *c);
		else
			buffer_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
	}
}

static void add_segment(struct buffer *out, const char *text)
{
	buffer_add_char(out, '/');
	path_add_escaped(out, text);
}

void path_build(struct buffer *out, const char *api_version, const char *plural,
		const char *namespace_name, const char *name, const char *subresource)
{
	/* The core group "v1" lives under /api, all others under /apis (API conventions). */
	buffer_addf(out, "%s/%s", strchr(api_version, '/') == NULL ? "/api" : "/apis", api_version);
	if (namespace_name != NULL) {
		buffer_add_str(out, "/namespaces");
		add_segment(out, namespace_name);
	}
	add_segment(out, plural);
	if (name != NULL)
		add_segment(out, name);
	if (subresource != NULL)
		buffer_addf(out, "/%s", subresource);
}
