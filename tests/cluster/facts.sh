#!/bin/sh
# Prints what a host is like, in an order that does not change: files, users, packages, units, mounts, devices, network,
# firewall, processes. What a host changes by merely running is left out, each with its reason.
set -eu
export LC_ALL=C
# An emulated host that is busy lets systemctl wait longer than D-Bus does by itself, 25 s.
export SYSTEMD_BUS_TIMEOUT=120s

section() { printf '== %s\n' "$1"; }

# files FOLDER [FIND-ARGUMENT...]: kind, rights, owner and path; then what plain files and links hold
files() {
    [ -d "$1" ] || return 0
    find "$@" -printf '%y %m %u:%g %p %l\n' | sort -k 4
    find "$@" -type f -exec sha256sum {} + | sort -k 2
}

section files
files /etc
files /root ! -path '*/.bash_history'
files /usr/local
files /opt
files /lib/systemd/system -maxdepth 1
# Which files there are elsewhere, not what they hold: dpkg's and apt's own notes change with every query of theirs, and
# a timer leaves its stamp whenever it fires, and the kernel's NFS server its notes about clients.
find / -xdev -maxdepth 2 ! -path '/proc*' ! -path '/sys*' ! -path '/dev*' ! -path '/run*' ! -path '/tmp*' \
    -printf '%y %m %u:%g %p %l\n' | sort -k 4
find /var/lib /var/spool /srv /home -xdev ! -path '/var/lib/systemd/timers/*' ! -path '/var/lib/nfs/*' -printf '%y %m %u:%g %p %l\n' | sort -k 4

section users
getent passwd
getent group

section packages
# shellcheck disable=SC2016 # the fields are dpkg's
dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n'

section 'enabled units'
# A list that could not be had ends the script, as a pipe would not: without it all units seem to have come or gone.
units=$(systemctl list-unit-files --no-legend --no-pager --plain)
printf '%s\n' "$units" | sort

section 'active units'
# Devices come with their drivers, and a target that was reached stays so; the session that asks, and timers' one-shot
# jobs, come and go. Whoever looks into /proc/sys has binfmt_misc mounted.
units=$(systemctl list-units --state=active,failed --no-legend --no-pager --plain)
printf '%s\n' "$units" |
    awk '$1 !~ /\.(device|scope|slice|target)$/ && $1 !~ /^(user@|user-runtime|apt-|systemd-tmpfiles|run-credentials-|ssh@|.*binfmt)/ &&
        $1 != "systemd-networkd-wait-online.service" { print $1, $3, $4 }' | sort

section mounts
findmnt --noheadings --raw --output TARGET,SOURCE,FSTYPE | grep -v -e '^/run/user/' -e '^/run/credentials/' -e binfmt | sort

section 'loop devices'
losetup --list --noheadings --output NAME,BACK-FILE

section network
ip -brief link | awk '{ print $1, $2 }' | sort
ip -brief address | sort
ip route | sort
sysctl -a 2>/dev/null | grep -E '^net\.(ipv4\.(ip_forward|conf\.all)|bridge)' | sort || true

section firewall
# nft loads its modules when it is asked.
nft list ruleset

section guests
xl list 2>/dev/null | awk '{ print $1, $2, $3, $4 }' || true

section processes
# Kernel threads come and go with work; so does the shell that runs this.
ps -eo ppid=,user=,args= | awk '$1 != 2 && $3 != "[kthreadd]"' | sed 's/^ *[0-9]* //' |
    grep -v -e 'sshd: ' -e '(udev-worker)' -e 'sh -s' -e '^root *\(ps\|awk\|sed\|grep\|sort\|sh\|bash\|(sd-pam)\) ' | sort | uniq
