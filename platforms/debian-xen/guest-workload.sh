# shellcheck shell=sh
# What is set up in a guest, on a disk of its own beside the guest's: a tar with settings, passwords, the program that the
# guest runs when it starts, and the release that it installs, if there is one. The guest reads it and never writes it.
#
# NAME         of the guest
# REPOSITORY   folder of the repository
# KIND         of workload
# SETTINGS     NAME='VALUE' lines for the program
# PASSWORDS    more of them, which nobody may see
# SETUP        text of the program
# ARCHIVE      release: path on this host, or URL; empty: none is needed
# SHA256       of the archive
# KEEP_DISK    yes: the guest's disk stays on remove, and with it what is known of the release on it
: "${NAME:?}" "${REPOSITORY:?}" "${KIND:?}" "${SETTINGS:?}" "${PASSWORDS:?}" "${SETUP:?}" "${ARCHIVE?}" "${SHA256?}" \
    "${KEEP_DISK:?}"

guest=$REPOSITORY/running_pool/$NAME
disk=$guest/workload.tar
# The release on the guest's disk, as far as it was ever given to the guest: SHA256 VERSION.
note=$guest/release
work=$guest/workload-work

sum() { sha256sum <"$1" | cut -d ' ' -f 1; }

get_archive() { # the release is in $work/archive, or the step ends
    if [ -e "$disk" ] && [ "$(cut -d ' ' -f 1 "$note" 2>/dev/null)" = "$SHA256" ]; then
        tar -xf "$disk" -C "$work" archive 2>/dev/null || rm -f "$work/archive"
    fi
    if [ ! -e "$work/archive" ]; then
        case $ARCHIVE in
        /*)
            [ -f "$ARCHIVE" ] || fail "$(uname -n) has no file $ARCHIVE: put the release there, or set workload.archive"
            cp "$ARCHIVE" "$work/archive"
            ;;
        *)
            curl --fail --silent --show-error --location --retry 3 --max-time 1200 --output "$work/archive" "$ARCHIVE" ||
                fail "$(uname -n) cannot get $ARCHIVE: see above; a file on it will do as well (workload.archive)"
            ;;
        esac
    fi
    have=$(sum "$work/archive")
    if [ "$have" != "$SHA256" ]; then
        fail "$ARCHIVE has the SHA-256 $have, but workload.sha256 is $SHA256: get it again, or correct the one that is wrong"
    fi
}

release() { # prints the version of the release in $work/archive
    release_file=$(tar -tzf "$work/archive" 2>/dev/null | grep -E '^[^/]+/(public/)?version\.php$' | tail -n 1)
    # shellcheck disable=SC2016 # the dollar is PHP's
    release_version=$(tar -xzOf "$work/archive" "${release_file:-/}" 2>/dev/null |
        sed -n 's/^ *\$version *= *\([0-9]\{10\}\(\.[0-9]*\)\{0,1\}\) *;.*/\1/p')
    [ -n "$release_version" ] || fail "$ARCHIVE is no release of $KIND: there is no version.php with a version in it"
    printf '%s\n' "$release_version"
}

is_older() { # is_older VERSION OTHER
    # Equal numbers count as one, the first.
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -n -u | head -n 1)" != "$2" ]
}

apply() {
    folder "$REPOSITORY/running_pool"
    folder "$guest"
    rm -rf "$work"
    (umask 077 && mkdir "$work")
    version=''
    members='version settings setup'
    if [ -n "$ARCHIVE" ]; then
        get_archive
        version=$(release)
        had=$(cut -s -d ' ' -f 2 "$note" 2>/dev/null || true)
        if [ -n "$had" ] && is_older "$version" "$had"; then
            rm -rf "$work"
            fail "$NAME has $KIND $had, and $ARCHIVE is the older $version: it cannot go back. Give the newer one" \
                "again, or put the guest's disk aside to begin anew ($guest/System.img and $note)"
        fi
        members="$members archive"
    fi
    umask 077
    printf '%s\n%s\n' "$SETTINGS" "$PASSWORDS" >"$work/settings"
    printf '%s\n' "$SETUP" >"$work/setup"
    # What the guest compares with: it sets up anew when anything is another.
    printf '%s %s\n' "$(sha256sum <"$work/settings")" "$(sha256sum <"$work/setup")$SHA256" | sha256sum |
        cut -d ' ' -f 1 >"$work/version"
    # shellcheck disable=SC2086 # one word per member
    tar --format=gnu --numeric-owner --owner=0 --group=0 --mode=600 --mtime=@0 -C "$work" -cf "$work/disk" $members
    umask 022
    if [ -n "$ARCHIVE" ]; then
        printf '%s %s\n' "$SHA256" "$version" >"$work/release"
        # Before the disk: a guest that starts in between must not have what nothing is known of.
        mv "$work/release" "$note"
    fi
    if ! cmp -s "$work/disk" "$disk"; then
        # Another file, so that a guest that reads the old one reads it to its end.
        mv "$work/disk" "$disk"
    fi
    rm -rf "$work"
    say "$NAME: sets up $KIND${version:+ $version} when it starts"
}

remove() {
    rm -rf "$work"
    rm -f "$disk"
    if [ "$KEEP_DISK" != yes ]; then
        rm -f "$note"
    fi
    drop_folder "$guest"
    removed "$NAME: sets up nothing"
}

probe() {
    {
        printf 'release %s\n' "$(cat "$note" 2>/dev/null)"
        printf 'workload.tar %s\n' "$(sha256sum <"$disk" 2>/dev/null | cut -c1-16)"
    } | sort
}
