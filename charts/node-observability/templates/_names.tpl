{{/* The names of objects. */}}

{{/* {{ include "node-observability.name" $ }} */}}
{{- define "node-observability.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trimSuffix "-" -}}
{{- end -}}

{{/* {{ include "node-observability.fullname" $ }}; 40 letters at most, so that components fit into 63; a release may have dots
     in its name, a Service may not. */}}
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

{{/* {{ include "node-observability.componentName" (dict "root" $ "component" "zabbix-agent") }} */}}
{{- define "node-observability.componentName" -}}
{{- printf "%s-%s" (include "node-observability.fullname" .root) .component -}}
{{- end -}}

{{/* {{ include "node-observability.serviceAccountName" (dict "root" $ "component" "fluent-bit" "account" .Values.fluentBit.serviceAccount) }} */}}
{{- define "node-observability.serviceAccountName" -}}
{{- if .account.name -}}
{{- .account.name -}}
{{- else if .account.create -}}
{{- include "node-observability.componentName" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{/* {{ include "node-observability.monitoringNamespace" $ }} */}}
{{- define "node-observability.monitoringNamespace" -}}
{{- .Values.monitoring.namespace | default .Release.Namespace -}}
{{- end -}}
