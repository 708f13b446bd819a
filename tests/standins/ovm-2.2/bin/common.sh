# shellcheck shell=sh disable=SC2034
# What every stand-in command begins with: it is written into the cluster's log with its arguments, and works with the tools
# of this machine, not with those of the host.
PATH=/host/usr/bin:/host/usr/sbin
state=/standin/hosts/$STANDIN_HOST/state
manager=/standin/manager

note() { # note WORDS...
    printf '%s\t%s\n' "$STANDIN_HOST" "$*" >>/standin/log
}

faulty() { [ -e "/standin/faults/$1" ]; } # faulty NAME: is this failure wanted?

now() { date +%s%N | cut -c1-13; } # milliseconds
