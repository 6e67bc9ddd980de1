// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const defaultCollectorImage = "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector:0.158.0"

// syncCollector does what the OpenTelemetry operator does with a collector of mode deployment: a Deployment and
// the Services, named for the object plus "-collector", with the operator's own labels and the object's.
func syncCollector(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if !k.namespaceSays(ctx, object.GetNamespace(), annotationOtelOperator) || object.GetDeletionTimestamp() != nil {
		return nil
	}
	name := object.GetName() + "-collector"
	selector := map[string]any{
		"app.kubernetes.io/managed-by": "opentelemetry-operator",
		"app.kubernetes.io/part-of":    "opentelemetry",
		"app.kubernetes.io/component":  "opentelemetry-collector",
		"app.kubernetes.io/instance":   object.GetNamespace() + "." + object.GetName(),
	}
	labels := map[string]any{}
	for key, value := range object.GetLabels() {
		labels[key] = value
	}
	labels = merged(labels, selector)
	ports := []any{
		map[string]any{"name": "otlp-grpc", "port": 4317, "protocol": "TCP", "appProtocol": "grpc"},
		map[string]any{"name": "otlp-http", "port": 4318, "protocol": "TCP", "appProtocol": "http"},
	}
	for suffix, headless := range map[string]bool{"": false, "-headless": true} {
		spec := map[string]any{"selector": selector, "ports": ports}
		if headless {
			spec["clusterIP"] = "None"
		}
		if _, err := k.put(ctx, services, map[string]any{"apiVersion": "v1", "kind": "Service",
			"metadata": childMeta(object, collectors, name+suffix, labels), "spec": spec}); err != nil {
			return err
		}
	}
	image, _, _ := unstructured.NestedString(object.Object, "spec", "image")
	if image == "" {
		image = defaultCollectorImage
	}
	deployment, err := k.put(ctx, deployments, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": childMeta(object, collectors, name, labels),
		"spec": map[string]any{"replicas": replicasOf(specOf(object)), "selector": map[string]any{"matchLabels": selector},
			"template": map[string]any{"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{"name": "otc-container", "image": image}}}}}})
	if err != nil {
		return err
	}
	replicas, ready, _ := deploymentReady(deployment)
	return k.setStatus(ctx, collectors, object, map[string]any{"image": image, "version": "0.158.0",
		"scale": map[string]any{"replicas": replicas, "statusReplicas": fmt.Sprintf("%d/%d", ready, replicas)}})
}

// deploymentReady gives the wanted, the ready and the available replicas.
func deploymentReady(deployment *unstructured.Unstructured) (wanted, ready, available int64) {
	wanted = replicasOf(specOf(deployment))
	ready, _, _ = unstructured.NestedInt64(deployment.Object, "status", "readyReplicas")
	available, _, _ = unstructured.NestedInt64(deployment.Object, "status", "availableReplicas")
	return wanted, ready, available
}
