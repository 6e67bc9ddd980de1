/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who applies an object from Git, read from what Argo CD and Flux leave on it. Such a tool
 * puts its own version back by itself, so a write of ours would cost two restarts and buy
 * nothing. Plain Helm labels say nothing: Helm writes only when somebody runs it. Pure.
 *
 * Argo CD: the annotation argocd.argoproj.io/tracking-id, if it names this very object
 * (controllers copy annotations to what they make), or the label argocd.argoproj.io/instance.
 * The label app.kubernetes.io/instance, its default up to 2.x, stands in every Helm chart too:
 * it counts when a field manager of Argo CD has written the object.
 * Flux: the labels kustomize.toolkit.fluxcd.io/{name,namespace} or
 * helm.toolkit.fluxcd.io/{name,namespace}, unless an annotation of theirs turns the
 * correction off for the object.
 */
#ifndef LLMD_INJECT_GITOPS_H
#define LLMD_INJECT_GITOPS_H

#include "base/json.h"

enum gitops_tool { GITOPS_NONE, GITOPS_ARGO_CD, GITOPS_FLUX_KUSTOMIZE, GITOPS_FLUX_HELM };

struct gitops {
	enum gitops_tool tool;
	char source[320]; /* for people: "Argo CD application demo"; "" for none */
};

/* `object`: as the API gives it; managedFields may be missing. */
void gitops_read(const cJSON *object, struct gitops *ret_gitops);

/* The tool behind a field manager's name ("argocd-controller"), or GITOPS_NONE. */
enum gitops_tool gitops_of_manager(const char *manager);

#endif
