#!/bin/sh
# Hook of mmdebstrap, run before the packages of a list are installed: what keeps images small and their making short.
#
# $1               root of the new system
# INITRD_MODULES   names of the modules the initrd needs
set -eu
root=$1
mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/usr/share/initramfs-tools/modules.d"
# Debian's own initrd is made as well (a kernel package wants one), but only with what is asked for.
cat >"$root/etc/initramfs-tools/conf.d/lab" <<'EOF'
MODULES=list
COMPRESS=lz4
RESUME=none
EOF
for module in $INITRD_MODULES; do
    echo "$module"
done >"$root/usr/share/initramfs-tools/modules.d/lab"
# No service starts while packages are installed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
