#!/usr/bin/env bash
# Puts a container of images.sh in the place of each process of a running system (`cargo xtask up --detach`), with the
# same configuration, says how soon each is ready, and lets the demo buy against the containers. The stores stay as
# they are. Needs podman and runc, as root; `cargo xtask down` and this script's end clean up.
#
#   docker/offline/demo.sh [DATA-FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$(readlink -f "${1:-.mercato}")
root=$(getent passwd 0 | cut -d: -f6)
if [ "${data#"$root/"}" != "$data" ]; then
  # In the images, as everywhere, root's folder is for root alone.
  echo "the containers' user can't reach $data: use a checkout outside $root" >&2
  exit 1
fi
version=${MERCATO_VERSION:-0.1.0}
started=()
trap 'for name in "${started[@]}"; do podman rm --force --time 10 "mercato-$name" >/dev/null 2>&1 || true; done; rm -rf "$keys"' EXIT
keys=$(mktemp -d)
cp -a "$data/keys/." "$keys/"
chown -R 65532:65532 "$keys"
# Limits low enough for machines whose own are.
limits=(--runtime runc --ulimit nofile=4096:4096 --ulimit nproc=4096:4096)
locked=(--network host --read-only --cap-drop ALL --security-opt no-new-privileges --user 65532:65532)

field() { # PROCESS EXPRESSION: of the state file
  python3 - "$data/stack.json" "$1" "$2" <<'P'
import json, sys
state = json.load(open(sys.argv[1]))
name = sys.argv[2]
entry = next(entry for entry in state["processes"] if entry["name"] == name)
print(eval(sys.argv[3], {"entry": entry, "ports": state["plan"]["ports"][name], "plan": state["plan"]}))
P
}
ready() { # PROCESS
  local path=/readyz
  case "$1" in router*) path='/health?ready' ;; esac
  curl --silent --fail --output /dev/null "http://127.0.0.1:$(field "$1" 'ports["ops"]')$path"
}

# The page is served by the edge, which is of this machine and not of a deployment.
for name in psp-sandbox mail-sandbox $(ls subgraphs) auditor-watch router router-staff; do
  pid=$(field "$name" 'entry["id"]["pid"]')
  environment=$(mktemp)
  # A router's files are in its image; everything else as the process has it.
  tr '\0' '\n' <"/proc/$pid/environ" | grep -v -e '^PATH=' -e '^HOME=' -e '^APOLLO_ROUTER_.*_PATH=' \
    -e '^ROUTER_SCRIPTS=' >"$environment"
  [ "$name" = router-staff ] && echo APOLLO_ROUTER_SUPERGRAPH_PATH=/etc/router/supergraph.graphql >>"$environment"
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  begun=$(date +%s%N)
  podman run --detach --name "mercato-$name" "${limits[@]}" "${locked[@]}" --env-file "$environment" \
    --volume "$keys:$data/keys:ro" --tmpfs /tmp --tmpfs "$data/psp-sandbox:mode=1777" \
    "localhost/mercato/${name%-staff}:$version" >/dev/null
  started+=("$name")
  rm -f "$environment"
  until ready "$name"; do
    if [ $(($(date +%s%N) - begun)) -gt 120000000000 ]; then podman logs "mercato-$name" | tail -5; exit 1; fi
    sleep 0.05
  done
  echo "$name is ready after $((($(date +%s%N) - begun) / 1000000)) ms"
done

podman run --rm "${limits[@]}" "${locked[@]}" \
  --env "MERCATO_GRAPHQL_URL=http://127.0.0.1:$(field router 'ports["graphql"]')/graphql" \
  --env "MERCATO_STAFF_URL=http://127.0.0.1:$(field router-staff 'ports["graphql"]')/graphql/staff" \
  --env "MERCATO_WS_URL=ws://127.0.0.1:$(field order 'ports["public"]')/graphql/ws" \
  --env "MERCATO_PSP_URL=http://127.0.0.1:$(field psp-sandbox 'ports["graphql"]')" \
  --env "MERCATO_NOTICES_URL=ws://127.0.0.1:$(field notification 'ports["public"]')/graphql/ws/notification" \
  --env "MERCATO_MAIL_URL=http://127.0.0.1:$(field mail-sandbox 'ports["graphql"]')" \
  --env MERCATO_ADMIN_EMAIL=admin@mercato.example --env MERCATO_ADMIN_PASSWORD=mercato-admin-demo \
  "localhost/mercato/tools:$version" demo
