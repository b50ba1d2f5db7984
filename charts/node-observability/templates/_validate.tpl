{{/* Rules that the schema can't say: one define for each, called by validate.yaml. Every message names the value and the fix. */}}

{{/* {{ include "node-observability.sizeBytes" "50Mi" }} */}}
{{- define "node-observability.sizeBytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- mul (regexFind "^[0-9]+" .) (get $units (regexReplaceAll "^[0-9]+" . "")) -}}
{{- end -}}

{{- define "node-observability.validateSomething" -}}
{{- if not .Values.enabled -}}
{{- fail "enabled is false: it is for the condition of a parent chart, which leaves this chart out then; remove it, and turn off zabbix.enabled or fluentBit.enabled" -}}
{{- end -}}
{{- if not (or .Values.zabbix.enabled .Values.fluentBit.enabled) -}}
{{- fail "zabbix.enabled and fluentBit.enabled are both false: nothing is left to install; leave one on" -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateSelection" -}}
{{- $selection := .Values.nodeSelection -}}
{{- range $selection.exclude -}}
{{- if has .key (list $selection.labelKey "kubernetes.io/os") -}}
{{- fail (printf "nodeSelection.exclude names %s, which already decides which DaemonSet a node gets; use another label" .key) -}}
{{- end -}}
{{- end -}}
{{- if eq $selection.labelKey "kubernetes.io/os" -}}
{{- fail "nodeSelection.labelKey is kubernetes.io/os, which says linux for Bottlerocket too; use a label that only Bottlerocket nodes have" -}}
{{- end -}}
{{- range $path, $selector := dict "zabbix.nodeSelector" .Values.zabbix.nodeSelector "fluentBit.common.nodeSelector" .Values.fluentBit.common.nodeSelector "fluentBit.cri.nodeSelector" (.Values.fluentBit.cri.nodeSelector | default dict) "fluentBit.docker.nodeSelector" (.Values.fluentBit.docker.nodeSelector | default dict) -}}
{{- if hasKey $selector $selection.labelKey -}}
{{- fail (printf "%s names %s, which nodeSelection.labelKey stands for; remove it there" $path $selection.labelKey) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateLabels" -}}
{{- $selector := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- range $path, $labels := dict "commonLabels" .Values.commonLabels "zabbix.podLabels" .Values.zabbix.podLabels "zabbix.api.podLabels" .Values.zabbix.api.podLabels "fluentBit.common.podLabels" .Values.fluentBit.common.podLabels "fluentBit.cri.podLabels" (.Values.fluentBit.cri.podLabels | default dict) "fluentBit.docker.podLabels" (.Values.fluentBit.docker.podLabels | default dict) -}}
{{- range $selector -}}
{{- if hasKey $labels . -}}
{{- fail (printf "%s sets %s, by which the DaemonSets find their pods; use another label" $path .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateTls" -}}
{{- $tls := .Values.zabbix.tls -}}
{{- if ne $tls.mode "unencrypted" -}}
{{- if not $tls.existingSecret -}}
{{- fail (printf "zabbix.tls.mode is %s and zabbix.tls.existingSecret is empty; name the Secret that holds %s" $tls.mode (ternary "the key `psk`" "`ca.crt`, `tls.crt` and `tls.key`" (eq $tls.mode "psk"))) -}}
{{- end -}}
{{- if and (eq $tls.mode "psk") (not $tls.pskIdentity) -}}
{{- fail "zabbix.tls.mode is psk and zabbix.tls.pskIdentity is empty; set the identity that the server knows the key by" -}}
{{- end -}}
{{- else if $tls.existingSecret -}}
{{- fail (printf "zabbix.tls.existingSecret is %s and zabbix.tls.mode is unencrypted: it would not be used; set the mode to psk or cert" $tls.existingSecret) -}}
{{- end -}}
{{- end -}}

{{/* What lost lines in measurements: an agent whose buffer fills reads no further in the file that was rotated. */}}
{{- define "node-observability.validateBuffer" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- if and (not $agent.persistentBuffer) (lt (int $agent.bufferSize) 65535) -}}
{{- fail (printf "zabbix.agent.persistentBuffer is off and bufferSize is %d: agent2 skips log lines when its buffer is full; turn the persistent buffer on, or set bufferSize to 65535" (int $agent.bufferSize)) -}}
{{- end -}}
{{- if gt (mul 2 $agent.maxLinesPerSecond) (int $agent.bufferSize) -}}
{{- fail (printf "zabbix.agent.maxLinesPerSecond is %d, more than half of bufferSize %d, which is what log items may fill; lower it or raise bufferSize" (int $agent.maxLinesPerSecond) (int $agent.bufferSize)) -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateAgentText" -}}
{{- range $path, $text := dict "zabbix.tls.pskIdentity" .Values.zabbix.tls.pskIdentity "zabbix.tls.serverCertIssuer" .Values.zabbix.tls.serverCertIssuer "zabbix.tls.serverCertSubject" .Values.zabbix.tls.serverCertSubject -}}
{{- if contains "\n" $text -}}
{{- fail (printf "%s has a line break, which would begin another setting of agent2; remove it" $path) -}}
{{- end -}}
{{- end -}}
{{- range concat .Values.zabbix.agent.denyKeys .Values.zabbix.server.additional -}}
{{- if contains "\n" . -}}
{{- fail (printf "%q has a line break, which would begin another setting of agent2; remove it" .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.zabbix.agent.userParameters -}}
{{- if contains "\n" (printf "%s%s" .key .command) -}}
{{- fail (printf "zabbix.agent.userParameters: %q has a line break, which would begin another setting of agent2; remove it" .key) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.zabbix.server.additional (not .Values.zabbix.server.address) -}}
{{- fail "zabbix.server.additional is set and zabbix.server.address is empty; name the first server there" -}}
{{- end -}}
{{- end -}}

{{/* An address is a name or an IP address alone: agent2 takes `host:10051:10051` and never connects. */}}
{{- define "node-observability.validateServer" -}}
{{- range splitList ";" .Values.zabbix.server.address -}}
{{- if and $.Values.zabbix.server.address (not .) -}}
{{- fail (printf "zabbix.server.address is %s: a `;` stands between two nodes; remove the one too many" $.Values.zabbix.server.address) -}}
{{- end -}}
{{- if or (regexMatch "^[^:]+:[0-9]*$" .) (regexMatch "\\]:" .) -}}
{{- fail (printf "zabbix.server.address names %s, with a port; set that in zabbix.server.port, and leave the address alone" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What makes agent2 end at its start, and what would let all agents report as one host or undo another value: of two lines that
     set one parameter agent2 takes the last and says nothing. */}}
{{- define "node-observability.validateAgent" -}}
{{- $agent := .Values.zabbix.agent -}}
{{- $metadata := include "node-observability.agentSettings" . | regexFind "HostMetadata=[^\n]*" | trimPrefix "HostMetadata=" -}}
{{- if gt (len $metadata) 255 -}}
{{- fail (printf "clusterName and zabbix.agent.metadata make host metadata of %d bytes, and agent2 takes 255; shorten one" (len $metadata)) -}}
{{- end -}}
{{- $period := $agent.persistentBufferPeriod -}}
{{- $seconds := mul (regexFind "^[0-9]+" $period) (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800) (regexFind "[a-z]$" $period)) -}}
{{- if or (lt $seconds 60) (gt $seconds 31536000) -}}
{{- fail (printf "zabbix.agent.persistentBufferPeriod is %s; agent2 takes 1m to 365d" $period) -}}
{{- end -}}
{{- range $agent.extraEnv -}}
{{- if eq .name "NODE_NAME" -}}
{{- fail "zabbix.agent.extraEnv sets NODE_NAME, by which every agent knows its host; remove it" -}}
{{- end -}}
{{- end -}}
{{- $taken := list "Hostname" "ServerActive" "EnablePersistentBuffer" "PersistentBufferFile" "PersistentBufferPeriod" "TLSPSKIdentity" "TLSPSKFile" "TLSCAFile" "TLSCertFile" "TLSKeyFile" "TLSServerCertIssuer" "TLSServerCertSubject" -}}
{{- range include "node-observability.agentSettings" . | splitList "\n" -}}
{{- $taken = append $taken (regexFind "^[A-Za-z.]+" .) -}}
{{- end -}}
{{- range splitList "\n" $agent.extraConfig -}}
{{- $name := trim . | regexFind "^[A-Za-z0-9.]+" -}}
{{- if and $name (has $name (without $taken "UserParameter" "DenyKey")) -}}
{{- fail (printf "zabbix.agent.extraConfig sets %s, which the chart sets from its other values: the last line would win without a word; use the value of zabbix.agent, zabbix.server or zabbix.tls that stands for it" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Two pods of one DaemonSet on one node would write one log file, and one offset database. */}}
{{- define "node-observability.validateSurge" -}}
{{- range $path, $strategy := dict "zabbix.updateStrategy" .Values.zabbix.updateStrategy "fluentBit.common.updateStrategy" .Values.fluentBit.common.updateStrategy "fluentBit.cri.updateStrategy" (.Values.fluentBit.cri.updateStrategy | default dict) "fluentBit.docker.updateStrategy" (.Values.fluentBit.docker.updateStrategy | default dict) -}}
{{- $surge := dig "rollingUpdate" "maxSurge" 0 $strategy | toString -}}
{{- if not (has $surge (list "0" "0%")) -}}
{{- fail (printf "%s.rollingUpdate.maxSurge is %s: two pods on one node would write the same files; leave it at 0 and use maxUnavailable" $path $surge) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateExporter" -}}
{{- $settings := .Values.zabbix.journalExporter.settings -}}
{{- $maxBytes := include "node-observability.sizeBytes" $settings.maxBytes | int64 -}}
{{- $keepBytes := include "node-observability.sizeBytes" $settings.keepBytes | int64 -}}
{{- if lt $maxBytes 4096 -}}
{{- fail (printf "zabbix.journalExporter.settings.maxBytes is %s; the program takes 4096 and more" $settings.maxBytes) -}}
{{- end -}}
{{- if and $keepBytes (lt $keepBytes $maxBytes) -}}
{{- fail (printf "zabbix.journalExporter.settings.keepBytes is %s, below maxBytes %s: no archive would be kept; raise it, or write \"0\" for no limit" $settings.keepBytes $settings.maxBytes) -}}
{{- end -}}
{{- range .Values.zabbix.journalExporter.extraEnv -}}
{{- if hasPrefix "JOURNAL_EXPORTER_" .name -}}
{{- fail (printf "zabbix.journalExporter.extraEnv sets %s; settings of the exporter are keys of zabbix.journalExporter.settings" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateHostPaths" -}}
{{- $paths := dict -}}
{{- if .Values.zabbix.enabled -}}
{{- $_ := set $paths "zabbix.hostPaths.log" .Values.zabbix.hostPaths.log -}}
{{- $_ := set $paths "zabbix.hostPaths.state" .Values.zabbix.hostPaths.state -}}
{{- end -}}
{{- if .Values.fluentBit.enabled -}}
{{- range $class := list "cri" "docker" -}}
{{- $values := mustMergeOverwrite (deepCopy $.Values.fluentBit.common) (deepCopy (get $.Values.fluentBit $class)) -}}
{{- $_ := set $paths (printf "fluentBit.%s.hostPaths.state" $class) (printf "%s/fluent-bit-%s" $values.hostPaths.state $class) -}}
{{- end -}}
{{- end -}}
{{- range $one, $path := $paths -}}
{{- if or (hasPrefix "/var/log/journal/" (printf "%s/" $path)) (hasPrefix "/var/log/pods/" (printf "%s/" $path)) (hasPrefix "/var/log/containers/" (printf "%s/" $path)) -}}
{{- fail (printf "%s is %s, which belongs to the system; choose a directory of its own, as /var/log/node-observability" $one $path) -}}
{{- end -}}
{{- if contains "/.." $path -}}
{{- fail (printf "%s is %s; write the path without `..`" $one $path) -}}
{{- end -}}
{{- range $other, $otherPath := $paths -}}
{{- if and (ne $one $other) (hasPrefix (printf "%s/" $otherPath) (printf "%s/" $path)) -}}
{{- fail (printf "%s (%s) is within %s (%s); give each a directory of its own" $one $path $other $otherPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* {{ include "node-observability.validateFluentBit" (dict "root" $ "class" "cri" "values" MERGED "read" NAMES) }}, with the names of
     the variables that either DaemonSet reads: what `common` sets may be for one of them. */}}
{{- define "node-observability.validateFluentBit" -}}
{{- $values := .values -}}
{{- $path := printf "fluentBit.%s (or common)" .class -}}
{{- $mounted := list $values.hostPaths.containers $values.hostPaths.pods -}}
{{- if eq .class "docker" -}}
{{- $mounted = append $mounted $values.hostPaths.docker -}}
{{- end -}}
{{- range $values.extraVolumeMounts -}}
{{- $mounted = append $mounted .mountPath -}}
{{- end -}}
{{- range $glob := splitList "," $values.path -}}
{{- $isMounted := false -}}
{{- range $mounted -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .)) (trim $glob) -}}
{{- $isMounted = true -}}
{{- end -}}
{{- end -}}
{{- if not $isMounted -}}
{{- fail (printf "%s: path names %s, which is in none of the directories that Fluent Bit sees (%s): nothing would be read; set hostPaths.containers, or mount it with extraVolumes and extraVolumeMounts" $path (trim $glob) (join ", " $mounted)) -}}
{{- end -}}
{{- end -}}
{{- if ge (int $values.graceS) (int $values.terminationGracePeriodSeconds) -}}
{{- fail (printf "%s: terminationGracePeriodSeconds %d must be more than graceS %d, or what is left when a pod stops is cut off; raise it" $path (int $values.terminationGracePeriodSeconds) (int $values.graceS)) -}}
{{- end -}}
{{- $read := .read -}}
{{- $computed := include "node-observability.fluentBitComputed" . | fromJson -}}
{{- range $name, $_ := $values.variables -}}
{{- if regexMatch "(PASSWORD|KEY)$" $name -}}
{{- fail (printf "%s: variables names %s, a secret; put it into a Secret under that key, and name the Secret in output.existingSecret" $path $name) -}}
{{- end -}}
{{- if or (hasKey $computed $name) (eq $name "NODEOBS_NODE") -}}
{{- fail (printf "%s: variables names %s, which another value of this chart sets; remove it" $path $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $values.variables -}}
{{- if not (has $name $read) -}}
{{- fail (printf "%s: variables names %s, which the chosen configuration (output %s) does not read; it reads %s" $path $name $values.output.preset (without $read "NODEOBS_NODE" | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- range $values.extraEnv -}}
{{- if hasPrefix "NODEOBS_" .name -}}
{{- fail (printf "%s: extraEnv sets %s; variables of the configuration belong into variables, secrets into output.existingSecret" $path .name) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "extraInputs" "extraFilters" "extraOutputs" "extraParsers" -}}
{{- if hasKey (get $values $name | fromYaml) "Error" -}}
{{- fail (printf "%s: %s is not a YAML mapping, such as `pipeline:` or `parsers:`; rewrite sections in the classic format with `node-observability parsers convert`" $path $name) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "(?i)\\bname[\"']?:\\s*[\"']?nodeobs_" $values.extraParsers -}}
{{- fail (printf "%s: extraParsers defines %s; names that begin with nodeobs_ are the chart's, choose another" $path (regexFind "nodeobs_[a-z0-9_]*" $values.extraParsers)) -}}
{{- end -}}
{{- range $name, $_ := $values.extraFiles -}}
{{- if regexMatch "^(fluent-bit|service|parsers|extra-|input-|filter-|output-).*\\.yaml$" $name -}}
{{- fail (printf "%s: extraFiles names %s, which the chart writes itself; choose another name" $path $name) -}}
{{- end -}}
{{- end -}}
{{- if and $values.messages (eq .class "cri") (not $values.hostPaths.messages) (not .root.Values.zabbix.enabled) -}}
{{- fail (printf "%s: messages is on and zabbix.enabled is false: nothing writes the host's log on Bottlerocket; turn one of them over, or set hostPaths.messages" $path) -}}
{{- end -}}
{{- if and $values.messages (eq .class "cri") (ne .root.Values.zabbix.journalExporter.settings.format "rfc3339") -}}
{{- fail (printf "%s: messages is on and zabbix.journalExporter.settings.format is %s, which the parser nodeobs_messages does not read; use rfc3339" $path .root.Values.zabbix.journalExporter.settings.format) -}}
{{- end -}}
{{- if and $values.hostNetwork .root.Values.zabbix.enabled .root.Values.zabbix.hostNetwork (eq (int $values.port) (int .root.Values.zabbix.journalExporter.port)) -}}
{{- fail (printf "%s: port %d is the journal exporter's too, and both are on the host network; change one" $path (int $values.port)) -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateMonitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.podMonitor.enabled $monitoring.serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled are both true: every target would be scraped twice; turn one off" -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateApi" -}}
{{- $api := .Values.zabbix.api -}}
{{- range $name := list "apply" "prune" -}}
{{- if (get $api $name).enabled -}}
{{- if not $.Values.zabbix.enabled -}}
{{- fail (printf "zabbix.api.%s.enabled is true and zabbix.enabled is false: it would not run; turn one of them over" $name) -}}
{{- end -}}
{{- if not $api.url -}}
{{- fail (printf "zabbix.api.%s.enabled is true and zabbix.api.url is empty; set the address of Zabbix' frontend" $name) -}}
{{- end -}}
{{- if not $api.existingSecret -}}
{{- fail (printf "zabbix.api.%s.enabled is true and zabbix.api.existingSecret is empty; name the Secret that holds `token`, or `user` and `password`" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $psk := and $api.apply.psk (eq .Values.zabbix.tls.mode "psk") -}}
{{- if and $api.apply.enabled $api.apply.pskOnly (not $psk) -}}
{{- fail "zabbix.api.apply.pskOnly is true and no pre-shared key is handed over: no agent could register; set zabbix.tls.mode to psk and zabbix.api.apply.psk to true" -}}
{{- end -}}
{{- range $name, $_ := $api.apply.macros -}}
{{- if not (regexMatch "^\\{\\$[A-Z0-9_.]+(:[^}]+)?\\}$" $name) -}}
{{- fail (printf "zabbix.api.apply.macros names %s; write a macro of the template, as {$NODEOBS.LOG.HISTORY}" $name) -}}
{{- end -}}
{{- if eq $name "{$NODEOBS.EXPORTER.PORT}" -}}
{{- fail "zabbix.api.apply.macros names {$NODEOBS.EXPORTER.PORT}, which zabbix.journalExporter.port sets; remove it" -}}
{{- end -}}
{{- end -}}
{{- range $api.extraEnv -}}
{{- if hasPrefix "ZABBIX_" .name -}}
{{- fail (printf "zabbix.api.extraEnv sets %s; the address is zabbix.api.url, credentials come from zabbix.api.existingSecret, the key from zabbix.tls" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values that the chart had once: the schema lets them through (`@removed` in values.yaml) so that the message can name the fix. */}}
{{- define "node-observability.validateRemoved" -}}
{{- range $class := list "common" "cri" "docker" -}}
{{- if hasKey (get $.Values.fluentBit $class) "format" -}}
{{- fail (printf "fluentBit.%s.format was removed: the configuration of Fluent Bit is always YAML; remove the value, and write extraInputs, extraFilters, extraOutputs and extraParsers in YAML (UPGRADING.md); if you did not set it, upgrade with --reset-then-reuse-values instead of --reuse-values" $class) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* {{ include "node-observability.validate" $ }} */}}
{{- define "node-observability.validate" -}}
{{- include "node-observability.validateRemoved" . -}}
{{- include "node-observability.validateSomething" . -}}
{{- include "node-observability.validateSelection" . -}}
{{- include "node-observability.validateLabels" . -}}
{{- include "node-observability.validateTls" . -}}
{{- include "node-observability.validateBuffer" . -}}
{{- include "node-observability.validateAgentText" . -}}
{{- include "node-observability.validateServer" . -}}
{{- include "node-observability.validateAgent" . -}}
{{- include "node-observability.validateSurge" . -}}
{{- include "node-observability.validateExporter" . -}}
{{- include "node-observability.validateHostPaths" . -}}
{{- include "node-observability.validateApi" . -}}
{{- include "node-observability.validateMonitoring" . -}}
{{- if .Values.fluentBit.enabled -}}
{{- $both := list -}}
{{- $read := list -}}
{{- range $class := list "cri" "docker" -}}
{{- $one := dict "root" $ "class" $class "values" (mustMergeOverwrite (deepCopy $.Values.fluentBit.common) (deepCopy (get $.Values.fluentBit $class))) -}}
{{- $both = append $both $one -}}
{{- $read = concat $read (include "node-observability.fluentBitVariables" $one | fromJsonArray) | uniq | sortAlpha -}}
{{- end -}}
{{- range $both -}}
{{- include "node-observability.validateFluentBit" (merge (dict "read" $read) .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
