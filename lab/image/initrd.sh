#!/bin/sh
# Hook of mmdebstrap: makes /boot/initrd.lab, the small initrd described in `init`.
#
# $1               root of the new system
# INITRD_INIT      text of the initrd's /init
# INITRD_MODULES   names of the modules to load, in order
#
# It is not compressed: the machine's loader puts it into memory as it is, and unpacking costs time under emulation.
set -eu
root=$1
kernel=$(ls "$root/lib/modules")
tree=$root/tmp/initrd
mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/root" "$tree/modules"
cp "$root/bin/busybox" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
printf '%s\n' "$INITRD_INIT" >"$tree/init"
chmod 755 "$tree/init"

number=100
for module in $INITRD_MODULES; do
    chroot "$root" modprobe --show-depends -S "$kernel" "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$root/tmp/needed"
    while read -r file; do
        name=${file##*/}
        case $name in
        crc32c-intel.ko) continue ;; # for a processor the emulation does not offer; the generic one does
        esac
        # A module that another one needed already is not loaded twice.
        if [ -z "$(find "$tree/modules" -name "*-$name")" ]; then
            cp "$root$file" "$tree/modules/$number-$name"
            number=$((number + 1))
        fi
    done <"$root/tmp/needed"
done
chroot "$root" sh -c 'cd /tmp/initrd && find . | cpio --quiet -o -H newc' >"$root/boot/initrd.lab"
rm -rf "$tree" "$root/tmp/needed"
