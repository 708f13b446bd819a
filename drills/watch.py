#!/usr/bin/python3
"""Watcher of a drill on one host.

Writes to the serial console what the drill has to know, because that way is open also when the network is cut. A look
asks the hypervisor itself, by the library that comes with its tools: a look by `xl list` is a second's work for an
emulated processor, and looking would be most of what it does.

Arguments: the name of the guest, nothing on a host without a hypervisor; and "connection" to write to whoever started
it instead, and to end when nobody reads.
"""
import functools
import os
import signal
import subprocess
import sys
import time

GUEST = sys.argv[1] if len(sys.argv) > 1 else ""
CONNECTION = sys.argv[2:] == ["connection"]
BACKENDS = "/sys/bus/xen-backend/devices"
TOOLS = "/usr/lib"
EVERY = 0.5

JOURNAL = r"""
journalctl --follow --lines=0 --output=short-monotonic --identifier=corosync --identifier=pacemakerd \
    --identifier=pacemaker-controld --identifier=pacemaker-fenced --identifier=pacemaker-schedulerd \
    --identifier=sbd 2>/dev/null </dev/null |
    grep --line-buffered -E 'TOTEM|QUORUM|lost|fence|terminated|State transition|DC |operation|unhealthy|watchdog|outdated' |
    sed -u 's/^/@drill log /'
"""


# Debian's tools of one version of Xen lie in a folder of that version's name.
sys.path.extend(os.path.join(TOOLS, folder, "lib", "python") for folder in sorted(os.listdir(TOOLS)) if folder.startswith("xen-"))


# Both are opened once; where that failed it is tried again at the next look.
@functools.lru_cache(maxsize=None)
def hypervisor():
    """Has the domains."""
    from xen.lowlevel import xc

    return xc.xc()


@functools.lru_cache(maxsize=None)
def store():
    """Has their names; it is one of Xen's services."""
    from xen.lowlevel import xs

    return xs.xs()


def name_of(number):
    name = store().read("", "/local/domain/%d/name" % number)
    if name is None:
        raise LookupError("a domain without a name is just being made, or taken away")
    return name.decode()


def guests():
    """The guest's domains as words, each with the six letters of `xl list`."""
    words = []
    for domain in hypervisor().domain_getinfo():
        if domain["domid"] == 0:
            continue
        name = name_of(domain["domid"])
        if name == GUEST or name.startswith(GUEST + "--"):
            crashed = domain["shutdown"] and domain["shutdown_reason"] == 3
            flags = [domain[key] for key in ("running", "blocked", "paused", "shutdown")] + [crashed, domain["dying"]]
            state = "".join(letter if flag else "-" for letter, flag in zip("rbpscd", flags))
            words.append(" %s:%d:%s" % (name, domain["domid"], state))
    return "".join(words)


def look():
    """What runs here; None when that is not known: "nothing" would be a claim."""
    try:
        return guests()
    except Exception:  # whatever keeps Xen's tools from answering
        # A host on which Xen does not run, because it is not in the pool, is known to have no guest when its kernel has
        # nothing to offer to one.
        return "" if os.path.isdir(BACKENDS) and not os.listdir(BACKENDS) else None


def main():
    out = sys.stdout if CONNECTION else open("/dev/console", "w")
    subprocess.Popen(["sh", "-c", JOURNAL], stdout=out)
    while True:
        with open("/proc/uptime") as file:
            up = file.read().split()[0]
        lines = []
        if GUEST:
            seen = look()
            if seen is not None:
                lines.append("@drill see %s%s .\n" % (up, seen))
        if CONNECTION:
            # Who has nothing to say would never learn that nobody reads.
            lines.append("@drill here\n")
        if lines:
            out.write("".join(lines))
            out.flush()
        time.sleep(EVERY)


try:
    main()
except BrokenPipeError:
    os.killpg(0, signal.SIGTERM)
