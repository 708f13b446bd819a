# shellcheck shell=sh
# Every node knows every other by name, and itself by an address that others can reach: the pool refuses a node whose own
# name leads to 127.0.0.1.
#
# NAME      of this node
# ADDRESS   of this node
# HOSTS     lines of /etc/hosts
: "${NAME:?}" "${ADDRESS:?}" "${HOSTS:?}"

own_name_leads_home() { [ "$(getent hosts "$NAME" | awk '{ print $1; exit }')" = "$ADDRESS" ]; }

apply() {
    loopback=$(awk -v name="$NAME" '$1 ~ /^127\./ { for (i = 2; i <= NF; i++) if (tolower($i) == tolower(name)) { print; exit } }' /etc/hosts)
    if [ -n "$loopback" ]; then
        mkdir -p "$STATE"
        if [ ! -e "$STATE/loopback" ]; then
            printf '%s\n' "$loopback" >"$STATE/loopback.new"
            mv "$STATE/loopback.new" "$STATE/loopback"
        fi
        cp -a /etc/hosts /etc/hosts.new
        awk -v name="$NAME" '
            $1 ~ /^127\./ {
                line = $1
                for (i = 2; i <= NF; i++) if (tolower($i) != tolower(name)) line = line " " $i
                if (line == $1) line = line " localhost"
                print line
                next
            }
            { print }' /etc/hosts >/etc/hosts.new
        mv /etc/hosts.new /etc/hosts
    fi
    block /etc/hosts 644 "$HOSTS"
    own_name_leads_home ||
        fail "on $(uname -n) the name $NAME leads to $(getent hosts "$NAME" | awk '{ print $1; exit }'), not to $ADDRESS: correct /etc/hosts"
    say "$(uname -n): knows every member by name"
}

remove() {
    unblock /etc/hosts
    if [ -e "$STATE/loopback" ]; then
        cp -a /etc/hosts /etc/hosts.new
        awk -v name="$NAME" -v before="$(cat "$STATE/loopback")" '
            BEGIN { split(before, word); first = word[1] }
            $1 == first && !done { print before; done = 1; next }
            { print }' /etc/hosts >/etc/hosts.new
        mv /etc/hosts.new /etc/hosts
        rm -f "$STATE/loopback"
    fi
    removed "$(uname -n): /etc/hosts is as it was"
}

probe() {
    sed -n '/^# BEGIN ovm-ha-cluster$/,/^# END ovm-ha-cluster$/p' /etc/hosts
    say "$NAME is $(getent hosts "$NAME" | awk '{ print $1; exit }')"
}
