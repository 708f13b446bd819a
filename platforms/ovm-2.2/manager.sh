# shellcheck shell=sh
# The manager as its installation left it: an EL5 with Oracle VM Manager 2.2 that runs and has a command line.
#
# UPGRADE   yes: its packages are upgraded, once
: "${UPGRADE:?}"

listens() { netstat -ltn | grep -q ':8888 '; }

apply() {
    grep -q 'release 5' /etc/redhat-release 2>/dev/null ||
        fail "$(uname -n) is no CentOS 5 ($(cat /etc/redhat-release 2>/dev/null)): Oracle VM Manager 2.2 needs one"
    [ -x /etc/init.d/oc4j ] ||
        fail "$(uname -n) has no Oracle VM Manager (no service oc4j): run its runInstaller.sh, choice 1, with a new database"
    command -v ovm >/dev/null ||
        fail "$(uname -n) has no command ovm: install ovmcli and run 'ovm config' once"
    if [ ! -e "$STATE/services/oc4j" ]; then
        keep_service oc4j
    fi
    if ! /sbin/service oc4j status >&2; then
        /sbin/service oc4j start >&2 || fail "$(uname -n): Oracle VM Manager (oc4j) does not start: see above"
    fi
    wait_until 300 "Oracle VM Manager listens at port 8888 of $(uname -n)" listens
    if [ "$UPGRADE" = yes ] && [ ! -e "$STATE/upgraded" ]; then
        yum -y upgrade >&2 || fail "$(uname -n): yum -y upgrade failed: see above"
        : >"$STATE/upgraded"
    fi
    say "$(uname -n): Oracle VM Manager runs"
}

remove() {
    rm -f "$STATE/upgraded"
    return_service oc4j
    removed "$(uname -n): Oracle VM Manager is as it was"
}

probe() {
    if quietly /sbin/service oc4j status; then say 'oc4j running'; else say 'oc4j stopped'; fi
}
