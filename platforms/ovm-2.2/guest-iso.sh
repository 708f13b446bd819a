# shellcheck shell=sh
# The installation medium of a guest: in the repository's iso_pool, registered and approved. Guests may share one.
#
# NAME         of the guest
# MEDIUM       file on the manager
# REPOSITORY   folder of the repository
# POOL         name of the pool
: "${NAME:?}" "${MEDIUM:?}" "${REPOSITORY:?}" "${POOL:?}"

file=${MEDIUM##*/}
target=$REPOSITORY/iso_pool/ISO/$file
users=$STATE/media/$file

size() { stat -c %s "$1"; }

iso_waits() { cli isoState && [ "$(printf '%s\n' "$CLI_OUT" | head -n 1)" = Pending ]; }

iso_is_approved() { cli isoState && [ "$(printf '%s\n' "$CLI_OUT" | head -n 1)" = Active ]; }

apply() {
    [ -f "$MEDIUM" ] || fail "$(uname -n) has no $MEDIUM, from which $NAME is to be installed: copy it there"
    mkdir -p "$users"
    : >"$users/$NAME"
    folder "${target%/*}"
    if [ ! -f "$target" ] || [ "$(size "$target")" != "$(size "$MEDIUM")" ]; then
        keep_before "$target"
        cp "$MEDIUM" "$target.new"
        mv "$target.new" "$target"
    fi
    if ! iso_is_approved; then
        if ! iso_waits; then
            need_cli isoRegister
            wait_until 60 "the medium $file is registered" iso_waits
        fi
        need_cli isoApprove
        wait_until 60 "the medium $file is approved" iso_is_approved
    fi
    say "$NAME: the medium $file is registered in $POOL"
}

remove() {
    rm -f "$users/$NAME"
    if [ -e "$STATE/absent$target.mark" ] && [ -z "$(ls "$users" 2>/dev/null)" ]; then
        if cli isoState; then
            need_cli isoDelete
        fi
        take "$target"
    fi
    removed "$NAME: needs the medium $file no longer"
}

probe() { if iso_is_approved; then say 'approved yes'; else say 'approved no'; fi; }
