#!/bin/sh
# shellcheck disable=SC1091,SC2154
# chkconfig(8) of EL5: the form of --list is EL5's; levels are a file per service.
. /standin-bin/common.sh
note "chkconfig $*"
case $1 in
--list)
    if [ ! -e "$state/levels/$2" ]; then
        echo "error reading information on service $2: No such file or directory" >&2
        exit 1
    fi
    levels=$(cat "$state/levels/$2")
    printf '%-15s' "$2"
    for level in 0 1 2 3 4 5 6; do
        case $levels in
        *"$level"*) printf '\t%s:on' "$level" ;;
        *) printf '\t%s:off' "$level" ;;
        esac
    done
    echo
    ;;
--level)
    file=$state/levels/$3
    if [ ! -e "$file" ]; then
        echo "error reading information on service $3: No such file or directory" >&2
        exit 1
    fi
    rest=$(tr -d "$2" <"$file")
    if [ "$4" = on ]; then
        rest=$(printf '%s%s' "$rest" "$2" | fold -w1 | sort | tr -d '\n')
    fi
    printf '%s' "$rest" >"$file"
    ;;
esac
