/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/gitops.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define ARGO_TRACKING   "argocd.argoproj.io/tracking-id"
#define ARGO_INSTANCE   "argocd.argoproj.io/instance"
#define COMMON_INSTANCE "app.kubernetes.io/instance"

static const struct {
	const char *manager;
	enum gitops_tool tool;
} managers[] = {
    {"argocd-controller", GITOPS_ARGO_CD},
    {"argocd-application-controller", GITOPS_ARGO_CD},
    {"kustomize-controller", GITOPS_FLUX_KUSTOMIZE},
    {"helm-controller", GITOPS_FLUX_HELM},
};

/* Labels of Flux, and the annotation that turns the correction off for one object. */
static const struct {
	const char *name;
	const char *namespace_name;
	const char *switches[2][2]; /* annotation, value */
	enum gitops_tool tool;
	const char *kind;
} flux[] = {
    {"kustomize.toolkit.fluxcd.io/name",
     "kustomize.toolkit.fluxcd.io/namespace",
     {{"kustomize.toolkit.fluxcd.io/reconcile", "disabled"},
      {"kustomize.toolkit.fluxcd.io/ssa", "Ignore"}},
     GITOPS_FLUX_KUSTOMIZE,
     "Kustomization"},
    {"helm.toolkit.fluxcd.io/name",
     "helm.toolkit.fluxcd.io/namespace",
     {{"helm.toolkit.fluxcd.io/driftDetection", "disabled"}, {NULL, NULL}},
     GITOPS_FLUX_HELM,
     "HelmRelease"},
};

static const char *member_text(const cJSON *object, const char *key)
{
	const cJSON *node = json_member(object, key);
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

enum gitops_tool gitops_of_manager(const char *manager)
{
	for (size_t i = 0; i < ARRAY_LEN(managers); i++)
		if (text_equal(managers[i].manager, manager))
			return managers[i].tool;
	return GITOPS_NONE;
}

/* "application:group/Kind:namespace/name", where the application's name holds no colon. */
static bool tracks(const char *id, const cJSON *object)
{
	char want[700];
	const char *version = json_str(object, "apiVersion");
	const char *slash = version == NULL ? NULL : strchr(version, '/');
	const char *namespace_name = json_str(object, "metadata.namespace");
	const char *colon = strchr(id, ':');
	const char *kind = json_str(object, "kind");
	const char *name = json_str(object, "metadata.name");
	if (colon == NULL || kind == NULL || name == NULL)
		return false;
	(void)snprintf(want, sizeof(want), ":%.*s/%s:%s/%s",
		       slash == NULL ? 0 : (int)(slash - version), slash == NULL ? "" : version,
		       kind, namespace_name == NULL ? "" : namespace_name, name);
	return strcmp(colon, want) == 0;
}

static bool written_by_argo(const cJSON *object)
{
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, json_get(object, "metadata.managedFields"))
	{
		if (gitops_of_manager(json_str(entry, "manager")) == GITOPS_ARGO_CD)
			return true;
	}
	return false;
}

static bool read_argo(const cJSON *object, struct gitops *gitops)
{
	const cJSON *labels = json_get(object, "metadata.labels");
	const char *id = member_text(json_get(object, "metadata.annotations"), ARGO_TRACKING);
	const char *label = member_text(labels, ARGO_INSTANCE);
	if (label == NULL && written_by_argo(object))
		label = member_text(labels, COMMON_INSTANCE);
	if (id != NULL && tracks(id, object))
		(void)snprintf(gitops->source, sizeof(gitops->source), "Argo CD application %.*s",
			       (int)strcspn(id, ":"), id);
	else if (label != NULL)
		(void)snprintf(gitops->source, sizeof(gitops->source), "Argo CD application %.253s",
			       label);
	else
		return false;
	gitops->tool = GITOPS_ARGO_CD;
	return true;
}

static bool read_flux(size_t row, const cJSON *object, struct gitops *gitops)
{
	const cJSON *labels = json_get(object, "metadata.labels");
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const char *name = member_text(labels, flux[row].name);
	const char *namespace_name = member_text(labels, flux[row].namespace_name);
	if (name == NULL || namespace_name == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(flux[row].switches) && flux[row].switches[i][0]; i++)
		if (text_equal(member_text(annotations, flux[row].switches[i][0]),
			       flux[row].switches[i][1]))
			return false;
	gitops->tool = flux[row].tool;
	(void)snprintf(gitops->source, sizeof(gitops->source), "Flux %s %.63s/%.200s",
		       flux[row].kind, namespace_name, name);
	return true;
}

void gitops_read(const cJSON *object, struct gitops *ret_gitops)
{
	*ret_gitops = (struct gitops){.tool = GITOPS_NONE};
	if (read_argo(object, ret_gitops))
		return;
	for (size_t i = 0; i < ARRAY_LEN(flux); i++)
		if (read_flux(i, object, ret_gitops))
			return;
}
