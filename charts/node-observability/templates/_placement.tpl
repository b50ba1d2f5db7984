{{/* The nodes that a DaemonSet runs on. Both sides are made from one label. `NotIn` also matches nodes without the label, so the docker
     Fluent Bit runs on exactly the other nodes. */}}

{{/* `nodeSelector:` and `affinity:` of a pod.
     {{ include "node-observability.placement" (dict "root" $ "bottlerocket" true "nodeSelector" .Values.zabbix.nodeSelector) }} */}}
{{- define "node-observability.placement" -}}
{{- $selection := .root.Values.nodeSelection -}}
{{- $selector := deepCopy .nodeSelector -}}
{{- if .bottlerocket -}}
{{- $_ := set $selector $selection.labelKey $selection.labelValue -}}
{{- end -}}
{{- with $selector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: kubernetes.io/os
              operator: In
              values: [linux]
            {{- range $selection.exclude }}
            - key: {{ .key | quote }}
              operator: NotIn
              values:
                {{- toYaml .values | nindent 16 }}
            {{- end }}
            {{- if not .bottlerocket }}
            - key: {{ $selection.labelKey | quote }}
              operator: NotIn
              values: [{{ $selection.labelValue | quote }}]
            {{- end }}
{{- end -}}

{{/* Settings of a pod besides its containers, volumes and placement.
     {{ include "node-observability.podSettings" (dict "root" $ "values" .Values.zabbix) | nindent 6 }} */}}
{{- define "node-observability.podSettings" -}}
{{- $values := .values -}}
enableServiceLinks: false
{{- with include "node-observability.imagePullSecrets" .root }}
{{ . }}
{{- end }}
hostNetwork: {{ $values.hostNetwork }}
dnsPolicy: {{ $values.dnsPolicy | quote }}
{{- with $values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
tolerations:
  {{- toYaml $values.tolerations | nindent 2 }}
{{- with $values.extraInitContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* How a DaemonSet rolls out changes. {{ include "node-observability.rollout" .Values.zabbix | nindent 2 }} */}}
{{- define "node-observability.rollout" -}}
minReadySeconds: {{ .minReadySeconds }}
revisionHistoryLimit: {{ .revisionHistoryLimit }}
updateStrategy:
  {{- toYaml .updateStrategy | nindent 2 }}
{{- end -}}
