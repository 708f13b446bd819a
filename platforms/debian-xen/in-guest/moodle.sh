# shellcheck shell=sh
# A release of Moodle with a database of its own, installed or upgraded.
#
# URL, TITLE                           of the site
# SHA256                               of the release, which is `archive` on the disk
# ADMIN_PASSWORD, DATABASE_PASSWORD    the first of the user admin
# shellcheck source=/dev/null
. ./settings
: "${URL:?}" "${TITLE:?}" "${SHA256:?}" "${ADMIN_PASSWORD:?}" "${DATABASE_PASSWORD:?}"

code=/var/www/moodle-$(printf '%.12s' "$SHA256")
current=/var/www/moodle
data=/var/moodledata
dump=$STATE/moodle-before-$(printf '%.12s' "$SHA256").sql.gz

for program in mariadb php cron; do
    command -v "$program" >/dev/null || fail "the guest's medium has no $program, which Moodle needs"
done

public() { # public FOLDER: where the pages of the release in that folder are: since 5.1 not beside all the rest
    if [ -e "$1/public/version.php" ]; then
        printf '%s/public\n' "$1"
    else
        printf '%s\n' "$1"
    fi
}

tool() { # tool FOLDER NAME ARGUMENT...: one of Moodle's own programs
    tool_program=$(public "$1")/admin/cli/$2
    shift 2
    printf '%s\n' "$tool_program" "$@" | php_as www-data
}

unpack() {
    rm -rf "$code.new"
    mkdir "$code.new"
    tar --occurrence=1 -xOf "$DISK" archive | tar -xz --no-same-owner --no-same-permissions --strip-components=1 -C "$code.new"
    [ -e "$(public "$code.new")/admin/cli/install_database.php" ] || fail "the archive is no release of Moodle"
    # So that a power cut does not leave a folder of that name with half of the files in it.
    sync
    mv "$code.new" "$code"
}

settings_for() { # settings_for FOLDER
    case $URL in
    https://*) proxy='true' ;;
    *) proxy='false' ;;
    esac
    put "$1/config.php" 640 root:www-data <<EOF
<?php
// Made by ovm-ha-cluster, again whenever the guest's configuration changes. What stands in /etc/moodle/local.php stays.
unset(\$CFG);
global \$CFG;
\$CFG = new stdClass();
\$CFG->dbtype = 'mariadb';
\$CFG->dblibrary = 'native';
\$CFG->dbhost = 'localhost';
\$CFG->dbname = 'moodle';
\$CFG->dbuser = 'moodle';
\$CFG->dbpass = '$DATABASE_PASSWORD';
\$CFG->prefix = 'mdl_';
\$CFG->dboptions = ['dbcollation' => 'utf8mb4_unicode_ci'];
\$CFG->wwwroot = '$URL';
\$CFG->sslproxy = $proxy;
\$CFG->dataroot = '$data';
\$CFG->admin = 'admin';
\$CFG->directorypermissions = 02770;
if (is_file('/etc/moodle/local.php')) {
    require '/etc/moodle/local.php';
}
require_once('$(public "$1")/lib/setup.php');
EOF
}

install_site() {
    tool "$code" install_database.php --agree-license --lang=en --adminuser=admin "--adminpass=$ADMIN_PASSWORD" \
        "--fullname=$TITLE" "--shortname=$TITLE" || fail "Moodle cannot be installed, see above"
}

unlock_upgrade() { # an upgrade that was cut off holds its lock for minutes; nobody else upgrades, so it is of nobody alive
    # shellcheck disable=SC2016 # the dollar is PHP's
    as_user www-data php -r 'define("CLI_SCRIPT", true);
        define("NO_UPGRADE_CHECK", true);
        require $argv[1];
        unset_config("upgraderunning");' "$code/config.php"
}

upgrade_site() { # upgrade_site FOLDER: from the release there
    # Whoever asks in the meantime is told so, and Moodle's own jobs rest.
    [ -e "$data/climaintenance.html" ] || tool "$1" maintenance.php --enable
    if [ ! -e "$dump" ]; then
        rm -f "$STATE"/moodle-before-*
        (umask 077 && mariadb-dump --single-transaction --default-character-set=utf8mb4 moodle >"$dump.new.sql" &&
            gzip -n -1 <"$dump.new.sql" >"$dump.new")
        rm "$dump.new.sql"
        sync
        mv "$dump.new" "$dump"
    fi
    ln -sfn "$code" "$current"
    unlock_upgrade
    tool "$code" upgrade.php --non-interactive ||
        fail "Moodle cannot be upgraded, see above; the database as it was before is in $dump"
    tool "$code" maintenance.php --disable
}

set_password() {
    tool "$code" reset_password.php --username=admin "--password=$ADMIN_PASSWORD" --ignore-password-policy
}

php_settings=$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
for folder in apache2 cli; do
    put "/etc/php/$php_settings/$folder/conf.d/90-moodle.ini" 644 root:root <<'EOF'
max_input_vars = 5000
memory_limit = 256M
EOF
done
[ -d "$code" ] || unpack
install -d -m 2770 -o www-data -g www-data "$data"
wait_for_database
new=no
if needs_tables moodle 'utf8mb4 COLLATE utf8mb4_unicode_ci'; then
    new=yes
fi
database_user moodle "$DATABASE_PASSWORD"
settings_for "$code"
if [ "$new" = yes ]; then
    # What a run that was cut off put there belongs to tables that are gone.
    find "$data" -mindepth 1 -delete
    install_site
    ln -sfn "$code" "$current"
    printf '%s\n' "$SHA256" >"$STATE/moodle-release"
    tables_complete moodle
elif [ "$(cat "$STATE/moodle-release")" != "$SHA256" ]; then
    before=$(readlink -f "$current")
    settings_for "$before"
    upgrade_site "$before"
    printf '%s\n' "$SHA256" >"$STATE/moodle-release"
fi
if_new_password "$ADMIN_PASSWORD" set_password
find /var/www -maxdepth 1 -name 'moodle-*' ! -path "$code" -exec rm -rf {} +

pages=$(public "$current")
host=${URL#*://}
case $URL in
*:*:*) port=${host#*:} ;;
https:*) port=443 ;;
*) port=80 ;;
esac
health <<EOF
define('NO_MOODLE_COOKIES', true);
define('NO_DEBUG_DISPLAY', true);
// Whoever asks by address is not sent on to the site's name.
\$_SERVER['HTTP_HOST'] = '$host';
\$_SERVER['SERVER_PORT'] = '$port';
require('$current/config.php');
\$version = \$DB->get_field('config', 'value', ['name' => 'version'], MUST_EXIST);
header('Content-Type: text/plain');
header('Cache-Control: no-store');
echo "Moodle \$version\n";
EOF
web_server <<EOF
DocumentRoot $pages
<Directory $pages>
    AllowOverride None
    AcceptPathInfo On
    Require all granted
</Directory>
EOF
# Debian's own site would be asked first.
rm -f /etc/apache2/sites-enabled/000-default.conf
put /etc/cron.d/ovm-ha-moodle 644 root:root <<EOF
# Made by ovm-ha-cluster.
* * * * * www-data php $pages/admin/cli/cron.php >/dev/null
EOF
say "Moodle is set up at $URL"
