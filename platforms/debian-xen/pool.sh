# shellcheck shell=sh
# What the pool has in common: its rules, its fencing, its virtual address.
#
# OBJECTS      of the cluster's configuration: SECTION ID XML, as lib-cib.sh reads them
# PROPERTIES   the set of rules that takes their place while the pool is taken down
# RESOURCE     of the virtual address; empty: none
# MEMBERS      names of all members, separated by commas; others that Pacemaker remembers are forgotten
# MAINTENANCE  names of the nodes that are on standby, separated by commas; empty: none
# PATIENCE     how long it may take to start, and to leave a node that goes to standby
: "${OBJECTS:?}" "${PROPERTIES:?}" "${RESOURCE?}" "${MEMBERS:?}" "${MAINTENANCE?}" "${PATIENCE:?}"

# Standby is told in a set of attributes of our own, so that a node that somebody else has put on standby stays so.
standby=ovm-ha-cluster-standby

has_quorum() { crm_mon -1 --output-as=xml 2>/dev/null | grep '<current_dc ' | grep -q 'with_quorum="true"'; }

coordinator() { crm_mon -1 --output-as=xml | sed -n 's/.*<current_dc .* name="\([^"]*\)".*/\1/p'; }

online_members() {
    crm_mon -1 --output-as=xml | sed -n 's/.*<node name="\([^"]*\)" .* online="true".*/\1/p' | paste -s -d ' ' -
}

forget_others() {
    crm_node --list | while read -r _ name state; do
        case ",$MEMBERS," in
        *",$name,"*) ;;
        *)
            if [ "$state" = lost ]; then
                crm_node --force --remove "$name" </dev/null >&2
            fi
            ;;
        esac
    done
}

node_id() { # node_id NAME: prints its number in the cluster
    cibadmin --query --xpath "/cib/configuration/nodes/node[@uname='$1']" 2>/dev/null |
        sed -n 's/^ *<node .*\<id="\([^"]*\)".*/\1/p'
}

empty_node() { crm_mon -1 --output-as=xml | grep "<node name=\"$1\" " | grep -q 'resources_running="0"'; }

on_standby() { # prints the names of the nodes that we have put on standby
    cibadmin --query --xpath "/cib/configuration/nodes/node/instance_attributes" 2>/dev/null |
        sed -n "s/.*<instance_attributes id=\"$standby-\([^\"]*\)\".*/\1/p"
}

end_standby() { # end_standby NAME
    quietly cibadmin --delete --force --xpath "/cib/configuration/nodes/node/instance_attributes[@id='$standby-$1']"
}

begin_standby() { # begin_standby NAME
    set="$standby-$1"
    printf '%s\n' "<node id=\"$(node_id "$1")\" uname=\"$1\"><instance_attributes id=\"$set\"><nvpair id=\"$set-on\" \
name=\"standby\" value=\"on\"/></instance_attributes></node>" |
        cibadmin --modify --allow-create --scope nodes --xml-pipe
}

set_standby() {
    for name in $(on_standby); do
        case ",$MAINTENANCE," in
        *",$name,"*) ;;
        *) end_standby "$name" ;;
        esac
    done
    for name in $(printf '%s\n' "$MAINTENANCE" | tr ',' ' '); do
        on_standby | grep -qx "$name" || begin_standby "$name"
    done
}

apply() {
    wait_until "$PATIENCE" 'the pool has a quorum and a coordinator' has_quorum
    forget_others
    cib_put "$OBJECTS"
    if [ -n "$RESOURCE" ]; then
        wait_until "$PATIENCE" "$RESOURCE is up" resource_started "$RESOURCE"
    fi
    set_standby
    for name in $(printf '%s\n' "$MAINTENANCE" | tr ',' ' '); do
        wait_until "$PATIENCE" "everything has left $name" empty_node "$name"
    done
    say "pool: quorate, online $(online_members), coordinator $(coordinator)${RESOURCE:+, virtual address on $(resource_node "$RESOURCE")}${MAINTENANCE:+, in maintenance: $MAINTENANCE}"
}

remove() {
    if is_active pacemaker.service && has_quorum; then
        if [ -n "$RESOURCE" ]; then
            resource_stop "$RESOURCE" 120
        fi
        for name in $(on_standby); do
            end_standby "$name"
        done
        # From here on nobody is fenced: members are about to leave, one by one.
        cib_put "$PROPERTIES"
        cib_take "$(one_a_line "$OBJECTS" | grep -v "^crm_config ")"
    fi
    removed 'pool: taken down'
}

probe() {
    {
        one_a_line "$OBJECTS" | while read -r section id want; do
            if cib_same "$(cib_object "$section" "$id")" "$want"; then
                say "object $id"
            fi
        done
        on_standby | sed 's/^/maintenance /'
        if has_quorum; then
            say 'quorum yes'
        else
            say 'quorum no'
        fi
    } | sort
}
