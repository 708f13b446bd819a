# shellcheck shell=sh disable=SC2034,SC2154
# Oracle VM Manager's command line. A step that uses it gets
#
# COMMANDS   one line per command: name, `known` or `unverified`, what a success says (may be empty), and the words after
#            `ovm -u USER -p PASSWORD` as a shell reads them, parted by tabs
: "${COMMANDS:?}"

CREDENTIALS=/etc/ovm-ha-cluster/manager-credentials
# What the last command said, and the names of those that were used without being known.
CLI_OUT=''
CLI_NOTED=' '
TAB=$(printf '\t')

read_credentials() {
    {
        read -r CLI_USER && read -r CLI_PASSWORD && read -r AGENT_PASSWORD && read -r CONSOLE_PASSWORD
    } <"$CREDENTIALS" || fail "$(uname -n) has no credentials of Oracle VM Manager in $CREDENTIALS"
}

hide() { # hide TEXT: prints it without passwords
    hide_text=$1
    for hide_secret in "$CLI_PASSWORD" "$AGENT_PASSWORD" "$CONSOLE_PASSWORD"; do
        while [ -n "$hide_secret" ]; do
            case $hide_text in
            *"$hide_secret"*) hide_text="${hide_text%%"$hide_secret"*}XXXXXX${hide_text#*"$hide_secret"}" ;;
            *) break ;;
            esac
        done
    done
    printf '%s\n' "$hide_text"
}

cli_field() { # cli_field NAME NUMBER
    printf '%s\n' "$COMMANDS" | awk -F "$TAB" -v name="$1" -v number="$2" '$1 == name { print $number }'
}

# What is shown of a command has the names of the passwords' variables in their place.
cli_shown() { cli_field "$1" 4 | tr -d "'\""; }

# A success is exit status 0, no `Error:` in the output, and the expected sentence where there is one: several commands are
# known to be told apart by their text alone.
cli() { # cli NAME: runs the command and leaves what it says in CLI_OUT
    if [ -z "${CLI_USER-}" ]; then
        read_credentials
    fi
    cli_words=$(cli_field "$1" 4)
    if [ "$(cli_field "$1" 2)" = unverified ]; then
        case $CLI_NOTED in
        *" $1 "*) ;;
        *)
            CLI_NOTED="$CLI_NOTED$1 "
            say "note: \`ovm $(cli_shown "$1")\` is not verified against an Oracle VM Manager (oracleVm.commands: $1)" >&2
            ;;
        esac
    fi
    cli_status=0
    CLI_OUT=$(eval "ovm -u \"\$CLI_USER\" -p \"\$CLI_PASSWORD\" $cli_words" 2>&1) || cli_status=$?
    cli_answer=$(cli_field "$1" 3)
    case $CLI_OUT in
    *Error:*) return 1 ;;
    *"$cli_answer"*) return "$cli_status" ;;
    esac
    return 1
}

need_cli() { # need_cli NAME: as `cli`, and ends the step if it fails
    if ! cli "$1"; then
        fail "ovm $(cli_shown "$1") failed: $(hide "${CLI_OUT:-it said nothing (status $cli_status)}" | head -n 3 | tr '\n' ' ')"
    fi
}

table() { # table: prints CLI_OUT's rows, fields parted by tabs, without quotes
    printf '%s\n' "$CLI_OUT" | tr -d '"' | tr ';' '\t'
}

# These set a variable: an error in a subshell would end only that.
find_pool() { # find_pool SERVER: SERVER_POOL is the pool it is in, or empty
    need_cli serverList
    SERVER_POOL=$(table | awk -F "$TAB" -v name="$1" 'NF == 4 && tolower($2) == tolower(name) { print $4 }')
}

find_servers() { # find_servers POOL: SERVERS are its servers, one a line
    need_cli serverList
    SERVERS=$(table | awk -F "$TAB" -v pool="$1" 'NF == 4 && $4 == pool { print $2 }' | sort)
}

in_pool() { # in_pool SERVER POOL
    find_pool "$1"
    [ "$SERVER_POOL" = "$2" ]
}

not_in_pool() { ! in_pool "$@"; }
