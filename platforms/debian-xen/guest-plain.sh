# shellcheck shell=sh
# A guest that one node starts with itself, and that stays down when that node is down.
#
# NAME      of the guest
# FOLDER    of the node for this guest
# AFTER     units that must run before it does
# URL       to ask whether the guest serves; empty: not asked
# STATUS    that it must answer with
# PATIENCE  how long that may take
: "${NAME:?}" "${FOLDER:?}" "${AFTER:?}" "${URL?}" "${STATUS?}" "${PATIENCE:?}"

unit=ovm-ha-guest-$NAME.service

runs() { quietly xl domid "$NAME"; }

serves() {
    [ "$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' "$URL" || true)" = "$STATUS" ]
}

apply() {
    CHANGED=no
    put "$UNITS/$unit" 644 "# Made by ovm-ha-cluster; the guest's settings are $(sha256sum <"$FOLDER/vm.cfg" | cut -c1-16).
[Unit]
Description=Guest $NAME
Requires=$AFTER
After=$AFTER

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'xl domid $NAME >/dev/null 2>&1 || exec xl create $FOLDER/vm.cfg'
ExecStop=/bin/sh -c 'timeout 120 xl shutdown -w $NAME || xl destroy $NAME'
TimeoutStopSec=180

[Install]
WantedBy=multi-user.target"
    changed=$CHANGED
    enable_unit "$unit"
    if [ "$CHANGED" = yes ]; then
        systemctl daemon-reload
    fi
    if [ "$changed" = yes ] || ! runs; then
        systemctl restart "$unit"
    fi
    if [ -n "$URL" ]; then
        wait_until "$PATIENCE" "$NAME answers $STATUS at $URL" serves
    fi
    say "$NAME: runs on $(uname -n)${URL:+ and answers $STATUS at $URL}"
}

remove() {
    if is_active "$unit"; then
        systemctl stop "$unit"
    fi
    disable_unit "$unit"
    take "$UNITS/$unit"
    systemctl daemon-reload
    removed "$NAME: stopped"
}

probe() {
    if runs; then
        say 'running yes'
    else
        say 'running no'
    fi
}
