# shellcheck shell=sh
# Whether a guest does what it is there for. Pacemaker's agent for Xen guests runs this at each of its monitors
# (monitor_scripts) and starts the guest anew when it fails; the agent itself is content as long as a domain exists.
#
# NAME       of the guest
# URL        to ask
# STATUS     that it must answer with
# WAIT       seconds that one answer may take
# BOOT       seconds a domain gets to its first answer
# PATIENCE   seconds without an answer after that, until the guest counts as dead
# MOUNT      of the repository: while that does not answer, the guest is not to blame
: "${NAME:?}" "${URL:?}" "${STATUS:?}" "${WAIT:?}" "${BOOT:?}" "${PATIENCE:?}" "${MOUNT:?}"

# Seconds since the host started: nobody sets that clock.
now=$(cut -d . -f 1 /proc/uptime)

# Whether there is a domain at all is the agent's business.
domain=$(xl domid "$NAME" 2>/dev/null) || exit 0

# Since when nothing can be held against this domain, and whether it has ever answered. A guest that has moved or
# restarted is another domain.
note=/run/ovm-ha-cluster/$NAME.$domain
if [ ! -s "$note" ]; then
    mkdir -p "${note%/*}"
    rm -f "${note%.*}".[0-9]*
    echo "new $now" >"$note"
fi
read -r state since <"$note"

if [ "$(curl --silent --output /dev/null --max-time "$WAIT" --write-out '%{http_code}' "$URL")" = "$STATUS" ]; then
    echo "answered $now" >"$note"
    exit 0
fi
if ! timeout -s KILL 5 stat --file-system "$MOUNT" >/dev/null 2>&1; then
    echo "$state $now" >"$note"
    exit 0
fi
if [ "$state" = new ]; then
    limit=$BOOT
else
    limit=$PATIENCE
fi
if [ $((now - since)) -ge "$limit" ]; then
    echo "$NAME has not answered $STATUS at $URL for $((now - since)) s" >&2
    exit 1
fi
