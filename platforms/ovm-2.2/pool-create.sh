# shellcheck shell=sh
# The server pool with its first server, which gets the master's role.
#
# POOL     name
# SERVER   name of the first server
: "${POOL:?}" "${SERVER:?}"

exists() {
    find_servers "$POOL"
    [ -n "$SERVERS" ]
}

is_gone() { ! exists; }

apply() {
    find_pool "$SERVER"
    if [ -n "$SERVER_POOL" ] && [ "$SERVER_POOL" != "$POOL" ]; then
        fail "$SERVER is in the server pool $SERVER_POOL: take it out there first"
    fi
    if ! exists; then
        mkdir -p "$STATE"
        : >"$STATE/pool"
        need_cli poolCreate
        wait_until 600 "Oracle VM Manager shows $SERVER in the pool $POOL" in_pool "$SERVER" "$POOL"
    elif [ ! -e "$STATE/pool" ]; then
        fail "there is a server pool $POOL already, and it was not made by this program: choose another pool.name"
    fi
    say "$POOL: made with $SERVER"
}

remove() {
    if [ -e "$STATE/pool" ]; then
        if exists; then
            need_cli poolDelete
            wait_until 600 "Oracle VM Manager has no pool $POOL any more" is_gone
        fi
        rm -f "$STATE/pool"
    fi
    removed "$POOL: gone"
}

probe() {
    find_servers "$POOL"
    say "$SERVERS"
}
