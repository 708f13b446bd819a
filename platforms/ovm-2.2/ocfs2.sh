# shellcheck shell=sh
# OCFS2's cluster: which nodes there are, and how long one may be silent. Files are read when the cluster goes online, which
# is the agent's business; a node that joins a running one is told to it here.
#
# CLUSTER_CONF   text of cluster.conf
# TIMEOUTS       lines of o2cb's settings
# NODES          lines of number, name and address
: "${CLUSTER_CONF:?}" "${TIMEOUTS:?}" "${NODES:?}"

live=/sys/kernel/config/cluster

apply() {
    for other in "$live"/*; do
        other=${other##*/}
        if [ "$other" != ocfs2 ] && [ "$other" != '*' ]; then
            fail "$(uname -n) is still in the O2CB cluster $other: unmount its OCFS2, run 'service o2cb offline $other' and 'service o2cb restart', and run up again"
        fi
    done
    CHANGED=no
    put /etc/ocfs2/cluster.conf 644 "$CLUSTER_CONF"
    block /etc/sysconfig/o2cb 644 "$TIMEOUTS"
    note=''
    if [ -d "$live/ocfs2" ] && [ "$CHANGED" = yes ]; then
        note='; the running cluster takes new timeouts, and leaves out who has left, from its next start'
        printf '%s\n' "$NODES" | while read -r number name address; do
            if [ ! -d "$live/ocfs2/node/$name" ]; then
                status=0
                said=$(o2cb_ctl -C -i -n "$name" -t node -a "number=$number" -a "ip_address=$address" \
                    -a ip_port=7777 -a cluster=ocfs2 2>&1) || status=$?
                case "$status $said" in
                0\ * | 239\ * | *'already exists'*) ;;
                *) fail "$(uname -n): o2cb_ctl could not add $name to the running cluster: $said" ;;
                esac
            fi
        done
    fi
    say "$(uname -n): the O2CB cluster ocfs2 has $(printf '%s\n' "$NODES" | grep -c .) nodes$note"
}

remove() {
    unblock /etc/sysconfig/o2cb
    take /etc/ocfs2/cluster.conf
    removed "$(uname -n): /etc/ocfs2/cluster.conf is as it was"
}

probe() {
    cat /etc/ocfs2/cluster.conf 2>/dev/null || true
    grep '^O2CB_' /etc/sysconfig/o2cb 2>/dev/null || true
    ls "$live/ocfs2/node" 2>/dev/null || true
}
