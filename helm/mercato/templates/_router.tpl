{{- /* What a router is told: dict "root" $ "name" "router" */ -}}
{{- define "mercato.routerConfig" -}}
{{- if eq .name "router-staff" -}}
APOLLO_ROUTER_SUPERGRAPH_PATH: /etc/router/supergraph.graphql
ROUTER_PATH: /graphql/staff
{{ end -}}
APOLLO_TELEMETRY_DISABLED: "true"
{{- range $name := .root.Files.Get "files/topology.yaml" | fromYaml | keys | sortAlpha }}
{{ upper $name }}_GRAPHQL_URL: http://{{ $name }}:8080/graphql
{{- end }}
ROUTER_HEALTH_LISTEN: 0.0.0.0:8088
ROUTER_INTROSPECTION: {{ eq .root.Values.environment "development" | quote }}
ROUTER_LISTEN: 0.0.0.0:4000
ROUTER_METRICS_LISTEN: 0.0.0.0:9095
{{- if .root.Values.tracing.endpoint }}
ROUTER_OTLP_ENDPOINT: {{ .root.Values.tracing.endpoint }}
ROUTER_TRACES: "true"
{{- end }}
ROUTER_TRACE_SAMPLE: {{ .root.Values.tracing.routerSample | quote }}
WEB_ORIGIN: {{ include "mercato.origin" .root }}
{{- end }}
