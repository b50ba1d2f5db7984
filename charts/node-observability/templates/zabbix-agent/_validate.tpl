{{/* Rules for the values of the Zabbix agent and the journal exporter: see ../_validate.tpl. */}}

{{/* A size in bytes. {{ include "node-observability.sizeBytes" "50Mi" }} */}}
{{- define "node-observability.sizeBytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- mul (regexFind "^[0-9]+" .) (get $units (regexReplaceAll "^[0-9]+" . "")) -}}
{{- end -}}

{{- define "node-observability.validateTls" -}}
{{- $tls := .Values.zabbix.tls -}}
{{- if ne $tls.mode "unencrypted" -}}
{{- if not $tls.existingSecret -}}
{{- fail (printf "zabbix.tls.mode is %s, but zabbix.tls.existingSecret is empty; set it to the Secret that holds %s" $tls.mode (ternary "the key `psk`" "`ca.crt`, `tls.crt` and `tls.key`" (eq $tls.mode "psk"))) -}}
{{- end -}}
{{- if and (eq $tls.mode "psk") (not $tls.pskIdentity) -}}
{{- fail "zabbix.tls.mode is psk, but zabbix.tls.pskIdentity is empty; set it to the identity that the server has for the key" -}}
{{- end -}}
{{- else if $tls.existingSecret -}}
{{- fail (printf "zabbix.tls.existingSecret is %s, but zabbix.tls.mode is unencrypted, so the Secret would not be used; set the mode to psk or cert" $tls.existingSecret) -}}
{{- end -}}
{{- end -}}

{{/* Settings that lost lines in measurements: when its buffer is full, an agent skips the rest of a rotated file. */}}
{{- define "node-observability.validateBuffer" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- if and (not $agent.persistentBuffer) (lt (int $agent.bufferSize) 65535) -}}
{{- fail (printf "zabbix.agent.persistentBuffer is false and zabbix.agent.bufferSize is %d: the agent skips log lines when its buffer is full; set persistentBuffer to true, or bufferSize to 65535" (int $agent.bufferSize)) -}}
{{- end -}}
{{- if gt (mul 2 $agent.maxLinesPerSecond) (int $agent.bufferSize) -}}
{{- fail (printf "zabbix.agent.maxLinesPerSecond is %d, but log items can fill only half of zabbix.agent.bufferSize (%d); lower it, or raise bufferSize" (int $agent.maxLinesPerSecond) (int $agent.bufferSize)) -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateAgentText" -}}
{{- range $path, $text := dict "zabbix.tls.pskIdentity" .Values.zabbix.tls.pskIdentity "zabbix.tls.serverCertIssuer" .Values.zabbix.tls.serverCertIssuer "zabbix.tls.serverCertSubject" .Values.zabbix.tls.serverCertSubject -}}
{{- if contains "\n" $text -}}
{{- fail (printf "%s contains a line break, which would start another parameter of the agent; remove it" $path) -}}
{{- end -}}
{{- end -}}
{{- range $path, $texts := dict "zabbix.agent.denyKeys" .Values.zabbix.agent.denyKeys "zabbix.server.additional" .Values.zabbix.server.additional -}}
{{- range $texts -}}
{{- if contains "\n" . -}}
{{- fail (printf "%s: %q contains a line break, which would start another parameter of the agent; remove it" $path .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.zabbix.agent.userParameters -}}
{{- if contains "\n" (printf "%s%s" .key .command) -}}
{{- fail (printf "zabbix.agent.userParameters: the item %q contains a line break, which would start another parameter of the agent; remove it" .key) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.zabbix.server.additional (not .Values.zabbix.server.address) -}}
{{- fail "zabbix.server.additional is set, but zabbix.server.address is empty; set it to the first server" -}}
{{- end -}}
{{- end -}}

{{/* An address has no port: the agent accepts `host:10051:10051`, but never connects. */}}
{{- define "node-observability.validateServer" -}}
{{- range splitList ";" .Values.zabbix.server.address -}}
{{- if and $.Values.zabbix.server.address (not .) -}}
{{- fail (printf "zabbix.server.address is %s, which has a `;` without a node on both sides; remove it" $.Values.zabbix.server.address) -}}
{{- end -}}
{{- if or (regexMatch "^[^:]+:[0-9]*$" .) (regexMatch "\\]:" .) -}}
{{- fail (printf "zabbix.server.address contains %s, which has a port; set the port in zabbix.server.port, and only the host in the address" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values with which the agent would not start, with which all agents would report as one host, or which would override another
     value: if two lines set the same parameter, the agent silently uses the last one. */}}
{{- define "node-observability.validateAgent" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- $metadata := include "node-observability.agentSettings" . | regexFind "HostMetadata=[^\n]*" | trimPrefix "HostMetadata=" -}}
{{- if gt (len $metadata) 255 -}}
{{- fail (printf "clusterName and zabbix.agent.metadata make the host metadata %d bytes long, but the agent accepts at most 255; shorten one of them" (len $metadata)) -}}
{{- end -}}
{{- $period := $agent.persistentBufferPeriod -}}
{{- $seconds := mul (regexFind "^[0-9]+" $period) (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800) (regexFind "[a-z]$" $period)) -}}
{{- if or (lt $seconds 60) (gt $seconds 31536000) -}}
{{- fail (printf "zabbix.agent.persistentBufferPeriod is %s, but the agent accepts 1m to 365d; choose a period in this range" $period) -}}
{{- end -}}
{{- range $agent.extraEnv -}}
{{- if eq .name "NODE_NAME" -}}
{{- fail "zabbix.agent.extraEnv sets NODE_NAME, from which every agent gets its host name; remove it" -}}
{{- end -}}
{{- end -}}
{{- $taken := list "Hostname" "ServerActive" "EnablePersistentBuffer" "PersistentBufferFile" "PersistentBufferPeriod" "TLSPSKIdentity" "TLSPSKFile" "TLSCAFile" "TLSCertFile" "TLSKeyFile" "TLSServerCertIssuer" "TLSServerCertSubject" -}}
{{- range include "node-observability.agentSettings" . | splitList "\n" -}}
{{- $taken = append $taken (regexFind "^[A-Za-z.]+" .) -}}
{{- end -}}
{{- range splitList "\n" $agent.extraConfig -}}
{{- $name := trim . | regexFind "^[A-Za-z0-9.]+" -}}
{{- if and $name (has $name (without $taken "UserParameter" "DenyKey")) -}}
{{- fail (printf "zabbix.agent.extraConfig sets %s, and would silently override what the chart sets from other values; use the matching value in zabbix.agent, zabbix.server or zabbix.tls instead" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateExporter" -}}
{{- $settings := .Values.zabbix.journalExporter.settings -}}
{{- $maxBytes := include "node-observability.sizeBytes" $settings.maxBytes | int64 -}}
{{- $keepBytes := include "node-observability.sizeBytes" $settings.keepBytes | int64 -}}
{{- if lt $maxBytes 4096 -}}
{{- fail (printf "zabbix.journalExporter.settings.maxBytes is %s, below the minimum of 4096 bytes; raise it" $settings.maxBytes) -}}
{{- end -}}
{{- if and $keepBytes (lt $keepBytes $maxBytes) -}}
{{- fail (printf "zabbix.journalExporter.settings.keepBytes is %s, below maxBytes (%s), so no archive would be kept; raise it, or set it to \"0\" for no limit" $settings.keepBytes $settings.maxBytes) -}}
{{- end -}}
{{- range .Values.zabbix.journalExporter.extraEnv -}}
{{- if hasPrefix "JOURNAL_EXPORTER_" .name -}}
{{- fail (printf "zabbix.journalExporter.extraEnv sets %s, a setting of the exporter; set the matching key of zabbix.journalExporter.settings instead" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
