{{/* The container of the Zabbix agent. {{ include "node-observability.agentContainer" $ | nindent 8 }} */}}
{{- define "node-observability.agentContainer" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- $configuration := "/etc/zabbix/node-observability/zabbix_agent2.conf" -}}
name: zabbix-agent2
image: {{ include "node-observability.image" (dict "root" $ "image" $agent.image) | quote }}
imagePullPolicy: {{ $agent.image.pullPolicy | quote }}
command:
  {{- toYaml $agent.command | nindent 2 }}
  - -c
  - {{ $configuration }}
env:
  - name: NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
  {{- with $agent.extraEnv }}
  {{- include "node-observability.extraEnv" . | nindent 2 }}
  {{- end }}
{{- with $agent.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $agent.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  exec:
    # Checks the answer, because the client of 6.0 exits with 0 even without one.
    command:
      - sh
      - -c
      - {{ printf "%s -c %s -R version 2>&1 | grep -Eq '[0-9]+[.][0-9]+[.][0-9]+$'" (index $agent.command 0) $configuration | quote }}
  {{- toYaml $agent.livenessProbe | nindent 2 }}
securityContext:
  {{- toYaml $agent.securityContext | nindent 2 }}
resources:
  {{- toYaml $agent.resources | nindent 2 }}
volumeMounts:
  - name: configuration
    mountPath: /etc/zabbix/node-observability
    readOnly: true
  {{- if ne .Values.zabbix.tls.mode "unencrypted" }}
  - name: tls
    mountPath: /etc/zabbix/tls
    readOnly: true
  {{- end }}
  - name: log
    mountPath: /var/log
    readOnly: true
  - name: buffer
    mountPath: /var/lib/zabbix
  - name: tmp
    mountPath: /tmp
  {{- if $agent.hostRoot.enabled }}
  - name: host-root
    mountPath: /hostfs/root
    readOnly: true
    mountPropagation: HostToContainer
  {{- end }}
  {{- with $agent.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
