"""The process that :mod:`forks` starts: it imports modules, and forks itself when it is asked to.

What is forked leaves the loop with a program to run, and so runs it at the level of this module:
how the program ends, and what the interpreter does then, is as for any other.

Args:
    modules: The names of what it imports; its standard input and output are a socket.

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


class Server:
    """Forks for each that asks, and tells how what was forked ends."""

    def __init__(self, control):
        self._channels = {}
        self._control = control
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Who interrupts pytest at a terminal means what runs there: this one is the last to end.
        self._interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self):
        """Return the program in each that is forked, and None once nobody can ask any more."""
        while True:
            ready, *_ = select.select([self._control, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(1)
                self._report()
            if self._control in ready:
                _, passed, *_ = socket.recv_fds(self._control, 1, 1)
                if not passed:
                    self._end()
                    return None
                if program := self._fork(socket.socket(fileno=passed[0])):
                    return program

    def _fork(self, channel):
        _, streams, *_ = socket.recv_fds(channel, 1, 3)
        with channel.makefile() as asked:
            program = json.load(asked)
        pid = os.fork()
        if not pid:
            channel.close()
            self._close()
            signal.signal(signal.SIGINT, self._interrupted)
            return streams, program
        for stream in streams:
            os.close(stream)
        tell(channel, pid)
        self._channels[pid] = channel
        return None

    def _report(self):
        for pid in list(self._channels):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._channels.pop(pid) as channel:
                    tell(channel, os.waitstatus_to_exitcode(status))

    def _end(self):
        for pid in self._channels:
            os.kill(pid, signal.SIGKILL)
        self._close()

    def _close(self):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._control, self._woken, self._waker, *self._channels.values()):
            each.close()


def tell(channel, number):
    with suppress(BrokenPipeError):  # nobody asks any more
        channel.sendall(number.to_bytes(4, "little", signed=True))


def become(streams, arguments, variables, folder, session, umask):
    """Make this process what a fresh interpreter is before it runs a program given as text."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    if session:
        os.setsid()
    if umask != -1:
        os.umask(umask)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[0] = ""
    sys.argv[:] = ["-c", *arguments]
    sys.modules["__main__"] = types.ModuleType("__main__")


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    # Otherwise each process copies all objects once its collector looks at them.
    gc.collect()
    gc.freeze()
    if program := Server(socket.socket(fileno=os.dup(0))).serve():
        code, *others = program[1]
        become(program[0], *others)
        exec(code, sys.modules["__main__"].__dict__)
