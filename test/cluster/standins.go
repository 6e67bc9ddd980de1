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

// Namespaces say by annotation whether the controllers of these kinds work there.
const (
	annotationOtelOperator = "scripted-kubelet/otel-operator" // "working"
	annotationModelService = "scripted-kubelet/modelservice"  // "working"
	working                = "working"
	standInPeriod          = 300 * time.Millisecond
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
		}
	}
}

func (k *kubelet) setStatus(ctx context.Context, resource schema.GroupVersionResource, object *unstructured.Unstructured, status map[string]any) error {
	old, _, _ := unstructured.NestedMap(object.Object, "status")
	if wanted := normalize(status); reflect.DeepEqual(merged(old, wanted), old) {
		return nil
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = k.dynamic.Resource(resource).Namespace(object.GetNamespace()).Patch(ctx, object.GetName(), types.MergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// normalize gives the value the shape that decoding from JSON gives.
func normalize(value map[string]any) map[string]any {
	body, _ := json.Marshal(value)
	var u unstructured.Unstructured
	_ = json.Unmarshal(body, &u.Object)
	for key, v := range u.Object {
		if f, ok := v.(float64); ok {
			u.Object[key] = int64(f)
		}
	}
	return u.Object
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

func (k *kubelet) namespaceSays(ctx context.Context, namespace, annotation string) bool {
	ns, err := k.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	return err == nil && ns.Annotations[annotation] == working
}

func condition(kind string) map[string]any {
	return map[string]any{"type": kind, "status": "True", "reason": "Scripted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
}

func syncLeaderWorkerSet(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	replicas, found, _ := unstructured.NestedInt64(object.Object, "spec", "replicas")
	if !found {
		replicas = 1
	}
	return k.setStatus(ctx, leaderWorkerSets, object, map[string]any{
		"replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas, "conditions": []any{condition("Available")}})
}

func syncDisaggregatedSet(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	return k.setStatus(ctx, disaggregatedSets, object, map[string]any{"conditions": []any{condition("Available")}})
}

func ownerOf(object *unstructured.Unstructured) []any {
	return []any{map[string]any{"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(), "name": object.GetName(), "uid": string(object.GetUID())}}
}

// put applies a child and so also reverts what others changed in it.
func (k *kubelet) put(ctx context.Context, resource schema.GroupVersionResource, child map[string]any) error {
	u := &unstructured.Unstructured{Object: child}
	body, err := json.Marshal(child)
	if err != nil {
		return err
	}
	force := true
	_, err = k.dynamic.Resource(resource).Namespace(u.GetNamespace()).Patch(ctx, u.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "stand-in", Force: &force})
	return err
}

// syncCollector does what the OpenTelemetry operator does with a collector of mode deployment.
func syncCollector(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if !k.namespaceSays(ctx, object.GetNamespace(), annotationOtelOperator) {
		return nil
	}
	name := object.GetName() + "-collector"
	labels := map[string]any{"app.kubernetes.io/managed-by": "opentelemetry-operator", "app.kubernetes.io/part-of": "opentelemetry",
		"app.kubernetes.io/component": "opentelemetry-collector", "app.kubernetes.io/instance": object.GetNamespace() + "." + object.GetName()}
	all := merged(nil, labels)
	for key, value := range object.GetLabels() {
		if _, taken := all[key]; !taken {
			all[key] = value
		}
	}
	metadata := func() map[string]any {
		return map[string]any{"name": name, "namespace": object.GetNamespace(), "labels": all, "ownerReferences": ownerOf(object)}
	}
	image, _, _ := unstructured.NestedString(object.Object, "spec", "image")
	if image == "" {
		image = "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector:0.158.0"
	}
	if err := k.put(ctx, services, map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": metadata(), "spec": map[string]any{
		"selector": labels, "ports": []any{map[string]any{"name": "otlp-grpc", "port": 4317}, map[string]any{"name": "otlp-http", "port": 4318}}}}); err != nil {
		return err
	}
	return k.put(ctx, deployments, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(), "spec": map[string]any{
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": all}, "spec": map[string]any{
			"containers": []any{map[string]any{"name": "otc-container", "image": image}}}}}})
}
