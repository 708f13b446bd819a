#!/bin/sh
# Hook of mmdebstrap: MediaWiki, up to what makes a wiki somebody's: its tables are made here, because that takes a second on
# the computer that builds and minutes in an emulated guest. Passwords, address and title come when a guest first starts.
#
# $1   root of the new system
set -eu
root=$1

# These two take their time at each start, for what a small wiki does without: jobs run after requests, and tables are
# checked by the storage engine itself.
chroot "$root" systemctl --quiet disable mediawiki-jobrunner.service
mkdir -p "$root/etc/systemd/system/mariadb.service.d"
printf '[Service]\nExecStartPost=\n' >"$root/etc/systemd/system/mariadb.service.d/guest.conf"
cat >"$root/etc/mysql/mariadb.conf.d/90-guest.cnf" <<'EOF'
[mariadbd]
innodb_buffer_pool_size = 64M
skip-name-resolve
EOF

database() { chroot "$root" mariadb "$@"; }

run=$root/run/mysqld
chroot "$root" install -d -o mysql -g mysql /run/mysqld
chroot "$root" mariadbd --user=mysql --skip-networking &
server=$!
tries=0
until database -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        echo "the database does not start" >&2
        exit 1
    fi
    sleep 1
done
# Nobody ever knows this password: whoever sets the wiki up gives the administrator another one first.
chroot "$root" sh -c 'umask 077 && head -c 32 /dev/urandom | base64 >/tmp/password'
mkdir "$root/tmp/settings"
chroot "$root" php /usr/share/mediawiki/maintenance/install.php --confpath /tmp/settings --dbserver localhost --dbname wiki \
    --dbuser root --dbpass '' --scriptpath /mediawiki --server http://localhost --passfile /tmp/password Wiki Admin
rm -r "$root/tmp/settings" "$root/tmp/password"
database -e SHUTDOWN
wait "$server"
rm -rf "$run"

# Drills write a row a second without logging in; eight edits a minute are allowed otherwise.
cat >"$root/etc/mediawiki/local.php" <<'EOF'
<?php
$wgRateLimits = [];
EOF

# What a guest's set-up looks for before it makes the tables itself.
mkdir -p "$root/var/lib/ovm-ha-cluster"
chmod 700 "$root/var/lib/ovm-ha-cluster"
printf 'complete\n' >"$root/var/lib/ovm-ha-cluster/wiki"
