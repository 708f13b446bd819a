#!/bin/sh
# Makes a guest's disk from a medium, with the guest's name and network in it, without mounting it.
#
# make-disk.sh MEDIUM FOLDER MIB NAME
set -eu
medium=$1
folder=$2
mib=$3
name=$4
image=$folder/System.img.new

inside() { # inside PATH MODE FILE
    printf 'rm %s\nwrite %s %s\nsif %s mode 0100%s\nsif %s uid 0\nsif %s gid 0\n' "$1" "$3" "$1" "$1" "$2" "$1" "$1" |
        debugfs -w -f - "$image" >/dev/null 2>&1
}

cp "$medium/vmlinuz" "$medium/initrd.img" "$folder/"
cp --sparse=always "$medium/System.img" "$image"
truncate -s "${mib}M" "$image"
e2fsck -f -p "$image" || [ $? -eq 1 ]
resize2fs "$image"
printf '%s\n' "$name" >"$folder/guest-name"
inside /etc/hostname 644 "$folder/guest-name"
inside /etc/hosts 644 "$folder/guest-hosts"
debugfs -w -R 'mkdir /etc/systemd/network' "$image" >/dev/null 2>&1
inside /etc/systemd/network/10-ovm-ha-cluster.network 644 "$folder/guest-network"
rm -f "$folder/host-key" "$folder/host-key.pub"
ssh-keygen -q -t ed25519 -N '' -C "root@$name" -f "$folder/host-key"
inside /etc/ssh/ssh_host_ed25519_key 600 "$folder/host-key"
inside /etc/ssh/ssh_host_ed25519_key.pub 644 "$folder/host-key.pub"
rm -f "$folder/host-key"
sync "$image"
mv "$image" "$folder/System.img"
