# shellcheck shell=sh
# What a node keeps of a guest itself, so that it can start, stop and examine it while the repository is away.
#
# NAME     of the guest
# FOLDER   of the node for this guest
# SOURCE   folder of the guest on the repository, as the node sees it
# CONFIG   text of vm.cfg
# HEALTH   text of the program that asks whether the guest serves; empty: it is not asked
: "${NAME:?}" "${FOLDER:?}" "${SOURCE:?}" "${CONFIG:?}" "${HEALTH?}"

apply() {
    folder "$FOLDER"
    for file in vmlinuz initrd.img; do
        if ! cmp -s "$SOURCE/$file" "$FOLDER/$file"; then
            keep_before "$FOLDER/$file"
            cp "$SOURCE/$file" "$FOLDER/$file.new"
            mv "$FOLDER/$file.new" "$FOLDER/$file"
        fi
    done
    put "$FOLDER/vm.cfg" 644 "$CONFIG"
    # Without a check its program stays, does no harm, and is not in the way of a monitor that still names it.
    if [ -n "$HEALTH" ]; then
        put "$FOLDER/health" 755 "$HEALTH"
    fi
    say "$(uname -n): can run $NAME"
}

remove() {
    for file in vmlinuz initrd.img health vm.cfg; do
        take "$FOLDER/$file"
    done
    removed "$(uname -n): cannot run $NAME"
}

probe() {
    for file in health initrd.img vm.cfg vmlinuz; do
        [ "$file" != health ] || [ -n "$HEALTH" ] || continue
        printf '%s %s\n' "$file" "$(sha256sum <"$FOLDER/$file" | cut -c1-16)"
    done
}
