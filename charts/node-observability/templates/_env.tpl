{{/* Environment variables from values. Kubernetes accepts only strings, so numbers and booleans become strings here. */}}

{{/* A string, number or boolean as text. Helm reads numbers as floats: 1000000 would become 1e+06.
     {{ include "node-observability.text" 9200 }} */}}
{{- define "node-observability.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Entries of `env:` that the user adds. {{ include "node-observability.extraEnv" .Values.zabbix.agent.extraEnv | nindent 2 }} */}}
{{- define "node-observability.extraEnv" -}}
{{- $entries := list -}}
{{- range . -}}
{{- $entry := deepCopy . -}}
{{- if hasKey . "value" -}}
{{- $_ := set $entry "value" (include "node-observability.text" .value) -}}
{{- end -}}
{{- $entries = append $entries $entry -}}
{{- end -}}
{{- toYaml $entries -}}
{{- end -}}
