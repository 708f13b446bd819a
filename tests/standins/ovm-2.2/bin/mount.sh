#!/bin/sh
# shellcheck disable=SC1091,SC2154
# mount(8) without arguments, in the form the User's Guide 2.2 prints.
. /standin-bin/common.sh
while read -r spec where type; do
    echo "$spec on $where type $type (rw)"
done <"$state/mounts"
