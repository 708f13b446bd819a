# shellcheck shell=sh
# A guest's image on the repository, made from a medium, with the guest's own name, address and keys inside. It is
# written without being mounted, and takes its name only when it is complete.
#
# NAME         of the guest
# REPOSITORY   folder of the repository
# MEDIUM       a raw ext4 image, a tar of a root, or a folder with System.img or root.tar (and
#              vmlinuz, initrd.img)
# DISK_MIB     size of the image
# NETWORK      text of the guest's systemd-networkd file
# HOSTS        text of the guest's /etc/hosts
# ACCEPTED     SSH keys that may log in as root, one a line; may be empty
# CONFIG       text of vm.cfg
# KEEP_DISK    yes: the image stays on remove
# WORKLOAD     what the guest sets up in itself; empty: nothing
# STARTER      text of the program in the guest that does so
# UNIT         text of its systemd unit
: "${NAME:?}" "${REPOSITORY:?}" "${MEDIUM:?}" "${DISK_MIB:?}" "${NETWORK:?}" "${HOSTS:?}" "${ACCEPTED?}" "${CONFIG:?}" \
    "${KEEP_DISK:?}" "${WORKLOAD?}" "${STARTER?}" "${UNIT?}"

guest=$REPOSITORY/running_pool/$NAME
image=$guest/System.img
work=$guest/work

in_image() { debugfs -R "$1" "$work/System.img" 2>/dev/null; }

put_inside() { # put_inside PATH MODE FILE
    printf 'rm %s\nwrite %s %s\nsif %s mode 0100%s\nsif %s uid 0\nsif %s gid 0\n' \
        "$1" "$3" "$1" "$1" "$2" "$1" "$1" | quietly debugfs -w -f - "$work/System.img"
    in_image "cat $1" | cmp -s - "$3" || fail "cannot write $1 into the image of $NAME"
}

text_inside() { # text_inside PATH MODE TEXT
    printf '%s\n' "$3" >"$work/text"
    put_inside "$1" "$2" "$work/text"
}

folder_inside() { # folder_inside PATH MODE
    quietly debugfs -w -R "mkdir $1" "$work/System.img"
    quietly debugfs -w -R "sif $1 mode 040$2" "$work/System.img"
}

starter_inside() {
    wants=/etc/systemd/system/multi-user.target.wants
    text_inside /usr/local/sbin/ovm-ha-workload 755 "$STARTER"
    text_inside /etc/systemd/system/ovm-ha-workload.service 644 "$UNIT"
    folder_inside "$wants" 755
    quietly debugfs -w -R "symlink $wants/ovm-ha-workload.service ../ovm-ha-workload.service" "$work/System.img"
    in_image "stat $wants/ovm-ha-workload.service" | grep -q 'Fast link dest: "../ovm-ha-workload.service"' ||
        fail "cannot write into the image of $NAME"
}

root_of_medium() { # prints the file that the root is made from
    for root_of_medium_file in "$MEDIUM/System.img" "$MEDIUM/root.tar" "$MEDIUM"; do
        if [ -f "$root_of_medium_file" ]; then
            printf '%s\n' "$root_of_medium_file"
            return 0
        fi
    done
    fail "$(uname -n) has no medium $MEDIUM: put the image there, or set the guest's medium"
}

make_root() {
    root=$(root_of_medium)
    case $root in
    *.tar)
        mkdir "$work/tree"
        tar -xf "$root" -C "$work/tree" --numeric-owner
        truncate -s "${DISK_MIB}M" "$work/System.img"
        mke2fs -q -F -t ext4 -m 0 -d "$work/tree" "$work/System.img"
        rm -rf "$work/tree"
        ;;
    *)
        cp --sparse=always "$root" "$work/System.img"
        if [ "$(blkid -o value -s TYPE "$work/System.img")" != ext4 ]; then
            fail "$root is no plain ext4 image (a whole disk with partitions will not do)"
        fi
        wanted=$((DISK_MIB * 1048576))
        if [ "$(stat -c %s "$work/System.img")" -gt "$wanted" ]; then
            fail "$root is larger than the disk of $NAME: give it at least $(($(stat -c %s "$root") / 1048576)) MiB"
        fi
        if [ "$(stat -c %s "$work/System.img")" -lt "$wanted" ]; then
            truncate -s "$wanted" "$work/System.img"
            # 1: faults were found and mended.
            e2fsck -f -p "$work/System.img" >&2 || [ $? -eq 1 ]
            resize2fs "$work/System.img" >&2
        fi
        ;;
    esac
}

boot_file() { # boot_file NAME: takes the kernel or initrd from the medium or, if it has none, from the image
    if [ -f "$MEDIUM/$1" ]; then
        cp "$MEDIUM/$1" "$work/$1"
    else
        newest=$(in_image 'ls -p /boot' | cut -d / -f 6 | grep "^${1%.img}" | sort -V | tail -n 1)
        quietly debugfs -R "dump /boot/$newest $work/$1" "$work/System.img"
    fi
    [ -s "$work/$1" ] || fail "the medium $MEDIUM has no $1, neither beside its image nor in its /boot"
}

apply() {
    folder "$REPOSITORY/running_pool"
    folder "$guest"
    origin=$MEDIUM${WORKLOAD:+ $WORKLOAD}
    if [ -e "$image" ] && [ "$(cat "$guest/medium" 2>/dev/null)" != "$origin" ]; then
        # Another medium or workload makes another guest; the disk of the one before is its owner's to delete.
        mv "$image" "$image.$(date -u +%Y%m%dT%H%M%SZ)"
        rm -f "$guest/release"
    fi
    if [ ! -e "$image" ]; then
        rm -rf "$work"
        mkdir "$work"
        make_root
        boot_file vmlinuz
        boot_file initrd.img
        text_inside /etc/hostname 644 "$NAME"
        text_inside /etc/hosts 644 "$HOSTS"
        folder_inside /etc/systemd/network 755
        text_inside /etc/systemd/network/10-ovm-ha-cluster.network 644 "$NETWORK"
        ssh-keygen -q -t ed25519 -N '' -C "root@$NAME" -f "$work/key"
        put_inside /etc/ssh/ssh_host_ed25519_key 600 "$work/key"
        put_inside /etc/ssh/ssh_host_ed25519_key.pub 644 "$work/key.pub"
        if [ -n "$ACCEPTED" ]; then
            folder_inside /root/.ssh 700
            text_inside /root/.ssh/authorized_keys 600 "$ACCEPTED"
        fi
        if [ -n "$WORKLOAD" ]; then
            starter_inside
        fi
        mv "$work/key.pub" "$guest/host-key.pub"
        mv "$work/vmlinuz" "$work/initrd.img" "$guest/"
        printf '%s\n' "$origin" >"$guest/medium"
        sync "$work/System.img"
        mv "$work/System.img" "$image"
    fi
    rm -rf "$work"
    put "$guest/vm.cfg" 644 "$CONFIG"
    say "$NAME: image of $(($(stat -c %s "$image") / 1048576)) MiB," \
        "$(ssh-keygen -l -f "$guest/host-key.pub" | cut -d ' ' -f 2)"
}

remove() {
    rm -rf "$work"
    take "$guest/vm.cfg"
    if [ "$KEEP_DISK" = yes ]; then
        drop_folder "$guest"
        removed "$NAME: its disk stays in $guest"
    else
        rm -rf "${guest:?}"
        drop_folder "$guest"
        removed "$NAME: its disk is gone"
    fi
}

probe() {
    {
        printf 'image %s\n' "$(stat -c %s "$image" 2>/dev/null)"
        printf 'medium %s\n' "$(cat "$guest/medium" 2>/dev/null)"
        printf 'vm.cfg %s\n' "$(sha256sum <"$guest/vm.cfg" | cut -c1-16)"
    } | sort
}
