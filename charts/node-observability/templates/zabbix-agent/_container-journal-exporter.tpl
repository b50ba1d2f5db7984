{{/* Whether metrics are scraped from outside the pod. {{ if include "node-observability.isScraped" $ }} */}}
{{- define "node-observability.isScraped" -}}
{{- if or .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled -}}true{{- end -}}
{{- end -}}

{{/* The address that the exporter listens on: the loopback address on the host network, unless a monitor scrapes from outside the pod.
     {{ include "node-observability.exporterHost" $ }} */}}
{{- define "node-observability.exporterHost" -}}
{{- if and .Values.zabbix.hostNetwork (not (include "node-observability.isScraped" .)) -}}127.0.0.1{{- end -}}
{{- end -}}

{{/* Environment of the exporter: one variable per key of `settings`.
     {{ include "node-observability.exporterEnv" $ | nindent 2 }} */}}
{{- define "node-observability.exporterEnv" -}}
{{- $exporter := .Values.zabbix.journalExporter -}}
- name: JOURNAL_EXPORTER_JOURNAL_ROOT
  value: /host
- name: JOURNAL_EXPORTER_METRICS_ADDRESS
  value: "{{ include "node-observability.exporterHost" . }}:{{ $exporter.port }}"
- name: JOURNAL_EXPORTER_OUTPUT
  value: /var/log/messages
- name: JOURNAL_EXPORTER_STATE_DIRECTORY
  value: /var/lib/journal-exporter
{{- range $key, $value := $exporter.settings }}
- name: JOURNAL_EXPORTER_{{ snakecase $key | upper }}
  value: {{ ternary (join "," (default (list "none") $value)) $value (kindIs "slice" $value) | toString | quote }}
{{- end }}
- name: TZ
  value: {{ $exporter.timeZone | quote }}
{{- with $exporter.extraEnv }}
{{ include "node-observability.extraEnv" . }}
{{- end }}
{{- end -}}

{{/* The container of the journal exporter. {{ include "node-observability.exporterContainer" $ | nindent 8 }} */}}
{{- define "node-observability.exporterContainer" -}}
{{- $exporter := .Values.zabbix.journalExporter -}}
{{- $host := include "node-observability.exporterHost" . -}}
name: journal-exporter
image: {{ include "node-observability.image" (dict "root" $ "image" $exporter.image) | quote }}
imagePullPolicy: {{ $exporter.image.pullPolicy | quote }}
args: [run]
env:
  {{- include "node-observability.exporterEnv" $ | nindent 2 }}
ports:
  - name: metrics
    containerPort: {{ $exporter.port }}
    {{- if .Values.zabbix.hostNetwork }}
    hostPort: {{ $exporter.port }}
    {{- end }}
    protocol: TCP
{{- with $exporter.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
    {{- with $host }}
    host: {{ . | quote }}
    {{- end }}
  {{- toYaml $exporter.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
    {{- with $host }}
    host: {{ . | quote }}
    {{- end }}
  {{- toYaml $exporter.readinessProbe | nindent 2 }}
securityContext:
  {{- toYaml $exporter.securityContext | nindent 2 }}
resources:
  {{- toYaml $exporter.resources | nindent 2 }}
volumeMounts:
  - name: journal
    mountPath: /host/var/log/journal
    readOnly: true
  - name: journal-runtime
    mountPath: /host/run/log/journal
    readOnly: true
  - name: log
    mountPath: /var/log
  - name: state
    mountPath: /var/lib/journal-exporter
  {{- with $exporter.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
