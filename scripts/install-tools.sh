#!/usr/bin/env bash
# Installs the judges of the tests where they are missing: etcd, etcdctl, h2load and kubectl 1.20 from Debian's packages.
# kubectl 1.20 is unpacked below .tools/, beside (never over) a newer kubectl on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
command -v etcd >/dev/null || missing+=(etcd-server)
command -v etcdctl >/dev/null || missing+=(etcd-client)
command -v h2load >/dev/null || missing+=(nghttp2-client)
kubectl=.tools/kubernetes-client/usr/bin/kubectl
if [ ${#missing[@]} = 0 ] && [ -x "$kubectl" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "install-tools: no apt-get here; install by hand: ${missing[*]} and kubectl 1.20 at $kubectl" >&2
  exit 1
fi
as_root apt-get update -qq
if [ ${#missing[@]} != 0 ]; then
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -x "$kubectl" ]; then
  mkdir -p .tools/kubernetes-client
  (cd .tools && apt-get download -qq kubernetes-client && dpkg -x kubernetes-client_*.deb kubernetes-client && rm -f kubernetes-client_*.deb)
fi
for tool in etcd etcdctl h2load "$kubectl"; do command -v "$tool" >/dev/null || { echo "install-tools: $tool is still missing" >&2; exit 1; }; done
