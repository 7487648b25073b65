#!/usr/bin/env bash
# The newcomer's proof: a bare Debian 12 root (nothing but bash and apt), a fresh clone, and a command in it, timed.
#
#   tests/bare_root/run.sh [--root DIR] [--keep] [--again] [--ccache DIR] COMMAND...
#
#   sudo tests/bare_root/run.sh ./dev test
#   sudo tests/bare_root/run.sh --root /var/tmp/bare --keep ./dev run --prompt "How do I install a model pack?"
#   sudo tests/bare_root/run.sh --root /var/tmp/bare --keep --again ./dev run --prompt "And once more?"
#
# --again uses the root and the clone that --keep left. --ccache shares a compiler cache with the root: for a check that
# it works, not of how long it takes. Needs root, mmdebstrap, git and a Debian mirror (HEARTH_MIRROR).
set -euo pipefail

readonly kMirror=${HEARTH_MIRROR:-http://deb.debian.org/debian}
readonly kSource=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
root='' keep=no again=no cache=''

fail() { printf 'bare_root: %s\n' "$*" >&2; exit 1; }

while [[ $# -gt 0 ]]; do
  case $1 in
    --root) root=$2; shift 2 ;;
    --keep) keep=yes; shift ;;
    --again) again=yes; shift ;;
    --ccache) cache=$2; shift 2 ;;
    -*) fail "unknown option $1" ;;
    *) break ;;
  esac
done
[[ $# -gt 0 ]] || fail "which command? For example: ./dev test"
[[ $(id -u) == 0 ]] || fail "needs root: it makes a Debian root and enters it"
command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: apt-get install mmdebstrap"

make_root() {
  [[ ! -e $root/etc ]] || fail "$root is not empty; use --again, or another folder"
  mkdir -p "$root"
  mmdebstrap --quiet --variant=minbase bookworm "$root" "$kMirror"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  git clone --quiet --no-hardlinks "$kSource" "$root/root/hearth"
}

# proc, sys, dev and a private /dev/shm live in a mount namespace of their own, so nothing is left mounted.
enter_root() {
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$1 cache=$2; shift 2
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sys "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    if [[ -n $cache ]]; then mkdir -p "$root/root/.cache/ccache" && mount --bind "$cache" "$root/root/.cache/ccache"; fi
    exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      bash -c "cd /root/hearth && exec \"\$@\"" bash "$@"
  ' bash "$root" "$cache" "$@"
}

[[ -n $root ]] || root=$(mktemp -d /var/tmp/hearth-bare.XXXXXX)
if [[ $keep == no && $again == no ]]; then trap 'rm -rf --one-file-system "$root"' EXIT; fi
if [[ $again == no ]]; then make_root; fi

started=$(date +%s.%N)
status=0
enter_root "$@" </dev/null || status=$?
printf 'bare_root: %s: exit %d after %.1f s\n' "$*" "$status" "$(echo "$(date +%s.%N) $started" | awk '{print $1 - $2}')"
exit "$status"
