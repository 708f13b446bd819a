# shellcheck shell=sh
# A node as its installation left it: Oracle VM Server 2.2 with an agent that is in order. Nothing is changed but for the
# start of an agent that is down, and never on a node of a running cluster: a start of the agent prepares the cluster anew.
#
# AGENT_FLOOR   release of the agent 2.3 below which it has known holes
# HOLES         their names
: "${AGENT_FLOOR:?}" "${HOLES:?}"

agent=/etc/init.d/ovs-agent

# Sound is exit status 0 and every line that is not empty beginning with "ok!".
is_sound() {
    agent_says=$("$agent" status 2>&1) && ! printf '%s\n' "$agent_says" | grep -v '^ok!' | grep -q .
}

in_cluster() { [ -n "$(ls /sys/kernel/config/cluster 2>/dev/null)" ]; }

apply() {
    grep -q 'Oracle VM server release 2\.2' /etc/ovs-release 2>/dev/null ||
        fail "$(uname -n) is no Oracle VM Server 2.2 ($(cat /etc/ovs-release 2>/dev/null || say 'no /etc/ovs-release'))"
    version=$(sed -n 's/^ *version=//p' "$agent" 2>/dev/null | head -n 1 | tr -d '"')
    [ "$version" = 2.3 ] || fail "$(uname -n) has Oracle VM Agent ${version:-none}: this platform knows 2.3 only"
    full=$(rpm -q --queryformat '%{VERSION}-%{RELEASE}' ovs-agent 2>/dev/null) || full=$version-unknown
    release=${full#*-}
    release=${release%%[!0-9]*}
    note=''
    if [ -z "$release" ] || [ "$release" -lt "$AGENT_FLOOR" ]; then
        note="; warning: below 2.3-$AGENT_FLOOR it has $HOLES: upgrade it"
        say "$(uname -n): agent $full$note" >&2
    fi
    if ! is_sound; then
        if in_cluster; then
            fail "$(uname -n): the agent is not in order and not restarted in a running cluster: $(printf '%s' "$agent_says" | tr '\n' ' ')"
        fi
        keep_service ovs-agent
        service ovs-agent start >&2 || fail "$(uname -n): the agent does not start: see above"
        is_sound || fail "$(uname -n): the agent is not in order: $(printf '%s' "$agent_says" | tr '\n' ' ')"
    fi
    [ -L /opt/ovs-agent-latest ] ||
        fail "$(uname -n) has no /opt/ovs-agent-latest although its agent runs: install the agent anew"
    say "$(uname -n): $(cat /etc/ovs-release), agent $full$note"
}

remove() {
    if in_cluster; then
        rm -f "$STATE/services/ovs-agent"
    fi
    return_service ovs-agent
    removed "$(uname -n): the agent is as it was"
}

probe() {
    if is_sound; then say 'agent ok'; else say 'agent not in order'; fi
}
