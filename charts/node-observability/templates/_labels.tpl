{{/* Labels and annotations. Selectors can't be changed later, so they never contain a version, a chart name or a user's label. */}}

{{/* Labels that select a component's pods. {{ include "node-observability.selectorLabels" (dict "root" $ "component" "zabbix-agent") }} */}}
{{- define "node-observability.selectorLabels" -}}
app.kubernetes.io/name: {{ include "node-observability.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{/* Labels of an object. {{ include "node-observability.labels" (dict "root" $ "component" "zabbix-agent") }}; "extra" is optional. */}}
{{- define "node-observability.labels" -}}
{{- $own := include "node-observability.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_")) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "node-observability" -}}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- toYaml (merge $own (.extra | default dict) .root.Values.commonLabels) -}}
{{- end -}}

{{/* Labels of pods: those of the selector and the user's. They contain no version, so that a new chart version alone replaces no pod.
     {{ include "node-observability.podLabels" (dict "root" $ "component" "zabbix-agent" "extra" .Values.zabbix.podLabels) }} */}}
{{- define "node-observability.podLabels" -}}
{{- $own := include "node-observability.selectorLabels" . | fromYaml -}}
{{- toYaml (merge $own .extra .root.Values.commonLabels) -}}
{{- end -}}

{{/* The block `annotations:`, if there are any. {{ include "node-observability.annotations" (dict "root" $ "extra" dict) | nindent 2 }} */}}
{{- define "node-observability.annotations" -}}
{{- with merge (dict) (.extra | default dict) .root.Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Name, namespace, labels and annotations of an object.
     {{ include "node-observability.metadata" (dict "root" $ "component" "zabbix-agent") }}; optional: "name", "namespace",
     "labels", "annotations". "namespace" "-" is for objects that have none. */}}
{{- define "node-observability.metadata" -}}
metadata:
  name: {{ .name | default (include "node-observability.componentName" .) | quote }}
  {{- if ne (.namespace | default "") "-" }}
  namespace: {{ .namespace | default .root.Release.Namespace | quote }}
  {{- end }}
  labels:
    {{- include "node-observability.labels" (dict "root" .root "component" .component "extra" .labels) | nindent 4 }}
  {{- with include "node-observability.annotations" (dict "root" .root "extra" .annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}
