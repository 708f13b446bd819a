# shellcheck shell=sh
# HA of the pool: first on the pool, then on its guests, and only after the Manager has found that the pool is able to.
#
# POOL      name
# ADDRESS   virtual address
# MEMBERS   lines of address and name
: "${POOL:?}" "${ADDRESS:?}" "${MEMBERS:?}"

apply() {
    if [ "$(cat "$STATE/pool-ha" 2>/dev/null)" != "$ADDRESS" ]; then
        need_cli poolCheckHa
        need_cli poolEnableHa
        mkdir -p "$STATE"
        say "$ADDRESS" >"$STATE/pool-ha"
    fi
    find_servers "$POOL"
    find_master "$MEMBERS"
    say "$POOL: HA on at $ADDRESS, master $MASTER, servers $(printf '%s' "$SERVERS" | tr '\n' ' ')"
}

# It goes with the pool.
remove() {
    rm -f "$STATE/pool-ha"
    removed "$POOL: HA is no longer asked for"
}

probe() {
    find_servers "$POOL"
    say "$SERVERS"
}
