# shellcheck shell=sh
# A member takes part in the pool. On the way out it stops as Pacemaker does it: its guests move to the others first, and
# no member leaves Corosync before all that leave have stopped, so that nobody is taken for lost.
#
# MEMBER    its name
# PATIENCE  how long it may take to come online
: "${MEMBER:?}" "${PATIENCE:?}"

online() {
    crm_mon -1 --output-as=xml 2>/dev/null |
        grep "<node name=\"$MEMBER\" " | grep 'online="true"' | grep 'pending="false"' | grep -q 'unclean="false"'
}

apply() {
    wait_until "$PATIENCE" "$MEMBER is online in the pool" online
    say "$MEMBER: online"
}

remove() {
    if is_active pacemaker.service; then
        systemctl stop pacemaker.service
    fi
    removed "$MEMBER: has left the pool in order"
}

probe() {
    if online; then
        say 'online yes'
    else
        say 'online no'
    fi
}
