{{/* The ConfigMap of a Fluent Bit DaemonSet. {{ include "node-observability.fluentBitConfigMap" (dict "root" $ "class" "cri" "values" MERGED) }} */}}
{{- define "node-observability.fluentBitConfigMap" -}}
apiVersion: v1
kind: ConfigMap
{{ include "node-observability.metadata" (dict "root" .root "component" (printf "fluent-bit-%s" .class)) }}
data:
  {{- include "node-observability.fluentBitFiles" . | trim | nindent 2 }}
{{- end -}}
