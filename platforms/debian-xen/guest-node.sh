# shellcheck shell=sh
# What a node keeps of a guest itself, so that it can start, stop and examine it while the repository is away.
#
# NAME     of the guest
# FOLDER   of the node for this guest
# SOURCE   folder of the guest on the repository, as the node sees it
# CONFIG   text of vm.cfg
: "${NAME:?}" "${FOLDER:?}" "${SOURCE:?}" "${CONFIG:?}"

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
    say "$(uname -n): can run $NAME"
}

remove() {
    for file in vmlinuz initrd.img vm.cfg; do
        take "$FOLDER/$file"
    done
    removed "$(uname -n): cannot run $NAME"
}

probe() {
    for file in initrd.img vm.cfg vmlinuz; do
        printf '%s %s\n' "$file" "$(sha256sum <"$FOLDER/$file" | cut -c1-16)"
    done
}
