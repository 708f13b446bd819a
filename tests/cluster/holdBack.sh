#!/bin/sh
# holdBack.sh PACKAGE: makes a package of what is installed, takes it away, and offers it to apt from a local folder, so
# that it can be installed again without any network.
set -eu
package=$1
folder=/srv/packages
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

chmod 755 "$tree"
mkdir -p "$tree/DEBIAN" "$folder"
dpkg -L "$package" | while read -r path; do
    if [ ! -d "$path" ]; then
        printf '%s\n' "${path#/}"
    fi
done | tar -C / -c --files-from - | tar -C "$tree" -x
for part in preinst postinst prerm postrm conffiles md5sums; do
    if [ -e "/var/lib/dpkg/info/$package.$part" ]; then
        cp -a "/var/lib/dpkg/info/$package.$part" "$tree/DEBIAN/$part"
    fi
done
dpkg-query --status "$package" |
    sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ \//d;}' >"$tree/DEBIAN/control"
dpkg-deb --build -Znone "$tree" "$folder/$package.deb" >/dev/null
dpkg --purge --force-depends "$package" >/dev/null 2>&1

cd "$folder"
{
    dpkg-deb --field "$package.deb"
    printf 'Filename: ./%s.deb\nSize: %s\nSHA256: %s\n' "$package" "$(stat -c %s "$package.deb")" \
        "$(sha256sum "$package.deb" | cut -d ' ' -f 1)"
} >Packages
# The only source: mirrors cannot be reached from here.
printf 'deb [trusted=yes] file:%s ./\n' "$folder" >/etc/apt/sources.list
apt-get -qq update
