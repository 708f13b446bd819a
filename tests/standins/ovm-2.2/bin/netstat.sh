#!/bin/sh
# shellcheck disable=SC1091,SC2154
# netstat(8): who listens. The manager's port 8888 is in the thesis.
. /standin-bin/common.sh
if [ -e "$state/started-oc4j" ] && [ $(($(now) - $(cat "$state/started-oc4j"))) -ge 500 ]; then
    echo 'tcp        0      0 :::8888                     :::*                        LISTEN'
fi
exit 0
