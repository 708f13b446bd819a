#!/bin/sh
# shellcheck disable=SC1091,SC2154
# Oracle VM Manager's command line, with the Manager behind it; its SOAP services (services.py) are another front of the same.
# Found (nkjm/oracle-vm-demonstration, OpenSVC rcOvm.py): svr ls/info, img, vm ls/stat/info/conf/poweron/poweroff/del with their
# sentences, "Running" and "Powered Off"; that a guest is deleted when powered off only (API reference, VmStatus); that HA needs
# both pool and guest, and what becomes of a lost server's guests (User's Guide 2.2, chapter 7); that the pool's master is
# assigned by nobody but itself (O'Reilly, chapter 12; OVSRemasterServer.py); the checks of CPU and HA ability (API reference,
# ServerPoolService). Assumed: svrp, svr add|del, iso, vm new with their options; all sentences of errors but OVM-1011 (from
# memory); the words of states on the way and of a server's status; how long anything takes.
. /standin-bin/common.sh
via=${STANDIN_VIA-cli}
[ "$via" = soap ] || note "ovm $*"

refuse() {
    echo "Error: $*"
    exit 1
}

exec 9>"$manager/lock"
flock 9

separator=' '
while :; do
    case $1 in
    -u) user=$2 ;;
    -p) password=$2 ;;
    -S) separator=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ "$(cat "$state/services/oc4j")" = running ] || refuse 'Connection refused'
if [ "$user" != admin ] || [ "$password" != "$(cat "$manager/password")" ]; then
    refuse "Invalid user name or password ($user/$password)."
fi
command="$1 $2"
shift 2
name='' pool='' address='' virtual='' secret='' memory='' vcpus='' iso='' switch=''
while [ $# -gt 0 ]; do
    case $1 in
    -n) name=$2 ;;
    -s) pool=$2 ;;
    -a) address=$2 ;;
    -w) secret=$2 ;;
    -v) virtual=$2 ;;
    -i | -f) iso=$2 ;;
    -m)
        memory=$2
        address=$2
        ;;
    -c) vcpus=$2 ;;
    -e | -d)
        if [ "$command" != 'vm new' ]; then
            switch=$1
            shift
            continue
        fi
        ;;
    -l | -t)
        case ${2-} in
        -* | '')
            shift
            continue
            ;;
        esac
        ;;
    esac
    shift 2
done
share=/standin/hosts/OVMANAGER/root/sharedvol
guest=$manager/guests/$name

host_at() { # host_at ADDRESS: name of the host
    for one in /standin/hosts/*; do
        if [ "$(cat "$one/state/address")" = "$1" ]; then
            echo "${one##*/}"
        fi
    done
}

get() { cat "$guest/$1" 2>/dev/null; }

set_to() { printf '%s\n' "$2" >"$guest/$1"; } # set_to FIELD VALUE

later() { # later STATE NEXT: the guest is in STATE for a while, and in NEXT after that
    set_to state "$1"
    set_to next "$2"
    set_to until $(($(now) + $(cat "$manager/delay")))
}

known() { # the guest is there
    if [ ! -d "$guest" ] || faulty unknown-vm; then
        refuse "Virtual machine \"$name\" not found."
    fi
}

check_agent() { # check_agent HOST
    [ "$(cat "/standin/hosts/$1/state/services/ovs-agent")" = running ] || refuse "Agent of $1 does not answer."
    [ "$secret" = "$(cat "/standin/hosts/$1/state/agent-password")" ] || refuse "OVM-1003 Wrong agent password for $1 ($secret)."
    grep -q root "/standin/hosts/$1/state/repositories" || refuse "OVM-1011 $1: Cluster root not found"
}

in_any_pool() { grep -l -x "$1" "$manager"/pools/*/servers 2>/dev/null | head -n 1; }

# A lost server is silent since the time in its file `down`; that it is lost is known only after the delay.
alive() { [ ! -e "/standin/hosts/$1/down" ] || [ $(($(now) - $(cat "/standin/hosts/$1/down"))) -lt "$(cat "$manager/delay")" ]; }

first_alive() { # first_alive POOL: name of a server
    while read -r one; do
        if alive "$one"; then
            echo "$one"
            return 0
        fi
    done <"$manager/pools/$1/servers"
}

# What has happened meanwhile: states on the way arrive, servers that join have joined, a lost master's role goes to another
# server, and guests of a lost server start on another one if they have HA, and are powered off if they have not (User's Guide
# 2.2, chapter 7). The delay stands in the place of O2CB's 60 s.
for one in "$manager"/pools/*; do
    if [ -e "$one/joining" ] && [ "$(now)" -ge "$(cut -d ' ' -f 1 "$one/joining")" ]; then
        cut -d ' ' -f 2 "$one/joining" >>"$one/servers"
        rm -f "$one/joining"
    fi
    if [ -e "$one/master" ] && ! alive "$(cat "$one/master")"; then
        heir=$(first_alive "${one##*/}")
        [ -z "$heir" ] || echo "$heir" >"$one/master"
    fi
done
for guest in "$manager"/guests/*; do
    if [ -e "$guest/until" ] && [ "$(now)" -ge "$(get until)" ]; then
        set_to state "$(get next)"
        rm -f "$guest/until" "$guest/next"
    fi
    server=$(get server)
    if [ -n "$server" ] && ! alive "$server"; then
        set_to server ''
        set_to state 'Powered Off'
        rm -f "$guest/until" "$guest/next"
        : >"$guest/lost"
    fi
    # With no server left it waits for one.
    if [ -e "$guest/lost" ] && [ "$(get ha)" = Enabled ]; then
        other=$(first_alive "$(get pool)")
        if [ -n "$other" ]; then
            rm -f "$guest/lost"
            set_to server "$other"
            later Starting Running
        fi
    fi
done
guest=$manager/guests/$name

case $command in
'svr ls')
    echo "Id${separator}Name${separator}Status${separator}Server Pool"
    for one in "$manager"/pools/*; do
        if [ -e "$one/servers" ]; then
            while read -r server; do
                status=Active
                alive "$server" || status=Unreachable
                echo "\"1\"${separator}\"$server\"${separator}\"$status\"${separator}\"${one##*/}\""
            done <"$one/servers"
        fi
    done
    ;;
'svrp new')
    [ ! -d "$manager/pools/$name" ] || refuse "Server pool \"$name\" already exists."
    server=$(host_at "$address")
    [ -n "$server" ] || refuse "No server at $address."
    check_agent "$server"
    mkdir -p "$manager/pools/$name"
    echo 41 >"$manager/pools/$name/id"
    echo "$virtual" >"$manager/pools/$name/virtual"
    echo "$server" >"$manager/pools/$name/servers"
    echo "$server" >"$manager/pools/$name/master"
    ;;
'svrp ha')
    while read -r server; do
        where=/standin/hosts/$server
        if grep -q 'root /dev/' "$where/state/repositories"; then
            refuse "OVM-1011 OVM Manager communication with $(cat "$where/state/address") for operation HA Setup for Oracle VM Agent 2.2.0 failed: <Exception: SR '/dev/sda3' not supported: type 'ocfs2.local' in ['nfs','ocfs2.cluster']>"
        fi
        if faulty "$server.not-able"; then
            refuse "OVM-1011 $server: /OVS must be mounted"
        fi
    done <"$manager/pools/$name/servers"
    ;;
'svrp conf')
    echo Enabled >"$manager/pools/$name/ha"
    while read -r server; do
        while read -r member; do
            mkdir -p "/standin/hosts/$server/root/sys/kernel/config/cluster/ocfs2/node/$member"
        done <"$manager/pools/$name/servers"
    done <"$manager/pools/$name/servers"
    : >"$share/.server_pool_hb"
    ;;
'svrp del')
    while read -r server; do
        rm -rf "/standin/hosts/$server/root/sys/kernel/config/cluster/ocfs2"
    done <"$manager/pools/$name/servers"
    rm -rf "$manager/pools/$name"
    ;;
'svr add')
    server=$(host_at "$address")
    [ "$server" = "$name" ] || refuse "No server at $address."
    [ -z "$(in_any_pool "$server")" ] || refuse "Server \"$name\" already exists."
    check_agent "$server"
    first=$(head -n 1 "$manager/pools/$pool/servers")
    if [ "$(cat "/standin/hosts/$server/state/cpu")" != "$(cat "/standin/hosts/$first/state/cpu")" ]; then
        refuse "Server \"$name\" is not compatible with the server pool: CPU platform differs."
    fi
    echo "$(($(now) + $(cat "$manager/delay"))) $server" >"$manager/pools/$pool/joining"
    ;;
'svr info')
    grep -q -x "$name" "$manager/pools/$pool/servers" || refuse "Server \"$name\" not found."
    echo "Server Host/IP: $(cat "/standin/hosts/$name/state/address")"
    if alive "$name"; then echo 'Status: Active'; else echo 'Status: Unreachable'; fi
    ;;
'svrp master')
    # A role that is on its way is nobody's.
    alive "$(cat "$manager/pools/$name/master")" || refuse 'The server pool master is not available.'
    cat "$manager/pools/$name/master"
    ;;
'svr del')
    grep -v -x "$name" "$manager/pools/$pool/servers" >"$manager/pools/$pool/servers.new"
    mv "$manager/pools/$pool/servers.new" "$manager/pools/$pool/servers"
    if [ "$(cat "$manager/pools/$pool/master")" = "$name" ]; then
        head -n 1 "$manager/pools/$pool/servers" >"$manager/pools/$pool/master"
    fi
    rm -rf "/standin/hosts/$name/root/sys/kernel/config/cluster/ocfs2"
    ;;
'iso reg')
    [ -f "$share/iso_pool/ISO/$iso" ] || refuse "No ISO \"$iso\" in the group ISO."
    [ ! -e "$manager/isos/$iso" ] || refuse "ISO \"$iso\" already exists."
    now >"$manager/isos/$iso"
    ;;
'iso stat')
    registered=$(cat "$manager/isos/$name" 2>/dev/null) || refuse "ISO \"$name\" not found."
    if [ "$registered" = Active ]; then
        echo Active
    elif [ $(($(now) - registered)) -ge "$(cat "$manager/delay")" ]; then
        echo Pending
    else
        echo Importing
    fi
    ;;
'iso approve')
    registered=$(cat "$manager/isos/$name" 2>/dev/null) || refuse "ISO \"$name\" not found."
    [ "$registered" != Active ] || refuse "ISO \"$name\" is approved already."
    [ $(($(now) - registered)) -ge "$(cat "$manager/delay")" ] || refuse "ISO \"$name\" is being imported."
    echo Active >"$manager/isos/$name"
    ;;
'iso del') rm -f "$manager/isos/$name" ;;
'img reg')
    [ -f "$share/running_pool/$name/vm.cfg" ] || refuse "No image \"$name\" in running_pool."
    [ ! -d "$guest" ] || refuse "Virtual machine \"$name\" already exists."
    now >"$manager/images/$name"
    echo 'Registering virtual machine image. Please check the status.'
    ;;
'img stat')
    if [ ! -e "$manager/images/$name" ]; then
        refuse "Virtual machine image \"$name\" not found."
    elif [ $(($(now) - $(cat "$manager/images/$name"))) -ge "$(cat "$manager/delay")" ]; then
        echo Pending
    else
        echo Registering
    fi
    ;;
'img approve' | 'vm new')
    [ ! -d "$guest" ] || refuse "Virtual machine \"$name\" already exists."
    [ -d "$manager/pools/$pool" ] || refuse "Server pool \"$pool\" not found."
    home=$share/running_pool/$name
    if [ "$command" = 'vm new' ]; then
        [ "$(cat "$manager/isos/$iso" 2>/dev/null)" = Active ] || refuse "ISO \"$iso\" is not approved."
        home=$share/running_pool/7_$name
        mkdir -p "$home"
        printf "name = '%s'\nmemory = '%s'\nvcpus = %s\n" "$name" "$memory" "$vcpus" >"$home/vm.cfg"
        echo 'the disk' >"$home/System.img"
    fi
    rm -f "$manager/images/$name"
    mkdir -p "$guest"
    echo "$home" >"$guest/home"
    set_to pool "$pool"
    set_to memory "$(sed -n "s/^memory *= *'*\([0-9]*\)'*$/\1/p" "$home/vm.cfg")"
    set_to vcpus "$(sed -n 's/^vcpus *= *\([0-9]*\)$/\1/p' "$home/vm.cfg")"
    set_to ha Disabled
    later Creating 'Powered Off'
    [ "$command" = 'vm new' ] || echo "Virtual machine image \"$name\" approved."
    ;;
'vm ls')
    echo "Name${separator}Id${separator}Memory${separator}VCPUs${separator}Status${separator}Server"
    for guest in "$manager"/guests/*; do
        if [ -d "$guest" ]; then
            echo "\"${guest##*/}\"${separator}\"7\"${separator}\"$(get memory)\"${separator}\"$(get vcpus)\"${separator}\"$(get state)\"${separator}\"$(get server)\""
        fi
    done
    ;;
'vm stat')
    known
    get state
    ;;
'vm info')
    known
    echo "Virtual Machine Name: $name"
    # One build misspells it.
    echo "Hign Availability: $(get ha)"
    ;;
'vm conf')
    known
    if [ -n "$memory" ]; then
        set_to memory "$memory"
        echo "Memory size changed to \"$memory\"."
    elif [ -n "$vcpus" ]; then
        set_to vcpus "$vcpus"
        echo "Number of VCPUs changed to \"$vcpus\"."
    elif [ "$switch" = -e ]; then
        [ "$(cat "$manager/pools/$pool/ha" 2>/dev/null)" = Enabled ] || refuse 'High availability is not enabled for the server pool.'
        set_to ha Enabled
        echo 'High availability has been enabled.'
    else
        set_to ha Disabled
        echo 'High availability has been disabled.'
    fi
    ;;
'vm poweron')
    known
    [ "$(get state)" = 'Powered Off' ] || refuse "Operation is not allowed in state $(get state)."
    if faulty poweron; then
        set_to state Error
        exit 0
    fi
    rm -f "$guest/lost"
    set_to server "$(first_alive "$pool")"
    later Starting Running
    ;;
'vm poweroff')
    known
    [ "$(get state)" = Running ] || refuse "Operation is not allowed in state $(get state)."
    [ "$(get ha)" = Disabled ] || refuse 'It has HA and would be started again.'
    set_to server ''
    later 'Shutting Down' 'Powered Off'
    ;;
'vm del')
    known
    [ "$(get state)" = 'Powered Off' ] || refuse "Operation is not allowed in state $(get state)."
    rm -rf "$(get home)" "$guest"
    echo "Deleted virtual machine \"$name\" and its image files."
    ;;
*) refuse "unknown command $command" ;;
esac
exit 0
