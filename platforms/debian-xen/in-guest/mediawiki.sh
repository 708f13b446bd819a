# shellcheck shell=sh
# Debian's MediaWiki with a database of its own.
#
# URL, TITLE                           of the site
# ADMIN_PASSWORD, DATABASE_PASSWORD    the first of the user Admin
# shellcheck source=/dev/null
. ./settings
: "${URL:?}" "${TITLE:?}" "${ADMIN_PASSWORD:?}" "${DATABASE_PASSWORD:?}"

maintenance=/usr/share/mediawiki/maintenance
[ -e "$maintenance/install.php" ] || fail "the guest's medium has no MediaWiki: its package mediawiki is missing"

make_tables() {
    rm -rf ./install
    mkdir ./install
    (umask 077 && printf '%s' "$ADMIN_PASSWORD" >./password)
    # The installer refuses to run where a wiki has its settings; those of a run that was cut off are written anew below.
    rm -f /etc/mediawiki/LocalSettings.php
    printf '%s\n' "$maintenance/install.php" --confpath "$PWD/install" --dbserver localhost --dbname wiki --dbuser root \
        --dbpass '' --scriptpath /mediawiki --server "$URL" --passfile "$PWD/password" "$TITLE" Admin | php_as root
}

set_password() {
    printf '%s\n' "$maintenance/createAndPromote.php" --force --bureaucrat --sysop --interface-admin Admin \
        "$ADMIN_PASSWORD" | php_as www-data
}

wait_for_database
if needs_tables wiki binary; then
    make_tables
    tables_complete wiki
fi
database_user wiki "$DATABASE_PASSWORD"
if [ ! -s "$STATE/wiki-key" ]; then
    (umask 077 && head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$STATE/wiki-key")
fi
put /etc/mediawiki/LocalSettings.php 640 root:www-data <<EOF
<?php
# Made by ovm-ha-cluster, again whenever the guest's configuration changes. What stands in local.php beside it stays.
\$wgSitename = '$TITLE';
\$wgServer = '$URL';
\$wgScriptPath = '/mediawiki';
\$wgDBtype = 'mysql';
\$wgDBserver = 'localhost';
\$wgDBname = 'wiki';
\$wgDBuser = 'wiki';
\$wgDBpassword = '$DATABASE_PASSWORD';
\$wgDBTableOptions = 'ENGINE=InnoDB, DEFAULT CHARSET=binary';
\$wgSecretKey = '$(cat "$STATE/wiki-key")';
\$wgAuthenticationTokenVersion = '1';
\$wgMainCacheType = CACHE_ACCEL;
\$wgCacheDirectory = '/var/cache/mediawiki';
\$wgEnableEmail = false;
wfLoadSkin( 'Vector' );
if ( is_file( '/etc/mediawiki/local.php' ) ) {
	require '/etc/mediawiki/local.php';
}
EOF
if_new_password "$ADMIN_PASSWORD" set_password
health <<'EOF'
$_GET = $_REQUEST = ['action' => 'query', 'meta' => 'siteinfo', 'siprop' => 'statistics', 'format' => 'json'];
require '/usr/share/mediawiki/api.php';
EOF
web_server <<'EOF'
RedirectMatch ^/$ /mediawiki/
EOF
say "MediaWiki is set up at $URL"
