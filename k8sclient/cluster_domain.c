/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/cluster_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum { RESOLV_CONF_MAX = 16384, NAME_MAX_BYTES = 253 };

static bool is_domain(const char *text, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	return len > 0 && len <= NAME_MAX_BYTES && strspn(text, good) >= len && text[0] != '.' &&
	       text[0] != '-';
}

/* The DOMAIN of the first "svc.DOMAIN" among the words of a search line. */
static char *domain_in(const char *words, size_t line_len)
{
	const char *end = words + line_len;
	while (words < end) {
		words += strspn(words, " \t\r");
		size_t len = strcspn(words, " \t\r\n");
		if (len > 4 && strncmp(words, "svc.", 4) == 0) {
			size_t domain = len - 4 - (words[len - 1] == '.' ? 1 : 0);
			return is_domain(words + 4, domain) ? xstrndup(words + 4, domain) : NULL;
		}
		words += len == 0 ? 1 : len;
	}
	return NULL;
}

char *cluster_domain_of(const char *resolv_conf)
{
	char *found = NULL;
	for (const char *line = resolv_conf; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		if (text_has_prefix(line, "search ") || text_has_prefix(line, "search\t")) {
			free(found);
			found = domain_in(line + strlen("search"), len - strlen("search"));
		}
		line += len + (line[len] == '\n' ? 1 : 0);
	}
	return found;
}

char *cluster_domain_find(void)
{
	char text[RESOLV_CONF_MAX];
	FILE *file = fopen(RESOLV_CONF, "re");
	if (file == NULL)
		return NULL;
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[len] = '\0';
	return cluster_domain_of(text);
}
