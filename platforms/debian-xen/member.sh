# shellcheck shell=sh
# A member of the pool: Corosync and Pacemaker run, now and after every start, and sbd feeds a watchdog that resets the
# machine when it has lost the others.
#
# SBD        text of sbd's settings
# WATCHDOG   kernel module of the watchdog; auto: the one that is there, else the kernel's own
# DEVICE     of it
# AFTER      units that must run before the cluster does, separated by spaces
# GUARD      program that resets the machine when the pool's ring does not carry its messages; empty: it runs no guests
# PATIENCE   seconds without a message that it waits
: "${SBD:?}" "${WATCHDOG:?}" "${DEVICE:?}" "${AFTER?}" "${GUARD?}" "${PATIENCE:?}"

order=$UNITS/pacemaker.service.d/ovm-ha-cluster.conf
modules=/etc/modules-load.d/ovm-ha-cluster.conf
blacklist=/etc/modprobe.d/ovm-ha-cluster.conf
guard=ovm-ha-ring-guard.service
program=/etc/ovm-ha-cluster/ring-guard
watchdogs='i6300esb iTCO_wdt sp5100_tco softdog xen_wdt'

loaded() { grep -q "^$1 " /proc/modules; }

has_watchdog() { [ -c "$DEVICE" ]; }

load_watchdog() {
    module=$WATCHDOG
    if [ "$module" = auto ]; then
        if has_watchdog && [ ! -e "$STATE/watchdog" ]; then
            return 0
        fi
        module=softdog
    fi
    others=''
    for other in $watchdogs; do
        if [ "$other" != "$module" ]; then
            others="$others $other"
        fi
    done
    if [ ! -e "$STATE/watchdog" ]; then
        mkdir -p "$STATE"
        for other in $watchdogs; do
            if loaded "$other"; then
                say "$other"
            fi
        done >"$STATE/watchdog.new"
        mv "$STATE/watchdog.new" "$STATE/watchdog"
    fi
    put "$modules" 644 "$module"
    # shellcheck disable=SC2086 # one line per word
    put "$blacklist" 644 "$(printf 'blacklist %s\n' $others)"
    if ! loaded "$module"; then
        # One watchdog only: whoever loads first gets the name.
        for other in $others; do
            if loaded "$other"; then
                modprobe -r "$other"
            fi
        done
        modprobe "$module" || fail "$(uname -n) has no watchdog $module: set pool.watchdog.module to one that it has"
    fi
    wait_until 20 "$DEVICE of $module is there" has_watchdog
}

unload_watchdog() {
    take "$modules"
    take "$blacklist"
    if [ -e "$STATE/watchdog" ]; then
        for module in $watchdogs; do
            if loaded "$module" && ! has_line "$module" <"$STATE/watchdog"; then
                modprobe -r "$module"
            fi
        done
        while read -r module; do
            modprobe "$module"
        done <"$STATE/watchdog"
        rm -f "$STATE/watchdog"
    fi
}

guard_unit() {
    say "# Made by ovm-ha-cluster.
[Unit]
Description=Resets this node when the pool's ring does not carry its messages
BindsTo=corosync.service
After=corosync.service
Before=pacemaker.service
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/python3 $program $PATIENCE
Restart=always
RestartSec=1
RuntimeDirectory=ovm-ha-ring-guard
RuntimeDirectoryPreserve=restart
CPUSchedulingPolicy=rr
CPUSchedulingPriority=1
OOMScoreAdjust=-1000
LimitMEMLOCK=infinity

[Install]
WantedBy=pacemaker.service"
}

apply() {
    load_watchdog
    CHANGED=no
    put /etc/default/sbd 644 "$SBD"
    sbd_changed=$CHANGED
    CHANGED=no
    if [ -n "$GUARD" ]; then
        put "$program" 644 "$GUARD"
        put "$UNITS/$guard" 644 "$(guard_unit)"
        enable_unit "$guard"
    fi
    if [ -n "$AFTER" ]; then
        put "$order" 644 "# Made by ovm-ha-cluster: guests need these.
[Unit]
Wants=$AFTER
After=$AFTER"
    fi
    enable_unit sbd.service corosync.service pacemaker.service
    if [ "$CHANGED" = yes ]; then
        systemctl daemon-reload
    fi
    note=''
    if [ "$sbd_changed" = yes ] && is_active corosync.service; then
        note='; the changed settings of sbd count from its next start of the cluster services'
    fi
    systemctl reset-failed corosync.service pacemaker.service sbd.service 2>/dev/null || true
    if ! is_active pacemaker.service; then
        systemctl start corosync.service pacemaker.service
    fi
    if [ -n "$GUARD" ]; then
        # Costs nothing, and it may run as it was before, also because a run was killed.
        systemctl restart "$guard"
        is_active "$guard" || fail "$(uname -n): $guard does not run, so that this machine may not notice that others have given it up"
    fi
    is_active sbd.service || fail "$(uname -n): sbd does not run, so nothing would reset this machine if it were cut off"
    say "$(uname -n): Corosync, Pacemaker and sbd run$note"
}

remove() {
    for unit in "$guard" pacemaker.service corosync.service sbd.service; do
        if is_active "$unit"; then
            systemctl stop "$unit"
        fi
    done
    disable_unit pacemaker.service corosync.service sbd.service "$guard"
    take "$UNITS/$guard"
    take "$program"
    take "$order"
    take /etc/default/sbd
    systemctl daemon-reload
    unload_watchdog
    removed "$(uname -n): no member of the pool"
}

probe() {
    {
        for unit in corosync pacemaker sbd; do
            printf '%s %s\n' "$unit" "$(systemctl is-active "$unit.service" || true)"
        done
        printf 'watchdog %s\n' "$(cat /sys/class/watchdog/watchdog0/identity 2>/dev/null)"
    } | sort
}
