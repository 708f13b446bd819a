"""Resets this node when the pool's ring does not carry its messages any more.

Corosync tells of a lost quorum when a new membership is complete. A node that hears some members and not others may never
complete one: what comes from the others' ring ends each attempt at a ring of its own. Its Pacemaker goes on as if nothing
had happened and sbd feeds the watchdog, while the others have long declared the node lost and start its guests. Seen with
Corosync 3.1.7, where two nodes saw the manager but not each other: it lasted 84 s. Its issues 182 and 750 are about it.

So a node has to prove that it is in the ring: it sends itself a message, and what comes back was ordered by the token and
delivered after the services' synchronization, of which the news of the quorum is a part. Nothing is asked for until the
first one has come back: a node that has just started runs no guests yet.

Arguments: the seconds without a message after which the node is reset.
"""
import ctypes
import os
import select
import sys
import threading
import time

PATIENCE = float(sys.argv[1])
EVERY = PATIENCE / 10
# There from the first message on. Its time is that of the last one, by the clock that nobody sets. systemd keeps it when it
# starts a guard anew that has died.
LAST = os.path.join(os.environ["RUNTIME_DIRECTORY"], "last")

# corosync/corotypes.h and corosync/cpg.h
CS_OK = 1
CS_ERR_TRY_AGAIN = 6
CS_DISPATCH_ALL = 2
CPG_TYPE_AGREED = 2
MCL_CURRENT, MCL_FUTURE = 1, 2


class Name(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint32), ("value", ctypes.c_char * 128)]


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


Deliver = ctypes.CFUNCTYPE(
    None, ctypes.c_uint64, ctypes.POINTER(Name), ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t
)


class Callbacks(ctypes.Structure):
    _fields_ = [("deliver", Deliver), ("change", ctypes.c_void_p)]


class Guard:
    """Remembers when a message of its own came back last."""

    def __init__(self):
        self.node = None
        self.came_back = os.stat(LAST).st_mtime if os.path.exists(LAST) else None

    def heard(self, _handle, _group, node, process, _message, _length):
        # Other nodes' guards speak in the same group.
        if (node, process) == (self.node, os.getpid()):
            now = time.monotonic()
            if self.came_back is None:
                open(LAST, "w").close()
            os.utime(LAST, (now, now))
            self.came_back = now

    def watch(self):
        """Runs beside the rest: a Corosync that hangs may hold a call for ever."""
        while True:
            time.sleep(EVERY)
            if self.came_back is not None and time.monotonic() - self.came_back > PATIENCE:
                reset()


def say(text):
    try:
        with open("/dev/console", "w") as console:
            console.write("ovm-ha-cluster: %s\n" % text)
    except OSError:
        pass


def reset():
    """As sbd does it: at once, and nothing is written to a repository that may be another node's by now."""
    # A console may keep whoever writes to it waiting.
    text = "the pool's ring has carried no message of this node for %g s: reset" % PATIENCE
    threading.Thread(target=say, args=(text,), daemon=True).start()
    time.sleep(0.1)
    with open("/proc/sysrq-trigger", "w") as trigger:
        trigger.write("b")


def must(result, what):
    if result != CS_OK:
        raise SystemExit("%s: Corosync's error %d" % (what, result))


def unless_busy(result, what):
    """Whether it was done: Corosync takes nothing while a membership forms."""
    if result == CS_ERR_TRY_AGAIN:
        return False
    must(result, what)
    return True


def retry(what, call):
    while not unless_busy(call(), what):
        time.sleep(EVERY)


def main():
    # Nothing of this may have to be fetched from a disk that does not answer.
    threading.stack_size(256 * 1024)
    ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE)
    guard = Guard()
    threading.Thread(target=guard.watch, daemon=True).start()
    cpg = ctypes.CDLL("libcpg.so.4")
    handle = ctypes.c_uint64()
    callbacks = Callbacks(Deliver(guard.heard), None)
    group = Name(len(b"ovm-ha-cluster"), b"ovm-ha-cluster")
    retry("cpg_initialize", lambda: cpg.cpg_initialize(ctypes.byref(handle), ctypes.byref(callbacks)))
    retry("cpg_join", lambda: cpg.cpg_join(handle, ctypes.byref(group)))
    ready = ctypes.c_int()
    must(cpg.cpg_fd_get(handle, ctypes.byref(ready)), "cpg_fd_get")
    node = ctypes.c_uint32()
    must(cpg.cpg_local_get(handle, ctypes.byref(node)), "cpg_local_get")
    guard.node = node.value
    message = Vector(b"here", 4)
    next_message = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_message:
            next_message = now + EVERY
            unless_busy(cpg.cpg_mcast_joined(handle, CPG_TYPE_AGREED, ctypes.byref(message), 1), "cpg_mcast_joined")
        if select.select([ready.value], [], [], max(0, next_message - now))[0]:
            unless_busy(cpg.cpg_dispatch(handle, CS_DISPATCH_ALL), "cpg_dispatch")


main()
