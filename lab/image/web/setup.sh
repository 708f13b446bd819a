#!/bin/sh
# Hook of mmdebstrap, run before a medium's own: makes the installed packages a guest with a web server that answers soon
# after its kernel starts.
#
# The image is of nobody's in particular: name and address are taken from the kernel's command line
# (systemd.hostname=NAME ip=ADDRESS::GATEWAY:NETMASK::eth0:none); without them it is 192.168.1.110.
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

units mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer logrotate.timer man-db.timer phpsessionclean.timer systemd-pstore.service systemd-binfmt.service \
    systemd-timesyncd.service systemd-logind.service getty@tty1.service console-setup.service keyboard-setup.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
    modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@dm_mod.service \
    modprobe@loop.service modprobe@configfs.service systemd-vconsole-setup.service dev-hugepages.mount \
    dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    sys-kernel-config.mount systemd-networkd-wait-online.service systemd-udev-settle.service \
    systemd-random-seed.service getty-static.service kmod-static-nodes.service systemd-modules-load.service \
    systemd-sysctl.service systemd-user-sessions.service
units disable remote-fs.target e2scrub_reap.service systemd-resolved.service apache-htcacheclean.service
units enable systemd-networkd.service systemd-network-generator.service ssh.service apache2.service

mkdir -p "$root/etc/ssh/sshd_config.d" "$root/etc/systemd/network" "$root/etc/systemd/journald.conf.d" \
    "$root/etc/systemd/system/ssh.service.d" "$root/root/.ssh"
chmod 700 "$root/root/.ssh"
cat >"$root/etc/systemd/network/90-default.network" <<'EOF'
[Match]
Name=eth0

[Network]
Address=192.168.1.110/24
LinkLocalAddressing=no
IPv6AcceptRA=no
EOF
cat >"$root/etc/systemd/journald.conf.d/guest.conf" <<'EOF'
[Journal]
Storage=volatile
EOF
cat >"$root/etc/ssh/sshd_config.d/guest.conf" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
EOF
# Every process that starts costs a second and more where an emulated machine emulates another one. So there are no
# generators for what is not there, and only devices that something waits for are announced.
mkdir -p "$root/etc/systemd/system-generators" "$root/etc/systemd/system/systemd-network-generator.service.d" \
    "$root/etc/systemd/system/systemd-udev-trigger.service.d"
for generator in cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update sysv \
    veritysetup; do
    ln -s /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done
cat >"$root/etc/systemd/system/systemd-network-generator.service.d/guest.conf" <<'EOF'
[Unit]
ConditionKernelCommandLine=ip
EOF
cat >"$root/etc/systemd/system/systemd-udev-trigger.service.d/guest.conf" <<'EOF'
[Service]
ExecStart=
ExecStart=udevadm trigger --action=add --subsystem-match=net
EOF
# Each guest makes its own host key, when it runs for the first time, and one kind of it only. Whoever logs in can wait
# until the page is there.
rm -f "$root"/etc/ssh/ssh_host_*
cat >"$root/etc/systemd/system/ssh.service.d/guest.conf" <<'EOF'
[Unit]
After=apache2.service

[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'test -s /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key'
ExecStartPre=/usr/sbin/sshd -t
EOF

# Apache asks for its own name when it starts; there is nobody to answer, so nobody is asked.
printf 'ServerName localhost\n' >"$root/etc/apache2/conf-available/server-name.conf"
ln -sf ../conf-available/server-name.conf "$root/etc/apache2/conf-enabled/server-name.conf"
sed -i 's/^hosts:.*/hosts: files/' "$root/etc/nsswitch.conf"

# The program itself, where Debian's unit starts it by a script that starts ten others first.
mkdir -p "$root/etc/systemd/system/apache2.service.d"
cat >"$root/etc/systemd/system/apache2.service.d/guest.conf" <<'EOF'
[Service]
Environment=APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data APACHE_PID_FILE=/run/apache2/apache2.pid
Environment=APACHE_RUN_DIR=/run/apache2 APACHE_LOCK_DIR=/run/lock/apache2 APACHE_LOG_DIR=/var/log/apache2 LANG=C
RuntimeDirectory=apache2 lock/apache2
PIDFile=/run/apache2/apache2.pid
PrivateTmp=false
ExecStart=
ExecStart=/usr/sbin/apache2 -k start
ExecStop=
ExecStop=/usr/sbin/apache2 -k graceful-stop
ExecReload=
ExecReload=/usr/sbin/apache2 -k graceful
EOF
for module in autoindex deflate filter negotiation reqtimeout setenvif status; do
    rm -f "$root/etc/apache2/mods-enabled/$module.load" "$root/etc/apache2/mods-enabled/$module.conf"
done

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

printf '/dev/xvda / ext4 rw,noatime 0 0\n' >"$root/etc/fstab"
printf 'WebServerHA\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost WebServerHA\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
rm -f "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
: >"$root/etc/resolv.conf"
