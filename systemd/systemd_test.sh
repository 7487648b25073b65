#!/usr/bin/env bash
# The units, users, folders and rules are accepted by systemd's own tools. Exit 77 (skipped) where those are missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is not installed"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# verify wants executables that exist; the unit's own is not installed yet at test time.
for unit in hearthd.service hearth-media@.service hearth-media-write@.service hearth-media-write@.path; do
  sed -E 's,^(Exec[A-Za-z]*=)-*/usr/(bin|libexec)/[a-z/-]*,\1/bin/true,' "$unit" >"$work/${unit/@/@sdb1}"
done
said=$(systemd-analyze verify --man=no "$work"/*.service "$work"/*.path 2>&1 | grep "$work\|hearth" || true)
[[ -z $said ]] || fail "systemd-analyze verify: $said"

# A unit that verify accepts can still be wide open. 3.0 is "OK"; systemd-oomd itself is at about 1.8.
for unit in "$work"/*.service; do
  systemd-analyze security --offline=yes --threshold=30 "$unit" >"$work/security" 2>&1 ||
    fail "systemd-analyze security: $(tail -1 "$work/security")"
  tail -1 "$work/security"
done

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$work/root/etc" "$work/root/var/lib" "$work/root/usr/lib/sysusers.d" "$work/root/usr/lib/tmpfiles.d"
  cp hearth.sysusers "$work/root/usr/lib/sysusers.d/hearth.conf"
  cp hearth.tmpfiles "$work/root/usr/lib/tmpfiles.d/hearth.conf"
  systemd-sysusers --root="$work/root" || fail "systemd-sysusers"
  grep -q '^hearth:' "$work/root/etc/passwd" || fail "no user hearth"
  systemd-tmpfiles --root="$work/root" --create || fail "systemd-tmpfiles"
  [[ -d $work/root/var/lib/hearth/run ]] || fail "no state folder"
fi

# The script that mounts: what it asks systemd for, by filesystem, and which names it takes for no device.
mkdir "$work/bin"
printf '#!/bin/sh\necho "$FSTYPE"\n' >"$work/bin/udevadm"
printf '#!/bin/sh\necho 990\n' >"$work/bin/id"
for program in systemd-mount install; do printf '#!/bin/sh\necho "%s $*"\n' "$program" >"$work/bin/$program"; done
chmod +x "$work"/bin/*
media() { PATH="$work/bin:$PATH" FSTYPE=$1 ./hearth-media "$2" "$3" 2>&1; }
want() { [[ $1 == *"$2"* ]] || fail "hearth-media said \"$1\", expected \"$2\""; }
want "$(media vfat mount sdb1)" "--options=ro,nosuid,nodev,noexec,uid=990,gid=990,umask=0002 /dev/sdb1 /media/hearth/sdb1"
want "$(media ext4 mount sdb1)" "--options=ro,nosuid,nodev,noexec /dev/sdb1"
want "$(media exfat write sdb1)" "--options=rw,nosuid,nodev,noexec,uid=990"
want "$(media ext4 write sdb1)" "install -d -m 2775 -o hearth -g hearth /media/hearth/sdb1/hearth"
[[ $(media vfat write sdb1) != *"install "* ]] || fail "a filesystem without owners needs no folder"
for name in '' ../sdb1 'sd b1' sdb1/x SDB1 '-x' 'sdb1;x'; do
  if said=$(media vfat mount "$name"); then fail "hearth-media takes \"$name\" for a device: $said"; fi
done

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
