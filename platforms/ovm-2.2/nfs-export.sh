# shellcheck shell=sh
# The repository: a folder with the pool's directories, exported by NFS to the nodes and to nobody else.
#
# REPOSITORY   folder
# EXPORTS      line of /etc/exports
# MODE         rights of the folder
# BOOT         services that start with the manager, separated by spaces
# KEEP_DATA    yes: the folder's content stays on remove
: "${REPOSITORY:?}" "${EXPORTS:?}" "${MODE:?}" "${BOOT?}" "${KEEP_DATA:?}"

pools='running_pool seed_pool iso_pool publish_pool sharedDisk'
# What the agents keep there for the whole pool.
agents_files='.ovsrepo .ovs-agent .server_pool_hb'
settings_text='MOUNTD_PORT=892
STATD_PORT=662
STATD_OUTGOING_PORT=2020
RQUOTAD_PORT=875
LOCKD_TCPPORT=32803
LOCKD_UDPPORT=32769'

exported() { exportfs -v | grep -q "^${REPOSITORY}[[:space:]]"; }

apply() {
    need_packages nfs-utils system-config-nfs
    # shellcheck disable=SC2086 # one word per service
    keep_service portmap nfslock nfs $BOOT
    CHANGED=no
    block /etc/sysconfig/nfs 644 "$settings_text"
    settings_changed=$CHANGED
    start_service portmap
    start_service nfslock
    if [ ! -d "$REPOSITORY" ]; then
        folder "${REPOSITORY%/*}"
        keep_before "$REPOSITORY"
        mkdir "$REPOSITORY"
    fi
    if [ ! -e "$STATE/repository-mode" ]; then
        stat -c %a "$REPOSITORY" >"$STATE/repository-mode"
    fi
    if [ "$(stat -c %a "$REPOSITORY")" != "$MODE" ]; then
        chmod "$MODE" "$REPOSITORY"
    fi
    for pool in $pools; do
        folder "$REPOSITORY/$pool"
    done
    CHANGED=no
    block /etc/exports 644 "$EXPORTS"
    if ! is_running nfs; then
        start_service nfs
    elif [ "$settings_changed" = yes ]; then
        service nfs restart >&2
    elif [ "$CHANGED" = yes ]; then
        exportfs -r
    fi
    exported || exportfs -r
    wait_until 60 "$REPOSITORY is exported" exported
    for service in $BOOT; do
        if ! starts_at_boot "$service"; then
            chkconfig --level 35 "$service" on || fail "$(uname -n) has no service $service: correct oracleVm.startAtBoot"
        fi
    done
    say "$(uname -n): exports $EXPORTS"
}

remove() {
    unblock /etc/exports
    if is_running nfs; then
        exportfs -r
    fi
    # shellcheck disable=SC2086 # one word per service
    return_service nfs nfslock portmap $BOOT
    unblock /etc/sysconfig/nfs
    kept='its data stay'
    if [ "$KEEP_DATA" != yes ]; then
        for pool in $pools $agents_files; do
            rm -rf "${REPOSITORY:?}/$pool"
        done
        kept='its data are gone'
    fi
    for pool in $pools; do
        drop_folder "$REPOSITORY/$pool"
    done
    if [ -e "$STATE/repository-mode" ]; then
        if [ -d "$REPOSITORY" ]; then
            chmod "$(cat "$STATE/repository-mode")" "$REPOSITORY"
        fi
        rm -f "$STATE/repository-mode"
    fi
    drop_folder "$REPOSITORY"
    take_packages
    removed "$(uname -n): $REPOSITORY is no longer exported; $kept"
}

probe() {
    {
        exportfs -v 2>/dev/null | grep "^${REPOSITORY}[[:space:]]" || true
        say "mode $(stat -c %a "$REPOSITORY" 2>/dev/null || true)"
    } | sort
}
