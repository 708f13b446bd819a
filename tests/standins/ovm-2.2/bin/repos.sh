#!/bin/sh
# shellcheck disable=SC1091,SC2154
# /opt/ovs-agent-2.3/utils/repos.py. Its source was not found: options, order and the form of its lists are from memory (facts,
# section 1, "From memory"). Found: the layout below /var/ovs/mount, /OVS as a link to it, .ovsrepo (User's Guide 2.2, sosreport).
# Assumed: an export that carries a .ovsrepo keeps its identifier on every node.
. /standin-bin/common.sh
note "repos.py $*"
list=$state/repositories

plain() { printf '%s' "$1" | tr -d - | tr a-f A-F; }

entry_of() { # entry_of UUID, in either form
    wanted=$(plain "$1")
    while read -r uuid mark spec; do
        if [ "$(plain "$uuid")" = "$wanted" ]; then
            echo "$uuid $mark $spec"
        fi
    done <"$list"
}

refuse() {
    echo "Error: $*"
    exit 1
}

# How identifiers and the root are shown is from memory in two forms: with hyphens and *, and plain with R (a fault here).
show() { # show UUID MARK SPEC
    if faulty "$STANDIN_HOST.plain"; then
        case $2 in
        root) echo "[ R ] $(plain "$1") => $3" ;;
        *) echo "[   ] $(plain "$1") => $3" ;;
        esac
        return 0
    fi
    case $2 in
    root) echo "[ * ] $1 => $3" ;;
    *) echo "[   ] $1 => $3" ;;
    esac
}

content_of() { # content_of SPEC: where its files are
    case $1 in
    /dev/*) echo "$state/devices/${1##*/}" ;;
    *) echo "/standin/hosts/OVMANAGER/root${1#*:}" ;;
    esac
}

is_exported() { # is_exported SPEC
    server=/standin/hosts/OVMANAGER/state
    [ "$(cat $server/services/nfs)" = running ] &&
        grep -q "^${1#*:}[[:space:]].*$(cat "$state/address")(" "$server/exports" 2>/dev/null
}

case $1 in
-l)
    if faulty "$STANDIN_HOST.repos-list"; then
        refuse 'cannot open the agent database'
    fi
    while read -r uuid mark spec; do
        show "$uuid" "$mark" "$spec"
    done <"$list"
    ;;
-n)
    case $2 in
    /dev/*) ;;
    *) is_exported "$2" || refuse "mount: $2 failed, reason given by server: Permission denied" ;;
    esac
    if grep -q " $2\$" "$list"; then
        refuse "$2 already exists"
    fi
    content=$(content_of "$2")
    if [ ! -e "$content/.ovsrepo" ]; then
        cat /proc/sys/kernel/random/uuid >"$content/.ovsrepo"
    fi
    uuid=$(cat "$content/.ovsrepo")
    echo "$uuid - $2" >>"$list"
    echo "[ NEW ] $uuid => $2"
    ;;
-r)
    found=$(entry_of "$2")
    [ -n "$found" ] || refuse "repository $2 not found"
    while read -r uuid _ spec; do
        mark=-
        if [ "$(plain "$uuid")" = "$(plain "$2")" ]; then
            mark=root
        fi
        echo "$uuid $mark $spec"
    done <"$list" >"$list.new"
    mv "$list.new" "$list"
    echo "[ R ] ${found%% *} => ${found##* }"
    ;;
-i)
    while read -r uuid mark spec; do
        where=/var/ovs/mount/$(plain "$uuid")
        content=$(content_of "$spec")
        case $spec in
        /dev/*) type=ocfs2 ;;
        *)
            type=nfs
            is_exported "$spec" || refuse "mount: $spec failed"
            ;;
        esac
        mkdir -p "$where"
        if ! grep -q " $where " "$state/mounts"; then
            echo "$spec $where $type" >>"$state/mounts"
            mount --bind "$content" "$where"
        fi
        mkdir -p "$content/running_pool" "$content/seed_pool" "$content/iso_pool" "$content/publish_pool" "$content/sharedDisk"
        if [ "$mark" = root ] && ! faulty "$STANDIN_HOST.no-OVS"; then
            ln -sfn "$where" /OVS
        fi
    done <"$list"
    ;;
-d)
    found=$(entry_of "$2")
    [ -n "$found" ] || refuse "repository $2 not found"
    where=/var/ovs/mount/$(plain "$2")
    if [ "$(readlink /OVS)" = "$where" ]; then
        # Assumed: the cluster root of a pool's member is not given up.
        if grep -q -x "$STANDIN_HOST" "$manager"/pools/*/servers 2>/dev/null; then
            refuse "repository $2 is the cluster root of a server pool"
        fi
        rm -f /OVS
    fi
    if grep -q " $where " "$state/mounts"; then
        umount "$where"
        grep -v " $where " "$state/mounts" >"$state/mounts.new"
        cat "$state/mounts.new" >"$state/mounts"
        rm -f "$state/mounts.new"
        rmdir "$where"
    fi
    grep -v "^${found%% *} " "$list" >"$list.new"
    mv "$list.new" "$list"
    ;;
esac
exit 0
