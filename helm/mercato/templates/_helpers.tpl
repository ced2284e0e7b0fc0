{{- define "mercato.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: mercato
{{- end }}

{{- define "mercato.chartLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Metadata of an object: dict "root" $ "name" "order" ["app" "order"] */ -}}
{{- define "mercato.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "mercato.labels" (dict "name" (.app | default .name)) | nindent 2 }}
  {{- include "mercato.chartLabels" .root | nindent 2 }}
{{- end }}

{{- define "mercato.image" -}}
{{- printf "%s/%s:%s" .root.Values.image.repository .name (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end }}

{{- define "mercato.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end }}

{{- define "mercato.podSecurity" -}}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
runAsGroup: {{ . }}
runAsNonRoot: true
runAsUser: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "mercato.spread" -}}
- labelSelector:
    matchLabels:
      {{- include "mercato.labels" . | nindent 6 }}
  maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
- labelSelector:
    matchLabels:
      {{- include "mercato.labels" . | nindent 6 }}
  maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
{{- end }}

{{- /* What a workload without an own account of rights has: an account, and no token of it. */ -}}
{{- define "mercato.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "mercato.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{- define "mercato.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "mercato.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "mercato.labels" . | nindent 6 }}
{{- end }}

{{- define "mercato.autoscaler" -}}
{{- $backlog := and (eq .name "order") .root.Values.backlogScaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "mercato.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicas: {{ .replicas.min }}
  maxReplicas: {{ .replicas.max }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
    {{- if $backlog }}
    - type: Pods
      pods:
        metric:
          name: mercato_inbox_pending
        target:
          type: AverageValue
          averageValue: "500"
    {{- end }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      policies:
        - type: Pods
          value: 1
          periodSeconds: 60
{{- end }}

{{- /* Peers in the same namespace: dict "names" (list) */ -}}
{{- /* Names of the services that have a fact: list root fact. Joined by spaces. */ -}}
{{- define "mercato.with" -}}
{{- $fact := index . 1 -}}
{{- $names := list -}}
{{- range $name, $facts := (index . 0).Files.Get "files/topology.yaml" | fromYaml }}
{{- if index $facts $fact }}{{ $names = append $names $name }}{{ end }}
{{- end }}
{{- $names | sortAlpha | join " " }}
{{- end }}

{{- define "mercato.peers" -}}
{{- range . }}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ . }}
{{- end }}
{{- end }}

{{- define "mercato.edgePeer" -}}
- namespaceSelector:
    matchLabels:
      {{- toYaml .Values.network.edgeNamespaceLabels | nindent 6 }}
{{- end }}

{{- define "mercato.monitoringPeer" -}}
- namespaceSelector:
    matchLabels:
      {{- toYaml .Values.network.monitoringNamespaceLabels | nindent 6 }}
{{- end }}

{{- define "mercato.tcp" -}}
ports:
  - port: {{ . }}
    protocol: TCP
{{- end }}

{{- /* What puts a pod into the mesh, and whatever else was asked for. */ -}}
{{- define "mercato.podAnnotations" -}}
{{- $all := deepCopy .Values.podAnnotations -}}
{{- if .Values.mesh.linkerd -}}
{{- $_ := set $all "config.linkerd.io/opaque-ports" "5432,5672,6379" -}}
{{- $_ := set $all "linkerd.io/inject" "enabled" -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end }}
