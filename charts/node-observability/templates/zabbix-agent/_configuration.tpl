{{/* Where agent2 connects to: every node of the first server with its port, an IPv6 address in brackets, then the others.
     {{ include "node-observability.serverActive" $ }} */}}
{{- define "node-observability.serverActive" -}}
{{- $server := .Values.zabbix.server -}}
{{- $nodes := list -}}
{{- range splitList ";" $server.address -}}
{{- $isBare := and (contains ":" .) (not (hasPrefix "[" .)) -}}
{{- $nodes = append $nodes (printf "%s:%v" (ternary (printf "[%s]" .) . $isBare) $server.port) -}}
{{- end -}}
{{- prepend $server.additional (join ";" $nodes) | join "," -}}
{{- end -}}

{{/* {{ include "node-observability.agentConfiguration" $ }}: agent2's configuration file. */}}
{{- define "node-observability.agentConfiguration" -}}
{{- include "node-observability.agentSettings" . -}}
{{- with .Values.zabbix.agent.extraConfig }}
{{ . | trim }}
{{- end }}
{{ end -}}

{{/* {{ include "node-observability.agentSettings" $ }}: what the chart sets of it. The official image's entrypoint is passed by:
     it would write into /etc/zabbix, and puts a server of its own first (docs/decisions/0012). */}}
{{- define "node-observability.agentSettings" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- $server := .Values.zabbix.server -}}
{{- $tls := .Values.zabbix.tls -}}
# The node's name comes from the environment; Hostname= can't be read from there before Zabbix 7.2.
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
