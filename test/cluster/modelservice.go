// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"text/template"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The parts of a ModelService: its field, its child's name and role, its key in the base ConfigMap, its status fields.
var modelServiceParts = []struct{ field, suffix, base, role, status string }{
	{"prefill", "-prefill", "prefillDeployment", "prefill", "prefill"},
	{"decode", "-decode", "decodeDeployment", "decode", "decode"},
	{"endpointPicker", "-epp", "eppDeployment", "", "epp"},
}

// syncModelService renders the children as the ModelService controller does: the containers of the CR are laid over
// the base ConfigMap's by name, the CR's args before the base's, env by name, command replaced; both are templates.
func syncModelService(k *kubelet, ctx context.Context, object *unstructured.Unstructured) error {
	if !k.namespaceSays(ctx, object.GetNamespace(), annotationModelService) || object.GetDeletionTimestamp() != nil {
		return nil
	}
	base, err := k.baseConfig(ctx, object)
	if err != nil {
		return err
	}
	expanded, err := expand(object, specOf(object))
	if err != nil {
		return err
	}
	spec := expanded.(map[string]any)
	status := map[string]any{}
	for _, part := range modelServiceParts {
		status[part.status+"Ready"], status[part.status+"Available"] = "0/0", 0
		over, inCR := spec[part.field].(map[string]any)
		under, inBase := base[part.base].(map[string]any)
		if !inCR && !inBase {
			continue
		}
		name := object.GetName() + part.suffix
		deployment, err := k.put(ctx, deployments, renderChild(object, part.role, name, over, under))
		if err != nil {
			return err
		}
		wanted, ready, available := deploymentReady(deployment)
		status[part.status+"DeploymentRef"] = name
		status[part.status+"Ready"], status[part.status+"Available"] = fmt.Sprintf("%d/%d", ready, wanted), available
	}
	return k.setStatus(ctx, modelServices, object, status)
}

// expand evaluates the templates in every string of value, as the controller does with the CR and the base.
func expand(object *unstructured.Unstructured, value any) (any, error) {
	var err error
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			if v[key], err = expand(object, v[key]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = expand(object, v[i]); err != nil {
				return nil, err
			}
		}
	case string:
		return expandText(object, v)
	}
	return value, nil
}

func expandText(object *unstructured.Unstructured, text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	ports, _, _ := unstructured.NestedSlice(object.Object, "spec", "routing", "ports")
	parsed, err := template.New("").Funcs(template.FuncMap{"getPort": func(name string) (any, error) {
		if port := named(ports, name); port != nil {
			return port["port"], nil
		}
		return nil, fmt.Errorf("no port %q", name)
	}}).Parse(text)
	if err != nil {
		return "", err
	}
	model, _, _ := unstructured.NestedString(object.Object, "spec", "routing", "modelName")
	uri, _, _ := unstructured.NestedString(object.Object, "spec", "modelArtifacts", "uri")
	var out strings.Builder
	err = parsed.Execute(&out, map[string]any{"ModelServiceName": object.GetName(), "ModelServiceNamespace": object.GetNamespace(),
		"ModelName": model, "HFModelName": strings.TrimPrefix(uri, "hf://")})
	return out.String(), err
}

func (k *kubelet) baseConfig(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error) {
	parsed := map[string]any{}
	name, found, _ := unstructured.NestedString(object.Object, "spec", "baseConfigMapRef", "name")
	if !found {
		return parsed, nil
	}
	config, err := k.dynamic.Resource(configMaps).Namespace(object.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return parsed, nil
	}
	if err != nil {
		return nil, err
	}
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	for key, text := range data {
		if text, err = expandText(object, text); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		var value map[string]any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		parsed[key] = viaJSON(value)
	}
	return parsed, nil
}

func renderChild(object *unstructured.Unstructured, role, name string, spec, base map[string]any) map[string]any {
	labels := map[string]any{"llm-d.ai/inferenceServing": "true", "llm-d.ai/model": object.GetName(), "llm-d.ai/role": role}
	if role == "" {
		labels = map[string]any{"llm-d.ai/epp": name}
	}
	podSpec, _, _ := unstructured.NestedMap(base, "spec", "template", "spec")
	podSpec = merged(podSpec, nil)
	for _, list := range []string{"containers", "initContainers"} {
		over, _ := spec[list].([]any)
		under, _ := podSpec[list].([]any)
		if containers := mergeContainers(over, under); len(containers) > 0 {
			podSpec[list] = containers
		}
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": childMeta(object, modelServices, name, labels),
		"spec": map[string]any{"replicas": replicasOf(spec), "selector": map[string]any{"matchLabels": labels},
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
			if env := mergeEnv(cr["env"], base["env"]); len(env) > 0 {
				container["env"] = env
			}
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
