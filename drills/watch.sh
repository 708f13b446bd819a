#!/bin/sh
# Watcher of a drill on one host: writes to the serial console what the drill has to know, because that way is open also
# when the network is cut. A look costs some tenths of a second of an emulated processor.
#
# $1   name of the guest; nothing on a host without a hypervisor
# $2   "connection": writes to whoever started it instead, and ends when nobody reads
guest=${1:-}
if [ "${2:-}" = connection ]; then
    # A write then fails, where it would kill this shell alone.
    trap '' PIPE
else
    exec >/dev/console
fi

backends=/sys/bus/xen-backend/devices

nobody() { [ -d "$backends" ] && [ -z "$(ls -A "$backends")" ]; }

journalctl --follow --lines=0 --output=short-monotonic --identifier=corosync --identifier=pacemakerd \
    --identifier=pacemaker-controld --identifier=pacemaker-fenced --identifier=pacemaker-schedulerd \
    --identifier=sbd 2>/dev/null </dev/null |
    grep --line-buffered -E 'TOTEM|QUORUM|lost|fence|terminated|State transition|DC |operation|unhealthy|watchdog' |
    sed -u 's/^/@drill log /' &

while :; do
    read -r up _ </proc/uptime
    # Nothing is said when Xen does not answer: "none" would be a claim. But a host on which Xen's services do not run, because
    # it is not in the pool, is known to have no guest when its kernel has nothing to offer to one.
    if [ -n "$guest" ] && list=$(xl list 2>/dev/null </dev/null || nobody); then
        copies=$(printf '%s\n' "$list" | while read -r name id _ _ state _; do
            case $name in
            "$guest" | "$guest"--*) printf ' %s:%s:%s' "$name" "$id" "$state" ;;
            esac
        done)
        printf '@drill see %s%s .\n' "$up" "$copies"
    fi
    if [ "${2:-}" = connection ]; then
        # Who has nothing to say would never learn that nobody reads.
        printf '@drill here\n' || kill 0
    fi
    sleep 0.5
done
