{{/* Fluent Bit's configuration, assembled from the files in fluentbit/. All templates take
     (dict "root" $ "class" "cri" "values" MERGED). */}}

{{/* Names of the chosen files, without extension, in the order in which Fluent Bit includes them. */}}
{{- define "node-observability.fluentBitFragments" -}}
service input-{{ .class }}
{{- if eq .values.partial "join" }}-join{{ else if .values.exactTime }}-exact{{ end }}
{{- if .values.journal }} input-journal{{ end }}
{{- if .values.messages }} input-messages{{ end }}
{{- if .values.kubernetesMetadata }} filter-kubernetes{{ end }}
{{- if ne .values.output.preset "none" }} output-{{ .values.output.preset }}{{ end }}
{{- end -}}

{{/* Text of the chosen files. */}}
{{- define "node-observability.fluentBitFragmentsText" -}}
{{- range splitList " " (include "node-observability.fluentBitFragments" .) -}}
{{- $path := printf "files/fluentbit/%s.yaml" . -}}
{{- $text := $.root.Files.Get $path -}}
{{- if not $text -}}
{{- fail (printf "%s is missing from the chart, because its symbolic link files/fluentbit was not followed; use a chart made by `helm package`, or a checkout with symbolic links" $path) -}}
{{- end -}}
{{ $text }}
{{ end -}}
{{- end -}}

{{/* Names of the variables that the chosen files read, as a JSON list. */}}
{{- define "node-observability.fluentBitVariables" -}}
{{- $names := list -}}
{{- range regexFindAll "\\$\\{[A-Z0-9_]+\\}" (include "node-observability.fluentBitFragmentsText" .) -1 -}}
{{- $names = append $names (trimAll "${}" .) -}}
{{- end -}}
{{- $names | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* Variables that the chart sets from other values, as JSON. */}}
{{- define "node-observability.fluentBitComputed" -}}
{{- $values := .values -}}
{{- $name := include "node-observability.componentName" (dict "root" .root "component" "fluent-bit") -}}
{{- $own := printf "/var/log/containers/%s-*_%s_fluent-bit-*.log" $name .root.Release.Namespace -}}
{{- dict
    "NODEOBS_CONFIG_DIR" "/fluent-bit/etc/node-observability"
    "NODEOBS_FLUSH_S" $values.flushS
    "NODEOBS_GRACE_S" $values.graceS
    "NODEOBS_LOG_LEVEL" $values.logLevel
    "NODEOBS_HTTP_PORT" $values.port
    "NODEOBS_STATE_DIR" "/var/lib/node-observability/fluent-bit"
    "NODEOBS_STORAGE_LIMIT" $values.storageLimit
    "NODEOBS_CONTAINER_LOGS" $values.path
    "NODEOBS_EXCLUDE_LOGS" (join "," (prepend $values.excludePaths $own))
    "NODEOBS_JOURNAL_DIR" $values.hostPaths.journal
    "NODEOBS_MESSAGES" "/host/var/log/messages"
    "NODEOBS_MERGE_LOG" (ternary "on" "off" $values.mergeLog)
    "NODEOBS_USE_KUBELET" (ternary "on" "off" $values.useKubelet)
    "NODEOBS_KEEP_LOG" (ternary "on" "off" $values.keepLog)
    "NODEOBS_KUBE_LABELS" (ternary "on" "off" $values.kubernetesLabels)
    "NODEOBS_KUBE_ANNOTATIONS" (ternary "on" "off" $values.kubernetesAnnotations)
    "NODEOBS_KUBE_PARSER" (ternary "on" "off" $values.k8sLoggingParser)
    "NODEOBS_KUBE_EXCLUDE" (ternary "on" "off" $values.k8sLoggingExclude)
    "NODEOBS_TLS_VERIFY" $values.output.tlsVerify
    "NODEOBS_TLS_CA_FILE" (ternary (printf "%s/ca.crt" (include "node-observability.caDirectory" .)) "" (not (empty $values.output.caSecret)))
    "NODEOBS_CLUSTER" .root.Values.clusterName
  | toJson -}}
{{- end -}}

{{/* Defaults of the variables, as JSON. The file is one that a shell can read: a value in double quotes escapes its `$`. */}}
{{- define "node-observability.fluentBitDefaults" -}}
{{- $defaults := dict -}}
{{- range .root.Files.Lines "files/fluentbit/defaults.env" -}}
{{- if regexMatch "^[A-Z0-9_]+=" . -}}
{{- $_ := set $defaults (regexFind "^[A-Z0-9_]+" .) (regexReplaceAll "^[A-Z0-9_]+=" . "" | trimAll "\"" | replace "\\$" "$") -}}
{{- end -}}
{{- end -}}
{{- $defaults | toJson -}}
{{- end -}}

{{/* Environment of Fluent Bit: the variables that the chosen files read. A key of a Secret that the user names must exist; a
     credential under its own name may be missing, unless the output does not start without it. */}}
{{- define "node-observability.fluentBitEnv" -}}
{{- $values := .values -}}
{{- $output := $values.output -}}
{{- $computed := include "node-observability.fluentBitComputed" . | fromJson -}}
{{- $defaults := include "node-observability.fluentBitDefaults" . | fromJson -}}
{{- $needed := (include "node-observability.outputNeeds" . | fromJson).secrets -}}
{{- $credential := include "node-observability.credentials" . -}}
{{- range $name := include "node-observability.fluentBitVariables" . | fromJsonArray }}
- name: {{ $name | quote }}
  {{- if eq $name "NODEOBS_NODE" }}
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
  {{- else if and (eq $name "NODEOBS_KUBELET_HOST") $values.useKubelet }}
  valueFrom: {fieldRef: {fieldPath: status.hostIP}}
  {{- else if hasKey $output.secretKeys $name }}
  valueFrom: {secretKeyRef: {name: {{ $output.existingSecret | quote }}, key: {{ get $output.secretKeys $name | quote }}}}
  {{- else if and (regexMatch $credential $name) $output.existingSecret }}
  valueFrom: {secretKeyRef: {name: {{ $output.existingSecret | quote }}, key: {{ $name | quote }}, optional: {{ not (has $name $needed) }}}}
  {{- else if hasKey $computed $name }}
  value: {{ get $computed $name | toString | quote }}
  {{- else if hasKey $values.variables $name }}
  value: {{ include "node-observability.text" (get $values.variables $name) | quote }}
  {{- else }}
  value: {{ get $defaults $name | quote }}
  {{- end }}
{{- end }}
{{- with $values.extraEnv }}
{{ include "node-observability.extraEnv" . }}
{{- end }}
{{- end -}}

{{/* Data of the ConfigMap: file names and their texts. */}}
{{- define "node-observability.fluentBitFiles" -}}
{{- $values := .values -}}
{{- $files := dict "parsers.yaml" (.root.Files.Get "files/fluentbit/parsers.yaml") -}}
{{- $includes := list -}}
{{- $fragments := include "node-observability.fluentBitFragments" . | splitList " " -}}
{{- range $fragments -}}
{{- $name := printf "%s.yaml" . -}}
{{- $includes = append $includes $name -}}
{{- $_ := set $files $name ($.root.Files.Get (printf "files/fluentbit/%s" $name)) -}}
{{- end -}}
{{- $before := "extra-filters-before-metadata.yaml" -}}
{{- with $values.extraFiltersBeforeMetadata -}}
{{- $_ := set $files $before (printf "%s\n" (trim .)) -}}
{{- $later := has "filter-kubernetes" $fragments | ternary (list "filter-kubernetes.yaml") list -}}
{{- range $includes -}}
{{- if hasPrefix "output-" . -}}
{{- $later = append $later . -}}
{{- end -}}
{{- end -}}
{{- $includes = concat (without $includes "filter-kubernetes.yaml" (last $later)) (list $before) $later -}}
{{- end -}}
{{- range $part := list "inputs" "filters" "outputs" "parsers" -}}
{{- with get $values (printf "extra%s" (title $part)) -}}
{{- $name := printf "extra-%s.yaml" $part -}}
{{- $includes = append $includes $name -}}
{{- $_ := set $files $name (printf "%s\n" (trim .)) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $files "fluent-bit.yaml" (dict "includes" $includes | toYaml | printf "%s\n") -}}
{{- range $name, $text := $values.extraFiles -}}
{{- $_ := set $files $name $text -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}
