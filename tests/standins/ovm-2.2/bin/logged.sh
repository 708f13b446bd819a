#!/bin/sh
# shellcheck disable=SC1091,SC2154
# A command of the host that is the real one, and is written into the log.
. /standin-bin/common.sh
name=${0##*/}
note "$name $*"
exec "/host/usr/bin/$name" "$@"
