"""Processes of this package that need not import it first: forked from one that has.

To import gspread, redis-py and this package is most of what a short process costs, and the tests
start hundreds. So each pytest process has one that has imported everything, runs a single thread,
and forks itself whenever a test asks. What it forks is a process like any other, to be paused or
killed, with arguments, variables, streams, a folder and a ``__main__`` of its own. It ends as every
interpreter does, and at the latest with pytest.

What it cannot show is what an interpreter does before it runs a program, imports above all: for
that, :mod:`processes` starts a fresh one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

_SERVER = Path(__file__).with_name("fork_server.py")


class Forks:
    """The process that forks; the first that is asked for starts it.

    Args:
        python: The interpreter's command.
        modules: The names of what it imports.

    """

    def __init__(self, python, modules):
        self._command = [*python, str(_SERVER), *modules]
        self._lock = threading.Lock()
        self._control = None

    def start(self, code, arguments=(), **options):
        """Run a program given as text; the options are those of :class:`Forked`."""
        with self._lock:
            if self._control is None:
                self._control, its = socket.socketpair()
                with its:
                    self._process = subprocess.Popen(self._command, stdin=its, stdout=its)
        return Forked(self._control, code, arguments, **options)

    def end(self):
        """End it, and with it all that it has forked."""
        if self._control is not None:
            self._control.close()
            self._process.wait()


class Forked:
    """A forked process, with as much of ``subprocess.Popen`` as the tests use."""

    def __init__(
        self,
        control,
        code,
        arguments,
        *,
        env,
        cwd=None,
        text=False,
        start_new_session=False,
        umask=-1,
        **streams,
    ):
        self.args = [code, *map(str, arguments)]
        self.returncode = None
        self._lock = threading.Lock()
        own, its = _pipes(**streams)
        modes = [mode + ("" if text else "b") for mode in "wrr"]
        self.stdin, self.stdout, self.stderr = (
            None if end is None else os.fdopen(end, mode)
            for end, mode in zip(own, modes, strict=True)
        )
        assert _of_interpreters(env) == _of_interpreters(os.environ), "only a fresh one reads these"
        place = str(cwd or Path.cwd()), start_new_session, umask
        variables = {name: os.fspath(text) for name, text in env.items()}
        program = [code, self.args[1:], variables, *place]
        # A bare number, because nothing says when nobody asks for the status any more.
        self._channel = _ask(control, its, program)
        weakref.finalize(self, os.close, self._channel)
        self.pid = self._hear()

    def _hear(self):
        said = os.read(self._channel, 4)
        assert said, "the process that forks has ended"
        return int.from_bytes(said, "little", signed=True)

    def poll(self):
        return self._status(0)

    def wait(self, timeout=None):
        if self._status(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def _status(self, timeout):
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        if self.returncode is None and poll.poll(None if timeout is None else timeout * 1000):
            with self._lock:
                if self.returncode is None:
                    self.returncode = self._hear()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended since
                os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, told=None, timeout=None):
        """Give it its input, if any; return what it writes until it ends."""
        if self.stdin and not self.stdin.closed:
            with suppress(BrokenPipeError), self.stdin:
                self.stdin.write(told) if told else None
        end = None if timeout is None else time.monotonic() + timeout
        readers = [_Reader(stream) for stream in (self.stdout, self.stderr)]
        for reader in readers:
            reader.join(end and max(0.0, end - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(end and max(0.0, end - time.monotonic()))
        return tuple(reader.said for reader in readers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()
        self.wait()


class _Reader(threading.Thread):
    """Reads a stream to its end, and closes it."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self._stream, self.said = stream, None
        self.start()

    def run(self):
        if self._stream and not self._stream.closed:
            with self._stream:
                self.said = self._stream.read()


def _pipes(stdin=None, stdout=None, stderr=None):
    """Return the test's ends of the streams, None where there is none, and the process's."""
    own, its = [None] * 3, []
    for number, stream in enumerate((stdin, stdout, stderr)):
        if stream == subprocess.PIPE:
            read, write = os.pipe()
            own[number] = read if number else write
            its.append(write if number else read)
        elif stream == subprocess.DEVNULL:
            its.append(os.open(os.devnull, os.O_RDWR))
        elif stream == subprocess.STDOUT:
            its.append(os.dup(its[1]))
        else:
            given = number if stream is None else stream
            its.append(os.dup(given if isinstance(given, int) else given.fileno()))
    return own, its


def _of_interpreters(variables):
    """Return the variables that an interpreter reads when it starts, and never again."""
    prefixes = ("PYTHON", "LC_", "LANG", "TZ")
    return {name: text for name, text in variables.items() if name.startswith(prefixes)}


def _ask(control, streams, program):
    """Hand over a program and its streams; return where its id is told, and later its status."""
    channel, its = socket.socketpair()
    with its:
        # One byte with a descriptor: threads that ask at once do not mix what they say.
        socket.send_fds(control, [b"+"], [its.fileno()])
    socket.send_fds(channel, [b"+"], streams)
    for stream in streams:
        os.close(stream)
    channel.sendall(json.dumps(program).encode())
    channel.shutdown(socket.SHUT_WR)
    return channel.detach()
