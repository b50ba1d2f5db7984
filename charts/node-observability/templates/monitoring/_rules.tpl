{{/* The alerts, one template for each program. Every expression keeps the labels namespace, pod and node. */}}

{{/* One alert. {{ include "node-observability.alert" (dict "root" $ "name" "X" "expr" "up" "for" "5m" "severity" "warning" "summary" "S" "text" "T") }} */}}
{{- define "node-observability.alert" -}}
- alert: {{ .name | quote }}
  expr: {{ .expr | quote }}
  for: {{ .for | quote }}
  labels:
    {{- merge (dict) .root.Values.monitoring.prometheusRule.labels (dict "severity" .severity) | toYaml | nindent 4 }}
  annotations:
    summary: {{ .summary | quote }}
    description: {{ .text | quote }}
{{ end -}}

{{/* How much a counter rose within a window: the value of a new series, the increase of a known one, and what it rose
     by, or counted since a restart, while Prometheus could not scrape it for up to an hour. increase() alone ignores
     the value with which a series begins, so a loss that the exporter finds at its start would be missed.
     {{ include "node-observability.rise" (dict "counter" "x_total{a=\"b\"}" "window" "15m") }} */}}
{{- define "node-observability.rise" -}}
{{- $before := printf "last_over_time(%s[1h] offset %s)" .counter .window -}}
{{- printf "(max_over_time(%s[%s]) > 0 unless %s)" .counter .window $before }} or increase({{ .counter }}[{{ .window }}]) > 0
{{- printf " or %s - %s > 0 or (%s > 0) < %s" .counter $before .counter $before -}}
{{- end -}}

{{- define "node-observability.exporterAlerts" -}}
{{- $rule := .Values.monitoring.prometheusRule -}}
{{- $on := printf "{namespace=%q}" .Release.Namespace -}}
{{- $where := "on {{ $labels.node }} ({{ $labels.pod }})" -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalExporterDown" "for" "5m" "severity" "critical"
    "expr" (printf "up{namespace=%q,container=\"journal-exporter\"} == 0" .Release.Namespace)
    "summary" (printf "The journal exporter %s does not answer." $where)
    "text" "Prometheus could not scrape it for 5 minutes. Look at the pod and its log. No entry is lost while the journal still holds it.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalExporterHangs" "for" "1m" "severity" "critical"
    "expr" (printf "time() - journal_exporter_heartbeat_timestamp_seconds%s > 300" $on)
    "summary" (printf "The journal exporter %s hangs." $where)
    "text" "It answers, but its worker has made no progress for {{ $value | humanizeDuration }}. A disk that does not answer is a usual cause.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "HostLogStale" "for" "1h" "severity" "warning"
    "expr" (printf "increase(journal_exporter_lines_written_total%s[10m]) == 0" $on)
    "summary" (printf "Nothing is written to the host log %s." $where)
    "text" "The exporter wrote no line in an hour. Either it is blocked or hangs, or the node logs nothing.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalExporterBehind" "for" "10m" "severity" "warning"
    "expr" (printf "journal_exporter_lag_seconds%s > %v" $on $rule.maxLagS)
    "summary" (printf "The journal exporter %s is behind the journal." $where)
    "text" "The oldest unread entry is {{ $value | humanizeDuration }} old. Entries that journald deletes before the exporter reads them are lost.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalEntriesNearDeletion" "for" "5m" "severity" "critical"
    "expr" (printf "journal_exporter_time_to_vacuum_seconds%s < 900 and journal_exporter_lag_seconds%s > 60" $on $on)
    "summary" (printf "Unread journal entries %s are about to be deleted." $where)
    "text" "journald deletes them in about {{ $value | humanizeDuration }}. Find out why the exporter is slow: check journal_exporter_output_blocked, its log and its CPU limit.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalEntriesLost" "for" "0m" "severity" "critical"
    "expr" (include "node-observability.rise" (dict "counter" (printf "journal_exporter_entries_lost_total%s" $on) "window" "15m"))
    "summary" (printf "Journal entries %s were lost." $where)
    "text" "{{ $value | humanize }} entries were lost before the exporter could read them. A line in /var/log/messages marks each gap.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalNumberingRestarted" "for" "0m" "severity" "warning"
    "expr" (include "node-observability.rise" (dict "counter" (printf "journal_exporter_numbering_restarts_total%s" $on) "window" "15m"))
    "summary" (printf "The journal's sequence numbers %s started again." $where)
    "text" "Entries that were lost across the restart can't be counted. A new machine id, or the deletion of all journal files, causes this.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "HostLogChanged" "for" "0m" "severity" "warning"
    "expr" (include "node-observability.rise" (dict "counter" (printf "journal_exporter_recovery_mismatches_total%s" $on) "window" "15m"))
    "summary" (printf "Another program changed the host log %s." $where)
    "text" (printf "The exporter found text in %s that it did not write. Only the exporter may write there." .Values.zabbix.hostPaths.log)) -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalCheckpointDamaged" "for" "0m" "severity" "warning"
    "expr" (include "node-observability.rise" (dict "counter" (printf "journal_exporter_checkpoints_set_aside_total%s" $on) "window" "15m"))
    "summary" (printf "The journal exporter's checkpoint %s was damaged." $where)
    "text" "The exporter renamed it to checkpoint.damaged-1 (or the next free number), and continued where the last lines of the output end. Its log says where. A failing disk, or a program that changes the state directory, causes this.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalExporterOutputBlocked" "for" "5m" "severity" "critical"
    "expr" (printf "max by (namespace, pod, node) (journal_exporter_output_blocked%s) > 0" $on)
    "summary" (printf "The journal exporter %s can't write its output." $where)
    "text" (printf "The disk that holds %s is full, read-only or failing. No entry is lost while the journal still holds it." .Values.zabbix.hostPaths.log)) -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalExporterWorkerRestarting" "for" "0m" "severity" "warning"
    "expr" (printf "sum by (namespace, pod, node) (%s) > %v" (include "node-observability.rise" (dict "counter" (printf "journal_exporter_worker_restarts_total%s" $on) "window" "1h")) $rule.maxWorkerRestarts)
    "summary" (printf "The journal exporter's worker %s keeps restarting." $where)
    "text" "The exporter replaced its worker {{ $value | humanize }} times in an hour. It sets aside a journal file that kills its readers: see journal_exporter_journal_files.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "JournalFilesUnreadable" "for" "15m" "severity" "warning"
    "expr" (printf "sum by (namespace, pod, node) (journal_exporter_journal_files{namespace=%q,state!=\"readable\"}) > 0" .Release.Namespace)
    "summary" (printf "Journal files %s can't be read." $where)
    "text" "{{ $value | humanize }} files are corrupt, set aside, denied or in an unknown format. Their entries are missing from the output.") -}}
{{- end -}}

{{- define "node-observability.fluentBitAlerts" -}}
{{- $rule := .Values.monitoring.prometheusRule -}}
{{- $on := printf "{namespace=%q}" .Release.Namespace -}}
{{- $where := "on {{ $labels.node }} ({{ $labels.pod }})" -}}
{{- include "node-observability.alert" (dict "root" $ "name" "FluentBitOutputFailing" "for" "15m" "severity" "warning"
    "expr" (printf "increase(fluentbit_output_retries_total%s[10m]) > 0 unless increase(fluentbit_output_proc_records_total%s[10m]) > 0" $on $on)
    "summary" (printf "Fluent Bit %s delivers no records." $where)
    "text" "Output {{ $labels.name }} keeps retrying and has delivered no record in 10 minutes. Records wait on the node's disk, up to storageLimit.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "FluentBitRetriesFailed" "for" "0m" "severity" "critical"
    "expr" (include "node-observability.rise" (dict "counter" (printf "fluentbit_output_retries_failed_total%s" $on) "window" "15m"))
    "summary" (printf "Fluent Bit %s gave up on records." $where)
    "text" "Output {{ $labels.name }} gave up on {{ $value | humanize }} chunks. Their records are lost.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "FluentBitRecordsDropped" "for" "0m" "severity" "critical"
    "expr" (include "node-observability.rise" (dict "counter" (printf "fluentbit_output_dropped_records_total%s" $on) "window" "15m"))
    "summary" (printf "Fluent Bit %s dropped records." $where)
    "text" "Output {{ $labels.name }} dropped {{ $value | humanize }} records, because they were refused or their storage was full.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "FluentBitStorageNearLimit" "for" "10m" "severity" "warning"
    "expr" (printf "fluentbit_output_chunk_available_capacity_percent%s < %v" $on $rule.minStoragePercent)
    "summary" (printf "Fluent Bit %s is close to its storage limit." $where)
    "text" "Output {{ $labels.name }} has {{ $value | humanize }} % of storageLimit left. When none is left, Fluent Bit drops the oldest records.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "FluentBitInputPaused" "for" "10m" "severity" "warning"
    "expr" (printf "fluentbit_input_ingestion_paused%s > 0" $on)
    "summary" (printf "Fluent Bit %s has stopped reading." $where)
    "text" "Input {{ $labels.name }} is paused. It does not read files that are rotated in the meantime.") -}}
{{- end -}}

{{/* Alerts on nodes without their pods, from kube-state-metrics. */}}
{{- define "node-observability.nodeAlerts" -}}
{{- $name := include "node-observability.fullname" . -}}
{{- $ours := printf "kube_pod_info{namespace=%q,created_by_kind=\"DaemonSet\",created_by_name=" .Release.Namespace -}}
{{- include "node-observability.alert" (dict "root" $ "name" "NodeObservabilityPodsNotReady" "for" "15m" "severity" "warning"
    "expr" (printf "kube_daemonset_status_desired_number_scheduled{namespace=%q,daemonset=~\"%s-(fluent-bit-cri|fluent-bit-docker|zabbix-agent)\"} - kube_daemonset_status_number_ready > 0" .Release.Namespace $name)
    "summary" "Pods of {{ $labels.daemonset }} are not ready."
    "text" "{{ $value | humanize }} nodes have no ready pod of this DaemonSet.") -}}
{{- if .Values.fluentBit.enabled -}}
{{- include "node-observability.alert" (dict "root" $ "name" "NodeWithoutFluentBit" "for" "15m" "severity" "warning"
    "expr" (printf "kube_node_info{node!~\"fargate-.*\",os_image!~\"Windows.*\"} unless on (node) %s~\"%s-fluent-bit-(cri|docker)\"}" $ours $name)
    "summary" "Node {{ $labels.node }} has no Fluent Bit."
    "text" "Its container logs are not collected. `node-observability coverage` shows why.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "NodeWithTwoFluentBits" "for" "15m" "severity" "warning"
    "expr" (printf "count by (node) (%s~\"%s-fluent-bit-(cri|docker)\"}) > 1" $ours $name)
    "summary" "Node {{ $labels.node }} has two Fluent Bits."
    "text" "Its container logs are collected twice.") -}}
{{- include "node-observability.alert" (dict "root" $ "name" "BottlerocketNodeWithoutLabel" "for" "15m" "severity" "warning"
    "expr" (printf "kube_node_info{os_image=~\"Bottlerocket.*\"} and on (node) %s\"%s-fluent-bit-docker\"}" $ours $name)
    "summary" "Bottlerocket node {{ $labels.node }} lacks its label."
    "text" (printf "It runs the docker Fluent Bit and no Zabbix agent. Set the label %s=%s in its node group." .Values.nodeSelection.labelKey .Values.nodeSelection.labelValue)) -}}
{{- end -}}
{{- if .Values.zabbix.enabled -}}
{{- include "node-observability.alert" (dict "root" $ "name" "BottlerocketNodeWithoutAgent" "for" "15m" "severity" "warning"
    "expr" (printf "kube_node_info{os_image=~\"Bottlerocket.*\"} unless on (node) %s\"%s-zabbix-agent\"}" $ours $name)
    "summary" "Bottlerocket node {{ $labels.node }} has no Zabbix agent."
    "text" "Neither its host log nor its metrics reach Zabbix. `node-observability coverage` shows why.") -}}
{{- end -}}
{{- end -}}
