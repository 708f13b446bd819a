# shellcheck shell=sh
# A guest that the pool keeps running.
#
# NAME      of the guest, and of its resource
# OBJECTS   of the cluster's configuration: SECTION ID XML, as lib-cib.sh reads them
# DIGEST    of vm.cfg: another one means that the guest has to be started anew
# URL       to ask whether the guest serves; empty: not asked
# STATUS    that it must answer with
# PATIENCE  how long that may take
: "${NAME:?}" "${OBJECTS:?}" "${DIGEST:?}" "${URL?}" "${STATUS?}" "${PATIENCE:?}"

digest_now() {
    cibadmin --query --xpath "//primitive[@id='$NAME']//nvpair[@id='$NAME-digest']" 2>/dev/null |
        sed -n 's/.* value="\([^"]*\)".*/\1/p'
}

serves() {
    [ "$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' "$URL" || true)" = "$STATUS" ]
}

apply() {
    have=$(digest_now)
    if [ -n "$have" ] && [ "$have" != "$DIGEST" ]; then
        resource_stop "$NAME" 420
    fi
    cib_put "$OBJECTS"
    wait_until "$PATIENCE" "$NAME has started (see 'crm_mon -1' on $(uname -n))" resource_started "$NAME"
    if [ -n "$URL" ]; then
        wait_until "$PATIENCE" "$NAME answers $STATUS at $URL" serves
    fi
    say "$NAME: runs on $(resource_node "$NAME")${URL:+ and answers $STATUS at $URL}"
}

remove() {
    if is_active pacemaker.service; then
        resource_stop "$NAME" 420
        cib_take "$OBJECTS"
    fi
    removed "$NAME: stopped, and no resource of the pool"
}

probe() {
    {
        one_a_line "$OBJECTS" | while read -r section id want; do
            if cib_same "$(cib_object "$section" "$id")" "$want"; then
                say "object $id"
            fi
        done
        if resource_started "$NAME"; then
            say 'started yes'
        else
            say 'started no'
        fi
    } | sort
}
