# shellcheck shell=sh
# The secrets of a member. This text is a secret as a whole: nothing of it is logged or shown.
#
# AUTHKEY         of Corosync, in base64
# MEMBER_KEY      private SSH key that members ask things of nodes with: to receive a guest, to leave the pool
# MEMBER_PUBLIC   its public half
# NODES           names and addresses of the nodes, separated by commas
# MEMBERS         addresses that the key is accepted from; empty where it is not accepted, as on the manager
# SERVICES        units that end when this node leaves, in that order
# SILENCE         seconds after which a node that says nothing is asked whether it lives; given up after three times as long
: "${AUTHKEY:?}" "${MEMBER_KEY:?}" "${MEMBER_PUBLIC:?}" "${NODES:?}" "${MEMBERS?}" "${SERVICES:?}" "${SILENCE:?}"

authkey=/etc/corosync/authkey
key=/etc/ovm-ha-cluster/member-key
receiver=/etc/ovm-ha-cluster/member-command
client=/etc/ssh/ssh_config.d/ovm-ha-cluster.conf
accepted=/root/.ssh/authorized_keys

# The key opens nothing but these two. The words of a migration are those that xl sends.
receiver_text="#!/bin/sh
# Made by ovm-ha-cluster.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
case \$SSH_ORIGINAL_COMMAND in
*[!a-z\ -]*) ;;
leave)
    for unit in $SERVICES; do
        systemctl stop \"\$unit\" || exit
    done
    exit 0
    ;;
'xl migrate-receive' | 'xl migrate-receive '* | 'xl -v'*' migrate-receive'*) exec \$SSH_ORIGINAL_COMMAND ;;
esac
echo 'this key is for migrations and leaving only' >&2
exit 1"

apply() {
    folder "${authkey%/*}"
    if ! printf '%s' "$AUTHKEY" | base64 -d | cmp -s - "$authkey"; then
        keep_before "$authkey"
        (umask 077 && printf '%s' "$AUTHKEY" | base64 -d >"$authkey.new")
        chmod 400 "$authkey.new"
        mv "$authkey.new" "$authkey"
    fi
    put "$key" 600 "$MEMBER_KEY"
    # A migration whose target has died must end: Pacemaker neither fences the target nor starts what ran there before.
    put "$client" 644 "# Made by ovm-ha-cluster.
Match localuser root host $NODES
    User root
    IdentityFile $key
    ConnectTimeout $((3 * SILENCE))
    ServerAliveInterval $SILENCE
    ServerAliveCountMax 3"
    if [ -n "$MEMBERS" ]; then
        put "$receiver" 755 "$receiver_text"
        folder "${accepted%/*}" 700
        block "$accepted" 600 "from=\"$MEMBERS\",restrict,command=\"$receiver\" $MEMBER_PUBLIC"
    fi
    say "$(uname -n): has the keys of the cluster and of its members"
}

remove() {
    if [ -n "$MEMBERS" ]; then
        unblock "$accepted"
        take "$receiver"
    fi
    take "$client"
    take "$key"
    take "$authkey"
    removed "$(uname -n): has no key of the cluster"
}

probe() {
    {
        printf 'authkey %s\n' "$(stat -c '%a %s' "$authkey" 2>/dev/null)"
        printf 'member-key %s\n' "$(stat -c '%a %s' "$key" 2>/dev/null)"
        printf 'authorized %s\n' "$(grep -c "$receiver" "$accepted" 2>/dev/null)"
    } | sort
}
