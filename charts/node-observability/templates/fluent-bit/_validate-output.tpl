{{/* Rules for the output of Fluent Bit and the variables of its configuration: see ../_validate.tpl. All templates take the same
     dict as "node-observability.validateFluentBit", with "path", the name of the values in messages. */}}

{{- define "node-observability.validateOutput" -}}
{{- $values := .values -}}
{{- $output := $values.output -}}
{{- $path := .path -}}
{{- $needs := include "node-observability.outputNeeds" . | fromJson -}}
{{- $missing := list -}}
{{- range $needs.variables -}}
{{- if not (or (get $values.variables . | toString) (hasKey $output.secretKeys .)) -}}
{{- $missing = append $missing . -}}
{{- end -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "%s: output.preset is %s, but variables lacks its destination; set variables.%s" $path $output.preset (join " and variables." $missing)) -}}
{{- end -}}
{{- range $needs.secrets -}}
{{- if not $output.existingSecret -}}
{{- fail (printf "%s: output.preset is %s, but output.existingSecret is empty; set it to the Secret that holds %s" $path $output.preset .) -}}
{{- end -}}
{{- end -}}
{{- if eq $output.preset "none" -}}
{{- $pipeline := get ($values.extraOutputs | fromYaml) "pipeline" -}}
{{- if not (and (kindIs "map" $pipeline) (get $pipeline "outputs")) -}}
{{- fail (printf "%s: output.preset is none and extraOutputs has no output, so every record would be discarded; add an output to extraOutputs, below pipeline and outputs, or choose a preset" $path) -}}
{{- end -}}
{{- end -}}
{{- if $output.caSecret -}}
{{- $defaults := include "node-observability.fluentBitDefaults" . | fromJson -}}
{{- range include "node-observability.outputVariables" . | fromJsonArray -}}
{{- $plain := list -}}
{{- if hasSuffix "_TLS" . -}}
{{- $plain = list "off" "false" "no" -}}
{{- else if eq . "NODEOBS_KAFKA_PROTOCOL" -}}
{{- $plain = list "plaintext" "sasl_plaintext" -}}
{{- end -}}
{{- $value := hasKey $values.variables . | ternary (get $values.variables .) (get $defaults .) | toString | lower -}}
{{- if and (has $value $plain) (not (hasKey $output.secretKeys .)) -}}
{{- fail (printf "%s: output.caSecret is %s, but the variable %s is %s, so the connection would not be encrypted; set variables.%s to %s, or remove caSecret" $path $output.caSecret . $value . (hasSuffix "_TLS" . | ternary "on" "ssl or sasl_ssl")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $output.caSecret (not $output.tlsVerify) -}}
{{- fail (printf "%s: output.caSecret is %s and output.tlsVerify is false, so the certificate authorities would not be used; remove one of them" $path $output.caSecret) -}}
{{- end -}}
{{- if and $output.caSecret (not (has "NODEOBS_TLS_CA_FILE" .read)) -}}
{{- fail (printf "%s: output.caSecret is %s, but the preset %s does not use it; remove it" $path $output.caSecret $output.preset) -}}
{{- end -}}
{{- if and $output.secretKeys (not $output.existingSecret) -}}
{{- fail (printf "%s: output.secretKeys is set, but output.existingSecret is empty; set it to the Secret that holds these keys" $path) -}}
{{- end -}}
{{- end -}}

{{/* Rules for values of variables with which Fluent Bit would never deliver, as JSON. An IPv6 address has more than one colon. */}}
{{- define "node-observability.variableRules" -}}
{{- list
    (dict "names" "_HOST$" "pattern" "^([^:/\\s]+|[^:/\\s]*:[^/\\s]*:[^/\\s]*)$" "must" "be a host name or an IP address alone, without a scheme, a port, a path or a space; other variables set these")
    (dict "names" "_PORT$" "pattern" "^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$" "must" "be a port, from 1 to 65535")
    (dict "names" "_(TLS|TLS_VERIFY|AWS_AUTH)$" "pattern" "^(?i:on|off|true|false|yes|no)$" "must" "be on or off")
    (dict "names" "_BUCKET$" "pattern" "^[^:/\\s]+$" "must" "be the name of a bucket alone, without s3:// and a path")
  | toJson -}}
{{- end -}}

{{- define "node-observability.validateVariables" -}}
{{- $values := .values -}}
{{- $path := .path -}}
{{- $credential := include "node-observability.credentials" . -}}
{{- $computed := include "node-observability.fluentBitComputed" . | fromJson -}}
{{- $defaults := include "node-observability.fluentBitDefaults" . | fromJson -}}
{{- $settable := list -}}
{{- range .read -}}
{{- if not (or (hasKey $computed .) (eq . "NODEOBS_NODE")) -}}
{{- $settable = append $settable . -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $values.variables -}}
{{- range $check := include "node-observability.variableRules" $ | fromJsonArray -}}
{{- if and (regexMatch $check.names $name) (toString $value) (not (regexMatch $check.pattern (include "node-observability.text" $value))) -}}
{{- fail (printf "%s: variables.%s is %q, but must %s" $path $name (include "node-observability.text" $value) $check.must) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch $credential $name -}}
{{- fail (printf "%s: variables contains %s, a credential; put it into a Secret under that key, and set output.existingSecret to the Secret" $path $name) -}}
{{- end -}}
{{- if hasKey $values.output.secretKeys $name -}}
{{- fail (printf "%s: variables and output.secretKeys both contain %s; remove it from one of them" $path $name) -}}
{{- end -}}
{{- if and (eq (toString $value) "") (get $defaults $name) -}}
{{- fail (printf "%s: variables.%s is empty, and Fluent Bit takes an empty variable for a missing one; set it, or remove it to use %s" $path $name (get $defaults $name)) -}}
{{- end -}}
{{- end -}}
{{- range $where, $names := dict "variables" $values.variables "output.secretKeys" $values.output.secretKeys -}}
{{- $usable := $settable -}}
{{- if eq $where "variables" -}}
{{- $usable = list -}}
{{- range $settable -}}
{{- if not (regexMatch $credential .) -}}
{{- $usable = append $usable . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $names -}}
{{- if or (hasKey $computed $name) (eq $name "NODEOBS_NODE") -}}
{{- fail (printf "%s: %s contains %s, which the chart sets from another value; remove it" $path $where $name) -}}
{{- end -}}
{{- if not (has $name $usable) -}}
{{- fail (printf "%s: %s contains %s, which the configuration with the output %s does not read; remove it, or use one of %s" $path $where $name $values.output.preset (join ", " $usable)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $values.extraEnv -}}
{{- if hasPrefix "NODEOBS_" .name -}}
{{- fail (printf "%s: extraEnv sets %s, a variable of the configuration; set it in variables, or credentials in output.existingSecret" $path .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
