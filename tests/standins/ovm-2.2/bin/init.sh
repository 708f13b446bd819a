#!/bin/sh
# shellcheck disable=SC1091,SC2154
# A script of /etc/init.d. The service's state is a file.
. /standin-bin/common.sh
name=${0##*/}
file=$state/services/$name
case $1 in
status)
    if [ "$(cat "$file")" = running ]; then
        echo "$name (pid 2345) is running..."
        exit 0
    fi
    echo "$name is stopped"
    exit 3
    ;;
start | restart)
    if faulty "$name-start"; then
        echo "Starting $name: [FAILED]"
        exit 1
    fi
    if [ "$name" = nfslock ] && [ "$(cat "$state/services/portmap")" != running ]; then
        echo "Cannot register service: RPC: Unable to receive; errno = Connection refused"
        exit 1
    fi
    echo running >"$file"
    # Oracle VM Manager takes its time to listen (assumed: half a second here).
    now >"$state/started-$name"
    if [ "$name" = nfs ]; then
        /standin-bin/exportfs.sh -r
    fi
    echo "Starting $name: [  OK  ]"
    ;;
stop)
    echo stopped >"$file"
    rm -f "$state/started-$name"
    if [ "$name" = nfs ]; then
        rm -f "$state/exports"
    fi
    echo "Stopping $name: [  OK  ]"
    ;;
esac
