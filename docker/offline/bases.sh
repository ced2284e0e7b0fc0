#!/usr/bin/env bash
# Makes the images that the Dockerfiles begin with from packages of this Debian, for machines that reach no registry of
# images. They bear the names the Dockerfiles ask for and stay on this machine. Needs buildah, as root.
#
#   docker/offline/bases.sh [FOLDER-WITH-PROGRAMS]
#
# With a folder of release programs (`cargo build --release --bins`) these become localhost/mercato-programs, which
# images.sh takes instead of compiling. ROUTER names Apollo Router's program, if it is not on PATH.
set -euo pipefail
docker=$(dirname "$(readlink -f "$0")")/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
certificates=/etc/ssl/certs/ca-certificates.crt

# What a Dockerfile begins with.
image() { # ARGUMENT FILE
  sed -n "s/^ARG $1=//p" "$docker/$2"
}

# What distroless/cc holds, and a user who is nobody.
unpack() { # FOLDER PACKAGE...
  local folder=$1; shift
  mkdir -p "$folder" "$work/debs"
  (cd "$work/debs" && rm -f -- *.deb && apt-get download "$@" >/dev/null 2>&1)
  for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -rf "$folder"/usr/share/{doc,man,locale}
}
commit() { # FOLDER NAME [buildah config arguments]...
  local folder=$1 name=$2 container; shift 2
  container=$(buildah from scratch)
  buildah copy -q "$container" "$folder" / >/dev/null
  buildah config --env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env SSL_CERT_FILE=$certificates "$@" "$container"
  buildah commit -q "$container" "$name" >/dev/null
  buildah rm "$container" >/dev/null
  echo "$name"
}

unpack "$work/runtime" base-files netbase tzdata libc6 libgcc-s1 libgomp1 libstdc++6 libssl3 ca-certificates
mkdir -p "$work"/runtime/{etc/ssl/certs,home/nonroot,tmp}
chmod 1777 "$work/runtime/tmp"
cp $certificates "$work/runtime/etc/ssl/certs/"
printf 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::%s/nonroot:/sbin/nologin\n' /home >"$work/runtime/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$work/runtime/etc/group"
commit "$work/runtime" "$(image RUNTIME_IMAGE Dockerfile)" --user 65532:65532

cp -a "$work/runtime" "$work/nginx"
unpack "$work/nginx" nginx nginx-common libpcre2-8-0 zlib1g libcrypt1
mkdir -p "$work"/nginx/usr/share/nginx/html
echo 'nginx:x:101:101::/nonexistent:/sbin/nologin' >>"$work/nginx/etc/passwd"
echo 'nginx:x:101:' >>"$work/nginx/etc/group"
commit "$work/nginx" "$(image NGINX_IMAGE web-demo.Dockerfile)" --user 101:101

# Node.js as it is installed here, and the shell that npm's scripts want.
cp -a "$work/runtime" "$work/node"
unpack "$work/node" bash coreutils dash sed grep findutils libselinux1 libacl1 libattr1 libpcre2-8-0 libgmp10 libtinfo6
ln -sf dash "$work/node/bin/sh"
mkdir -p "$work"/node/{root,proc,dev,sys,run,usr/lib,usr/bin}
node=$(readlink -f "$(command -v node)")
cp "$node" "$work/node/usr/bin/node"
cp -a "$(dirname "$(dirname "$node")")/lib/node_modules" "$work/node/usr/lib/"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/node/usr/bin/npm"
ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$work/node/usr/bin/npx"
for name in "$(image NODE_IMAGE Dockerfile)" "$(image NODE_IMAGE web-demo.Dockerfile)"; do
  commit "$work/node" "$name" --env HOME=/root \
    --env NODE_EXTRA_CA_CERTS=$certificates --env npm_config_cafile=$certificates
done
cp -a "$work/runtime" "$work/node-runtime"
mkdir -p "$work/node-runtime/nodejs/bin"
cp "$node" "$work/node-runtime/nodejs/bin/node"
commit "$work/node-runtime" "$(image NODE_RUNTIME_IMAGE Dockerfile)" --user 65532:65532

router=${ROUTER:-$(command -v router || echo "$HOME/.cache/mercato/router/bin/router")}
mkdir -p "$work/upstream/dist"
cp "$router" "$work/upstream/dist/router"
commit "$work/upstream" "$(image ROUTER_IMAGE Dockerfile)"

if [ $# -gt 0 ]; then
  mkdir -p "$work/programs/out"
  for program in $(sed -n 's/^ARG \(SERVICES\|TOOLS\)="\(.*\)"/\2/p' "$docker/Dockerfile") \
    auditor-watch mercato-health mercato-secrets; do
    cp "$1/$program" "$work/programs/out/"
    strip --strip-debug "$work/programs/out/$program"
  done
  commit "$work/programs" localhost/mercato-programs:latest
fi
