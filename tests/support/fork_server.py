"""The process that :mod:`forks` starts: it imports modules, and forks itself when it is asked to.

What is forked leaves the loop with a program to run, and so runs it at this module's own level: how
the program ends, and what the interpreter does then, is as for any other.

Args:
    modules: The names of what it imports; its standard input is a socket.

"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import types
from contextlib import suppress

STREAMS = ("stdin", "stdout", "stderr")


def serve(control):
    """Fork for each that asks, until nobody is left; return a program in what was forked alone."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    # Who interrupts pytest at a terminal means what runs there; this one ends after all others.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    channels = {}
    while True:
        ready, *_ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(1)
            report(channels)
        if control in ready:
            _, passed, *_ = socket.recv_fds(control, 1, 1)
            if not passed:
                break
            streams, program, channel = asked(*passed)
            pid = os.fork()
            if not pid:
                for each in (control, woken, waker, channel, *channels.values()):
                    each.close()
                signal.signal(signal.SIGINT, interrupted)
                return become(streams, *program)
            for stream in streams:
                os.close(stream)
            tell(channel, pid)
            channels[pid] = channel
    for pid, channel in channels.items():
        os.kill(pid, signal.SIGKILL)
        channel.close()
    woken.close()
    waker.close()
    control.close()
    return "", {}


def asked(number):
    """Return the streams and the program of a new process, and whom to tell of it."""
    channel = socket.socket(fileno=number)
    _, streams, *_ = socket.recv_fds(channel, 1, 3)
    with channel.makefile() as text:
        return streams, json.load(text), channel


def report(channels):
    """Tell of each that has ended how it did, as ``subprocess`` would."""
    for pid in list(channels):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with channels.pop(pid) as channel:
                tell(channel, os.waitstatus_to_exitcode(status))


def tell(channel, number):
    with suppress(BrokenPipeError):  # nobody asks any more
        channel.sendall(number.to_bytes(4, "little", signed=True))


def become(streams, code, arguments, variables, folder):
    """Make this process what a fresh interpreter would be for a program given as text."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, (stream, name) in enumerate(zip(streams, STREAMS, strict=True)):
        os.dup2(stream, number)
        os.close(stream)
        before = getattr(sys, name)
        own = os.fdopen(number, before.mode, errors=before.errors, closefd=False)
        setattr(sys, name, own)
        setattr(sys, f"__{name}__", own)
    sys.stderr.reconfigure(line_buffering=True)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[0] = ""
    sys.argv[:] = ["-c", *arguments]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    return code, main.__dict__


if __name__ == "__main__":
    control = socket.socket(fileno=os.dup(0))
    for module in sys.argv[1:]:
        importlib.import_module(module)
    # Otherwise each process copies all objects once its collector looks at them.
    gc.collect()
    gc.freeze()
    exec(*serve(control))
