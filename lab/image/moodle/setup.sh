#!/bin/sh
# Hook of mmdebstrap: a database and PHP for Moodle. Tables, passwords and Moodle itself come when a guest first starts.
#
# $1   root of the new system
set -eu
root=$1

# The check of all tables at each start: the storage engine does that itself.
mkdir -p "$root/etc/systemd/system/mariadb.service.d"
printf '[Service]\nExecStartPost=\n' >"$root/etc/systemd/system/mariadb.service.d/guest.conf"
cat >"$root/etc/mysql/mariadb.conf.d/90-guest.cnf" <<'EOF'
[mariadbd]
skip-name-resolve
EOF
