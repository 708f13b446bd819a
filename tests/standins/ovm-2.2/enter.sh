#!/bin/sh
# The login shell of a stand-in host: runs $SSH_ORIGINAL_COMMAND in the host's own root, in a mount namespace of its own, with
# no other commands than an EL5 has.
#
# $1   folder of the stand-in cluster
# $2   name of the host
set -eu
if [ "${3-}" != inside ]; then
    exec unshare --mount --propagation private sh "$0" "$1" "$2" inside
fi
root=$1/hosts/$2/root
mount --bind "$1" "$root/standin"
mount --bind "$(dirname "$0")/bin" "$root/standin-bin"
mount --bind /usr "$root/host/usr"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
while read -r spec where _; do
    case $spec in
    /dev/*) mount --bind "$1/hosts/$2/state/devices/${spec##*/}" "$root$where" ;;
    *) mount --bind "$1/hosts/OVMANAGER/root${spec#*:}" "$root$where" ;;
    esac
done <"$1/hosts/$2/state/mounts"
cd "$root"
exec chroot "$root" /host/usr/bin/env -i STANDIN_HOST="$2" HOME=/root PATH=/sbin:/bin:/usr/sbin:/usr/bin \
    /bin/sh -c "$SSH_ORIGINAL_COMMAND"
