# shellcheck shell=sh disable=SC2034,SC2154
# What every step on an Oracle VM 2.2 host stands on, beside the helpers of all platforms. Dom0 and manager are EL5:
# there is no timeout(1), no systemd and no Python after 2.4.

# --- services --------------------------------------------------------------------------------------------------------

is_running() { quietly service "$1" status; }

keep_service() { # keep_service NAME...: remembers, once, whether they run and at which levels they start
    mkdir -p "$STATE/services"
    for keep_service_name in "$@"; do
        if [ ! -e "$STATE/services/$keep_service_name" ]; then
            {
                if is_running "$keep_service_name"; then say running; else say stopped; fi
                chkconfig --list "$keep_service_name" 2>/dev/null || true
            } >"$STATE/services/$keep_service_name.new"
            mv "$STATE/services/$keep_service_name.new" "$STATE/services/$keep_service_name"
        fi
    done
}

start_service() { # start_service NAME: unless it runs
    if ! is_running "$1"; then
        service "$1" start >&2 || fail "$(uname -n): the service $1 does not start: see above"
    fi
}

starts_at_boot() { # starts_at_boot NAME: at levels 3 and 5
    chkconfig --list "$1" 2>/dev/null | grep '3:on' | grep -q '5:on'
}

return_service() { # return_service NAME...: each runs, and starts, as keep_service found it
    for return_service_name in "$@"; do
        return_service_file=$STATE/services/$return_service_name
        if [ -e "$return_service_file" ]; then
            for return_service_level in 3 5; do
                if grep -q "$return_service_level:off" "$return_service_file"; then
                    chkconfig --level "$return_service_level" "$return_service_name" off
                fi
            done
            if has_line stopped <"$return_service_file" && is_running "$return_service_name"; then
                service "$return_service_name" stop >&2
            fi
            rm -f "$return_service_file"
        fi
    done
}

# --- packages --------------------------------------------------------------------------------------------------------

need_packages() { # need_packages NAME...: installs all of them, in one call, if one is missing, and remembers what came
    if ! quietly rpm -q "$@"; then
        mkdir -p "$STATE"
        # Written before anything is installed: a run that is cut off leaves what the next one compares with.
        if [ ! -e "$STATE/packages.before" ]; then
            rpm -qa | sort >"$STATE/packages.new"
            mv "$STATE/packages.new" "$STATE/packages.before"
        fi
        yum -y install "$@" >&2 || fail "$(uname -n) lacks one of $*, and yum could not install it: see above"
    fi
    note_packages
}

note_packages() { # note_packages: writes down what came since $STATE/packages.before
    if [ -e "$STATE/packages.before" ]; then
        touch "$STATE/packages"
        rpm -qa | sort | comm -13 "$STATE/packages.before" - | sort -u - "$STATE/packages" >"$STATE/packages.new"
        mv "$STATE/packages.new" "$STATE/packages"
        rm -f "$STATE/packages.before"
    fi
}

take_packages() { # take_packages: removes what need_packages brought, as long as nothing else needs it
    note_packages
    if [ -e "$STATE/packages" ]; then
        take_packages_names=$(rpm -qa | sort | comm -12 "$STATE/packages" -)
        if [ -n "$take_packages_names" ]; then
            # shellcheck disable=SC2086 # one word per package
            rpm -e $take_packages_names >&2 || say "$(uname -n): others need what was installed, so it stays" >&2
        fi
        rm -f "$STATE/packages"
    fi
}
