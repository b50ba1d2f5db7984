{{/* A DaemonSet of Fluent Bit, for either class.
     {{ include "node-observability.fluentBitDaemonSet" (dict "root" $ "class" "cri" "values" MERGED) }} */}}
{{- define "node-observability.fluentBitDaemonSet" -}}
{{- $values := .values -}}
{{- $component := printf "fluent-bit-%s" .class -}}
{{- $me := dict "root" .root "component" $component -}}
{{- $account := dict "root" .root "component" "fluent-bit" "account" .root.Values.fluentBit.serviceAccount -}}
apiVersion: apps/v1
kind: DaemonSet
{{ include "node-observability.metadata" (merge (dict "annotations" $values.annotations) $me) }}
spec:
  {{- include "node-observability.rollout" $values | nindent 2 }}
  selector:
    matchLabels:
      {{- include "node-observability.selectorLabels" $me | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "node-observability.podLabels" (merge (dict "extra" $values.podLabels) $me) | nindent 8 }}
      {{- $checksum := include "node-observability.fluentBitFiles" . | sha256sum }}
      {{- include "node-observability.annotations" (dict "root" .root "extra" (merge (dict "checksum/config" $checksum "kubectl.kubernetes.io/default-container" "fluent-bit") $values.podAnnotations)) | nindent 6 }}
    spec:
      serviceAccountName: {{ include "node-observability.serviceAccountName" $account | quote }}
      automountServiceAccountToken: {{ $values.kubernetesMetadata }}
      {{- include "node-observability.podSettings" (dict "root" .root "values" $values) | nindent 6 }}
      {{- include "node-observability.placement" (dict "root" .root "bottlerocket" (eq .class "cri") "nodeSelector" $values.nodeSelector "affinity" $values.affinity) | trim | nindent 6 }}
      containers:
        - {{ include "node-observability.fluentBitContainer" . | nindent 10 | trim }}
        {{- with $values.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        - name: configuration
          configMap:
            name: {{ include "node-observability.componentName" $me | quote }}
        - name: state
          hostPath:
            path: {{ printf "%s/%s" $values.hostPaths.state $component | quote }}
            type: DirectoryOrCreate
        - name: containers
          hostPath:
            path: {{ $values.hostPaths.containers | quote }}
            type: DirectoryOrCreate
        - name: pods
          hostPath:
            path: {{ $values.hostPaths.pods | quote }}
            type: DirectoryOrCreate
        {{- if eq .class "docker" }}
        - name: docker
          hostPath:
            path: {{ $values.hostPaths.docker | quote }}
            type: DirectoryOrCreate
        {{- end }}
        {{- if $values.journal }}
        - name: journal
          hostPath:
            path: {{ $values.hostPaths.journal | quote }}
            type: Directory
        {{- end }}
        {{- if $values.messages }}
        - name: messages
          hostPath:
            path: {{ $values.hostPaths.messages | default (ternary .root.Values.zabbix.hostPaths.log "/var/log" (eq .class "cri")) | quote }}
            type: Directory
        {{- end }}
        {{- if include "node-observability.usesCa" . }}
        - name: output-ca
          secret:
            secretName: {{ $values.output.caSecret | quote }}
        {{- end }}
        {{- with $values.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end -}}
