{{/* The pod template, from `metadata:` on, of a program that uses the API of the Zabbix frontend.
     {{ include "node-observability.apiPod" (dict "root" $ "component" "prune-hosts" "args" LIST "token" true) | nindent 6 }};
     "psk" true passes the pre-shared key, "catalogue" true mounts the log patterns. */}}
{{- define "node-observability.apiPod" -}}
{{- $zabbix := .root.Values.zabbix -}}
{{- $api := $zabbix.api -}}
metadata:
  labels:
    {{- include "node-observability.podLabels" (dict "root" .root "component" .component "extra" $api.podLabels) | nindent 4 }}
  {{- with include "node-observability.annotations" (dict "root" .root "extra" $api.podAnnotations) }}
  {{- . | nindent 2 }}
  {{- end }}
spec:
  restartPolicy: Never
  enableServiceLinks: false
  serviceAccountName: {{ ternary (include "node-observability.serviceAccountName" (dict "root" .root "component" .component "account" $api.serviceAccount)) "default" (.token | default false) | quote }}
  automountServiceAccountToken: {{ .token | default false }}
  {{- with include "node-observability.imagePullSecrets" .root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $api.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with $api.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $api.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  nodeSelector:
    {{- merge (dict "kubernetes.io/os" "linux") $api.nodeSelector | toYaml | nindent 4 }}
  tolerations:
    {{- toYaml $api.tolerations | nindent 4 }}
  securityContext:
    {{- toYaml $api.podSecurityContext | nindent 4 }}
  containers:
    - name: toolbox
      image: {{ include "node-observability.image" (dict "root" .root "image" $api.image) | quote }}
      imagePullPolicy: {{ $api.image.pullPolicy | quote }}
      args:
        {{- toYaml .args | nindent 8 }}
        - {{ printf "--cluster=%s" .root.Values.clusterName | quote }}
        {{- with $api.hostGroup }}
        - {{ printf "--host-group=%s" . | quote }}
        {{- end }}
        {{- with $api.proxy }}
        - {{ printf "--proxy=%s" . | quote }}
        {{- end }}
        {{- if $api.caSecret }}
        - --ca-file=/etc/node-observability/ca/ca.crt
        {{- end }}
      env:
        - name: ZABBIX_URL
          value: {{ $api.url | quote }}
        # A token, or user and password. The program reports an error if the Secret has neither.
        {{- range $key, $name := dict "token" "ZABBIX_API_TOKEN" "user" "ZABBIX_USER" "password" "ZABBIX_PASSWORD" }}
        - name: {{ $name | quote }}
          valueFrom: {secretKeyRef: {name: {{ $api.existingSecret | quote }}, key: {{ $key }}, optional: true}}
        {{- end }}
        {{- if .psk }}
        - name: ZABBIX_PSK_IDENTITY
          value: {{ $zabbix.tls.pskIdentity | quote }}
        - name: ZABBIX_PSK
          valueFrom: {secretKeyRef: {name: {{ $zabbix.tls.existingSecret | quote }}, key: psk}}
        {{- end }}
        {{- with $api.extraEnv }}
        {{- include "node-observability.extraEnv" . | nindent 8 }}
        {{- end }}
      securityContext:
        {{- toYaml $api.securityContext | nindent 8 }}
      resources:
        {{- toYaml $api.resources | nindent 8 }}
      volumeMounts:
        # The program writes the certificate authorities of the cluster's API to a file here.
        - name: tmp
          mountPath: /tmp
        {{- if $api.caSecret }}
        - name: ca
          mountPath: /etc/node-observability/ca
          readOnly: true
        {{- end }}
        {{- if .catalogue }}
        - name: catalogue
          mountPath: /etc/node-observability/catalogue
          readOnly: true
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {medium: Memory, sizeLimit: 16Mi}
    {{- with $api.caSecret }}
    - name: ca
      secret:
        secretName: {{ . | quote }}
        defaultMode: 0440
    {{- end }}
    {{- if .catalogue }}
    - name: catalogue
      configMap:
        name: {{ $api.apply.existingCatalogue | quote }}
    {{- end }}
{{- end -}}
