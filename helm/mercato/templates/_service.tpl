{{- /* The variables of a service that are no secret. dict "root" "name" "facts" "settings" */ -}}
{{- define "mercato.serviceConfig" -}}
{{- $values := .root.Values -}}
{{- $config := dict
  "GRAPHQL_ADDR" "0.0.0.0:8080"
  "INTERNAL_ADDR" "0.0.0.0:8081"
  "OPS_ADDR" "0.0.0.0:9090"
  "GATEWAY_KEY_FILE" "/run/secrets/mercato/gateway-key"
  "SERVICE_KEY_FILE" "/run/secrets/mercato/service-key.pem"
  "SERVICE_KEYS_DIR" "/run/secrets/callers"
  "JWT_ISSUER" $values.identity.issuer
  "JWT_AUDIENCE" $values.identity.audience
  "MERCATO_ENV" $values.environment
  "LOG" $values.log -}}
{{- if .facts.public }}{{- $_ := set $config "PUBLIC_ADDR" "0.0.0.0:8082" }}{{- end }}
{{- if ne (.facts.public | default "") "jwks" }}{{- $_ := set $config "JWKS_URL" "http://auth:8082/.well-known/jwks.json" }}{{- end }}
{{- if .facts.database }}{{- $_ := set $config "DATABASE_URL_FILE" "/run/secrets/mercato/database-url" }}{{- end }}
{{- if .facts.redis }}{{- $_ := set $config "REDIS_URL_FILE" "/run/secrets/mercato/redis-url" }}{{- end }}
{{- if .facts.amqp }}{{- $_ := set $config "AMQP_URL_FILE" "/run/secrets/mercato/amqp-url" }}{{- end }}
{{- range .facts.calls }}{{- $_ := set $config (printf "%s_URL" (upper .)) (printf "http://%s:8081" .) }}{{- end }}
{{- if $values.tracing.endpoint }}{{- $_ := set $config "OTEL_EXPORTER_OTLP_ENDPOINT" $values.tracing.endpoint }}{{- end }}
{{- if eq (.facts.public | default "") "live" }}{{- $_ := set $config "ALLOWED_ORIGINS" (include "mercato.origin" .root) }}{{- end }}
{{- range .facts.folders }}{{- $_ := set $config .variable (printf "/run/secrets/%s" .name) }}{{- end }}
{{- range .facts.secrets }}{{- $_ := set $config (printf "%s_FILE" .variable) (ternary "" (printf "/run/secrets/mercato/%s" .key) (and .world $values.sandbox.enabled)) }}{{- end }}
{{- $shop := include "mercato.origin" .root }}
{{- range $name, $value := .facts.production }}{{- $_ := set $config $name $value }}{{- end }}
{{- range $name, $value := .facts.variables }}{{- $_ := set $config $name (replace "{shop}" $shop $value) }}{{- end }}
{{- /* What the chart's own values say instead. */ -}}
{{- if eq .name "auth" }}{{- $_ := set $config "BOOTSTRAP_ADMIN_EMAIL" $values.identity.adminEmail }}{{- end }}
{{- if eq .name "notification" }}
  {{- $_ := set $config "MAIL_FROM" $values.mail.from }}
  {{- if $values.sandbox.enabled }}
    {{- $_ := set $config "SMTP_ADDR" "mail-sandbox:2525" }}
    {{- $_ := set $config "SMTP_TLS" "none" }}
    {{- $_ := set $config "SMTP_USER" "" }}
  {{- else }}
    {{- $_ := set $config "SMTP_ADDR" $values.mail.server }}
    {{- $_ := set $config "SMTP_TLS" $values.mail.tls }}
    {{- with $values.mail.ca }}{{- $_ := set $config "SMTP_CA" . }}{{- end }}
    {{- $_ := set $config "SMTP_USER" $values.mail.user }}
  {{- end }}
{{- end }}
{{- if eq .name "payment" }}
  {{- $_ := set $config "PSP_BASE_URL" (ternary "http://psp-sandbox:8080" $values.provider.url $values.sandbox.enabled) }}
{{- end }}
{{- range $name, $value := .settings.config }}{{- $_ := set $config $name (toString $value) }}{{- end }}
{{- range $name := keys $config | sortAlpha }}
{{ $name }}: {{ index $config $name | quote }}
{{- end }}
{{- end }}

{{- define "mercato.origin" -}}
{{ ternary "https" "http" .Values.edge.tls }}://{{ .Values.edge.host }}
{{- end }}

{{- /* Keys of a service's secret that it reads as files, beside its own key. */ -}}
{{- define "mercato.secretFiles" -}}
{{- if .facts.database }}
- database-url
{{- end }}
{{- if .facts.redis }}
- redis-url
{{- end }}
{{- if .facts.amqp }}
- amqp-url
{{- end }}
{{- range .facts.secrets }}
- {{ .key }}
{{- end }}
{{- end }}
