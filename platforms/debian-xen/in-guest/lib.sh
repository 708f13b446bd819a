# shellcheck shell=sh
# What the programs that set up a workload stand on. They run in a folder that only root can read, with `settings` in it.
#
# DISK    the guest's second disk, a tar
# STATE   folder for what is known of what was set up
: "${DISK:?}" "${STATE:?}"
set -eu
umask 022

say() { printf '%s\n' "$*"; }

fail() { # fail MESSAGE...
    printf 'error: %s\n' "$*" >&2
    exit 1
}

put() { # put PATH MODE OWNER: the file holds what comes by standard input; it never holds half of it
    mkdir -p "${1%/*}"
    (umask 077 && cat >"$1.new")
    chown "$3" "$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
}

sql() { # sql: runs what comes by standard input as the database's administrator, whom root is
    mariadb --batch --skip-column-names
}

wait_for_database() {
    wait_for_database_tries=0
    until echo 'SELECT 1' | sql >/dev/null 2>&1; do
        wait_for_database_tries=$((wait_for_database_tries + 1))
        [ "$wait_for_database_tries" -lt 120 ] || fail "the database does not answer"
        sleep 1
    done
}

needs_tables() { # needs_tables NAME CHARACTERS: makes an empty database, unless its tables were completed before
    case $(cat "$STATE/$1" 2>/dev/null || true) in
    complete) return 1 ;;
    # Somebody's half-made tables are ours to drop only when we began them.
    begun) echo "DROP DATABASE IF EXISTS $1" | sql ;;
    *)
        needs_tables_count=$(echo "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1'" | sql)
        [ "$needs_tables_count" = 0 ] || fail "there is a database $1 already that was not made here: rename it"
        ;;
    esac
    printf 'begun\n' >"$STATE/$1"
    echo "CREATE DATABASE IF NOT EXISTS $1 CHARACTER SET $2" | sql
}

tables_complete() { # tables_complete NAME
    printf 'complete\n' >"$STATE/$1.new"
    mv "$STATE/$1.new" "$STATE/$1"
}

database_user() { # database_user NAME PASSWORD: owns the database of the same name
    sql <<EOF
CREATE USER IF NOT EXISTS '$1'@'localhost';
ALTER USER '$1'@'localhost' IDENTIFIED BY '$2';
GRANT ALL PRIVILEGES ON $1.* TO '$1'@'localhost';
EOF
}

as_user() { # as_user USER COMMAND...: not in this folder, which the user cannot enter
    as_user_name=$1
    shift
    (cd / && exec setpriv --reuid="$as_user_name" --regid="$as_user_name" --init-groups "$@")
}

php_as() { # php_as USER: runs a PHP program; it and its arguments come by standard input, one a line, so that `ps` shows none
    # shellcheck disable=SC2016 # the dollars are PHP's
    as_user "$1" php -r '$argv = $_SERVER["argv"] = explode("\n", rtrim(stream_get_contents(STDIN), "\n"));
        $argc = $_SERVER["argc"] = count($argv);
        require $argv[0];'
}

if_new_password() { # if_new_password PASSWORD COMMAND...: runs the command unless this very password was set before
    if_new_password_sum=$(printf '%s' "$1" | sha256sum)
    shift
    if [ "$(cat "$STATE/password" 2>/dev/null)" != "$if_new_password_sum" ]; then
        "$@"
        (umask 077 && printf '%s\n' "$if_new_password_sum" >"$STATE/password")
    fi
}

health() { # health: what answers whether the site works, PHP from standard input
    {
        printf '<?php\n// Made by ovm-ha-cluster. Answers 200 only while the site does from its database.\n'
        cat
    } | put /var/www/ovm-ha-cluster/health.php 644 root:root
}

web_server() { # web_server: serves the site and its health; more of its configuration comes by standard input
    {
        cat <<'EOF'
# Made by ovm-ha-cluster.
Alias /ovm-ha-cluster/health /var/www/ovm-ha-cluster/health.php
<Directory /var/www/ovm-ha-cluster>
    Require all granted
</Directory>
EOF
        cat
    } | put /etc/apache2/conf-available/ovm-ha-cluster.conf 644 root:root
    ln -sfn ../conf-available/ovm-ha-cluster.conf /etc/apache2/conf-enabled/ovm-ha-cluster.conf
    # While the guest starts, the web server waits for this program, and reads the file when it starts itself.
    if [ -d /run/systemd/system ] && systemctl is-active --quiet apache2.service; then
        systemctl --no-block reload apache2.service
    fi
}
