#!/bin/sh
# shellcheck disable=SC1091,SC2154
# service(8) of EL5: runs the service's script in /etc/init.d. One line of text and the exit status of the LSB (3: stopped)
# are EL5's manner; the words are assumed.
. /standin-bin/common.sh
note "service $*"
if [ ! -x "/etc/init.d/$1" ]; then
    echo "$1: unrecognized service"
    exit 1
fi
exec "/etc/init.d/$1" "$2"
