{{/* The servers that the agent connects to: each node of the first server with its port, then the additional servers. IPv6
     addresses get brackets. {{ include "node-observability.serverActive" $ }} */}}
{{- define "node-observability.serverActive" -}}
{{- $server := .Values.zabbix.server -}}
{{- $nodes := list -}}
{{- range splitList ";" $server.address -}}
{{- $isBare := and (contains ":" .) (not (hasPrefix "[" .)) -}}
{{- $nodes = append $nodes (printf "%s:%v" (ternary (printf "[%s]" .) . $isBare) $server.port) -}}
{{- end -}}
{{- prepend $server.additional (join ";" $nodes) | join "," -}}
{{- end -}}

{{/* The agent's configuration file. {{ include "node-observability.agentConfiguration" $ }} */}}
{{- define "node-observability.agentConfiguration" -}}
{{- include "node-observability.agentSettings" . -}}
{{- with .Values.zabbix.agent.extraConfig }}
{{ . | trim }}
{{- end }}
{{ end -}}

{{/* The part of the configuration file that the chart sets. The entrypoint of the official image is not used: it writes to
     /etc/zabbix and adds a server of its own (docs/decisions/0012). {{ include "node-observability.agentSettings" $ }} */}}
{{- define "node-observability.agentSettings" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- $server := .Values.zabbix.server -}}
{{- $tls := .Values.zabbix.tls -}}
# The host name comes from an environment variable. Hostname= can't use one before Zabbix 7.2.
HostnameItem=nodeobs.node
UserParameter=nodeobs.node,printf %s "$NODE_NAME"
HostMetadata=bottlerocket cluster={{ .Values.clusterName }}{{ with $agent.metadata }} {{ . }}{{ end }}
{{- if $server.address }}
ServerActive={{ include "node-observability.serverActive" . }}
{{- end }}
LogType=console
DebugLevel={{ $agent.debugLevel }}
PidFile=/tmp/zabbix_agent2.pid
ControlSocket=/tmp/agent.sock
PluginSocket=/tmp/agent.plugin.sock
RefreshActiveChecks={{ $agent.refreshActiveChecksS }}
BufferSend={{ $agent.bufferSendS }}
BufferSize={{ $agent.bufferSize }}
Timeout={{ $agent.timeoutS }}
Plugins.Log.MaxLinesPerSecond={{ $agent.maxLinesPerSecond }}
{{- if $agent.persistentBuffer }}
EnablePersistentBuffer=1
PersistentBufferFile=/var/lib/zabbix/agent2.db
PersistentBufferPeriod={{ $agent.persistentBufferPeriod }}
{{- end }}
TLSConnect={{ $tls.mode }}
{{- if eq $tls.mode "psk" }}
TLSPSKIdentity={{ $tls.pskIdentity }}
TLSPSKFile=/etc/zabbix/tls/psk
{{- else if eq $tls.mode "cert" }}
TLSCAFile=/etc/zabbix/tls/ca.crt
TLSCertFile=/etc/zabbix/tls/tls.crt
TLSKeyFile=/etc/zabbix/tls/tls.key
{{- with $tls.serverCertIssuer }}
TLSServerCertIssuer={{ . }}
{{- end }}
{{- with $tls.serverCertSubject }}
TLSServerCertSubject={{ . }}
{{- end }}
{{- end }}
{{- range $agent.denyKeys }}
DenyKey={{ . }}
{{- end }}
{{- range $agent.userParameters }}
UserParameter={{ .key }},{{ .command }}
{{- end }}
{{- end -}}
