/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/shell.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/*
 * Kubelet's expansion (third_party/forked/golang/expansion): from left to right, `$$` is
 * one dollar, "$(" up to the next ")" is a reference (left alone when undefined, with
 * what is in it), and any other dollar is itself.
 */
void shell_view_init(struct shell_view *view, const char *text)
{
	size_t len = strlen(text);
	size_t out = 0;
	view->origin = NULL;
	view->text = xstrndup(text, len);
	view->len = len;
	if (strstr(text, "$$") == NULL)
		return;
	view->origin = xcalloc(len + 1, sizeof(*view->origin));
	for (size_t i = 0; i < len;) {
		size_t taken = 1; /* bytes of the original */
		size_t given = 1; /* of them kept, from the first */
		if (text[i] == '$' && text[i + 1] == '$') {
			taken = 2;
		} else if (text[i] == '$' && text[i + 1] == '(') {
			const char *close = strchr(text + i, ')');
			taken = given = close == NULL ? 2 : (size_t)(close - (text + i)) + 1;
		}
		for (size_t k = 0; k < given; k++) {
			view->origin[out] = i + k;
			view->text[out++] = text[i + k];
		}
		i += taken;
	}
	view->text[out] = '\0';
	view->origin[out] = len;
	view->len = out;
}

void shell_view_release(struct shell_view *view)
{
	str_freep(&view->text);
	free(view->origin);
	view->origin = NULL;
	view->len = 0;
}

size_t shell_view_origin(const struct shell_view *view, size_t offset)
{
	return view->origin == NULL ? offset : view->origin[offset];
}
