{{/* Presets of outputs: what they need, and which variables they read. */}}

{{/* Names of variables that are credentials, as a pattern. */}}
{{- define "node-observability.credentials" -}}
(PASSWORD|KEY|TOKEN)$
{{- end -}}

{{/* Where Fluent Bit finds the certificate authorities of `output.caSecret`. */}}
{{- define "node-observability.caDirectory" -}}
/fluent-bit/etc/output-ca
{{- end -}}

{{/* Whether the configuration reads the certificate authorities. {{ if include "node-observability.usesCa" ONE }} */}}
{{- define "node-observability.usesCa" -}}
{{- if and .values.output.caSecret (include "node-observability.fluentBitVariables" . | fromJsonArray | has "NODEOBS_TLS_CA_FILE") -}}true{{- end -}}
{{- end -}}

{{/* What a preset needs, as JSON with `variables` and `secrets`. Requests that are signed with an AWS identity need a region too.
     {{ include "node-observability.outputNeeds" (dict "root" $ "values" MERGED) | fromJson }} */}}
{{- define "node-observability.outputNeeds" -}}
{{- $preset := .values.output.preset -}}
{{- $needs := get (.root.Files.Get "files/presets.yaml" | fromYaml) $preset | default dict -}}
{{- $variables := $needs.variables | default list -}}
{{- $signs := get .values.variables "NODEOBS_OPENSEARCH_AWS_AUTH" | default "off" | toString | lower -}}
{{- if and (eq $preset "opensearch") (has $signs (list "on" "true" "yes")) -}}
{{- $variables = append $variables "NODEOBS_AWS_REGION" -}}
{{- end -}}
{{- dict "variables" $variables "secrets" ($needs.secrets | default list) | toJson -}}
{{- end -}}

{{/* Names of the variables that a preset reads and the user can set, as a JSON list. */}}
{{- define "node-observability.outputVariables" -}}
{{- $computed := include "node-observability.fluentBitComputed" . | fromJson -}}
{{- $names := list -}}
{{- if ne .values.output.preset "none" -}}
{{- range regexFindAll "\\$\\{[A-Z0-9_]+\\}" (.root.Files.Get (printf "files/fluentbit/output-%s.yaml" .values.output.preset)) -1 -}}
{{- $name := trimAll "${}" . -}}
{{- if not (or (hasKey $computed $name) (eq $name "NODEOBS_NODE")) -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end -}}
