# shellcheck shell=sh
# A guest's folder in running_pool, with a disk made from an image: what Oracle VM Manager registers as a guest.
#
# NAME         of the guest
# MEDIUM       on the manager: a folder with System.img, or an image; empty: only a disk that was kept is taken
# REPOSITORY   folder of the repository
# DISK_MIB     size of the disk
# CONFIG       text of vm.cfg
: "${NAME:?}" "${MEDIUM?}" "${REPOSITORY:?}" "${DISK_MIB:?}" "${CONFIG:?}"

home=$REPOSITORY/running_pool/$NAME
disk=$home/System.img

apply() {
    if [ ! -e "$disk" ]; then
        source=$MEDIUM
        if [ -d "$MEDIUM" ]; then
            source=$MEDIUM/System.img
        fi
        [ -f "$source" ] || fail "$(uname -n) has no $source, from which $NAME is to be made: copy it there"
        [ "$(stat -c %s "$source")" -le $((DISK_MIB * 1048576)) ] ||
            fail "$source is larger than the disk of $NAME, $((DISK_MIB / 1024)) GiB: raise its disk"
        folder "$home"
        cp --sparse=always "$source" "$disk.new"
        dd if=/dev/null of="$disk.new" bs=1048576 seek="$DISK_MIB" 2>/dev/null
        mv "$disk.new" "$disk"
    fi
    # From the registration on it is the Manager who writes it.
    if [ ! -e "$home/vm.cfg" ]; then
        printf '%s\n' "$CONFIG" >"$home/vm.cfg.new"
        mv "$home/vm.cfg.new" "$home/vm.cfg"
    fi
    say "$NAME: has a disk of $DISK_MIB MiB"
}

# The disk goes with the guest, or is kept by it.
remove() {
    if [ ! -e "$disk" ]; then
        rm -f "$home/vm.cfg" "$home/vm.cfg.new" "$disk.new"
        drop_folder "$home"
    fi
    removed "$NAME: nothing is left but what was to be kept"
}

probe() { stat -c 'disk %s' "$disk" 2>/dev/null || say 'disk none'; }
