{{/* Rules for the values in zabbix.api: see ../_validate.tpl. */}}

{{- define "node-observability.validateApi" -}}
{{- $api := .Values.zabbix.api -}}
{{- range $name := list "apply" "prune" -}}
{{- if (get $api $name).enabled -}}
{{- if not $.Values.zabbix.enabled -}}
{{- fail (printf "zabbix.api.%s.enabled is true and zabbix.enabled is false, so it would not run; change one of them" $name) -}}
{{- end -}}
{{- if not $api.url -}}
{{- fail (printf "zabbix.api.%s.enabled is true, but zabbix.api.url is empty; set it to the URL of the Zabbix frontend" $name) -}}
{{- end -}}
{{- if not $api.existingSecret -}}
{{- fail (printf "zabbix.api.%s.enabled is true, but zabbix.api.existingSecret is empty; set it to the Secret that holds `token`, or `user` and `password`" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $psk := and $api.apply.psk (eq .Values.zabbix.tls.mode "psk") -}}
{{- if and $api.apply.enabled $api.apply.pskOnly (not $psk) -}}
{{- fail "zabbix.api.apply.pskOnly is true, but the server gets no pre-shared key, so no agent could register; set zabbix.tls.mode to psk and zabbix.api.apply.psk to true" -}}
{{- end -}}
{{- range $name, $_ := $api.apply.macros -}}
{{- if not (regexMatch "^\\{\\$[A-Z0-9_.]+(:[^}]+)?\\}$" $name) -}}
{{- fail (printf "zabbix.api.apply.macros contains %s, which is not the name of a macro; write it like {$NODEOBS.LOG.HISTORY}" $name) -}}
{{- end -}}
{{- if eq $name "{$NODEOBS.EXPORTER.PORT}" -}}
{{- fail "zabbix.api.apply.macros contains {$NODEOBS.EXPORTER.PORT}, which the chart sets from zabbix.journalExporter.port; remove it" -}}
{{- end -}}
{{- end -}}
{{- range $api.extraEnv -}}
{{- if hasPrefix "ZABBIX_" .name -}}
{{- fail (printf "zabbix.api.extraEnv sets %s, which the chart sets from other values; use zabbix.api.url, zabbix.api.existingSecret or zabbix.tls instead" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
