{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "llmd-tracing.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains "llmd-tracing" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-llmd-tracing" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* The NetworkPolicies that the operator makes for Jaeger let pods with this name in: it is no value. */}}
{{- define "llmd-tracing.selector" -}}
app.kubernetes.io/name: llmd-tracing
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "llmd-tracing.labels" -}}
{{ include "llmd-tracing.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: llm-d
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels and annotations below metadata. Arguments: root, and optional labels and annotations of the object itself. */}}
{{- define "llmd-tracing.metadata" -}}
labels:
  {{- toYaml (mergeOverwrite (dict) .root.Values.labels (.labels | default dict) (include "llmd-tracing.labels" .root | fromYaml)) | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.annotations (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "llmd-tracing.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "llmd-tracing.name" .) -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* global.imageRegistry takes the place of a registry, which is a first part with a dot, a colon, or "localhost". */}}
{{- define "llmd-tracing.image" -}}
{{- $repository := .Values.image.repository -}}
{{- if .Values.global.imageRegistry -}}
{{- $parts := splitList "/" $repository -}}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) -}}
{{- $parts = rest $parts -}}
{{- end -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .Values.global.imageRegistry) (join "/" $parts) -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* Files that the operator reads at its start, by name; empty: no ConfigMap. */}}
{{- define "llmd-tracing.files" -}}
{{- with .Values.defaults }}
settings.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.policy }}
policy.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
