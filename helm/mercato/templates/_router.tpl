{{- define "mercato.routerConfig" -}}
APOLLO_TELEMETRY_DISABLED: "true"
{{- range $name := .Files.Get "files/topology.yaml" | fromYaml | keys | sortAlpha }}
{{ upper $name }}_GRAPHQL_URL: http://{{ $name }}:8080/graphql
{{- end }}
ROUTER_HEALTH_LISTEN: 0.0.0.0:8088
ROUTER_INTROSPECTION: {{ eq .Values.environment "development" | quote }}
ROUTER_LISTEN: 0.0.0.0:4000
ROUTER_METRICS_LISTEN: 0.0.0.0:9095
{{- if .Values.tracing.endpoint }}
ROUTER_OTLP_ENDPOINT: {{ .Values.tracing.endpoint }}
ROUTER_TRACES: "true"
{{- end }}
ROUTER_TRACE_SAMPLE: {{ .Values.tracing.routerSample | quote }}
WEB_ORIGIN: {{ include "mercato.origin" . }}
{{- end }}
