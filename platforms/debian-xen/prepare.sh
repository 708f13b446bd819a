# shellcheck shell=sh
# A host is ready to become a member: packages, names of all members, their SSH host keys, firewall.
#
# PACKAGES      names, one a line
# HOSTS         lines for /etc/hosts
# KNOWN_HOSTS   lines for /etc/ssh/ssh_known_hosts
# FIREWALL      rules for nft: one table of our own
: "${PACKAGES:?}" "${HOSTS:?}" "${KNOWN_HOSTS?}" "${FIREWALL:?}"

rules=/etc/ovm-ha-cluster/firewall.nft
firewall=ovm-ha-cluster-firewall.service
firewall_unit="# Made by ovm-ha-cluster.
[Unit]
Description=Ports of the cluster, for its members only
DefaultDependencies=no
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f $rules
ExecReload=/usr/sbin/nft -f $rules
ExecStop=/usr/sbin/nft delete table inet ovm-ha-cluster

[Install]
WantedBy=multi-user.target"

apply() {
    # shellcheck disable=SC2086 # one word per package
    need_packages $PACKAGES
    block /etc/hosts 644 "$HOSTS"
    if [ -n "$KNOWN_HOSTS" ]; then
        block /etc/ssh/ssh_known_hosts 644 "$KNOWN_HOSTS"
    else
        unblock /etc/ssh/ssh_known_hosts
    fi

    CHANGED=no
    put "$rules" 644 "$FIREWALL"
    rules_changed=$CHANGED
    CHANGED=no
    put "$UNITS/$firewall" 644 "$firewall_unit"
    enable_unit "$firewall"
    if [ "$CHANGED" = yes ]; then
        systemctl daemon-reload
    fi
    if ! is_active "$firewall"; then
        systemctl start "$firewall"
    elif [ "$rules_changed" = yes ] || ! quietly nft list table inet ovm-ha-cluster; then
        nft -f "$rules"
    fi
    say "$(uname -n): packages present, members known by name, firewall table inet ovm-ha-cluster in force"
}

remove() {
    if is_active "$firewall"; then
        systemctl stop "$firewall"
    fi
    quietly nft delete table inet ovm-ha-cluster || true
    disable_unit "$firewall"
    take "$UNITS/$firewall"
    take "$rules"
    unblock /etc/ssh/ssh_known_hosts
    unblock /etc/hosts
    systemctl daemon-reload
    take_packages
    removed "$(uname -n): no longer prepared as a member"
}

probe() {
    {
        printf 'firewall %s\n' "$(nft --stateless list table inet ovm-ha-cluster 2>/dev/null | sha256sum | cut -c1-16)"
        sed -n '/^# BEGIN ovm-ha-cluster$/,/^# END ovm-ha-cluster$/s/^[^#]/hosts &/p' /etc/hosts
        have=$(installed_packages)
        for name in $PACKAGES; do
            if printf '%s\n' "$have" | has_line "$name"; then
                say "package $name"
            fi
        done
    } | sort
}
