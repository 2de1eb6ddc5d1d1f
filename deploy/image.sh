#!/usr/bin/env bash
# deploy/image.sh build   builds the image coldstart:latest with buildah, without a container engine
# deploy/image.sh check   builds it from stand-ins for the base images (this machine's own Go and Node),
#                         so that no registry is needed, then demands what the image promises
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
case "${1:-}" in
build)
  buildah build --format docker -t coldstart:latest .
  exit
  ;;
check) ;;
*)
  sed -n '2,4s/^# //p' "$0"
  exit 2
  ;;
esac

command -v buildah >/dev/null || { echo "image-check needs buildah: apt-get install buildah" >&2; exit 1; }
mounts=()
for d in /usr /lib /lib64 /bin /sbin /etc; do [ -e "$d" ] && mounts+=(-v "$d:$d:ro"); done
gocache=$(go env GOCACHE) modcache=$(go env GOMODCACHE) npmcache=$(npm config get cache 2>/dev/null)
mkdir -p "$npmcache"
for base in node:22-bookworm-slim golang:1.26-bookworm; do
  c=$(buildah from scratch)
  m=$(buildah mount "$c")
  mkdir -p "$m"/{usr,lib,lib64,bin,sbin,etc,tmp,root,proc,dev,sys,gocache,modcache,npmcache}
  chmod 1777 "$m/tmp"
  buildah config --env "PATH=$PATH" --env HOME=/root --env GOCACHE=/gocache --env GOMODCACHE=/modcache \
    --env npm_config_cache=/npmcache --env GOFLAGS=-buildvcs=false "$c"
  buildah umount "$c" >/dev/null
  buildah commit -q "$c" "docker.io/library/$base" >/dev/null
  buildah rm "$c" >/dev/null
done
buildah build --format docker --pull-never -t coldstart:check "${mounts[@]}" \
  -v "$gocache:/gocache" -v "$modcache:/modcache" -v "$npmcache:/npmcache" .

say() { printf '%s\n' "image: $*"; }
fail() { say "$*" >&2; exit 1; }
inspect() { buildah inspect --type image --format "$1" coldstart:check; }
[ "$(inspect '{{.OCIv1.Config.User}}')" = 65532:65532 ] || fail "must run as a numeric user that is not root"
[ "$(inspect '{{index .OCIv1.Config.Entrypoint 0}}')" = /coldstart ] || fail "entry point is not /coldstart"
c=$(buildah from --pull-never coldstart:check)
trap 'buildah umount "$c" >/dev/null; buildah rm "$c" >/dev/null' EXIT
m=$(buildah mount "$c")
files=$(cd "$m" && find . -type f | sort | tr '\n' ' ')
[ "$files" = "./coldstart " ] || fail "must hold only the binary, holds: $files"
if command -v ldd >/dev/null && ldd "$m/coldstart" >/dev/null 2>&1; then fail "the binary is not static"; fi

# Run it as the image and compose.yaml say: its user, its root, read-only but for a tmpfs at /tmp and the volume at
# /data, without capabilities or new privileges. The seccomp filter that a container engine adds is not here: the
# server has none of its own, its children do.
data=$(mktemp -d)
chown 65532:65532 "$data"
mkdir -p "$m/tmp" "$m/proc" "$m/dev"
log=$(mktemp)
timeout -k 5 60 unshare --mount --pid --fork --kill-child bash -c '
  set -e
  mount --bind "$0" "$0"
  mount --bind "$1" "$0/data"
  mount -t tmpfs tmpfs "$0/tmp"
  mount -t proc proc "$0/proc"
  mount --bind /dev "$0/dev"
  mount -o remount,bind,ro "$0"
  exec setpriv --no-new-privs --bounding-set=-all,+setuid,+setgid,+sys_chroot \
    chroot --userspec=65532:65532 "$0" /coldstart serve --addr 127.0.0.1:18080 --data /data
' "$m" "$data" >"$log" 2>&1 &
pid=$!
ok=
for _ in $(seq 100); do
  if curl -fsS -m 2 -o /dev/null http://127.0.0.1:18080/healthz 2>/dev/null; then ok=1; break; fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
body=$(curl -fsS -m 5 http://127.0.0.1:18080/ 2>/dev/null | head -c 4000 || true)
wrong=
if [ -n "$ok" ]; then
  field() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status" 2>/dev/null || true; }
  space=$(pgrep -P "$pid" -x unshare || true)
  server=$(pgrep -P "${space:-0}" || true)
  children=$(pgrep -P "${server:-0}" || true)
  [ -n "$server" ] && [ -n "$children" ] || wrong+=" no server with children is running;"
  for p in $server $children; do
    [ "$(field "$p" Uid)" = 65532 ] || wrong+=" process $p is of user $(field "$p" Uid);"
    for set in CapEff CapPrm CapInh CapAmb; do
      [ "$(field "$p" "$set")" = 0000000000000000 ] || wrong+=" process $p has capabilities $set $(field "$p" "$set");"
    done
    [ "$(field "$p" NoNewPrivs)" = 1 ] || wrong+=" process $p may get new privileges;"
  done
  for p in $children; do
    [ "$(field "$p" Seccomp)" = 2 ] || wrong+=" child $p has no seccomp filter;"
  done
  # Through the server's own eyes, and as root, so that nothing but the mount refuses.
  for at in / /coldstart /etc; do
    if (: >>"/proc/$server/root${at%/}/escape-canary" || : >>"/proc/$server/root$at") 2>/dev/null; then wrong+=" $at can be written;"; fi
  done
  (: >"/proc/$server/root/tmp/canary") 2>/dev/null || wrong+=" /tmp cannot be written;"
fi
kill "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
[ -n "$ok" ] || { cat "$log" >&2; fail "did not become healthy with a read-only root"; }
[ -z "$wrong" ] || fail "$wrong"
[[ "$body" == *"<title>"* ]] || fail "the home page did not come"
say "static binary alone, user 65532, no capabilities, children under seccomp, healthy on a read-only root: ok ($(du -m "$m/coldstart" | cut -f1) MB)"
