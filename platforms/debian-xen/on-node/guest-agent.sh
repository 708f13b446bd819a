# shellcheck shell=sh
# Pacemaker's agent for guests: ocf:heartbeat:Xen, but for what a broken migration leaves behind. Its target then has the
# guest's name with --incoming, paused, its source the name with --migratedaway, suspended; neither ever runs, the agent
# knows neither, and both hold memory and the disk, so that a start on that node may fail. Whoever starts or stops the guest
# here wants no other copy of it here.

destroy_leftovers() { # destroy_leftovers NAME
    for leftover in "$1--incoming" "$1--migratedaway"; do
        if xl domid "$leftover" >/dev/null 2>&1; then
            logger --tag "${0##*/}($1)" --priority daemon.warning "destroying $leftover, left by a broken migration"
            xl destroy "$leftover" >/dev/null 2>&1
        fi
    done
}

case ${1-} in
start | stop)
    if [ -n "${OCF_RESKEY_name-}" ]; then
        destroy_leftovers "$OCF_RESKEY_name"
    fi
    ;;
esac
exec "${OCF_ROOT:-/usr/lib/ocf}/resource.d/heartbeat/Xen" "$@"
