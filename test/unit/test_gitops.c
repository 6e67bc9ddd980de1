/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "inject/gitops.h"

#define OBJECT(META)                                                                               \
	"{\"apiVersion\":\"apps/"                                                                  \
	"v1\",\"kind\":\"Deployment\",\"metadata\":{\"namespace\":\"team\","                       \
	"\"name\":\"decode\"," META "}}"
#define TRACKED(ID) OBJECT("\"annotations\":{\"argocd.argoproj.io/tracking-id\":\"" ID "\"}")
#define WRITTEN(LABELS, MANAGER)                                                                   \
	OBJECT("\"labels\":{" LABELS "},\"managedFields\":[{\"manager\":\"" MANAGER                \
	       "\",\"operation\":\"Apply\"}]")
#define INSTANCE "\"app.kubernetes.io/instance\":\"demo\""
#define KUSTOMIZATION                                                                              \
	"\"labels\":{\"kustomize.toolkit.fluxcd.io/name\":\"apps\","                               \
	"\"kustomize.toolkit.fluxcd.io/namespace\":\"flux-system\"}"
#define RELEASE                                                                                    \
	"\"labels\":{\"helm.toolkit.fluxcd.io/name\":\"demo\","                                    \
	"\"helm.toolkit.fluxcd.io/namespace\":\"team\",\"app.kubernetes.io/managed-by\":\"Helm\"}"

static const struct {
	const char *what;
	const char *object;
	enum gitops_tool tool;
	const char *source;
} table[] = {
    {"nobody", OBJECT("\"labels\":{}"), GITOPS_NONE, ""},
    {"Argo CD's annotation names the object", TRACKED("demo:apps/Deployment:team/decode"),
     GITOPS_ARGO_CD, "Argo CD application demo"},
    {"an application outside of Argo CD's namespace",
     TRACKED("argo-apps_demo:apps/Deployment:team/decode"), GITOPS_ARGO_CD,
     "Argo CD application argo-apps_demo"},
    {"copied from an object of another kind", TRACKED("demo:llm-d.ai/ModelService:team/decode"),
     GITOPS_NONE, ""},
    {"copied from another object", TRACKED("demo:apps/Deployment:team/prefill"), GITOPS_NONE, ""},
    {"copied from another namespace", TRACKED("demo:apps/Deployment:other/decode"), GITOPS_NONE,
     ""},
    {"not an id", TRACKED("demo"), GITOPS_NONE, ""},
    {"an empty id", TRACKED(""), GITOPS_NONE, ""},
    {"no text", OBJECT("\"annotations\":{\"argocd.argoproj.io/tracking-id\":7}"), GITOPS_NONE, ""},
    {"Argo CD's own label", OBJECT("\"labels\":{\"argocd.argoproj.io/instance\":\"demo\"}"),
     GITOPS_ARGO_CD, "Argo CD application demo"},
    {"a chart's instance label", WRITTEN(INSTANCE, "helm"), GITOPS_NONE, ""},
    {"the instance label alone", OBJECT("\"labels\":{" INSTANCE "}"), GITOPS_NONE, ""},
    {"the instance label where Argo CD wrote", WRITTEN(INSTANCE, "argocd-controller"),
     GITOPS_ARGO_CD, "Argo CD application demo"},
    {"Argo CD before 2.5", WRITTEN(INSTANCE, "argocd-application-controller"), GITOPS_ARGO_CD,
     "Argo CD application demo"},
    {"Argo CD wrote it once, and tracks it no more", WRITTEN("", "argocd-controller"), GITOPS_NONE,
     ""},
    {"Flux Kustomization", OBJECT(KUSTOMIZATION), GITOPS_FLUX_KUSTOMIZE,
     "Flux Kustomization flux-system/apps"},
    {"Flux leaves it alone",
     OBJECT(KUSTOMIZATION
	    ",\"annotations\":{\"kustomize.toolkit.fluxcd.io/reconcile\":\"disabled\"}"),
     GITOPS_NONE, ""},
    {"Flux ignores it",
     OBJECT(KUSTOMIZATION ",\"annotations\":{\"kustomize.toolkit.fluxcd.io/ssa\":\"Ignore\"}"),
     GITOPS_NONE, ""},
    {"Flux merges, which takes an atomic list back",
     OBJECT(KUSTOMIZATION ",\"annotations\":{\"kustomize.toolkit.fluxcd.io/ssa\":\"Merge\"}"),
     GITOPS_FLUX_KUSTOMIZE, "Flux Kustomization flux-system/apps"},
    {"half of Flux' labels", OBJECT("\"labels\":{\"kustomize.toolkit.fluxcd.io/name\":\"apps\"}"),
     GITOPS_NONE, ""},
    {"Flux HelmRelease", OBJECT(RELEASE), GITOPS_FLUX_HELM, "Flux HelmRelease team/demo"},
    {"Flux corrects no drift of it",
     OBJECT(RELEASE ",\"annotations\":{\"helm.toolkit.fluxcd.io/driftDetection\":\"disabled\"}"),
     GITOPS_NONE, ""},
    {"plain Helm",
     OBJECT("\"labels\":{\"app.kubernetes.io/managed-by\":\"Helm\"},\"annotations\":{\"meta.helm."
	    "sh/release-name\":\"demo\",\"meta.helm.sh/release-namespace\":\"team\"}"),
     GITOPS_NONE, ""},
    {"no metadata that can be read", "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}",
     GITOPS_NONE, ""},
};

TEST(who_applies_it)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct error err;
		struct gitops gitops;
		cJSON *object = NULL;
		CHECK_INT(json_parse(table[i].object, strlen(table[i].object), &object, &err),
			  STATUS_OK);
		gitops_read(object, &gitops);
		CHECK_INT_ROW(gitops.tool, table[i].tool, table[i].what);
		CHECK_STR_ROW(gitops.source, table[i].source, table[i].what);
		cJSON_Delete(object);
	}
}
