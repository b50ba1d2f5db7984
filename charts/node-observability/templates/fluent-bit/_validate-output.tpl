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
{{- if and (eq $output.preset "none") (not $values.extraOutputs) -}}
{{- fail (printf "%s: output.preset is none and extraOutputs is empty, so every record would be discarded; add an output to extraOutputs, or choose a preset" $path) -}}
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
