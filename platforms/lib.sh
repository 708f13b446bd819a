# shellcheck shell=sh disable=SC2034
# What every step stands on, whatever its host is. It is sent ahead of a platform's own helpers and a step's file.
#
# It runs on hosts of 2007 as well: bash 3.1 or dash, coreutils 5.97, findutils 4.2.
#
# What a host had before is kept below $STATE, one file per thing, the first time it is touched; `remove` gives it back
# from there. The folder goes away with the last thing kept in it.
set -eu
umask 022
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
STATE=/var/lib/ovm-ha-cluster
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
        # Another step may be doing the same at this moment; whoever is last finds what is left.
        find "$STATE" -depth -type d -empty -delete 2>/dev/null || :
    fi
    say "$@"
}

folder() { # folder PATH [MODE]: makes it, and its parents; remembers which of them were missing
    if [ -n "$1" ] && [ ! -d "$1" ]; then
        folder "${1%/*}"
        # Another step may be making it at this moment. The mark comes first, and without another look at the folder, so
        # that neither takes it for older than both.
        mkdir -p "$STATE/absent${1%/*}"
        : >"$STATE/absent$1.mark"
        mkdir -m "${2:-755}" "$1" 2>/dev/null || [ -d "$1" ] || fail "$1 has to be a folder: move away what is there"
        CHANGED=yes
    fi
}

drop_folder() { # drop_folder PATH: removes it and its parents if this program made them and nothing is left in them
    drop_folder_path=$1
    # A run that was cut off may have dropped it, but not its parents.
    while [ -e "$STATE/absent$drop_folder_path.mark" ] || { [ -n "$drop_folder_path" ] && [ ! -e "$drop_folder_path" ]; }; do
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
