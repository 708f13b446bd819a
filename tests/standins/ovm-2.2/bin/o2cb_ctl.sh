#!/bin/sh
# shellcheck disable=SC1091,SC2154
# o2cb_ctl(8): adds a node to the running cluster. 239 for one that is there already is a found fact (CloudStack
# OvmOCFS2Module); the place of the live nodes is o2cb(7)'s.
. /standin-bin/common.sh
note "o2cb_ctl $*"
while [ $# -gt 0 ]; do
    if [ "$1" = -n ]; then
        name=$2
    fi
    shift
done
if [ -d "/sys/kernel/config/cluster/ocfs2/node/$name" ]; then
    echo "o2cb_ctl: Node \"$name\" already exists"
    exit 239
fi
mkdir -p "/sys/kernel/config/cluster/ocfs2/node/$name"
