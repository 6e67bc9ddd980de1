{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/*
What the operator may do, by purpose: name, and its rules. One table for ClusterRoles and Roles; docs/rbac.md says why.
`wide`: rights that only a ClusterRole can give. Names where they are known: of its own Deployments, Services and so on
it may make and delete those that it makes, and no others.
*/}}
{{- define "llmd-tracing.rights" -}}
{{- $wide := not .Values.namespaces -}}
workloads-read:
  - apiGroups: [""]
    resources: [namespaces]
    {{- if $wide }}
    verbs: [list, watch]
    {{- else }}
    verbs: [get]
    {{- end }}
  - apiGroups: [""]
    resources: [services]
    verbs: [get, list, watch]
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, watch]
  - apiGroups: [apps]
    resources: [deployments, statefulsets]
    verbs: [get, list, watch]
  - apiGroups: [leaderworkerset.x-k8s.io]
    resources: [leaderworkersets]
    verbs: [get, list, watch]
  - apiGroups: [disaggregatedset.x-k8s.io]
    resources: [disaggregatedsets]
    verbs: [get, list, watch]
  - apiGroups: [llm-d.ai]
    resources: [modelservices]
    verbs: [get, list, watch]
  - apiGroups: [inference.networking.k8s.io, inference.networking.x-k8s.io]
    resources: [inferencepools]
    verbs: [list, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [list, watch]
  - apiGroups: [security.istio.io]
    resources: [peerauthentications]
    verbs: [list, watch]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, watch]
  - apiGroups: [""]
    resources: [pods/log]
    verbs: [get]
workloads-patch:
  - apiGroups: [apps]
    resources: [deployments, statefulsets]
    verbs: [patch]
  - apiGroups: [leaderworkerset.x-k8s.io]
    resources: [leaderworkersets]
    verbs: [patch]
  - apiGroups: [disaggregatedset.x-k8s.io]
    resources: [disaggregatedsets]
    verbs: [patch]
  - apiGroups: [llm-d.ai]
    resources: [modelservices]
    verbs: [patch]
owned:
  - apiGroups: [apps]
    resources: [deployments]
    resourceNames: [otel-collector, jaeger]
    verbs: [create, delete]
  - apiGroups: [""]
    resources: [services]
    resourceNames: [otel-collector, otel-collector-tier, jaeger-collector]
    verbs: [create, patch, delete]
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [otel-collector-config, jaeger-config]
    verbs: [create, patch, delete]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    verbs: [list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    resourceNames: [otel-collector, jaeger]
    verbs: [get, create, patch, delete]
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [list, watch]
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    resourceNames: [jaeger-data]
    verbs: [get, create, patch, delete]
  - apiGroups: [opentelemetry.io]
    resources: [opentelemetrycollectors]
    verbs: [list, watch]
  - apiGroups: [opentelemetry.io]
    resources: [opentelemetrycollectors]
    resourceNames: [otel]
    verbs: [get, create, patch, delete]
tracings:
  - apiGroups: [tracing.llm-d.io]
    resources: [tracings]
    verbs: [list, watch, create]
  - apiGroups: [tracing.llm-d.io]
    resources: [tracings]
    resourceNames: [llm-d]
    verbs: [get, delete]
  - apiGroups: [tracing.llm-d.io]
    resources: [tracings/status]
    resourceNames: [llm-d]
    verbs: [patch]
events:
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create, patch]
{{- if $wide }}
crds:
  - apiGroups: [apiextensions.k8s.io]
    resources: [customresourcedefinitions]
    verbs: [list, watch]
room:
  - apiGroups: [""]
    resources: [nodes]
    verbs: [list]
{{- end }}
{{- if .Values.rbac.deleteCrashedPods }}
crashed-pods:
  - apiGroups: [""]
    resources: [pods]
    verbs: [delete]
{{- end }}
{{- if .Values.rbac.secrets }}
secrets:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get]
{{- end }}
{{- if .Values.rbac.rehearse }}
rehearse:
  - apiGroups: [""]
    resources: [pods]
    verbs: [create, get, list, delete]
  - apiGroups: [""]
    resources: [pods/log]
    verbs: [get]
{{- end }}
{{- end }}
