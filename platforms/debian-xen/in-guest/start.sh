# shellcheck shell=sh
# Sets up what this guest serves from its second disk, a tar that the manager has written, unless that was done before. It is
# run at each start, before the web server.
set -eu
export LC_ALL=C
disk=/dev/xvdb
state=/var/lib/ovm-ha-cluster
work=/run/ovm-ha-workload

tries=0
until [ -r "$disk" ]; do
    if [ "$tries" -ge 60 ]; then
        echo "there is no disk $disk to set up from" >&2
        exit 1
    fi
    tries=$((tries + 1))
    sleep 1
done
umask 077
mkdir -p "$state"
rm -rf "$work"
mkdir "$work"
# With --occurrence tar ends as soon as it has found these; what follows them is large.
tar --occurrence=1 -xf "$disk" -C "$work" version settings setup
if ! cmp -s "$work/version" "$state/version"; then
    (cd "$work" && DISK=$disk STATE=$state exec sh ./setup)
    mv "$work/version" "$state/version"
    sync
fi
rm -rf "$work"
