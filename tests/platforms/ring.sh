#!/bin/sh
# Runs the guard of the ring beside a real Corosync of one member, in namespaces of their own, and prints what becomes of the
# node: the letter of a reset, or that it is on.
#
# $1   the guard's program, which writes to the file `trigger` beside it
# $2   seconds it waits for a message
set -eu
if [ "${3:-}" != inside ]; then
    command -v corosync >/dev/null || {
        echo 'install the package corosync' >&2
        exit 1
    }
    exec unshare --kill-child --map-root-user --net --mount --pid --fork sh "$0" "$1" "$2" inside
fi
guard=$1
patience=$2
work=${guard%/*}
mount -t proc proc /proc
: >"$work/trigger"
for folder in /etc/corosync /var/lib/corosync /dev/shm /run; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
done
ip link set lo up
cat >/etc/corosync/corosync.conf <<'END'
totem {
    version: 2
    cluster_name: one
    transport: knet
    token: 300
    consensus: 360
}
nodelist {
    node {
        name: one
        nodeid: 1
        ring0_addr: 127.0.0.1
    }
}
quorum {
    provider: corosync_votequorum
}
logging {
    to_stderr: no
}
END
corosync -f &
corosync=$!
until corosync-quorumtool -s 2>/dev/null | grep -q '^Quorate: *Yes'; do
    sleep 0.2
done

watched() { # watched WHAT SECONDS: prints whether the node was reset within them
    end=$(($(date +%s) + $2))
    while [ ! -s "$work/trigger" ] && [ "$(date +%s)" -le "$end" ]; do
        sleep 0.2
    done
    printf '%s: %s\n' "$1" "$(if [ -s "$work/trigger" ]; then cat "$work/trigger"; else echo on; fi)"
    : >"$work/trigger"
}
begin() { # begin: a guard, as systemd starts it
    mkdir -p "$work/run"
    RUNTIME_DIRECTORY=$work/run python3 "$guard" "$patience" 2>/dev/null &
    running=$!
}
end() {
    kill -KILL "$running"
    wait "$running" 2>/dev/null || true
}
heard() { # heard: a message has come back
    until [ -e "$work/run/last" ]; do
        sleep 0.1
    done
}

begin
heard
watched 'Corosync runs' $((3 * patience))
kill -STOP "$corosync"
watched 'Corosync hangs' $((5 * patience))
end
kill -CONT "$corosync"

rm -r "$work/run"
begin
heard
kill -STOP "$corosync"
end
begin
watched 'Corosync hangs, and the guard is a new one' $((5 * patience))
end

rm -r "$work/run"
begin
watched 'Corosync hangs from the beginning' $((3 * patience))
end
kill -CONT "$corosync"

begin
heard
kill -KILL "$corosync"
watched 'Corosync is gone' $((5 * patience))
