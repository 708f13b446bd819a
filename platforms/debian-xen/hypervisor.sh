# shellcheck shell=sh
# Xen runs, is new enough, leaves the control domain a fixed amount of memory, and can use images on NFS safely.
#
# XEN_MINIMUM   oldest version that will do, as MAJOR.MINOR
# DOM0_MIB      memory of the control domain, for a host that starts by GRUB and fixes none yet
# LOCAL_STORE   folder for what a node keeps of each guest
# AGENT         text of Pacemaker's agent for guests
: "${XEN_MINIMUM:?}" "${DOM0_MIB:?}" "${LOCAL_STORE:?}" "${AGENT:?}"

script=/etc/xen/scripts/block-dio
agent=/usr/lib/ocf/resource.d/ovm-ha-cluster/Xen
grub=/etc/default/grub.d/ovm-ha-cluster.cfg

xen_answers() { quietly xl list; }

apply() {
    if [ ! -e /sys/hypervisor/type ] || [ "$(cat /sys/hypervisor/type)" != xen ]; then
        fail "$(uname -n) does not run under Xen: install xen-system-amd64, restart it into the Xen entry, try again"
    fi
    keep_unit xen.service
    if ! xen_answers; then
        systemctl start xen.service
        wait_until 120 "xl list answers" xen_answers
    fi
    info=$(xl info)
    version=$(printf '%s\n' "$info" | sed -n 's/^xen_version *: *//p')
    if [ "$(printf '%s\n%s\n' "$XEN_MINIMUM" "$version" | sort -V | head -n 1)" != "$XEN_MINIMUM" ]; then
        fail "$(uname -n) runs Xen $version; this program needs $XEN_MINIMUM or newer"
    fi
    case $(printf '%s\n' "$info" | sed -n 's/^xen_commandline *: *//p') in
    *dom0_mem=*) ;;
    *)
        if [ ! -d /etc/default/grub.d ]; then
            fail "the control domain of $(uname -n) has no fixed memory: add dom0_mem=${DOM0_MIB}M,max:${DOM0_MIB}M to" \
                "Xen's command line and restart the node"
        fi
        put "$grub" 644 "# Made by ovm-ha-cluster.
GRUB_CMDLINE_XEN=\"\$GRUB_CMDLINE_XEN dom0_mem=${DOM0_MIB}M,max:${DOM0_MIB}M\""
        update-grub >&2
        fail "the control domain of $(uname -n) has no fixed memory yet: it is set up now, restart the node and try again"
        ;;
    esac

    # Xen's own script for files attaches them through the page cache, which two nodes with one image must not use
    # during a migration. Ours is that script with direct I/O, made from it so that it follows Xen's updates.
    direct=$(sed 's/do_or_die losetup /do_or_die losetup --direct-io=on /' /etc/xen/scripts/block)
    case $direct in
    *'losetup --direct-io=on '*) ;;
    *) fail "cannot make $script: /etc/xen/scripts/block of $(uname -n) does not attach files as expected" ;;
    esac
    put "$script" 755 "$direct"
    put "$agent" 755 "$AGENT"
    folder "$LOCAL_STORE"
    say "$(uname -n): Xen $version, control domain with fixed memory, images attached with direct I/O"
}

remove() {
    take "$script"
    take "$agent"
    if [ -e "$grub" ]; then
        take "$grub"
        update-grub >&2
    fi
    drop_folder "$LOCAL_STORE"
    stop_unit xen.service
    removed "$(uname -n): Xen as it was"
}

probe() {
    {
        xl info | sed -n 's/^xen_version *: */xen /p; s/^total_memory *: */memory /p'
        printf 'block-dio %s\n' "$(sha256sum <"$script" | cut -c1-16)"
        printf 'agent %s\n' "$(sha256sum <"$agent" | cut -c1-16)"
    } | sort
}
