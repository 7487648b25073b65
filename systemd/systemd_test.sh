#!/usr/bin/env bash
# The units, users, folders and rules are accepted by systemd's own tools. Exit 77 (skipped) where those are missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is not installed"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# verify wants executables that exist; the unit's own is not installed yet at test time.
for unit in hearthd.service hearth-media@.service; do
  sed 's|^ExecStart=/usr/bin/[a-z-]*|ExecStart=/bin/true|; s|^ExecStop=-*/usr/bin/[a-z-]*|ExecStop=/bin/true|' "$unit" >"$work/$unit"
done
mv "$work/hearth-media@.service" "$work/hearth-media@sdb1.service"
said=$(systemd-analyze verify --man=no "$work"/*.service 2>&1 | grep "$work\|hearth" || true)
[[ -z $said ]] || fail "systemd-analyze verify: $said"

# A unit that verify accepts can still be wide open. 3.0 is "OK"; systemd-oomd itself is at about 1.8.
systemd-analyze security --offline=yes --threshold=30 "$work/hearthd.service" >"$work/security" 2>&1 ||
  fail "systemd-analyze security: $(tail -1 "$work/security")"
tail -1 "$work/security"

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$work/root/etc" "$work/root/var/lib" "$work/root/usr/lib/sysusers.d" "$work/root/usr/lib/tmpfiles.d"
  cp hearth.sysusers "$work/root/usr/lib/sysusers.d/hearth.conf"
  cp hearth.tmpfiles "$work/root/usr/lib/tmpfiles.d/hearth.conf"
  systemd-sysusers --root="$work/root" || fail "systemd-sysusers"
  grep -q '^hearth:' "$work/root/etc/passwd" || fail "no user hearth"
  systemd-tmpfiles --root="$work/root" --create || fail "systemd-tmpfiles"
  [[ -d $work/root/var/lib/hearth/run ]] || fail "no state folder"
fi

# A rule with a misspelled key is ignored in silence, so check the shape: every part is KEY OP "value".
while IFS= read -r line; do
  [[ -z $line || $line == '#'* ]] && continue
  while IFS= read -r part; do
    [[ $part =~ ^[[:space:]]*(ACTION|SUBSYSTEM|TAG|ENV\{[A-Z_]+\})(==|\+=|=)\"[^\"]*\"$ ]] || fail "udev rule part: $part"
  done < <(tr ',' '\n' <<<"$line")
done <70-hearth-media.rules
grep -q 'ENV{UDISKS_FILESYSTEM_SHARED}="1"' 70-hearth-media.rules || fail "sticks that UDisks2 mounts would be hidden from hearthd"

# hearthd gives its workers this long (see the unit); systemd must not cut that short.
stop=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' hearthd.service)
(( ${stop:-0} >= 45 )) || fail "TimeoutStopSec is ${stop:-unset}, shorter than hearthd's own orderly end"
echo passed
