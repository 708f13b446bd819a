#!/bin/sh
# shellcheck disable=SC1091,SC2154
. /standin-bin/common.sh
note "umount $*"
grep -v " $1 " "$state/mounts" >"$state/mounts.new"
cat "$state/mounts.new" >"$state/mounts"
rm -f "$state/mounts.new"
umount "$1"
