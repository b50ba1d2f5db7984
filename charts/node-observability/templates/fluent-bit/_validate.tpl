{{/* Rules for the values of Fluent Bit: see ../_validate.tpl. */}}

{{/* {{ include "node-observability.validateFluentBit" (dict "root" $ "class" "cri" "values" MERGED "read" NAMES) }}
     NAMES are the variables that either DaemonSet reads: a variable in `common` may be for one of them only. */}}
{{- define "node-observability.validateFluentBit" -}}
{{- $values := .values -}}
{{- $path := printf "fluentBit.%s (or fluentBit.common)" .class -}}
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
{{- fail (printf "%s: path contains %s, which is outside the directories that Fluent Bit sees (%s), so nothing would be read; set hostPaths.containers, or mount its directory with extraVolumes and extraVolumeMounts" $path (trim $glob) (join ", " $mounted)) -}}
{{- end -}}
{{- end -}}
{{- if ge (int $values.graceS) (int $values.terminationGracePeriodSeconds) -}}
{{- fail (printf "%s: terminationGracePeriodSeconds is %d, but must be greater than graceS (%d), so that Fluent Bit can send the remaining records; raise it" $path (int $values.terminationGracePeriodSeconds) (int $values.graceS)) -}}
{{- end -}}
{{- include "node-observability.validateVariables" (merge (dict "path" $path) .) -}}
{{- include "node-observability.validateOutput" (merge (dict "path" $path) .) -}}
{{- range $name := list "extraInputs" "extraFiltersBeforeMetadata" "extraFilters" "extraOutputs" "extraParsers" -}}
{{- $parsed := get $values $name | fromYaml -}}
{{- $known := list -}}
{{- range $key, $_ := $parsed -}}
{{- if has (lower $key) (list "pipeline" "parsers" "multiline_parsers" "env" "includes" "plugins" "customs" "stream_processor" "upstream_servers") -}}
{{- $known = append $known $key -}}
{{- end -}}
{{- end -}}
{{- if or (hasKey $parsed "Error") (and $parsed (not $known)) -}}
{{- fail (printf "%s: %s is not a configuration in YAML, with `pipeline:` or `parsers:` at its top; convert sections in the classic format with `node-observability parsers convert`" $path $name) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "(?i)\\bname[\"']?:\\s*[\"']?nodeobs_" $values.extraParsers -}}
{{- fail (printf "%s: extraParsers defines %s, but names that begin with nodeobs_ are reserved for the chart; choose another name" $path (regexFind "nodeobs_[a-z0-9_]*" $values.extraParsers)) -}}
{{- end -}}
{{- range $one := dig "multiline_parsers" list ($values.extraParsers | fromYaml) -}}
{{- if and (kindIs "map" $one) (has (get $one "name" | toString | lower) (list "cri" "docker" "go" "java" "python" "ruby")) -}}
{{- fail (printf "%s: extraParsers defines the multiline parser %s, but Fluent Bit would use its built-in one of this name; choose another name" $path $one.name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $values.extraFiles -}}
{{- if regexMatch "^(fluent-bit|service|parsers|extra-|input-|filter-|output-).*\\.yaml$" $name -}}
{{- fail (printf "%s: extraFiles contains %s, which the chart writes itself; choose another name" $path $name) -}}
{{- end -}}
{{- end -}}
{{- if and $values.messages (eq .class "cri") (not $values.hostPaths.messages) (not .root.Values.zabbix.enabled) -}}
{{- fail (printf "%s: messages is true and zabbix.enabled is false, so nothing writes the host's log on Bottlerocket nodes; change one of them, or set hostPaths.messages" $path) -}}
{{- end -}}
{{- if and $values.messages (eq .class "cri") (ne .root.Values.zabbix.journalExporter.settings.format "rfc3339") -}}
{{- fail (printf "%s: messages is true and zabbix.journalExporter.settings.format is %s, which the parser nodeobs_messages can't read; set the format to rfc3339" $path .root.Values.zabbix.journalExporter.settings.format) -}}
{{- end -}}
{{- if and $values.hostNetwork .root.Values.zabbix.enabled .root.Values.zabbix.hostNetwork (eq (int $values.port) (int .root.Values.zabbix.journalExporter.port)) -}}
{{- fail (printf "%s: port is %d, like zabbix.journalExporter.port, and both programs are on the host network; change one of them" $path (int $values.port)) -}}
{{- end -}}
{{- end -}}

{{/* Values that the chart no longer has. The schema accepts them (the rule `@removed`), so that the message can name the fix. */}}
{{- define "node-observability.validateRemoved" -}}
{{- range $class := list "common" "cri" "docker" -}}
{{- if hasKey (get $.Values.fluentBit $class) "format" -}}
{{- fail (printf "fluentBit.%s.format is set, but Fluent Bit's configuration is always YAML; remove format, and convert extraInputs, extraFilters, extraOutputs and extraParsers to YAML (see UPGRADING.md). If you did not set it, upgrade with --reset-then-reuse-values instead of --reuse-values" $class) -}}
{{- end -}}
{{- end -}}
{{- end -}}
