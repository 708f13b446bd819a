# shellcheck shell=sh disable=SC2034,SC2154
# Oracle VM Manager's command line and its SOAP services. A step that uses them gets
#
# COMMANDS   one line per command: name, `known` or `unverified`, what a success says (may be empty), and its words as a
#            shell reads them, parted by tabs: `soap SERVICE OPERATION ARGUMENT...`, or what follows
#            `ovm -u USER -p PASSWORD`
# SERVICES   `known` or `unverified`, and the address of the SOAP services, parted by a blank
: "${COMMANDS:?}" "${SERVICES:?}"

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
cli_shown() { # cli_shown NAME
    case $(cli_field "$1" 4) in
    'soap '*) ;;
    *) printf 'ovm ' ;;
    esac
    cli_field "$1" 4 | tr -d "'\""
}

cli_note() { # cli_note NAME TEXT...: says once what is not verified
    case $CLI_NOTED in
    *" $1 "*) ;;
    *)
        CLI_NOTED="$CLI_NOTED$1 "
        shift
        say "note: $* is not verified against an Oracle VM Manager" >&2
        ;;
    esac
}

soap() { # soap SERVICE OPERATION ARGUMENT...: passwords are in no command line
    soap_program | python - "${SERVICES#* }" "$CREDENTIALS" "$@"
}

# A success is exit status 0, no `Error:` in the output, and the expected sentence where there is one: several commands are
# known to be told apart by their text alone.
cli() { # cli NAME: runs the command and leaves what it says in CLI_OUT
    if [ -z "${CLI_USER-}" ]; then
        read_credentials
    fi
    cli_words=$(cli_field "$1" 4)
    if [ "$(cli_field "$1" 2)" = unverified ]; then
        cli_note "$1" "\`$(cli_shown "$1")\` (oracleVm.commands: $1)"
    fi
    cli_status=0
    case $cli_words in
    'soap '*)
        if [ "${SERVICES%% *}" = unverified ]; then
            cli_note services "that the SOAP services are at ${SERVICES#* } and take HTTP's basic login (oracleVm.services)"
        fi
        CLI_OUT=$(eval "$cli_words" 2>&1) || cli_status=$?
        ;;
    *) CLI_OUT=$(eval "ovm -u \"\$CLI_USER\" -p \"\$CLI_PASSWORD\" $cli_words" 2>&1) || cli_status=$? ;;
    esac
    cli_answer=$(cli_field "$1" 3)
    case $CLI_OUT in
    *Error:*) return 1 ;;
    *"$cli_answer"*) return "$cli_status" ;;
    esac
    return 1
}

cli_failed() { # cli_failed NAME: ends the step with what the command said, which ran last
    fail "$(cli_shown "$1") failed: $(hide "${CLI_OUT:-it said nothing (status $cli_status)}" | head -n 3 | tr '\n' ' ')"
}

need_cli() { # need_cli NAME: as `cli`, and ends the step if it fails
    cli "$1" || cli_failed "$1"
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

# The services name the master by its name or its address, in a field whose name was not found. A lost master's role takes a
# while to be given to another.
find_master() { # find_master MEMBERS: MASTER is the name of one of SERVERS, or `unknown`; lines of address and name
    MASTER=unknown
    if cli poolMaster; then
        for find_master_server in $SERVERS; do
            find_master_address=$(printf '%s\n' "$1" | awk -v name="$find_master_server" 'tolower($2) == tolower(name) { print $1 }')
            if printf '%s\n' "$CLI_OUT" | cut -f 2 |
                grep -qxiF -e "$find_master_server" -e "${find_master_address:-$find_master_server}"; then
                MASTER=$find_master_server
            fi
        done
    fi
}
