# shellcheck shell=sh
# The repository is mounted on a node where Oracle VM has it: /var/ovs/mount/UUID, with /OVS as a link to it.
#
# SOURCE    what is mounted, as ADDRESS:/PATH
# UUID      of the repository
# OPTIONS   of the mount
: "${SOURCE:?}" "${UUID:?}" "${OPTIONS:?}"

where=/var/ovs/mount/$UUID
unit=var-ovs-mount-$UUID.mount

mounted() { grep -q " $where nfs4\? " /proc/self/mounts; }

right_one() { [ "$(cat "$where/.ovsrepo" 2>/dev/null)" = "OVS_REPO_UUID=$UUID" ]; }

apply() {
    if [ -e /OVS ] || [ -L /OVS ]; then
        if [ "$(readlink /OVS)" != "$where" ]; then
            fail "$(uname -n) has another /OVS already ($(readlink /OVS || echo 'no link')): move it away"
        fi
    fi
    folder "$where"
    CHANGED=no
    # Guests' services start after it and, in the opposite order, it goes away after them.
    put "$UNITS/$unit" 644 "# Made by ovm-ha-cluster.
[Unit]
Description=Repository of the cluster
Wants=network-online.target
After=network-online.target
Before=pacemaker.service

[Mount]
What=$SOURCE
Where=$where
Type=nfs4
Options=$OPTIONS
TimeoutSec=120

[Install]
WantedBy=multi-user.target"
    changed=$CHANGED
    enable_unit "$unit"
    if [ "$CHANGED" = yes ]; then
        systemctl daemon-reload
    fi
    if mounted && [ "$changed" = yes ]; then
        # Only possible while no guest uses it; with one, the options count from the next start of the node.
        quietly umount "$where" || true
    fi
    if ! mounted; then
        systemctl reset-failed "$unit" 2>/dev/null || true
        systemctl start "$unit" || fail "$(uname -n) cannot mount $SOURCE: is the repository up and does it allow this node?"
    fi
    if ! right_one; then
        fail "what $(uname -n) has at $where is not the repository $UUID"
    fi
    if [ ! -L /OVS ]; then
        keep_before /OVS
        ln -sn "$where" /OVS
    fi
    say "$(uname -n): repository $UUID is mounted from $SOURCE, /OVS links to it"
}

remove() {
    give_back /OVS
    disable_unit "$unit"
    if mounted; then
        # A repository that is dead must not keep a node from leaving.
        timeout 60 systemctl stop "$unit" || umount -f -l "$where"
    fi
    take "$UNITS/$unit"
    systemctl daemon-reload
    drop_folder "$where"
    removed "$(uname -n): repository $UUID is not mounted"
}

probe() {
    {
        sed -n "s|^\([^ ]*\) $where nfs4* .*|mount \1|p" /proc/self/mounts
        say "link $(readlink /OVS || true)"
    } | sort
}
