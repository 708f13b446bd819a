#!/bin/sh
# Hook of mmdebstrap: a page for the web server, and what takes the rows of drills.
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

# What drills write to. It is Apache's own Lua, not a program to start: that is a second's work in an emulated guest of an
# emulated node, so that a row a second was all the guest did. The file's attribute S makes the kernel end a write only when
# the disk has it; it is set in the guest, because the tools that make an image from an archive do not keep it.
ln -sf ../mods-available/lua.load "$root/etc/apache2/mods-enabled/lua.load"
mkdir -p "$root/usr/local/lib/rows" "$root/var/lib/rows"
cat >"$root/usr/local/lib/rows/rows.lua" <<'EOF'
-- Rows that drills write, so that they can tell whether one that was acknowledged is lost: POST /rows?NUMBER answers 200
-- when the row is on the disk, GET /rows lists them all.
local FILE = "/var/lib/rows/rows"

function handle(r)
    r.content_type = "text/plain"
    if r.method ~= "POST" then
        r:sendfile(FILE)
        return apache2.OK
    end
    if not (r.args and r.args:match("^%d+$")) then
        return 400
    end
    local file = io.open(FILE, "a")
    local kept = file and file:write(r.args, "\n")
    if file and file:close() and kept then
        return apache2.OK
    end
    return 500
end
EOF
printf 'LuaMapHandler ^/rows$ /usr/local/lib/rows/rows.lua\n' >"$root/etc/apache2/conf-available/rows.conf"
ln -sf ../conf-available/rows.conf "$root/etc/apache2/conf-enabled/rows.conf"
cat >"$root/etc/systemd/system/apache2.service.d/rows.conf" <<'EOF'
[Service]
ExecStartPre=+/usr/bin/chattr +S /var/lib/rows/rows
EOF
: >"$root/var/lib/rows/rows"
chroot "$root" chown -R www-data: /var/lib/rows
