# shellcheck shell=sh
# A guest of the pool: made, sized, with HA, running. States are taken by their exact words; any other is one on the way.
#
# NAME         of the guest
# POOL         name of the pool
# REPOSITORY   folder of the repository
# FROM         iso: installed from a medium; image: its folder is registered
# MEMORY       MiB
# VCPUS        virtual processors
# HA           yes or no
# URL          to ask whether the guest serves; empty: not asked
# STATUS       that it must answer with
# PATIENCE     how long a change of state may take
# KEEP_DISK    yes: its disk stays in running_pool
: "${NAME:?}" "${POOL:?}" "${REPOSITORY:?}" "${FROM:?}" "${MEMORY:?}" "${VCPUS:?}" "${HA:?}" "${URL?}" "${STATUS?}"
: "${PATIENCE:?}" "${KEEP_DISK:?}"

mine=$STATE/guests/$NAME
kept=$REPOSITORY/.ovm-ha-cluster/$NAME

# ROW is the guest's line in the Manager's list, or empty. Fields: name, ?, memory, processors, state, server.
exists() {
    need_cli guestList
    ROW=$(table | awk -F "$TAB" -v name="$NAME" 'NF >= 6 && $1 == name')
    [ -n "$ROW" ]
}

is_gone() { ! exists; }

field() { printf '%s\n' "$ROW" | cut -f "$1"; }

find_state() {
    need_cli guestState
    GUEST_STATE=$(printf '%s\n' "$CLI_OUT" | head -n 1)
}

is_at_rest() {
    find_state
    case $GUEST_STATE in
    Running | 'Powered Off' | Error) ;;
    *) return 1 ;;
    esac
}

is_in_state() {
    find_state
    [ "$GUEST_STATE" = "$1" ]
}

# Who waits for a guest to run waits in vain once it is in error.
runs() {
    if is_in_state Running; then
        return 0
    fi
    if [ "$GUEST_STATE" = Error ]; then
        fail "$NAME is in the state Error: see Oracle VM Manager, reset its state there and run up again"
    fi
    return 1
}

# One build of the command line misspells it.
has_ha() {
    need_cli guestInfo
    printf '%s\n' "$CLI_OUT" | grep -q '^ *Hi\(gh\|gn\) Availability *: *Enabled'
}

lacks_ha() { ! has_ha; }

image_waits() { cli imageState && [ "$(printf '%s\n' "$CLI_OUT" | head -n 1)" = Pending ]; }

# With HA on, the pool may start a guest at the same time: then it cannot be told to any more, and need not.
power_on() {
    if ! cli guestPowerOn; then
        power_on_said=$CLI_OUT
        find_state
        case $GUEST_STATE in
        'Powered Off' | Error)
            CLI_OUT=$power_on_said
            cli_failed guestPowerOn
            ;;
        esac
    fi
}

serves() {
    [ "$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' "$URL" || true)" = "$STATUS" ]
}

make() {
    if [ "$FROM" = image ] || [ -e "$REPOSITORY/running_pool/$NAME/vm.cfg" ]; then
        if ! image_waits; then
            need_cli imageRegister
            wait_until 60 "the image $NAME is registered" image_waits
        fi
        need_cli imageApprove
    else
        need_cli guestCreate
    fi
    wait_until "$PATIENCE" "Oracle VM Manager shows the guest $NAME" exists
}

apply() {
    if ! exists; then
        mkdir -p "${mine%/*}"
        : >"$mine"
        make
    elif [ ! -e "$mine" ]; then
        fail "there is a guest $NAME in the pool $POOL already, and it was not made by this program: choose another name"
    fi
    wait_until "$PATIENCE" "$NAME is Running or Powered Off" is_at_rest
    if ! runs; then
        say "$NAME is $GUEST_STATE" >&2
    fi
    if [ "$(field 3)" != "$MEMORY" ]; then
        need_cli guestMemory
    fi
    if [ "$(field 4)" != "$VCPUS" ]; then
        need_cli guestProcessors
    fi
    if [ "$HA" = yes ] && lacks_ha; then
        need_cli guestEnableHa
        wait_until "$PATIENCE" "$NAME has HA" has_ha
    elif [ "$HA" = no ] && has_ha; then
        need_cli guestDisableHa
        wait_until "$PATIENCE" "$NAME has no HA" lacks_ha
    fi
    if ! runs; then
        power_on
        wait_until "$PATIENCE" "$NAME is Running" runs
    fi
    if [ -n "$URL" ]; then
        wait_until "$PATIENCE" "$NAME answers $STATUS at $URL" serves
    fi
    say "$NAME: $GUEST_STATE in $POOL, $MEMORY MiB, $VCPUS processors, HA $HA${URL:+, answers $STATUS at $URL}"
}

# A guest's folder may have any name: it is known by the name within its vm.cfg.
folder_of_guest() {
    grep -l "^name *= *['\"]${NAME}['\"]" "$REPOSITORY"/running_pool/*/vm.cfg 2>/dev/null | sed 's|/vm.cfg$||' | head -n 1
}

# Deleting a guest deletes its files: a disk to be kept gets a second name before that.
save_disk() {
    home=$(folder_of_guest)
    if [ -n "$home" ] && [ -e "$home/System.img" ]; then
        mkdir -p "$kept"
        ln -f "$home/System.img" "$kept/System.img"
    fi
}

return_disk() {
    if [ -e "$kept/System.img" ]; then
        mkdir -p "$REPOSITORY/running_pool/$NAME"
        mv "$kept/System.img" "$REPOSITORY/running_pool/$NAME/System.img"
        rmdir "$kept"
        rmdir "${kept%/*}" 2>/dev/null || true
    fi
}

remove() {
    if [ -e "$mine" ]; then
        if exists; then
            wait_until "$PATIENCE" "$NAME is Running or Powered Off" is_at_rest
            # With HA on, the pool would start it again.
            if has_ha; then
                need_cli guestDisableHa
                wait_until "$PATIENCE" "$NAME has no HA" lacks_ha
            fi
            if ! is_in_state 'Powered Off'; then
                need_cli guestPowerOff
                wait_until "$PATIENCE" "$NAME is Powered Off" is_in_state 'Powered Off'
            fi
            if [ "$KEEP_DISK" = yes ]; then
                save_disk
            fi
            need_cli guestDelete
            wait_until "$PATIENCE" "Oracle VM Manager has no guest $NAME any more" is_gone
        fi
        return_disk
        rm -f "$mine"
    fi
    removed "$NAME: gone"
}

probe() {
    find_state
    say "state $GUEST_STATE"
    if has_ha; then say 'ha yes'; else say 'ha no'; fi
}
