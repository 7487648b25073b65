#!/usr/bin/env bash
# The packages' proof: a bare Debian 12 root is booted with the packages of out/deb installed; the service must be active,
# answer a question with its bundled model, and come back after a SIGKILL.
#
#   sudo tests/bare_root/deb.sh [--desktop]
#
# It does so for a normal user, who was made after the installation and is in no group. --desktop installs hearth-desktop
# too, whose Home has to show the service's model to that user. Needs root, mmdebstrap,
# systemd-nspawn and a Debian mirror (HEARTH_MIRROR).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

readonly kMirror=${HEARTH_MIRROR:-http://deb.debian.org/debian}
packages=(hearth)
if [[ ${1:-} == --desktop ]]; then packages+=(hearth-desktop); fi

fail() { printf 'deb: %s\n' "$*" >&2; exit 1; }
[[ $(id -u) == 0 ]] || fail "needs root: it makes a Debian root and boots it"
for tool in mmdebstrap systemd-nspawn; do command -v "$tool" >/dev/null || fail "$tool is missing"; done
compgen -G 'out/deb/*.deb' >/dev/null || fail "no packages in out/deb; run ./dev deb first"

work=$(mktemp -d /var/tmp/hearth-deb.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root" "$kMirror"
systemd-nspawn --quiet --directory="$root" --register=no --keep-unit /bin/true </dev/null ||
  { echo "deb: skipped: systemd-nspawn cannot start anything on this machine"; exit 77; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/debs"
for package in "${packages[@]}"; do cp out/deb/"${package}"_*.deb "$root/debs/"; done
# shellcheck disable=SC2016
chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive bash -c \
  'apt-get -q -y update >/dev/null && apt-get -q -y install --no-install-recommends /debs/*.deb' >"$work/install.log" 2>&1 ||
  { tail -20 "$work/install.log"; fail "the packages do not install"; }

cat >"$root/check.sh" <<'CHECK'
#!/bin/bash
# Runs inside the booted root; its output is what the test prints.
exec >/check.log 2>&1
wait_until() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done; echo "FAILED: never true: $*"; return 1; }
ready() { hearth --state-dir /var/lib/hearth --json ps | grep -q '"ready"'; }
echo "service: $(systemctl is-active hearthd), enabled: $(systemctl is-enabled hearthd)"
wait_until ready && echo "deployed: ok"
systemctl show hearthd -p Type,NRestarts,WatchdogUSec,MemoryCurrent,User
answer=$(hearth --state-dir /var/lib/hearth chat hearth-mini "How do I install a model pack from a USB stick?") && echo "answer: $answer"
before=$(systemctl show hearthd -p MainPID --value)
kill -KILL "$before"
changed() { local now; now=$(systemctl show hearthd -p MainPID --value); [[ $now != 0 && $now != "$before" ]]; }
wait_until changed && wait_until ready && echo "after SIGKILL: ok"
# From here on as anna, an account as Debian's installer makes it: in no group of ours, with an empty home.
useradd --create-home --shell /bin/bash anna
anna() { runuser -u anna -- env -C /home/anna HOME=/home/anna QT_QPA_PLATFORM=offscreen QT_QUICK_BACKEND=software "$@"; }
anna hearth models | grep -q "^hearth-mini " && echo "anna's models: ok" || echo "FAILED: a normal user does not see the models"
answer=$(anna hearth chat hearth-mini "What is Hearth?") && echo "anna's answer: $answer"
if [[ -x /usr/bin/hearth-desktop ]]; then
  anna timeout 60 hearth-desktop --page home --lang en --transcript /home/anna/home.txt; code=$?
  cat /home/anna/home.txt
  [[ $code == 0 ]] && grep -q hearth-mini /home/anna/home.txt && echo "desktop: ok" || echo "FAILED: hearth-desktop ended with $code"
fi
journalctl -u hearthd --no-pager | tail -30
echo "done"
CHECK
chmod +x "$root/check.sh"
cat >"$root/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=hearthd.service
Wants=hearthd.service
[Service]
Type=oneshot
ExecStart=/check.sh
ExecStopPost=/usr/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
UNIT
ln -s ../check.service "$root/etc/systemd/system/multi-user.target.wants/check.service"

# A network of its own: the box is offline, and the service's port is free.
timeout 300 systemd-nspawn --quiet --directory="$root" --boot --register=no --keep-unit --private-network </dev/null >"$work/boot.log" 2>&1 || true
[[ -f $root/check.log ]] || { tail -30 "$work/boot.log"; fail "the root did not boot"; }
cat "$root/check.log"
grep -q '^done' "$root/check.log" || fail "the check did not finish"
lines=('service: active, enabled: enabled' 'deployed: ok' 'answer: .' 'after SIGKILL: ok' "anna's models: ok" "anna's answer: .")
if [[ ${1:-} == --desktop ]]; then lines+=('desktop: ok'); fi
for line in "${lines[@]}"; do
  grep -q "^$line" "$root/check.log" || fail "missing: $line"
done
! grep -q FAILED "$root/check.log" || fail "see above"
echo "deb: passed"
