{{/* The nodes that a DaemonSet runs on. Both sides are made from one label. `NotIn` also matches nodes without the label, so the docker
     Fluent Bit runs on exactly the other nodes. */}}

{{/* Terms of a required node affinity, as a JSON list. Each part may be absent or null, as in Kubernetes.
     {{ include "node-observability.affinityTerms" $values.affinity | fromJsonArray }} */}}
{{- define "node-observability.affinityTerms" -}}
{{- $nodes := get . "nodeAffinity" | default dict -}}
{{- $required := get $nodes "requiredDuringSchedulingIgnoredDuringExecution" | default dict -}}
{{- get $required "nodeSelectorTerms" | default list | toJson -}}
{{- end -}}

{{/* `nodeSelector:` and `affinity:` of a pod. The terms of a node affinity are alternatives, so the chart's conditions go into
     each term of the user's affinity.
     {{ include "node-observability.placement" (dict "root" $ "bottlerocket" true "nodeSelector" .Values.zabbix.nodeSelector "affinity" .Values.zabbix.affinity) }} */}}
{{- define "node-observability.placement" -}}
{{- $selection := .root.Values.nodeSelection -}}
{{- $selector := deepCopy .nodeSelector -}}
{{- $own := list (dict "key" "kubernetes.io/os" "operator" "In" "values" (list "linux")) -}}
{{- range $selection.exclude -}}
{{- $own = append $own (dict "key" .key "operator" "NotIn" "values" .values) -}}
{{- end -}}
{{- if .bottlerocket -}}
{{- $_ := set $selector $selection.labelKey $selection.labelValue -}}
{{- else -}}
{{- $own = append $own (dict "key" $selection.labelKey "operator" "NotIn" "values" (list $selection.labelValue)) -}}
{{- end -}}
{{- $required := "requiredDuringSchedulingIgnoredDuringExecution" -}}
{{- $affinity := deepCopy .affinity -}}
{{- $terms := list -}}
{{- range include "node-observability.affinityTerms" $affinity | fromJsonArray | default (list dict) -}}
{{- $terms = append $terms (merge (dict "matchExpressions" (concat $own (.matchExpressions | default list))) .) -}}
{{- end -}}
{{- $nodes := merge (dict $required (dict "nodeSelectorTerms" $terms)) (get $affinity "nodeAffinity" | default dict) -}}
{{- with $selector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
  {{- merge (dict "nodeAffinity" $nodes) $affinity | toYaml | nindent 2 }}
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
{{- with $values.hostAliases }}
hostAliases:
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
