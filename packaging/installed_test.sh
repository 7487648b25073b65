#!/usr/bin/env bash
# The installed tree as a normal user meets it: `cmake --install` into a folder, the service as user hearth with the folders
# that the packages make, and everything else as anna, who is in no group. In a mount namespace, so that nothing of this
# machine is touched. Exit 77 (skipped) without root or namespaces.
#
#   installed_test.sh BUILD_DIR
set -euo pipefail
if [[ ${2:-} != inside ]]; then
  [[ $(id -u) == 0 ]] || { echo "skipped: needs root, to be other users"; exit 77; }
  unshare --mount true 2>/dev/null || { echo "skipped: no mount namespaces here"; exit 77; }
  exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$1" inside
fi

fail() { echo "FAILED: $*"; exit 1; }
for folder in /var/lib /media /home /mnt; do mount -t tmpfs -o mode=0755 tmpfs "$folder"; done
readonly work=/mnt/work
mkdir -p $work/etc
DESTDIR=$work cmake --install "$1" --prefix /usr >$work/install.log || fail "$(tail -3 $work/install.log)"

cp /etc/{passwd,group,shadow,gshadow} $work/etc/
systemd-sysusers --root=$work || fail "the user hearth cannot be made"
echo 'anna:x:42424:42424::/home/anna:/bin/sh' >>$work/etc/passwd
echo 'anna:x:42424:' >>$work/etc/group
for file in passwd group; do mount --bind $work/etc/$file /etc/$file; done
install -d -o anna -g anna -m 0700 /home/anna
systemd-tmpfiles --create $work/usr/lib/tmpfiles.d/hearth.conf || fail "the state folders cannot be made"

as() {  # as USER COMMAND...: with a fresh environment
  local user=$1
  shift
  setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs \
    env -i PATH=$work/usr/bin:/usr/bin:/bin HOME=/home/"$user" LANG=C.UTF-8 QT_QPA_PLATFORM=offscreen QT_QUICK_BACKEND=software \
    bash -c 'umask 0027; cd /; exec "$@"' bash "$@"
}
wait_until() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
ready() { as anna hearth --json ps | grep -q '"ready"'; }
transcript() { as anna timeout 60 hearth-desktop --page home --lang en --transcript /home/anna/window.txt 2>/home/anna/desktop.log; }

as hearth hearthd --state-dir /var/lib/hearth --listen 127.0.0.1:0 >$work/hearthd.log 2>&1 &
wait_until ready || { tail -5 $work/hearthd.log; fail "a normal user never sees the bundled model ready"; }

as anna hearth models | grep -q '^hearth-mini ' || fail "a normal user does not see the models"
[[ -n $(as anna hearth chat hearth-mini "What is Hearth?") ]] || fail "a normal user gets no answer"
said=$(as anna hearth verify hearth-mini 2>&1) && fail "a normal user may read the models" || true
[[ $said == *"adduser"* ]] || fail "the refusal does not say what to do: $said"
for secret in hearth.db jobs datasets log run/uploads; do
  as anna ls /var/lib/hearth/$secret/ >/dev/null 2>&1 && fail "a normal user may list $secret"
  as anna head -c1 /var/lib/hearth/$secret >/dev/null 2>&1 && fail "a normal user may read $secret"
done

transcript || { cat /home/anna/desktop.log; fail "the desktop ended with an error"; }
grep -q 'hearth-mini' /home/anna/window.txt || { cat /home/anna/window.txt; fail "Home does not show the service's model"; }

pkill -TERM -x hearthd
wait %1 || fail "hearthd did not end orderly"
transcript || fail "the desktop ended with an error when there was no service"
grep -q 'sudo systemctl start hearthd' /home/anna/window.txt || { cat /home/anna/window.txt; fail "Home does not say how to start the service"; }
! grep -q 'hearth serve' /home/anna/window.txt || fail "Home advises a second service"
echo passed
