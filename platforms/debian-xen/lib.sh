# shellcheck shell=sh disable=SC2034,SC2154
# What every step on a Debian host stands on, beside the helpers of all platforms.
UNITS=/etc/systemd/system

# --- units -----------------------------------------------------------------------------------------------------------

is_active() { systemctl is-active --quiet "$1"; }

keep_unit() { # keep_unit UNIT...: remembers, once, which of them run
    mkdir -p "$STATE/units"
    for keep_unit_name in "$@"; do
        if [ ! -e "$STATE/units/$keep_unit_name" ]; then
            # A unit that is just failing or starting did not run, either.
            systemctl is-active "$keep_unit_name" >"$STATE/units/$keep_unit_name.new" 2>/dev/null || true
            mv "$STATE/units/$keep_unit_name.new" "$STATE/units/$keep_unit_name"
        fi
    done
}

stop_unit() { # stop_unit UNIT...: stops those that did not run before, in the order given
    for stop_unit_name in "$@"; do
        if [ -e "$STATE/units/$stop_unit_name" ]; then
            if [ "$(cat "$STATE/units/$stop_unit_name")" != active ] && is_active "$stop_unit_name"; then
                systemctl stop "$stop_unit_name"
            fi
            systemctl reset-failed "$stop_unit_name" 2>/dev/null || true
            rm -f "$STATE/units/$stop_unit_name"
        fi
    done
}

# Links are written here, not by `systemctl enable`: that calls a chain of scripts for units with a SysV twin, which
# takes half a minute per unit on a slow machine.
unit_file() { # unit_file UNIT: prints where it is defined
    for unit_file_path in "$UNITS/$1" "/lib/systemd/system/$1"; do
        if [ -f "$unit_file_path" ]; then
            printf '%s\n' "$unit_file_path"
            return 0
        fi
    done
    fail "there is no unit $1 on $(uname -n)"
}

unit_links() { # unit_links UNIT-FILE: prints the links that enabling it means
    sed -n 's/^WantedBy=//p' "$1" | tr -s ' ' '\n' | sed "s|.*|$UNITS/&.wants/${1##*/}|"
    sed -n 's/^RequiredBy=//p' "$1" | tr -s ' ' '\n' | sed "s|.*|$UNITS/&.requires/${1##*/}|"
}

enable_unit() { # enable_unit UNIT...: they start with the machine
    for enable_unit_name in "$@"; do
        enable_unit_file=$(unit_file "$enable_unit_name")
        for enable_unit_link in $(unit_links "$enable_unit_file"); do
            if [ ! -L "$enable_unit_link" ]; then
                folder "${enable_unit_link%/*}"
                keep_before "$enable_unit_link"
                ln -sn "$enable_unit_file" "$enable_unit_link"
                CHANGED=yes
            fi
        done
    done
}

disable_unit() { # disable_unit UNIT...: undoes enable_unit
    for disable_unit_name in "$@"; do
        for disable_unit_link in "$STATE/absent$UNITS"/*/"$disable_unit_name.mark"; do
            if [ -e "$disable_unit_link" ]; then
                disable_unit_link=${disable_unit_link#"$STATE/absent"}
                take "${disable_unit_link%.mark}"
            fi
        done
    done
}

# --- packages --------------------------------------------------------------------------------------------------------

installed_packages() {
    # shellcheck disable=SC2016 # the fields are dpkg's
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort
}

apt_install() { # apt_install NAME...
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >&2
}

need_packages() { # need_packages NAME...: installs, in one call, those that are missing, and remembers what came
    need_packages_have=$(installed_packages)
    need_packages_missing=''
    for need_packages_name in "$@"; do
        if ! printf '%s\n' "$need_packages_have" | has_line "$need_packages_name"; then
            need_packages_missing="$need_packages_missing $need_packages_name"
        fi
    done
    if [ -n "$need_packages_missing" ]; then
        mkdir -p "$STATE"
        # Written before anything is installed: a run that is cut off leaves what the next one compares with.
        if [ ! -e "$STATE/packages.before" ]; then
            printf '%s\n' "$need_packages_have" >"$STATE/packages.new"
            mv "$STATE/packages.new" "$STATE/packages.before"
        fi
        # Services are started by the steps, once they are set up.
        keep_before /usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        need_packages_rc=0
        # A list of packages that is too old names files that are gone.
        # shellcheck disable=SC2086 # one word per package
        apt_install $need_packages_missing || { apt-get -qq update >&2 && apt_install $need_packages_missing; } ||
            need_packages_rc=$?
        give_back /usr/sbin/policy-rc.d
        if [ "$need_packages_rc" -ne 0 ]; then
            fail "$(uname -n) lacks$need_packages_missing, and apt-get could not install them: see above"
        fi
        CHANGED=yes
    fi
    note_packages
}

note_packages() { # note_packages: writes down what came since $STATE/packages.before
    if [ -e "$STATE/packages.before" ]; then
        touch "$STATE/packages"
        installed_packages | comm -13 "$STATE/packages.before" - | sort -u - "$STATE/packages" >"$STATE/packages.new"
        mv "$STATE/packages.new" "$STATE/packages"
        rm -f "$STATE/packages.before"
    fi
}

take_packages() { # take_packages: purges what need_packages brought
    note_packages
    if [ -e "$STATE/packages" ]; then
        take_packages_names=$(installed_packages | comm -12 "$STATE/packages" -)
        if [ -n "$take_packages_names" ]; then
            # shellcheck disable=SC2086 # one word per package
            DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge $take_packages_names >&2
        fi
        rm -f "$STATE/packages"
    fi
}
