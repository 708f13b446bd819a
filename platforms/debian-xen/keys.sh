# shellcheck shell=sh
# The secrets of a member. This text is a secret as a whole: nothing of it is logged or shown.
#
# AUTHKEY            of Corosync, in base64
# MIGRATION_KEY      private SSH key that nodes migrate guests with; empty where no guest runs
# MIGRATION_PUBLIC   its public half
# NODES              names and addresses of the nodes, separated by commas
: "${AUTHKEY:?}" "${MIGRATION_KEY?}" "${MIGRATION_PUBLIC?}" "${NODES:?}"

authkey=/etc/corosync/authkey
key=/etc/ovm-ha-cluster/migration-key
receiver=/etc/ovm-ha-cluster/migrate-receive
client=/etc/ssh/ssh_config.d/ovm-ha-cluster.conf
accepted=/root/.ssh/authorized_keys

# The key opens nothing but the receiving end of a migration.
# shellcheck disable=SC2016 # to be expanded when it runs
receiver_text='#!/bin/sh
# Made by ovm-ha-cluster.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
case $SSH_ORIGINAL_COMMAND in
*[!a-z\ -]*) ;;
"xl migrate-receive" | "xl migrate-receive "* | "xl -v"*" migrate-receive"*) exec $SSH_ORIGINAL_COMMAND ;;
esac
echo "this key is for migrations only" >&2
exit 1'

apply() {
    folder "${authkey%/*}"
    if ! printf '%s' "$AUTHKEY" | base64 -d | cmp -s - "$authkey"; then
        keep_before "$authkey"
        (umask 077 && printf '%s' "$AUTHKEY" | base64 -d >"$authkey.new")
        chmod 400 "$authkey.new"
        mv "$authkey.new" "$authkey"
    fi
    if [ -n "$MIGRATION_KEY" ]; then
        put "$key" 600 "$MIGRATION_KEY"
        put "$receiver" 755 "$receiver_text"
        put "$client" 644 "# Made by ovm-ha-cluster.
Match localuser root host $NODES
    User root
    IdentityFile $key"
        folder "${accepted%/*}" 700
        block "$accepted" 600 "from=\"$NODES\",restrict,command=\"$receiver\" $MIGRATION_PUBLIC"
        say "$(uname -n): has the keys of the cluster and of migrations"
    else
        say "$(uname -n): has the key of the cluster"
    fi
}

remove() {
    if [ -n "$MIGRATION_KEY" ]; then
        unblock "$accepted"
        take "$client"
        take "$receiver"
        take "$key"
    fi
    take "$authkey"
    removed "$(uname -n): has no key of the cluster"
}

probe() {
    {
        printf 'authkey %s\n' "$(stat -c '%a %s' "$authkey" 2>/dev/null)"
        printf 'migration-key %s\n' "$(stat -c '%a %s' "$key" 2>/dev/null)"
        printf 'authorized %s\n' "$(grep -c "$receiver" "$accepted" 2>/dev/null)"
    } | sort
}
