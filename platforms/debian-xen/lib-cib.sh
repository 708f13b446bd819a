# shellcheck shell=sh
# Work on the cluster's configuration, object by object: what others put there is left alone.
#
# An object comes as SECTION ID XML; lines that begin with a blank go on with the object of the line before.

one_a_line() { # one_a_line OBJECTS
    printf '%s\n' "$1" | awk '{ if (!sub(/^ +/, "") && NR > 1) print ""; printf "%s", $0 } END { print "" }'
}

cib_object() { # cib_object SECTION ID: prints it; nothing if it is not there
    cibadmin --query --xpath "/cib/configuration/$1//*[@id='$2']" 2>/dev/null || true
}

cib_same() { # cib_same XML XML
    cib_same_folder=$(mktemp -d)
    printf '%s\n' "$1" >"$cib_same_folder/have"
    printf '%s\n' "$2" >"$cib_same_folder/want"
    cib_same_rc=0
    quietly crm_diff --no-version --original "$cib_same_folder/have" --new "$cib_same_folder/want" || cib_same_rc=$?
    rm -rf "$cib_same_folder"
    return "$cib_same_rc"
}

cib_put() { # cib_put OBJECTS: each of them is in the configuration, exactly like this
    cib_missing=''
    cib_different=''
    # Not in a pipe, so that what is found out stays known.
    while read -r cib_section cib_id cib_want; do
        cib_have=$(cib_object "$cib_section" "$cib_id")
        if [ -z "$cib_have" ]; then
            cib_missing="$cib_missing<$cib_section>$cib_want</$cib_section>"
        elif ! cib_same "$cib_have" "$cib_want"; then
            cib_different="$cib_different$cib_section $cib_want
"
        fi
    done <<END
$(one_a_line "$1")
END
    if [ -n "$cib_missing" ]; then
        # All at once: a constraint cannot come before its resource, nor a resource be without its constraints.
        printf '%s\n' "<configuration>$cib_missing</configuration>" |
            cibadmin --modify --allow-create --scope configuration --xml-pipe
    fi
    printf '%s' "$cib_different" | while read -r cib_section cib_want; do
        printf '%s\n' "$cib_want" | cibadmin --replace --scope "$cib_section" --xml-pipe
    done
}

cib_take() { # cib_take OBJECTS: none of them is in the configuration; what stands later in the list goes first
    one_a_line "$1" | sed '1!G;h;$!d' | while read -r cib_section cib_id cib_want; do
        if [ -n "$(cib_object "$cib_section" "$cib_id")" ]; then
            printf '%s\n' "$cib_want" | cibadmin --delete --scope "$cib_section" --xml-pipe
        fi
    done
}

resource_line() { # resource_line ID: prints what the cluster says of it
    crm_mon -1 --inactive --output-as=xml 2>/dev/null | grep "<resource id=\"$1\" "
}

resource_started() { resource_line "$1" | grep 'role="Started"' | grep 'active="true"' | grep -q 'failed="false"'; }

resource_stopped() {
    quietly crm_mon -1 --output-as=xml || return 1
    ! resource_line "$1" | grep -q 'active="true"'
}

resource_node() { # resource_node ID: prints where it runs
    crm_mon -1 --output-as=xml 2>/dev/null |
        sed -n "/<resource id=\"$1\" /,/<\/resource>/s/.*<node name=\"\([^\"]*\)\".*/\1/p" | head -n 1
}

resource_stop() { # resource_stop ID PATIENCE: stops it cleanly, and stays so until its object is put again
    if [ -n "$(cib_object resources "$1")" ]; then
        quietly crm_resource --resource "$1" --meta --set-parameter target-role --parameter-value Stopped
        wait_until "$2" "$1 has stopped" resource_stopped "$1"
    fi
}
