#!/bin/sh
# Runs a step on a scratch host: a root of its own in memory, with this machine's programs, and stand-ins for what would
# reach the machine itself. Called again inside that root with `inside`.
#
# $1   folder with the stand-ins and `step`, the text to run
# $2   what is to be done: a word per run, apply or remove; with `kill:N` before a word that run ends at its Nth command
set -eu
if [ "$1" != inside ]; then
    root=$(mktemp -d)
    trap 'rmdir "$root"' EXIT
    unshare --map-root-user --mount --pid --fork sh "$0" inside "$root" "$1" "$2"
    exit
fi
root=$2
mount -t tmpfs scratch "$root"
mkdir -p "$root/usr" "$root/etc/ssh" "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/corosync" \
    "$root/var/lib" "$root/root" "$root/proc" "$root/dev" "$root/tmp" "$root/host" "$root/state/running"
for name in bin sbin lib lib64; do
    ln -s "usr/$name" "$root/$name"
done
mount --rbind /usr "$root/usr"
mount --rbind "$3" "$root/host"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
printf '[Install]\nWantedBy=multi-user.target\n' >"$root/etc/systemd/system/nfs-server.service"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"

# shellcheck disable=SC2016 # to be expanded inside
exec chroot "$root" /usr/bin/env -i RUNS="$4" PATH=/host/stubs:/usr/bin:/usr/sbin /bin/sh -c '
    tree() {
        find etc var root srv state -path state/count -prune -o -type l -printf "%p -> %l\n" -o -type f -print -o -type d -print |
            sort | while read -r path; do
            case $path in
            *" -> "*) printf "%s\n" "$path" ;;
            *)
                mode=$(stat -c %a "$path")
                if [ -d "$path" ]; then
                    printf "%s/ %s\n" "$path" "$mode"
                else
                    printf "%s %s %s\n" "$path" "$mode" "$(sha256sum <"$path" | cut -c1-12)"
                fi
                ;;
            esac
        done
    }
    cd /
    mkdir -p srv
    printf "=== start\n"
    tree
    for run in $RUNS; do
        case $run in
        kill:*)
            KILL_AT=${run#kill:}
            export KILL_AT
            continue
            ;;
        esac
        : >/state/count
        rc=0
        setsid -w sh -s "$run" </host/step >/tmp/said 2>&1 || rc=$?
        unset KILL_AT
        printf "=== %s %s %s %s\n" "$run" "$rc" "$(wc -c </state/count)" "$(tail -n 1 /tmp/said)"
        tree
    done'
