#!/bin/sh
# Last hook of mmdebstrap: takes kernel, initrd (and Xen, where installed) out of the new root and makes the root a raw
# ext4 file. The file is written without mounting it, and is sparse.
#
# $1           root of the new system
# OUT          folder for the results: root.img, vmlinuz, initrd.img, xen, packages.txt
# FS_SIZE      size of the file system, as mke2fs takes it
# FS_LABEL     its label
set -eu
root=$1
# shellcheck disable=SC2016 # the fields are dpkg's, not the shell's
chroot "$root" dpkg-query -W -f '${Package} ${Version}\n' >"$OUT/packages.txt"
cp "$root"/boot/vmlinuz-* "$OUT/vmlinuz"
cp "$root/boot/initrd.lab" "$OUT/initrd.img"
for xen in "$root"/boot/xen-4.*.gz; do
    if [ -e "$xen" ]; then
        gunzip -c "$xen" >"$OUT/xen"
    fi
done

rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/apt/sources.list" "$root/etc/apt/apt.conf.d/99mmdebstrap"
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/tmp/*
find "$root/var/log" -type f -delete # the folders stay: services expect theirs
mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
rm -f "$root"/boot/initrd.img-* "$root/initrd.img" "$root/initrd.img.old" "$root/vmlinuz" "$root/vmlinuz.old"
mv "$root/boot/initrd.lab" "$root/boot/initrd.img"
cp "$OUT/vmlinuz" "$root/boot/vmlinuz.keep" && rm -f "$root"/boot/vmlinuz-* && mv "$root/boot/vmlinuz.keep" "$root/boot/vmlinuz"

# A bind mount shows the root without what is mounted below it (/proc, /sys, /dev).
plain=$(mktemp -d)
trap 'umount "$plain" 2>/dev/null; rmdir "$plain"' EXIT
mount --bind "$root" "$plain"
rm -f "$OUT/root.img"
truncate -s "$FS_SIZE" "$OUT/root.img"
mke2fs -q -F -t ext4 -L "$FS_LABEL" -m 0 -i 32768 -J size=32 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
    -d "$plain" "$OUT/root.img"
chmod 644 "$OUT"/*
