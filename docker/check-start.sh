#!/usr/bin/env bash
# Starts the image that docker/check.sh laid out, and asks for its health. Runs as process 1 of namespaces of its own,
# so nothing that it starts outlives it.
set -euo pipefail
work=$1
root=$work/root
[ $$ -eq 1 ] || { echo "started by docker/check.sh only" >&2; exit 2; }

say() { printf 'docker check: %s\n' "$*"; }
fail() {
    printf 'docker check FAILED: %s\n' "$*" >&2
    [ ! -s "$work/crema.log" ] || tail -n 20 "$work/crema.log" >&2
    exit 1
}
setting() { sed -n "s/^$1 //p" "$work/settings"; }

user=$(setting USER)
directory=$(setting WORKDIR)
mapfile -t start < <(setting ENTRYPOINT && setting CMD)
mapfile -t health < <(setting HEALTHCHECK)

# Certificates as a user would make them, with the image's own program, readable by the image's user.
rm -rf "$work/certs" "$work/data" "$work/crema.log"
install -d -m 0755 "$work/certs"
cp -a "$root/var/lib/crema" "$work/data" # a new volume takes over the folder's owner and mode
(cd "$work" && "$root/usr/local/bin/crema" certs init >"$work/certs.log" 2>&1) || fail "crema certs init, see $work/certs.log"
chown "${user%:*}" "$work"/certs/server.key

# What `docker run --read-only --cap-drop ALL --network none` gives: loopback, a read-only root, the two volumes, /tmp.
mount -t proc proc /proc
ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$work/data" "$root/var/lib/crema"
mount --bind "$work/certs" "$root/etc/crema/certs"
mount -o remount,bind,ro "$root/etc/crema/certs"
mount -t tmpfs -o size=16m tmpfs "$root/tmp"
mount -t proc proc "$root/proc"

# An array, not a function: in the background, a function would leave a shell between this script and the program.
inside=(chroot "$root" /usr/bin/setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs
    --bounding-set=-all --inh-caps=-all
    /usr/bin/env -i --chdir="$directory" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

missing=$("${inside[@]}" ldd /usr/local/bin/crema | grep 'not found' || true)
[ -z "$missing" ] || fail "the image lacks libraries: $missing"
"${inside[@]}" test -w /var/lib/crema || fail "uid ${user%:*} cannot write to /var/lib/crema"
! "${inside[@]}" touch /usr/local/bin/crema 2>/dev/null || fail "the root is not read-only"
! "${inside[@]}" "${health[@]}" >/dev/null 2>&1 || fail "the health check says yes before anything was started"

"${inside[@]}" "${start[@]}" >"$work/crema.log" 2>&1 &
server=$!
for attempt in $(seq 1 100); do
    kill -0 "$server" 2>/dev/null || fail "it ended at once"
    ! "${inside[@]}" "${health[@]}" >/dev/null 2>&1 || break
    [ "$attempt" -lt 100 ] || fail "not healthy after 20 s"
    sleep 0.2
done
say "healthy, by: ${health[*]}"
[ "$(awk '/^Uid:/ { print $2 }' "/proc/$server/status")" = "${user%:*}" ] || fail "it does not run as ${user%:*}"
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$server/status" || fail "it runs with capabilities"
say "runs as uid ${user%:*}, without capabilities, on a read-only root"

kill -TERM "$server"
for attempt in $(seq 1 50); do
    kill -0 "$server" 2>/dev/null || break
    [ "$attempt" -lt 50 ] || fail "still there 10 s after SIGTERM"
    sleep 0.2
done
wait "$server" || fail "ended with status $? after SIGTERM"
say "ended by SIGTERM with status 0"
