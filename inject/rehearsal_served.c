/* SPDX-License-Identifier: Apache-2.0 */
/* What a server that runs already tells of itself, without anything being started or changed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/rehearsal.h"

void rehearsal_digest(const cJSON *status, char ret_digest[80])
{
	enum { DIGEST_LEN = 7 + 64 };
	const char *id = json_str(status, "imageID");
	const char *digest = id == NULL ? NULL : strstr(id, "sha256:");
	ret_digest[0] = '\0';
	if (digest != NULL && strlen(digest) == DIGEST_LEN)
		(void)snprintf(ret_digest, 80, "%s", digest);
}

bool rehearsal_served_at(const cJSON *pod, const struct rehearsal_of *of,
			 struct served_at *ret_served)
{
	return of->component == COMPONENT_VLLM && served_at_find(pod, of->image, ret_served);
}

bool rehearsal_served_judge(const char *body, size_t len, const struct served_at *served,
			    struct rehearsal *ret_rehearsal)
{
	struct error ignored;
	struct version number;
	struct rehearsal told = {.verdict = REHEARSAL_INCONCLUSIVE};
	cJSON *answer CLEANUP(json_freep) = NULL;
	if (json_parse(body, len, &answer, &ignored) != STATUS_OK)
		return false;
	const char *version = json_str(answer, "version");
	if (version == NULL || strlen(version) >= sizeof(told.version) || text_has_control(version))
		return false;
	version_read(version, strlen(version), &number);
	if (number.kind != VERSION_EXACT)
		return false;
	(void)snprintf(told.version, sizeof(told.version), "%s", version);
	(void)snprintf(told.digest, sizeof(told.digest), "%s", served->digest);
	if (rehearsal_is_old_engine(COMPONENT_VLLM, version)) {
		told.verdict = REHEARSAL_REFUSES_FLAG;
		(void)snprintf(told.message, sizeof(told.message),
			       "vLLM %s, says its running server, traces in its old engine only "
			       "and would fall back to it",
			       version);
	} else {
		(void)snprintf(told.message, sizeof(told.message),
			       "its running server says that it is vLLM %s; which packages it has "
			       "only a rehearsal in a pod can tell",
			       version);
	}
	*ret_rehearsal = told;
	return true;
}
