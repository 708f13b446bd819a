# shellcheck shell=sh
# What the pool and its guests are doing now: who is master, how each server is, and where each guest runs.
#
# POOL      name
# MEMBERS   lines of address and name
: "${POOL:?}" "${MEMBERS:?}"

status_of() { # status_of SERVER: SERVER_STATUS in the Manager's words
    # shellcheck disable=SC2034 # a word of the command
    SERVER=$1
    SERVER_STATUS=unknown
    if cli serverInfo; then
        SERVER_STATUS=$(printf '%s\n' "$CLI_OUT" | sed -n 's/^ *Status *: *//p' | head -n 1)
    fi
}

# Notes of what is not verified are the steps' business; a state that comes out otherwise each time would be news each time.
probe() {
    find_servers "$POOL"
    [ -n "$SERVERS" ] || fail "Oracle VM Manager has no pool $POOL"
    find_master "$MEMBERS"
    say "pool $POOL: master $MASTER"
    for server in $SERVERS; do
        status_of "$server"
        say "server $server: ${SERVER_STATUS:-unknown}"
    done
    need_cli guestList
    # Name, ?, memory, processors, state, server.
    table | sed 1d | awk -F "$TAB" 'NF >= 6 { print "guest " $1 ": " $5 ($6 == "" ? "" : " on " $6) }' | sort
}
