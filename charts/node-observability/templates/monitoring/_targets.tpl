{{/* Scrape targets, as a JSON list with the component and the path of each.
     {{ include "node-observability.targets" $ | fromJsonArray }} */}}
{{- define "node-observability.targets" -}}
{{- $targets := list -}}
{{- if .Values.zabbix.enabled -}}
{{- $targets = append $targets (dict "component" "zabbix-agent" "path" "/metrics") -}}
{{- end -}}
{{- if .Values.fluentBit.enabled -}}
{{- range list "cri" "docker" -}}
{{- $targets = append $targets (dict "component" (printf "fluent-bit-%s" .) "path" "/api/v2/metrics/prometheus") -}}
{{- end -}}
{{- end -}}
{{- toJson $targets -}}
{{- end -}}

{{/* One endpoint of a monitor. {{ include "node-observability.endpoint" (dict "monitor" .Values.monitoring.podMonitor "path" "/metrics") }} */}}
{{- define "node-observability.endpoint" -}}
port: metrics
path: {{ .path | quote }}
interval: {{ .monitor.interval | quote }}
scrapeTimeout: {{ .monitor.scrapeTimeout | quote }}
relabelings:
  # Alerts and the dashboard use the label node.
  - sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: node
    action: replace
  {{- with .monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
