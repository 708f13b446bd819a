#!/bin/sh
# Hook of mmdebstrap: a page for the web server.
#
# $1   root of the new system
set -eu
root=$1

cat >"$root/var/www/html/index.html" <<'EOF'
<!doctype html>
<title>WebServerHA</title>
<h1>It works</h1>
<p>The guest of the cluster serves this page.</p>
EOF
