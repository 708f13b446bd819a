# shellcheck shell=sh
# What the manager's command line has to be told. This text is a secret as a whole: nothing of it is logged or shown.
#
# USER_NAME          login at Oracle VM Manager
# PASSWORD           of it
# AGENT_PASSWORD     of the nodes' agents
# CONSOLE_PASSWORD   of the guests' consoles
: "${USER_NAME:?}" "${PASSWORD:?}" "${AGENT_PASSWORD:?}" "${CONSOLE_PASSWORD:?}"

credentials=/etc/ovm-ha-cluster/manager-credentials

apply() {
    put "$credentials" 600 "$USER_NAME
$PASSWORD
$AGENT_PASSWORD
$CONSOLE_PASSWORD"
    say "$(uname -n): has the credentials of Oracle VM Manager"
}

remove() {
    take "$credentials"
    removed "$(uname -n): has no credentials of Oracle VM Manager"
}

probe() { say "credentials $(stat -c '%a %s' "$credentials" 2>/dev/null || true)"; }
