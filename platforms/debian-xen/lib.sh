# shellcheck shell=sh disable=SC2034
# What every step on a Debian host stands on. It is sent ahead of a step's own file.
#
# What a host had before is kept below $STATE, one file per thing, the first time it is touched; `remove` gives it back
# from there. The folder goes away with the last thing kept in it.
set -eu
umask 022
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
STATE=/var/lib/ovm-ha-cluster
UNITS=/etc/systemd/system
# Set to yes by whatever changes something; services are restarted only then.
CHANGED=no

say() { printf '%s\n' "$*"; }

fail() { # fail MESSAGE...: ends the step
    printf 'error: %s\n' "$*" >&2
    exit 1
}

quietly() { "$@" >/dev/null 2>&1; }

has_line() { # has_line LINE: is it, as it stands, one of standard input?
    grep -qxF -e "$1"
}

wait_until() { # wait_until PATIENCE WHAT COMMAND...: tries the command every second until it succeeds
    wait_until_end=$(($(date +%s) + $1))
    wait_until_what=$2
    shift 2
    until "$@"; do
        if [ "$(date +%s)" -ge "$wait_until_end" ]; then
            fail "waited in vain until $wait_until_what"
        fi
        sleep 1
    done
}

# --- files -----------------------------------------------------------------------------------------------------------

keep_before() { # keep_before PATH: remembers, once, what was at that path
    if [ -e "$STATE/before$1" ] || [ -L "$STATE/before$1" ] || [ -e "$STATE/absent$1.mark" ]; then
        return 0
    fi
    if [ -e "$1" ] || [ -L "$1" ]; then
        mkdir -p "$STATE/before${1%/*}"
        cp -a "$1" "$STATE/before$1.new"
        mv -T "$STATE/before$1.new" "$STATE/before$1"
    else
        mkdir -p "$STATE/absent${1%/*}"
        : >"$STATE/absent$1.mark"
    fi
}

give_back() { # give_back PATH: puts back what keep_before found there
    if [ -e "$STATE/before$1" ] || [ -L "$STATE/before$1" ]; then
        if cmp -s "$STATE/before$1" "$1"; then
            rm -f "$STATE/before$1"
        else
            rm -f "$1"
            mv -T "$STATE/before$1" "$1"
        fi
    elif [ -e "$STATE/absent$1.mark" ]; then
        rm -f "$1" "$STATE/absent$1.mark"
    fi
}

removed() { # removed MESSAGE...: last line of every `remove`: nothing is left of us but what other steps still need
    if [ -d "$STATE" ]; then
        find "$STATE" -depth -type d -empty -delete
    fi
    say "$@"
}

folder() { # folder PATH [MODE]: makes it, and its parents; remembers which of them were missing
    if [ -n "$1" ] && [ ! -d "$1" ]; then
        folder "${1%/*}"
        keep_before "$1"
        mkdir -m "${2:-755}" "$1"
        CHANGED=yes
    fi
}

drop_folder() { # drop_folder PATH: removes it and its parents if this program made them and nothing is left in them
    drop_folder_path=$1
    while [ -e "$STATE/absent$drop_folder_path.mark" ]; do
        if [ -d "$drop_folder_path" ] && ! rmdir "$drop_folder_path" 2>/dev/null; then
            break
        fi
        rm -f "$STATE/absent$drop_folder_path.mark"
        drop_folder_path=${drop_folder_path%/*}
    done
}

put() { # put PATH MODE TEXT: the file holds exactly this text, ended by a newline
    folder "${1%/*}"
    if [ -f "$1" ] && printf '%s\n' "$3" | cmp -s - "$1" && [ "$(stat -c %a "$1")" = "$2" ]; then
        return 0
    fi
    keep_before "$1"
    (umask 077 && printf '%s\n' "$3" >"$1.new")
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
    CHANGED=yes
}

take() { # take PATH: undoes `put`
    rm -f "$1.new"
    give_back "$1"
    drop_folder "${1%/*}"
}

block() { # block PATH MODE TEXT: the file holds this text between two marks; the rest of it is left alone
    folder "${1%/*}"
    block_text="# BEGIN ovm-ha-cluster
$3
# END ovm-ha-cluster"
    block_have=$(sed -n '/^# BEGIN ovm-ha-cluster$/,/^# END ovm-ha-cluster$/p' "$1" 2>/dev/null || true)
    if [ "$block_have" = "$block_text" ]; then
        return 0
    fi
    if [ -e "$1" ]; then
        cp -a "$1" "$1.new"
    else
        keep_before "$1"
        rm -f "$1.new"
        (umask 077 && : >"$1.new")
        chmod "$2" "$1.new"
    fi
    {
        sed '/^# BEGIN ovm-ha-cluster$/,/^# END ovm-ha-cluster$/d' "$1" 2>/dev/null || true
        printf '%s\n' "$block_text"
    } >"$1.new"
    mv "$1.new" "$1"
    CHANGED=yes
}

unblock() { # unblock PATH: undoes `block`
    rm -f "$1.new"
    if grep -q '^# BEGIN ovm-ha-cluster$' "$1" 2>/dev/null; then
        cp -a "$1" "$1.new"
        sed '/^# BEGIN ovm-ha-cluster$/,/^# END ovm-ha-cluster$/d' "$1" >"$1.new"
        mv "$1.new" "$1"
    fi
    # A file that was not there and has nothing but our block goes; others' lines in it stay.
    if [ -e "$STATE/absent$1.mark" ]; then
        if [ -s "$1" ]; then
            rm -f "$STATE/absent$1.mark"
        else
            give_back "$1"
        fi
    fi
    drop_folder "${1%/*}"
}

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
                ln -s "$enable_unit_file" "$enable_unit_link"
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
