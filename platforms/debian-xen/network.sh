# shellcheck shell=sh
# A bridge for the guests. It takes over address, gateway and hardware address of the interface that has the node's
# address now, which becomes one of its ports. Files sort before the user's own, which stay as they are: without ours,
# theirs are in force again.
#
# ADDRESS   of the node
# BRIDGE    name of the bridge
# WITNESS   address that must answer afterwards, else everything goes back to how it was
: "${ADDRESS:?}" "${BRIDGE:?}" "${WITNESS:?}"

networks=/etc/systemd/network
rollback=ovm-ha-cluster-network-rollback

files() {
    printf '%s\n' "$networks/01-ovm-ha-bridge.netdev" "$networks/01-ovm-ha-bridge.network" \
        "$networks/01-ovm-ha-guests.network" "$networks/01-ovm-ha-uplink.network"
}

holder() { # prints the interface that has the address
    ip -o -4 address show to "$ADDRESS/32" | awk '{ print $2; exit }'
}

witness_answers() { quietly ping -n -c 1 -W 2 "$WITNESS"; }

bridged() {
    [ "$(holder)" = "$BRIDGE" ] && [ -n "$(ls "/sys/class/net/$BRIDGE/brif" 2>/dev/null)" ]
}

apply() {
    if bridged && [ "$(files | xargs ls 2>/dev/null | wc -l)" -eq 4 ]; then
        say "$(uname -n): $BRIDGE has $ADDRESS"
        return 0
    fi
    uplink=$(holder)
    if [ -z "$uplink" ]; then
        fail "no interface of $(uname -n) has the address $ADDRESS: is the node's address right?"
    fi
    if ! is_active systemd-networkd.service; then
        fail "the network of $(uname -n) is not run by systemd-networkd, and this program changes no other: move" \
            "$uplink to systemd-networkd, or make the bridge $BRIDGE with $ADDRESS yourself"
    fi
    if [ "$uplink" = "$BRIDGE" ] || [ -d "/sys/class/net/$uplink/bridge" ]; then
        if [ "$uplink" = "$BRIDGE" ] && [ ! -e "$networks/01-ovm-ha-bridge.network" ]; then
            say "$(uname -n): $BRIDGE has $ADDRESS; it was there before"
            return 0
        fi
        fail "$ADDRESS of $(uname -n) is on $uplink, which is a bridge already: set the bridge's name to $uplink"
    fi
    network=$(ip -o -4 address show to "$ADDRESS/32" | awk '{ print $4; exit }')
    mac=$(cat "/sys/class/net/$uplink/address")
    gateway=$(ip -4 route show default dev "$uplink" | awk '{ print $3; exit }')
    servers=$(sed -n 's/^nameserver /DNS=/p' /etc/resolv.conf 2>/dev/null || true)

    put "$networks/01-ovm-ha-guests.network" 644 "# Made by ovm-ha-cluster: guests' interfaces belong to Xen.
[Match]
Name=vif*

[Link]
Unmanaged=yes"
    put "$networks/01-ovm-ha-bridge.netdev" 644 "# Made by ovm-ha-cluster.
[NetDev]
Name=$BRIDGE
Kind=bridge
MACAddress=$mac

[Bridge]
STP=no
ForwardDelaySec=0"
    put "$networks/01-ovm-ha-bridge.network" 644 "# Made by ovm-ha-cluster.
[Match]
Name=$BRIDGE

[Network]
Address=$network
${gateway:+Gateway=$gateway
}${servers:+$servers
}LinkLocalAddressing=no
IPv6AcceptRA=no"
    put "$networks/01-ovm-ha-uplink.network" 644 "# Made by ovm-ha-cluster.
[Match]
Name=$uplink

[Network]
Bridge=$BRIDGE
LinkLocalAddressing=no
IPv6AcceptRA=no"

    witness=no
    if witness_answers; then
        witness=yes
    fi
    # Whatever goes wrong from here on, the node can be reached again after two minutes.
    systemctl stop "$rollback.timer" 2>/dev/null || true
    systemd-run --quiet --unit "$rollback" --on-active=120 /bin/sh -c \
        "rm -f $(files | tr '\n' ' '); networkctl reload; ip link delete $BRIDGE; networkctl reconfigure $uplink"
    networkctl reload
    networkctl reconfigure "$uplink"
    wait_until 90 "$BRIDGE has $ADDRESS" bridged
    if [ "$witness" = yes ]; then
        wait_until 60 "$WITNESS answers over $BRIDGE (the old network is put back in a moment)" witness_answers
    fi
    systemctl stop "$rollback.timer"
    say "$(uname -n): $BRIDGE has $ADDRESS, $uplink is its port"
}

remove() {
    if [ -e "$networks/01-ovm-ha-uplink.network" ]; then
        uplink=$(sed -n 's/^Name=//p' "$networks/01-ovm-ha-uplink.network")
        for file in $(files); do
            take "$file"
        done
        networkctl reload
        if [ -d "/sys/class/net/$BRIDGE/bridge" ]; then
            ip link delete "$BRIDGE"
        fi
        networkctl reconfigure "$uplink"
        wait_until 90 "$uplink has $ADDRESS again" holds "$uplink"
    else
        for file in $(files); do
            take "$file"
        done
    fi
    removed "$(uname -n): no bridge made by this program"
}

holds() { [ "$(holder)" = "$1" ]; }

probe() {
    {
        say "address $ADDRESS on $(holder)"
        for port in "/sys/class/net/$BRIDGE/brif"/*; do
            case ${port##*/} in
            '*' | vif*) ;;
            *) say "port ${port##*/}" ;;
            esac
        done
    } | sort
}
