// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"log"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// Namespaces say by annotation whether the controllers of these kinds work there.
	annotationOtelOperator = "scripted-kubelet/otel-operator" // "working"
	annotationModelService = "scripted-kubelet/modelservice"  // "working"
	// Objects of LeaderWorkerSet and DisaggregatedSet say it themselves: "true" and they stay without status.
	annotationNoStatus = "scripted-kubelet/no-status"

	working       = "working"
	labelStandIn  = "scripted-kubelet/made-for" // on children: the kind of their owner
	standInPeriod = 250 * time.Millisecond
)

var (
	leaderWorkerSets  = schema.GroupVersionResource{Group: "leaderworkerset.x-k8s.io", Version: "v1", Resource: "leaderworkersets"}
	disaggregatedSets = schema.GroupVersionResource{Group: "disaggregatedset.x-k8s.io", Version: "v1", Resource: "disaggregatedsets"}
	collectors        = schema.GroupVersionResource{Group: "opentelemetry.io", Version: "v1beta1", Resource: "opentelemetrycollectors"}
	modelServices     = schema.GroupVersionResource{Group: "llm-d.ai", Version: "v1alpha1", Resource: "modelservices"}

	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
)

// standIn plays the controller of a kind that is not installed.
type standIn struct {
	resource schema.GroupVersionResource
	sync     func(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error
}

var standIns = []standIn{
	{leaderWorkerSets, syncLeaderWorkerSet},
	{disaggregatedSets, syncDisaggregatedSet},
	{collectors, syncCollector},
	{modelServices, syncModelService},
}

// runStandIns polls: the CRDs of these kinds come and go in tests.
func (k *kubelet) runStandIns(ctx context.Context) {
	for ; ; time.Sleep(standInPeriod) {
		for _, s := range standIns {
			list, err := k.dynamic.Resource(s.resource).List(ctx, metav1.ListOptions{})
			if err != nil {
				continue // not installed (any more), or the API server restarts
			}
			for i := range list.Items {
				if err := s.sync(k, ctx, &list.Items[i]); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
					log.Printf("%s %s/%s: %v", s.resource.Resource, list.Items[i].GetNamespace(), list.Items[i].GetName(), err)
				}
			}
			k.collectGarbage(ctx, s.resource, list.Items)
		}
	}
}

// collectGarbage takes away the children of owners that are gone. The real collector does it too, but learns of a
// new CRD only after half a minute.
func (k *kubelet) collectGarbage(ctx context.Context, owner schema.GroupVersionResource, alive []unstructured.Unstructured) {
	uids := map[types.UID]bool{}
	for i := range alive {
		uids[alive[i].GetUID()] = true
	}
	for _, resource := range []schema.GroupVersionResource{deployments, services} {
		children, err := k.dynamic.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: labelStandIn + "=" + owner.Resource})
		if err != nil {
			continue
		}
		background := metav1.DeletePropagationBackground
		for i := range children.Items {
			child := &children.Items[i]
			if owners := child.GetOwnerReferences(); len(owners) > 0 && !uids[owners[0].UID] {
				_ = k.dynamic.Resource(resource).Namespace(child.GetNamespace()).Delete(ctx, child.GetName(),
					metav1.DeleteOptions{PropagationPolicy: &background})
			}
		}
	}
}

// viaJSON gives a value the shape that decoding gives: numbers are int64, lists are []any.
func viaJSON(value map[string]any) map[string]any {
	body, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "X", "value": value})
	if err != nil {
		panic(err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(body); err != nil {
		panic(err)
	}
	return u.Object["value"].(map[string]any)
}

func merged(old, over map[string]any) map[string]any {
	result := map[string]any{}
	for k, v := range old {
		result[k] = v
	}
	for k, v := range over {
		result[k] = v
	}
	return result
}

func (k *kubelet) setStatus(ctx context.Context, resource schema.GroupVersionResource, object *unstructured.Unstructured, status map[string]any) error {
	old, _, _ := unstructured.NestedMap(object.Object, "status")
	if reflect.DeepEqual(merged(old, viaJSON(status)), merged(nil, old)) {
		return nil
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = k.dynamic.Resource(resource).Namespace(object.GetNamespace()).Patch(ctx, object.GetName(), types.MergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

func (k *kubelet) namespaceSays(ctx context.Context, namespace, annotation string) bool {
	ns, err := k.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	return err == nil && ns.Annotations[annotation] == working && ns.DeletionTimestamp == nil
}

func condition(kind string) map[string]any {
	return map[string]any{"type": kind, "status": "True", "reason": "Scripted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
}

func replicasOf(spec map[string]any) int64 {
	if replicas, found, err := unstructured.NestedInt64(spec, "replicas"); found && err == nil {
		return replicas
	}
	return 1
}

func specOf(object *unstructured.Unstructured) map[string]any {
	spec, _, _ := unstructured.NestedMap(object.Object, "spec")
	return spec
}

func syncLeaderWorkerSet(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if object.GetAnnotations()[annotationNoStatus] == "true" {
		return nil
	}
	n := replicasOf(specOf(object))
	return k.setStatus(ctx, leaderWorkerSets, object, map[string]any{"observedGeneration": object.GetGeneration(),
		"replicas": n, "readyReplicas": n, "updatedReplicas": n, "conditions": []any{condition("Available")}})
}

func syncDisaggregatedSet(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if object.GetAnnotations()[annotationNoStatus] == "true" {
		return nil
	}
	roles, _, _ := unstructured.NestedSlice(object.Object, "spec", "roles")
	statuses := []any{}
	for _, role := range roles {
		r := role.(map[string]any)
		spec, _ := r["spec"].(map[string]any)
		n := replicasOf(spec)
		statuses = append(statuses, map[string]any{"name": r["name"], "replicas": n, "readyReplicas": n, "updatedReplicas": n})
	}
	return k.setStatus(ctx, disaggregatedSets, object, map[string]any{"observedGeneration": object.GetGeneration(),
		"roleStatuses": statuses, "conditions": []any{condition("Available")}})
}

// childMeta is the metadata of what a stand-in makes. The owner is not a controller reference: the ModelService
// controller makes none either.
func childMeta(owner *unstructured.Unstructured, resource schema.GroupVersionResource, name string, labels map[string]any) map[string]any {
	return map[string]any{
		"name": name, "namespace": owner.GetNamespace(), "labels": merged(labels, map[string]any{labelStandIn: resource.Resource}),
		"ownerReferences": []any{map[string]any{"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(),
			"name": owner.GetName(), "uid": string(owner.GetUID())}},
	}
}

// put makes a child, and reverts what others changed in it: a merge patch replaces whole lists.
func (k *kubelet) put(ctx context.Context, resource schema.GroupVersionResource, child map[string]any) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{Object: viaJSON(child)}
	client := k.dynamic.Resource(resource).Namespace(u.GetNamespace())
	body, err := json.Marshal(child)
	if err != nil {
		return nil, err
	}
	result, err := client.Patch(ctx, u.GetName(), types.MergePatchType, body, metav1.PatchOptions{FieldManager: "stand-in"})
	if apierrors.IsNotFound(err) {
		return client.Create(ctx, u, metav1.CreateOptions{FieldManager: "stand-in"})
	}
	return result, err
}
