# shellcheck shell=sh
# A server of the pool.
#
# POOL     name of the pool
# SERVER   name of the server
: "${POOL:?}" "${SERVER:?}"

apply() {
    find_pool "$SERVER"
    if [ -n "$SERVER_POOL" ] && [ "$SERVER_POOL" != "$POOL" ]; then
        fail "$SERVER is in the server pool $SERVER_POOL: take it out there first"
    fi
    if [ -z "$SERVER_POOL" ]; then
        need_cli serverAdd
        wait_until 600 "Oracle VM Manager shows $SERVER in the pool $POOL" in_pool "$SERVER" "$POOL"
    fi
    say "$POOL: has $SERVER"
}

remove() {
    # The last one goes with the pool.
    find_servers "$POOL"
    if [ "$SERVERS" != "$SERVER" ] && in_pool "$SERVER" "$POOL"; then
        need_cli serverRemove
        wait_until 600 "Oracle VM Manager has $SERVER out of the pool $POOL" not_in_pool "$SERVER" "$POOL"
    fi
    removed "$POOL: without $SERVER"
}

probe() {
    find_pool "$SERVER"
    say "$SERVER $SERVER_POOL"
}
