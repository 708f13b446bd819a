#!/bin/sh
# shellcheck disable=SC1091,SC2154
# exportfs(8): -r reads /etc/exports anew, -v shows what is exported, one line per client.
. /standin-bin/common.sh
note "exportfs $*"
case $1 in
-r)
    grep -v '^#' /etc/exports 2>/dev/null | while read -r path clients; do
        for client in $clients; do
            printf '%s    \t%s\n' "$path" "$client"
        done
    done >"$state/exports"
    ;;
-v) cat "$state/exports" 2>/dev/null ;;
esac
exit 0
