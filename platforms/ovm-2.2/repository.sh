# shellcheck shell=sh
# The shared repository is this node's cluster root, mounted by the agent's own tool, in the place of the local one that the
# installation made: that one is OCFS2 on a local disk, with which there is no HA.
#
# SOURCE         what is mounted, as ADDRESS:/PATH
# REMOVE_LOCAL   yes: the local repository goes even if there is something in it
: "${SOURCE:?}" "${REMOVE_LOCAL:?}"

repos=/opt/ovs-agent-latest/utils/repos.py
# What is declared again on remove: the local repositories' devices, each with a + before it if it was the root.
locals=$STATE/local-repositories

# One line per repository: `*` or `-` for the cluster root or another one, identifier, what is mounted. The tool may mark the
# root by * or R.
listed() {
    list=$("$repos" -l 2>&1) || fail "$(uname -n): repos.py -l failed: $(printf '%s' "$list" | head -n 1)"
    printf '%s\n' "$list" |
        sed -n 's/^\[ *\([A-Z*]*\) *\] *\([0-9A-Fa-f-]\{32,36\}\) *=> *\([^ ].*\)$/-\1 \2 \3/p' |
        sed 's/^-[*R] /* /; s/^-[A-Z]* /- /'
}

# The tool prints identifiers with hyphens, the mount point has none, and capitals.
plain() { printf '%s' "$1" | tr -d - | tr a-f A-F; }

where() { printf '/var/ovs/mount/%s' "$(plain "$1")"; }

is_mounted() { mount | grep -q " on $(where "$1") "; }

uuid_of() { listed | awk -v spec="$1" '$3 == spec { print $2; exit }'; } # uuid_of SPEC

is_root() { listed | awk -v uuid="$1" '$2 == uuid { print $1 }' | grep -q '\*'; }

is_empty() { # is_empty UUID: nothing in its pools
    is_mounted "$1" &&
        [ -z "$(find "$(where "$1")" -type f ! -name '.*' ! -path '*/.ovs-agent/*' ! -path '*/lost+found/*' | head -n 1)" ]
}

leave_local() { # leave_local MARK UUID DEVICE
    if [ "$REMOVE_LOCAL" != yes ] && ! is_empty "$2"; then
        fail "$(uname -n): the local repository $2 ($3) is not known to be empty: move its data away, or set oracleVm.removeLocalRepository"
    fi
    mkdir -p "$STATE"
    touch "$locals"
    case $1 in
    '*') entry="+$3" ;;
    *) entry="-$3" ;;
    esac
    if ! has_line "$entry" <"$locals"; then
        say "$entry" >>"$locals"
    fi
    "$repos" -d "$2" >&2 || fail "$(uname -n): repos.py -d $2 failed: see above"
}

apply() {
    # In a pipe its failure would go unnoticed.
    listed >/dev/null
    shared=$(uuid_of "$SOURCE")
    if [ -z "$shared" ] || ! is_root "$shared"; then
        listed | while read -r mark uuid spec; do
            case $spec in
            /dev/*) leave_local "$mark" "$uuid" "$spec" ;;
            esac
        done
        if [ -z "$shared" ]; then
            "$repos" -n "$SOURCE" >&2 || fail "$(uname -n): repos.py -n $SOURCE failed: is it exported to this node?"
            shared=$(uuid_of "$SOURCE")
            [ -n "$shared" ] || fail "$(uname -n): repos.py lists no $SOURCE after repos.py -n: see above"
        fi
        "$repos" -r "$shared" >&2 || fail "$(uname -n): repos.py -r $shared failed: see above"
    fi
    if ! is_mounted "$shared" || [ "$(readlink /OVS)" != "$(where "$shared")" ]; then
        "$repos" -i >&2 || fail "$(uname -n): repos.py -i failed: can this node mount $SOURCE?"
    fi
    df -h >&2
    is_mounted "$shared" || fail "$(uname -n): $SOURCE is not mounted at $(where "$shared") after repos.py -i"
    [ "$(readlink /OVS)" = "$(where "$shared")" ] ||
        fail "$(uname -n): /OVS is missing or leads elsewhere: remove it if it is a leftover, and run up again"
    say "$(uname -n): cluster root is $SOURCE, repository $(plain "$shared")"
}

remove() {
    if [ -x "$repos" ]; then
        shared=$(uuid_of "$SOURCE")
        if [ -n "$shared" ]; then
            "$repos" -d "$shared" >&2
            if is_mounted "$shared"; then
                umount "$(where "$shared")"
            fi
            if [ "$(readlink /OVS)" = "$(where "$shared")" ]; then
                rm -f /OVS
            fi
        fi
        if [ -e "$locals" ]; then
            while read -r entry; do
                if [ -z "$(uuid_of "${entry#?}")" ]; then
                    "$repos" -n "${entry#?}" >&2
                fi
                case $entry in
                +*) "$repos" -r "$(uuid_of "${entry#?}")" >&2 ;;
                esac
            done <"$locals"
            "$repos" -i >&2
            rm -f "$locals"
        fi
    fi
    removed "$(uname -n): $SOURCE is no repository of this node"
}

probe() {
    listed | while read -r mark uuid spec; do
        say "repository $mark $(plain "$uuid") $spec"
    done | sort
    say "root $(readlink /OVS || true)"
}
