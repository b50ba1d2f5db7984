{{/* Names of objects. */}}

{{/* Short name of the chart. {{ include "node-observability.name" $ }} */}}
{{- define "node-observability.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trimSuffix "-" -}}
{{- end -}}

{{/* Start of object names: at most 40 characters, so that a component still fits into 63. Dots become dashes, because a Service's name
     can't contain dots. {{ include "node-observability.fullname" $ }} */}}
{{- define "node-observability.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "node-observability.name" . -}}
{{- $release := replace "." "-" .Release.Name -}}
{{- if contains $name $release -}}
{{- $release | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" ($release | trunc (sub 39 (len $name) | max 1 | int) | trimSuffix "-") $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Name of a component's objects. {{ include "node-observability.componentName" (dict "root" $ "component" "zabbix-agent") }} */}}
{{- define "node-observability.componentName" -}}
{{- printf "%s-%s" (include "node-observability.fullname" .root) .component -}}
{{- end -}}

{{/* Name of a service account. {{ include "node-observability.serviceAccountName" (dict "root" $ "component" "fluent-bit" "account" .Values.fluentBit.serviceAccount) }} */}}
{{- define "node-observability.serviceAccountName" -}}
{{- if .account.name -}}
{{- .account.name -}}
{{- else if .account.create -}}
{{- include "node-observability.componentName" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{/* Namespace of monitors, alerts and dashboards. {{ include "node-observability.monitoringNamespace" $ }} */}}
{{- define "node-observability.monitoringNamespace" -}}
{{- .Values.monitoring.namespace | default .Release.Namespace -}}
{{- end -}}
