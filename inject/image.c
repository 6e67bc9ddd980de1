/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/image.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/util.h"

/* A first part with a dot, a colon, or the name localhost is a registry (distribution/reference). */
static bool is_registry(const char *part, size_t len)
{
	return memchr(part, '.', len) != NULL || memchr(part, ':', len) != NULL ||
	       (len == 9 && memcmp(part, "localhost", 9) == 0);
}

static const char *last_of(const char *text, size_t len, char wanted)
{
	return memrchr(text, wanted, len);
}

void image_read(const char *text, struct image *ret_image)
{
	struct image image = {0};
	size_t len = strlen(text);
	const char *at = memchr(text, '@', len);
	if (at != NULL) {
		image.has_digest = true;
		len = (size_t)(at - text);
	}
	const char *slash = last_of(text, len, '/');
	const char *name = slash == NULL ? text : slash + 1;
	const char *colon = memchr(name, ':', len - (size_t)(name - text));
	if (colon != NULL) {
		image.tag = colon + 1;
		image.tag_len = len - (size_t)(colon + 1 - text);
		len = (size_t)(colon - text);
	}
	image.base = name;
	image.base_len = len - (size_t)(name - text);
	image.path = text;
	const char *first = memchr(text, '/', len);
	if (first != NULL && is_registry(text, (size_t)(first - text)))
		image.path = first + 1;
	image.path_len = len - (size_t)(image.path - text);
	*ret_image = image;
}

bool glob_matches(const char *glob, const char *text, size_t len)
{
	const char *end = text + len;
	const char *star = NULL;
	const char *retry = text;
	while (text < end) {
		if (*glob == '*') {
			star = ++glob;
			retry = text;
		} else if (*glob == '?' || (*glob != '\0' && *glob == *text)) {
			glob++;
			text++;
		} else if (star != NULL) {
			glob = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

char *image_full_name(const char *text)
{
	struct image parts;
	image_read(text, &parts);
	if (parts.path != text)
		return xstrdup(text);
	return xasprintf("docker.io/%s%s", parts.base == text ? "library/" : "", text);
}

char *image_listed_name(const char *text)
{
	struct image parts;
	CLEANUP(str_freep) char *full = image_full_name(text);
	image_read(full, &parts);
	int name_len = (int)(parts.path + parts.path_len - full);
	if (parts.has_digest)
		return xasprintf("%.*s%s", name_len, full, strchr(full, '@'));
	return xasprintf("%s%s", full, parts.tag == NULL ? ":latest" : "");
}

bool image_matches(const struct image *image, const char *glob)
{
	const char *end = image->path + image->path_len;
	const char *start = image->base;
	for (const char *c = glob; *c != '\0'; c++) {
		if (*c != '/')
			continue;
		if (start <= image->path)
			return false;
		const char *slash = last_of(image->path, (size_t)(start - 1 - image->path), '/');
		start = slash == NULL ? image->path : slash + 1;
	}
	size_t len = (size_t)(end - start);
	if (glob_matches(glob, start, len))
		return true;
	return len > 4 && memcmp(end - 4, "-dev", 4) == 0 && glob_matches(glob, start, len - 4);
}

static bool digit_at(const char *text, const char *end)
{
	return text < end && isdigit((unsigned char)*text) != 0;
}

/* At most nine digits, so that the value fits. */
static const char *read_number(const char *text, const char *end, unsigned *ret_value)
{
	unsigned value = 0;
	int digits = 0;
	for (; digit_at(text, end); text++) {
		if (++digits > 9)
			return NULL;
		value = value * 10U + (unsigned)(*text - '0');
	}
	*ret_value = value;
	return digits == 0 ? NULL : text;
}

/* What follows the numbers: "rc1", "-rc.1", ".dev5", "a1" mark a version that comes before its release. */
static bool is_prerelease(const char *text, const char *end)
{
	static const char *const words[] = {"rc", "alpha", "beta", "dev", "pre", "preview"};
	bool attached = text < end && isalpha((unsigned char)*text) != 0;
	if (text < end && strchr("-._", *text) != NULL)
		text++;
	size_t len = (size_t)(end - text);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t word = strlen(words[i]);
		if (len >= word && memcmp(text, words[i], word) == 0 &&
		    (len == word || !isalpha((unsigned char)text[word])))
			return true;
	}
	return attached && len >= 2 && (*text == 'a' || *text == 'b') &&
	       isdigit((unsigned char)text[1]) != 0;
}

enum { FIRST_YEAR = 1900 };

/* MAJOR.MINOR[.PATCH[.MORE]] at `text`; returns how many parts it has, 0 when it is none. */
static unsigned read_version(const char *text, const char *end, struct version *ret_version)
{
	struct version version = {0};
	unsigned parts = 0;
	while (parts < VERSION_PARTS) {
		const char *next = read_number(text, end, &version.part[parts]);
		if (next == NULL)
			return 0;
		parts++;
		text = next;
		if (text >= end || *text != '.' || !digit_at(text + 1, end))
			break;
		text++;
	}
	if (parts < 2 || version.part[0] >= FIRST_YEAR)
		return 0;
	version.prerelease = is_prerelease(text, end);
	*ret_version = version;
	return parts;
}

void version_read(const char *text, size_t len, struct version *ret_version)
{
	const char *end = text + len;
	const char *start = text;
	ret_version->kind = VERSION_NONE;
	while (start < end) {
		bool marked = *start == 'v' || *start == 'V';
		struct version version = {0};
		unsigned parts = read_version(start + (marked ? 1 : 0), end, &version);
		/* Further in, "12.9" may be anything; only a v or a third part makes it a version. */
		if (parts >= (start == text || marked ? 2U : 3U)) {
			version.kind = start == text ? VERSION_EXACT : VERSION_EMBEDDED;
			*ret_version = version;
			return;
		}
		while (start < end && strchr("-_+", *start) == NULL)
			start++;
		if (start < end)
			start++;
	}
}

bool version_is_below(const struct version *version, const char *bound)
{
	struct version limit = {0};
	(void)read_version(bound, bound + strlen(bound), &limit);
	for (size_t i = 0; i < VERSION_PARTS; i++)
		if (version->part[i] != limit.part[i])
			return version->part[i] < limit.part[i];
	return version->prerelease;
}
