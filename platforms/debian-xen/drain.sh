# shellcheck shell=sh
# Nodes that are in the pool but no longer in the configuration leave it in order, before anything on the other members
# shuts them out: their guests move away, and nobody takes them for lost. Runs on the manager, ahead of all other steps.
#
# MEMBERS   names of all members, separated by commas
: "${MEMBERS:?}"

is_member() { # is_member NAME
    case ",$MEMBERS," in
    *",$1,"*) return 0 ;;
    esac
    return 1
}

online() { # online NAME
    crm_mon -1 --output-as=xml 2>/dev/null | grep "<node name=\"$1\" " | grep -q 'online="true"'
}

leaving() { # prints the names of the nodes that have to leave
    crm_mon -1 --output-as=xml 2>/dev/null |
        sed -n 's/.*<node name="\([^"]*\)" .* online="true".*/\1/p' |
        while read -r name; do
            is_member "$name" || say "$name"
        done
}

apply() {
    left=''
    if is_active pacemaker.service; then
        for name in $(leaving); do
            # Pacemaker's own way out: its guests are migrated before it stops.
            if ! ssh -o BatchMode=yes -o ServerAliveInterval=15 "$name" leave >&2 || online "$name"; then
                fail "$name is in the pool and does not leave it: see above; if it is dead, power it off and try again"
            fi
            left="$left $name"
        done
    fi
    say "pool: ${left:+left by$left, }members $MEMBERS"
}

remove() { removed 'pool: nobody is asked to leave'; }

probe() {
    if is_active pacemaker.service; then
        leaving | sed 's/^/to leave /'
    fi
}
