# shellcheck shell=sh
# Who belongs to the pool's ring. Apart from the start of its services, so that a member that is new starts Corosync only
# when all others know of it: heard by some and dropped by others, it keeps the whole ring from agreeing on a membership.
#
# COROSYNC   text of corosync.conf
: "${COROSYNC:?}"

conf=/etc/corosync/corosync.conf
state_folders='var/lib/pacemaker var/lib/corosync'
# There while the running Corosync has not taken its configuration yet, also when a run ended in between. A host that has
# restarted has taken it.
pending=/run/ovm-ha-cluster/corosync.reload

reload_corosync() { corosync-cfgtool -R >&2; }

# What a cluster before this one left (Debian starts one of a single member when the packages come) is put aside.
leave_old_cluster() {
    keep_unit pacemaker.service corosync.service sbd.service
    # Once our own configuration is in place, the cluster is ours.
    if [ ! -e "$STATE/cluster.tar" ] && ! grep -qs '^# Made by ovm-ha-cluster' "$conf"; then
        for unit in pacemaker.service corosync.service; do
            if is_active "$unit"; then
                systemctl stop "$unit"
            fi
        done
        : >"$STATE/cluster.fresh"
        # An archive, because empty folders and their owners count.
        # shellcheck disable=SC2086 # one word per folder
        tar -C / -cf "$STATE/cluster.new" $state_folders
        mv "$STATE/cluster.new" "$STATE/cluster.tar"
    fi
    if [ -e "$STATE/cluster.fresh" ]; then
        # shellcheck disable=SC2086 # one word per folder
        (cd / && find $state_folders -type f -delete)
        rm -f "$STATE/cluster.fresh"
    fi
}

return_old_cluster() {
    rm -f "$STATE/cluster.new" "$STATE/cluster.fresh"
    if [ -e "$STATE/cluster.tar" ]; then
        # shellcheck disable=SC2086 # one word per folder
        (cd / && find $state_folders -type f -delete)
        tar -C / -xpf "$STATE/cluster.tar"
        rm -f "$STATE/cluster.tar"
    fi
    for unit in corosync.service pacemaker.service; do
        if [ "$(cat "$STATE/units/$unit" 2>/dev/null)" = active ]; then
            systemctl start "$unit"
        fi
    done
    stop_unit pacemaker.service corosync.service sbd.service
}

apply() {
    leave_old_cluster
    if ! printf '%s\n' "$COROSYNC" | cmp -s - "$conf"; then
        mkdir -p "${pending%/*}"
        : >"$pending"
    fi
    put "$conf" 644 "$COROSYNC"
    # A reload is the whole pool's, so that the members' steps meet here: all but one are told to try again.
    if [ -e "$pending" ] && is_active corosync.service; then
        wait_until 120 "Corosync takes its changed configuration" reload_corosync
    fi
    rm -f "$pending"
    say "$(uname -n): knows the members of the ring"
}

remove() {
    rm -f "$pending"
    take "$conf"
    return_old_cluster
    removed "$(uname -n): knows no ring"
}

probe() { sha256sum <"$conf" | cut -c1-16; }
