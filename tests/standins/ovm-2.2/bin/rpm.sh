#!/bin/sh
# shellcheck disable=SC1091,SC2154
# rpm(8): a list of packages is a file; the agent's release is one of its own.
. /standin-bin/common.sh
note "rpm $*"
case $1 in
-qa) cat "$state/packages" ;;
-e)
    shift
    for name in "$@"; do
        grep -v -x "$name" "$state/packages" >"$state/packages.new"
        mv "$state/packages.new" "$state/packages"
    done
    ;;
-q)
    shift
    if [ "$1" = --queryformat ]; then
        cat "$state/agent-release"
        exit 0
    fi
    code=0
    for name in "$@"; do
        if ! grep -q "^$name-[0-9]" "$state/packages"; then
            echo "package $name is not installed"
            code=1
        fi
    done
    exit $code
    ;;
esac
