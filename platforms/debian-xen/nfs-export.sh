# shellcheck shell=sh
# The repository: a folder with the pool's directories, exported by NFS 4.2 to the nodes and to nobody else.
#
# REPOSITORY   folder
# UUID         of the repository, 32 upper-case hexadecimal digits
# EXPORTS      lines for exportfs, one per node
# KEEP_DATA    yes: the folder's content stays on remove
: "${REPOSITORY:?}" "${UUID:?}" "${EXPORTS:?}" "${KEEP_DATA:?}"

exports=/etc/exports.d/ovm-ha-cluster.exports
settings=/etc/nfs.conf.d/ovm-ha-cluster.conf
pools='running_pool seed_pool iso_pool publish_pool sharedDisk'
# The order in which they are stopped again, if they did not run before.
units='nfs-server.service nfs-mountd.service nfs-idmapd.service nfsdcld.service rpc-statd-notify.service
    rpc-statd.service rpcbind.service rpcbind.socket nfs-blkmap.service proc-fs-nfsd.mount run-rpc_pipefs.mount'
# Short grace and lease: nodes have their locks back ten seconds after the server's restart, not ninety. Fixed ports:
# what version 4 does not need still listens on Debian, and the firewall has to know where.
settings_text='# Made by ovm-ha-cluster.
[nfsd]
threads=4
vers3=n
vers4=y
vers4.0=n
vers4.1=y
vers4.2=y
grace-time=10
lease-time=10
[mountd]
port=20048
[statd]
port=32765
outgoing-port=32766
[lockd]
port=32803
udp-port=32769'

apply() {
    folder "$REPOSITORY"
    have=$(cat "$REPOSITORY/.ovsrepo" 2>/dev/null || true)
    if [ -n "$have" ] && [ "$have" != "OVS_REPO_UUID=$UUID" ]; then
        fail "$REPOSITORY is already a repository, but another one ($have): set repository.uuid to it, or another path"
    fi
    put "$REPOSITORY/.ovsrepo" 644 "OVS_REPO_UUID=$UUID"
    for pool in $pools; do
        folder "$REPOSITORY/$pool"
    done

    # shellcheck disable=SC2086 # one word per unit
    keep_unit $units
    CHANGED=no
    put "$settings" 644 "$settings_text"
    settings_changed=$CHANGED
    CHANGED=no
    enable_unit nfs-server.service
    if [ "$CHANGED" = yes ]; then
        systemctl daemon-reload
    fi
    CHANGED=no
    put "$exports" 644 "$EXPORTS"
    if ! is_active nfs-server.service; then
        systemctl start nfs-server.service
    elif [ "$settings_changed" = yes ]; then
        systemctl restart nfs-server.service
    elif [ "$CHANGED" = yes ]; then
        exportfs -ra
    fi
    wait_until 60 "$REPOSITORY is exported" exported
    say "$(uname -n): $REPOSITORY is exported by NFS 4.2 to" \
        "$(exportfs -s | sed -n "s|^$REPOSITORY  *\([^(]*\)(.*|\1|p" | tr '\n' ' ' | sed 's/ $//')"
}

exported() {
    exportfs -s | grep -q "^$REPOSITORY "
}

remove() {
    take "$exports"
    if is_active nfs-server.service; then
        quietly exportfs -ra || true
    fi
    disable_unit nfs-server.service
    take "$settings"
    # A server that others use, too, runs on, with its old settings.
    if [ "$(cat "$STATE/units/nfs-server.service" 2>/dev/null)" = active ]; then
        systemctl restart nfs-server.service
    fi
    # shellcheck disable=SC2086 # one word per unit
    stop_unit $units
    systemctl daemon-reload
    kept='its data stay'
    if [ "$KEEP_DATA" != yes ]; then
        for pool in $pools; do
            rm -rf "${REPOSITORY:?}/$pool"
        done
        kept='its data are gone'
        take "$REPOSITORY/.ovsrepo"
    fi
    for pool in $pools; do
        drop_folder "$REPOSITORY/$pool"
    done
    drop_folder "$REPOSITORY"
    removed "$(uname -n): $REPOSITORY is no longer exported; $kept"
}

probe() {
    {
        exportfs -s 2>/dev/null | sed -n "s|^$REPOSITORY |export &|p"
        printf 'nfs-server %s\n' "$(systemctl is-active nfs-server.service || true)"
        printf 'uuid %s\n' "$(sed -n 's/^OVS_REPO_UUID=//p' "$REPOSITORY/.ovsrepo" 2>/dev/null)"
    } | sort
}
