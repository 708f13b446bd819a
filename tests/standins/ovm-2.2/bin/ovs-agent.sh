#!/bin/sh
# shellcheck disable=SC1091,SC2154
# /etc/init.d/ovs-agent. That every line begins with ok! in good health, the line version= and the link that appears with the
# first start are found facts (OpenSVC hb.ovm, CloudStack configureOvm.sh); the rest of the lines is assumed.
version=2.3
. /standin-bin/common.sh
note "ovs-agent $*"
file=$state/services/ovs-agent
case $1 in
status)
    if [ "$(cat "$file")" = running ]; then
        for process in OVSMonitorServer OVSLogServer OVSAgentServer; do
            if faulty "$STANDIN_HOST.agent" && [ "$process" = OVSMonitorServer ]; then
                echo "error! process $process does not exist."
            else
                echo "ok! process $process exists."
            fi
        done
        exit 0
    fi
    echo "OVSAgentServer is down"
    exit 1
    ;;
start)
    echo running >"$file"
    ln -sfn "ovs-agent-$version" /opt/ovs-agent-latest
    ;;
stop) echo stopped >"$file" ;;
esac
