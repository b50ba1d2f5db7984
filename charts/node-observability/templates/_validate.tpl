{{/* Rules that the schema can't express: one template for each subject. Every message names the value and the fix. Rules for one
     program are in the directory of that program. */}}

{{- define "node-observability.validateEnabled" -}}
{{- if not .Values.enabled -}}
{{- fail "enabled is false, but only the condition of a parent chart can turn off the whole chart; remove it, and set zabbix.enabled or fluentBit.enabled to false" -}}
{{- end -}}
{{- if not (or .Values.zabbix.enabled .Values.fluentBit.enabled) -}}
{{- fail "zabbix.enabled and fluentBit.enabled are both false, so nothing is left to install; set one of them to true" -}}
{{- end -}}
{{- end -}}

{{/* Two conditions on one label are fine, unless no node can fulfil both: Fargate is excluded by the label that marks EKS Auto Mode. */}}
{{- define "node-observability.validateSelection" -}}
{{- $selection := .Values.nodeSelection -}}
{{- if eq $selection.labelKey "kubernetes.io/os" -}}
{{- fail "nodeSelection.labelKey is kubernetes.io/os, which has the same value on all Linux nodes; use a label that only Bottlerocket nodes have" -}}
{{- end -}}
{{- range $selection.exclude -}}
{{- if not .values -}}
{{- fail (printf "nodeSelection.exclude: the item with the key %s has no values; add the values whose nodes get no pods, or remove the item" .key) -}}
{{- end -}}
{{- if and (eq .key $selection.labelKey) (has $selection.labelValue .values) -}}
{{- fail (printf "nodeSelection.exclude leaves out the nodes with %s=%s, which nodeSelection.labelKey and labelValue mark as Bottlerocket; remove this value from exclude" .key $selection.labelValue) -}}
{{- end -}}
{{- if and (eq .key "kubernetes.io/os") (has "linux" .values) -}}
{{- fail "nodeSelection.exclude leaves out the nodes with kubernetes.io/os=linux, so no node would get a pod; remove this value from exclude" -}}
{{- end -}}
{{- end -}}
{{- $common := .Values.fluentBit.common -}}
{{- $cri := mustMergeOverwrite (deepCopy $common) (deepCopy .Values.fluentBit.cri) -}}
{{- $docker := mustMergeOverwrite (deepCopy $common) (deepCopy .Values.fluentBit.docker) -}}
{{- $selectors := dict "zabbix" (dict "values" .Values.zabbix "bottlerocket" true) "fluentBit.cri (or fluentBit.common)" (dict "values" $cri "bottlerocket" true) "fluentBit.docker (or fluentBit.common)" (dict "values" $docker "bottlerocket" false) -}}
{{- range $path, $one := $selectors -}}
{{- range $key, $value := $one.values.nodeSelector -}}
{{- $why := "" -}}
{{- if and (eq $key "kubernetes.io/os") (ne $value "linux") -}}
{{- $why = "these pods run on Linux only" -}}
{{- else if and (eq $key $selection.labelKey) $one.bottlerocket (ne $value $selection.labelValue) -}}
{{- $why = printf "nodeSelection selects nodes with %s=%s" $key $selection.labelValue -}}
{{- else if and (eq $key $selection.labelKey) (not $one.bottlerocket) (eq $value $selection.labelValue) -}}
{{- $why = "the docker Fluent Bit runs on the other nodes" -}}
{{- end -}}
{{- range $selection.exclude -}}
{{- if and (eq .key $key) (has $value .values) -}}
{{- $why = "nodeSelection.exclude leaves these nodes out" -}}
{{- end -}}
{{- end -}}
{{- if $why -}}
{{- fail (printf "%s: nodeSelector requires %s=%s, but %s, so no node would get a pod; remove it from the nodeSelector" $path $key $value $why) -}}
{{- end -}}
{{- end -}}
{{- range include "node-observability.affinityTerms" $one.values.affinity | fromJsonArray -}}
{{- range .matchExpressions -}}
{{- if eq .key $selection.labelKey -}}
{{- fail (printf "%s: affinity names %s, the label in nodeSelection.labelKey, which already decides which nodes get these pods; remove it from the affinity" $path .key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateLabels" -}}
{{- $selector := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- range $path, $labels := dict "commonLabels" .Values.commonLabels "zabbix.podLabels" .Values.zabbix.podLabels "zabbix.api.podLabels" .Values.zabbix.api.podLabels "fluentBit.common.podLabels" .Values.fluentBit.common.podLabels "fluentBit.cri.podLabels" (.Values.fluentBit.cri.podLabels | default dict) "fluentBit.docker.podLabels" (.Values.fluentBit.docker.podLabels | default dict) -}}
{{- range $selector -}}
{{- if hasKey $labels . -}}
{{- fail (printf "%s sets %s, which selects the pods of the DaemonSets; use another label" $path .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Two pods of a DaemonSet on the same node would write the same log file and the same offset database. */}}
{{- define "node-observability.validateSurge" -}}
{{- range $path, $strategy := dict "zabbix.updateStrategy" .Values.zabbix.updateStrategy "fluentBit.common.updateStrategy" .Values.fluentBit.common.updateStrategy "fluentBit.cri.updateStrategy" (.Values.fluentBit.cri.updateStrategy | default dict) "fluentBit.docker.updateStrategy" (.Values.fluentBit.docker.updateStrategy | default dict) -}}
{{- $surge := get (get $strategy "rollingUpdate" | default dict) "maxSurge" | default 0 | toString -}}
{{- if not (has $surge (list "0" "0%")) -}}
{{- fail (printf "%s.rollingUpdate.maxSurge is %s, but two pods on one node would write the same files; set it to 0, and use maxUnavailable" $path $surge) -}}
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
{{- fail (printf "%s is %s, which belongs to the system; use a separate directory, such as /var/log/node-observability" $one $path) -}}
{{- end -}}
{{- if contains "/.." $path -}}
{{- fail (printf "%s is %s, which contains `..`; write the path without it" $one $path) -}}
{{- end -}}
{{- range $other, $otherPath := $paths -}}
{{- if and (ne $one $other) (hasPrefix (printf "%s/" $otherPath) (printf "%s/" $path)) -}}
{{- fail (printf "%s (%s) overlaps with %s (%s); use two separate directories" $one $path $other $otherPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A repository that begins with a registry would get a second one in front, and the pull fails: docker.io/docker.io/… */}}
{{- define "node-observability.validateImages" -}}
{{- $images := dict "zabbix.agent.image" .Values.zabbix.agent.image "zabbix.journalExporter.image" .Values.zabbix.journalExporter.image "zabbix.api.image" .Values.zabbix.api.image -}}
{{- range $class := list "cri" "docker" -}}
{{- $values := mustMergeOverwrite (deepCopy $.Values.fluentBit.common) (deepCopy (get $.Values.fluentBit $class)) -}}
{{- $_ := set $images (printf "fluentBit.%s.image (or fluentBit.common.image)" $class) $values.image -}}
{{- end -}}
{{- range $path, $image := $images -}}
{{- $host := regexFind "^([^/]*[.:][^/]*|localhost)/" $image.repository | trimSuffix "/" -}}
{{- if and $host (or $image.registry $.Values.global.imageRegistry) -}}
{{- fail (printf "%s: repository is %s, which contains the registry %s; set registry to %s, and repository to %s" $path $image.repository $host $host (trimPrefix (printf "%s/" $host) $image.repository)) -}}
{{- end -}}
{{- if regexMatch "[:@][^/]*$" $image.repository -}}
{{- fail (printf "%s: repository is %s, which contains a tag or a digest; put it into tag or digest" $path $image.repository) -}}
{{- end -}}
{{- range $name, $registry := dict "registry" $image.registry "global.imageRegistry" $.Values.global.imageRegistry -}}
{{- if or (contains "://" $registry) (hasSuffix "/" $registry) -}}
{{- fail (printf "%s: %s is %s; write only the host of the registry, without https:// and without a / at its end" $path $name $registry) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "node-observability.validateMonitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.podMonitor.enabled $monitoring.serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled are both true, so every target would be scraped twice; set one of them to false" -}}
{{- end -}}
{{- end -}}

{{/* The rules for single values in files/rules.json, which is generated from values.yaml. Helm would print a refusal of the schema
     without the fix, so the schema has only types, keys and words. Values that are absent are the schema's business. */}}
{{- define "node-observability.validateValues" -}}
{{- range $check := .Files.Get "files/rules.json" | fromJsonArray -}}
{{- $found := dict "value" $.Values -}}
{{- range $part := $check.path -}}
{{- $value := get $found "value" -}}
{{- if and (kindIs "map" $value) (hasKey $value $part) -}}
{{- $_ := set $found "value" (get $value $part) -}}
{{- else -}}
{{- $_ := unset $found "value" -}}
{{- end -}}
{{- end -}}
{{- if hasKey $found "value" -}}
{{- include "node-observability.validateValue" (dict "check" $check "value" $found.value "path" (join "." $check.path)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* {{ include "node-observability.validateValue" (dict "check" RULE "value" VALUE "path" "a.b") }} */}}
{{- define "node-observability.validateValue" -}}
{{- $check := .check -}}
{{- $path := .path -}}
{{- if $check.items -}}
{{- range $item := .value -}}
{{- $what := "an item" -}}
{{- $text := $item -}}
{{- if kindIs "map" $item -}}
{{- $what = printf "the %s of an item" $check.key -}}
{{- $text = get $item $check.key -}}
{{- end -}}
{{- if not (regexMatch $check.pattern $text) -}}
{{- fail (printf "%s: %s is %q, but must %s" $path $what $text $check.must) -}}
{{- end -}}
{{- end -}}
{{- else if $check.pattern -}}
{{- if not (regexMatch $check.pattern .value) -}}
{{- fail (printf "%s is %q, but must %s" $path .value $check.must) -}}
{{- end -}}
{{- else if $check.maxLength -}}
{{- if gt (len .value) (int $check.maxLength) -}}
{{- fail (printf "%s is %q, which has %d characters; shorten it to at most %d" $path .value (len .value) (int $check.maxLength)) -}}
{{- end -}}
{{- else -}}
{{- if and (hasKey $check "min") (lt (int64 .value) (int64 $check.min)) -}}
{{- fail (printf "%s is %d, but must be at least %d; raise it" $path (int64 .value) (int64 $check.min)) -}}
{{- end -}}
{{- if and (hasKey $check "max") (gt (int64 .value) (int64 $check.max)) -}}
{{- fail (printf "%s is %d, but must be at most %d; lower it" $path (int64 .value) (int64 $check.max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* All rules. {{ include "node-observability.validate" $ }} */}}
{{- define "node-observability.validate" -}}
{{- include "node-observability.validateRemoved" . -}}
{{- include "node-observability.validateValues" . -}}
{{- include "node-observability.validateEnabled" . -}}
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
{{- include "node-observability.validateImages" . -}}
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
