# shellcheck shell=sh
# What the pool has in common: its rules, its fencing, its virtual address.
#
# OBJECTS      of the cluster's configuration: SECTION ID XML, as lib-cib.sh reads them
# PROPERTIES   the set of rules that takes their place while the pool is taken down
# RESOURCE     of the virtual address; empty: none
# MEMBERS      names of all members, separated by commas; others that Pacemaker remembers are forgotten
# PATIENCE     how long it may take to start
: "${OBJECTS:?}" "${PROPERTIES:?}" "${RESOURCE?}" "${MEMBERS:?}" "${PATIENCE:?}"

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

apply() {
    wait_until "$PATIENCE" 'the pool has a quorum and a coordinator' has_quorum
    forget_others
    cib_put "$OBJECTS"
    if [ -n "$RESOURCE" ]; then
        wait_until "$PATIENCE" "$RESOURCE is up" resource_started "$RESOURCE"
    fi
    say "pool: quorate, online $(online_members), coordinator $(coordinator)${RESOURCE:+, virtual address on $(resource_node "$RESOURCE")}"
}

remove() {
    if is_active pacemaker.service && has_quorum; then
        if [ -n "$RESOURCE" ]; then
            resource_stop "$RESOURCE" 120
        fi
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
        if has_quorum; then
            say 'quorum yes'
        else
            say 'quorum no'
        fi
    } | sort
}
