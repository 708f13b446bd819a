#!/bin/sh
# Hook of mmdebstrap: turns the installed packages into what a technician hands over: a machine that boots, has a static
# address and answers SSH. Name, address and keys come later, from the identity of each machine. Nothing is set up for
# the repository, the pool or the guest, and no service of theirs is enabled.
#
# $1   root of the new system
set -eu
root=$1

units() { # units VERB NAME...: like systemctl VERB, for units that may not exist
    verb=$1
    shift
    for unit in "$@"; do
        chroot "$root" systemctl --quiet "$verb" "$unit" >/dev/null 2>&1 || true
    done
}

# Present, neither enabled nor running.
units disable corosync.service corosync-notifyd.service pacemaker.service sbd.service pcsd.service pcsd-ruby.service \
    nfs-server.service nfs-kernel-server.service nfs-client.target nfs-blkmap.service nfs-idmapd.service \
    rpcbind.service rpcbind.socket rpc-statd.service rpc-statd-notify.service nftables.service rsync.service \
    sbd_remote.service xendomains.service remote-fs.target logd.service cluster-glue.service pacemaker_remote.service \
    crm_mon.service
rm -f "$root"/etc/rc?.d/[SK]??xendomains

# Nobody waits for these under emulation.
units mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer logrotate.timer man-db.timer systemd-pstore.service systemd-binfmt.service systemd-timesyncd.service \
    systemd-logind.service getty@tty1.service console-setup.service keyboard-setup.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
    modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@dm_mod.service \
    modprobe@loop.service systemd-vconsole-setup.service dev-hugepages.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-fs-fuse-connections.mount systemd-udev-settle.service
units enable systemd-networkd.service ssh.service
units disable systemd-network-generator.service systemd-resolved.service

mkdir -p "$root/etc/ssh/sshd_config.d" "$root/etc/systemd/system.conf.d" "$root/etc/systemd/journald.conf.d" \
    "$root/etc/systemd/system/serial-getty@.service.d" "$root/root/.ssh" "$root/srv/media"
chmod 700 "$root/root/.ssh"

# Key exchange without the post-quantum one: an emulated processor spends seconds on it.
cat >"$root/etc/ssh/sshd_config.d/machine.conf" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256
PasswordAuthentication no
PermitRootLogin prohibit-password
PrintLastLog no
UseDNS no
MaxStartups 100
MaxSessions 100
EOF
rm -f "$root"/etc/ssh/ssh_host_*

# Starting a service may take long on an emulated processor that others share.
cat >"$root/etc/systemd/system.conf.d/machine.conf" <<'EOF'
[Manager]
DefaultTimeoutStartSec=300
DefaultTimeoutStopSec=180
DefaultDeviceTimeoutSec=300
EOF
cat >"$root/etc/systemd/journald.conf.d/machine.conf" <<'EOF'
[Journal]
Storage=persistent
SystemMaxUse=64M
EOF
# Whoever has the console of a lab machine may use it.
cat >"$root/etc/systemd/system/serial-getty@.service.d/machine.conf" <<'EOF'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200,57600,38400,9600 - linux
EOF

# Guests' interfaces belong to Xen, not to networkd.
mkdir -p "$root/etc/systemd/network"
cat >"$root/etc/systemd/network/05-guests.network" <<'EOF'
[Match]
Name=vif*

[Link]
Unmanaged=yes
EOF

# Drivers of devices that are not there, or not of use; finding that out costs seconds under emulation.
cat >"$root/etc/modprobe.d/machine.conf" <<'EOF'
blacklist ata_generic
blacklist ata_piix
blacklist cfg80211
blacklist floppy
blacklist i2c_piix4
blacklist pcspkr
blacklist psmouse
EOF

printf '/dev/vda / ext4 rw,noatime 0 0\n' >"$root/etc/fstab"
printf 'localhost\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
rm -f "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
: >"$root/etc/resolv.conf"

# A packed kernel costs an emulated machine five seconds of its processor at each start. Where the packed part lies is in
# the kernel's header (Linux, Documentation/arch/x86/boot.rst); its last four bytes are the size of what it holds.
number() { # number FILE OFFSET BYTES
    od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}
for kernel in "$root"/boot/vmlinuz-*; do
    start=$((($(number "$kernel" 497 1) + 1) * 512 + $(number "$kernel" 584 4)))
    tail -c "+$((start + 1))" "$kernel" | head -c "$(($(number "$kernel" 588 4) - 4))" | xz -dc >"$kernel.new"
    mv "$kernel.new" "$kernel"
done
