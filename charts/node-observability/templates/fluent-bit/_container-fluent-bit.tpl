{{/* The container of Fluent Bit. {{ include "node-observability.fluentBitContainer" (dict "root" $ "class" "cri" "values" MERGED) | nindent 8 }} */}}
{{- define "node-observability.fluentBitContainer" -}}
{{- $values := .values -}}
name: fluent-bit
image: {{ include "node-observability.image" (dict "root" .root "image" $values.image) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy | quote }}
command:
  {{- toYaml $values.command | nindent 2 }}
  - -c
  - /fluent-bit/etc/node-observability/fluent-bit.yaml
env:
  {{- include "node-observability.fluentBitEnv" . | trim | nindent 2 }}
{{- with $values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: metrics
    containerPort: {{ $values.port }}
    {{- if $values.hostNetwork }}
    hostPort: {{ $values.port }}
    {{- end }}
    protocol: TCP
{{- with $values.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet:
    path: /
    port: metrics
  {{- toYaml $values.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /api/v1/health
    port: metrics
  {{- toYaml $values.readinessProbe | nindent 2 }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
volumeMounts:
  - name: configuration
    mountPath: /fluent-bit/etc/node-observability
    readOnly: true
  - name: state
    mountPath: /var/lib/node-observability/fluent-bit
  - name: containers
    mountPath: {{ $values.hostPaths.containers | quote }}
    readOnly: true
  - name: pods
    mountPath: {{ $values.hostPaths.pods | quote }}
    readOnly: true
  {{- if eq .class "docker" }}
  - name: docker
    mountPath: {{ $values.hostPaths.docker | quote }}
    readOnly: true
  {{- end }}
  {{- if $values.journal }}
  - name: journal
    mountPath: {{ $values.hostPaths.journal | quote }}
    readOnly: true
  {{- end }}
  {{- if $values.messages }}
  - name: messages
    mountPath: /host/var/log
    readOnly: true
  {{- end }}
  {{- if include "node-observability.usesCa" . }}
  - name: output-ca
    mountPath: {{ include "node-observability.caDirectory" . }}
    readOnly: true
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
