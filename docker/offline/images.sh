#!/usr/bin/env bash
# Builds all images of this checkout without an engine and prints their sizes. Needs buildah, as root, and the images
# the Dockerfiles begin with: from a registry, or from bases.sh.
#
#   docker/offline/images.sh [IMAGE-WITH-PROGRAMS]     such as localhost/mercato-programs:latest
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${MERCATO_VERSION:-0.1.0}
programs=${1:-build}
build() { buildah bud --isolation chroot --layers "$@" .; }
for target in $(sed -nE 's/^FROM (node-)?runtime AS (.*)/\2/p' docker/Dockerfile); do
  build --build-arg "BINARIES=$programs" --target "$target" --tag "localhost/mercato/$target:$version" \
    --file docker/Dockerfile
done
build --tag "localhost/mercato/web-demo:$version" --file docker/web-demo.Dockerfile
buildah images --format '{{.Name}} {{.Size}}' | grep localhost/mercato/
