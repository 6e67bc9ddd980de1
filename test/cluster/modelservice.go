// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var modelServiceParts = []struct{ field, suffix, base, role, ref string }{
	{"prefill", "-prefill", "prefillDeployment", "prefill", "prefillDeploymentRef"},
	{"decode", "-decode", "decodeDeployment", "decode", "decodeDeploymentRef"},
	{"endpointPicker", "-epp", "eppDeployment", "", "eppDeploymentRef"},
}

// syncModelService renders the children as the ModelService controller does: the containers of the CR are
// laid over the base ConfigMap's by name, the CR's args before the base's, env by name, command replaced.
func syncModelService(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if !k.namespaceSays(ctx, object.GetNamespace(), annotationModelService) {
		return nil
	}
	base, err := k.baseConfig(ctx, object)
	if err != nil {
		return err
	}
	status := map[string]any{}
	for _, part := range modelServiceParts {
		spec, inCR, _ := unstructured.NestedMap(object.Object, "spec", part.field)
		template, inBase := base[part.base].(map[string]any)
		if !inCR && !inBase {
			continue
		}
		name := object.GetName() + part.suffix
		if err := k.put(ctx, deployments, renderChild(object, part.role, name, spec, template)); err != nil {
			return err
		}
		status[part.ref] = name
	}
	return k.setStatus(ctx, modelServices, object, status)
}

func (k *kubelet) baseConfig(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error) {
	parsed := map[string]any{}
	name, found, _ := unstructured.NestedString(object.Object, "spec", "baseConfigMapRef", "name")
	if !found {
		return parsed, nil
	}
	config, err := k.dynamic.Resource(configMaps).Namespace(object.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		if apierrors.IsNotFound(err) {
			return parsed, nil
		}
		return nil, err
	}
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	model, _, _ := unstructured.NestedString(object.Object, "spec", "routing", "modelName")
	for key, text := range data {
		var value map[string]any
		if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "{{ .HFModelName }}", model)), &value); err != nil {
			return nil, err
		}
		parsed[key] = value
	}
	return parsed, nil
}

func renderChild(object *unstructured.Unstructured, role, name string, spec, base map[string]any) map[string]any {
	labels := map[string]any{"llm-d.ai/inferenceServing": "true", "llm-d.ai/model": object.GetName()}
	if role == "" {
		labels = map[string]any{"llm-d.ai/epp": name}
	} else {
		labels["llm-d.ai/role"] = role
	}
	podSpec := map[string]any{}
	for _, list := range []string{"containers", "initContainers"} {
		over, _, _ := unstructured.NestedSlice(spec, list)
		under, _, _ := unstructured.NestedSlice(base, "spec", "template", "spec", list)
		if containers := mergeContainers(over, under); len(containers) > 0 {
			podSpec[list] = containers
		}
	}
	replicas, found, _ := unstructured.NestedInt64(spec, "replicas")
	if !found {
		replicas = 1
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": name, "namespace": object.GetNamespace(), "labels": labels, "ownerReferences": ownerOf(object)},
		"spec": map[string]any{"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec}},
	}
}

func named(list []any, name any) map[string]any {
	for _, item := range list {
		if m, ok := item.(map[string]any); ok && m["name"] == name {
			return m
		}
	}
	return nil
}

func mergeContainers(over, under []any) []any {
	var result []any
	for _, item := range under {
		base := item.(map[string]any)
		cr := named(over, base["name"])
		container := merged(base, cr)
		delete(container, "mountModelVolume")
		if cr != nil {
			args, _ := cr["args"].([]any)
			baseArgs, _ := base["args"].([]any)
			if len(args)+len(baseArgs) > 0 {
				container["args"] = append(append([]any{}, args...), baseArgs...)
			}
			container["env"] = mergeEnv(cr["env"], base["env"])
		}
		result = append(result, container)
	}
	for _, item := range over {
		if cr := item.(map[string]any); named(under, cr["name"]) == nil {
			container := merged(cr, nil)
			delete(container, "mountModelVolume")
			result = append(result, container)
		}
	}
	return result
}

func mergeEnv(over, under any) []any {
	overList, _ := over.([]any)
	underList, _ := under.([]any)
	var result []any
	for _, item := range underList {
		if replaced := named(overList, item.(map[string]any)["name"]); replaced != nil {
			item = replaced
		}
		result = append(result, item)
	}
	for _, item := range overList {
		if named(underList, item.(map[string]any)["name"]) == nil {
			result = append(result, item)
		}
	}
	return result
}
