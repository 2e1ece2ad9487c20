"""A proxy to a Redis that can cut or stall any command, before or after Redis gets it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE, AFTER = "before", "after"
"""Whether Redis has not got the command yet, or has executed it and nobody has the answer."""

CUT, STALL, LATE = "cut", "stall", "late"
"""What befalls it: its connection is reset, or stalls; or it comes to Redis late."""

# Makes a closing socket send a reset (RST) instead of a FIN.
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass
class _Trouble:
    """The trouble for a command, and for some more of the same name."""

    kind: str
    number: int
    when: str
    left: int = 1
    name: str | None = None
    act: Callable[[], object] = lambda: None

    def befalls(self, number, command, when):
        name = _name_of(command)
        is_meant = number == self.number if self.name is None else name == self.name
        if not (is_meant and when == self.when and self.left):
            return False
        self.name = name
        self.left -= 1
        return True


@dataclass
class _ScriptTrouble:
    """The trouble for a script that is run for several jobs."""

    sha: str
    keys: int
    when: str
    act: Callable[[], object]
    kind: str = CUT
    is_silent: bool = False
    holding: bytes = b""
    is_over: bool = False

    def befalls(self, _, command, when):
        # EVALSHA, the script, and how many keys there are.
        words = command.split(b"\r\n")[2:7:2]
        if self.is_over or when != self.when or words[:2] != [b"EVALSHA", self.sha.encode()]:
            return False
        if self.holding not in command:
            return False
        self.is_over = int(words[2]) >= self.keys
        return self.is_over


class Wire:
    """Forwards commands, one at a time for each connection, and Redis's answers.

    Args:
        redis_url: Where it leads, by TCP and RESP2.

    Attributes:
        commands: The names of the commands that came, over all connections.
        hits: The names of those that were cut or stalled.
        delivered: Set when a delayed script has reached Redis.

    """

    def __init__(self, redis_url):
        parts = urlsplit(redis_url)
        self._there = (parts.hostname, parts.port)
        self._database = parts.path
        self._lock = threading.Lock()
        self._links = set()
        self._trouble = None
        self._flows = threading.Event()
        self.delivered = threading.Event()
        self._is_closed = False
        self.commands = []
        self.hits = []

    @property
    def url(self):
        """The Redis's URL through this wire."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}{self._database}"

    def cut(self, number, when, *, times=1):
        """Reset the connection at a command, where 0 is the first one from now on.

        With *times*, the next commands of the same name are cut too, up to that number.
        """
        with self._lock:
            self._trouble = _Trouble(CUT, len(self.commands) + number, when, times)

    def stall(self, number, when):
        """Hold back a command, or its answer, until the wire is closed."""
        with self._lock:
            self._trouble = _Trouble(STALL, len(self.commands) + number, when)

    def cut_script(self, sha, keys, when, act=lambda: None, *, holding=b""):
        """Do something when a script with at least so many keys comes, and reset its connection.

        With *holding*, only if the command contains these bytes.
        """
        with self._lock:
            self._trouble = _ScriptTrouble(sha, keys, when, act, holding=holding)

    def delay_script(self, sha, keys, act, *, is_silent, holding=b""):
        """Do something when such a script comes, and forward it to Redis only then.

        Its connection is reset before that, or, with *is_silent*, afterwards.
        """
        with self._lock:
            self._trouble = _ScriptTrouble(sha, keys, BEFORE, act, LATE, is_silent, holding)

    def cut_all(self):
        """Reset all connections."""
        with self._lock:
            links = list(self._links)
        for link in links:
            _reset(link)

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._is_closed = True
        self._flows.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._connect, args=(near,)))
            self._threads[-1].start()

    def _connect(self, near):
        try:
            far = socket.create_connection(self._there)
        except OSError:
            _reset(near)
            near.close()
            return
        with self._lock:
            self._links |= {near, far}
        with near, far, contextlib.suppress(OSError, EOFError):
            self._pass_on(near, far)
        with self._lock:
            self._links -= {near, far}

    def _pass_on(self, near, far):
        asking, answering = near.makefile("rb"), far.makefile("rb")
        with asking, answering:
            while not self._is_closed:
                command = _read(asking)
                number = self._note(command)
                self._strike(number, command, BEFORE, near, far)
                far.sendall(command)
                answer = _read(answering)
                self._strike(number, command, AFTER, near, far)
                near.sendall(answer)

    def _note(self, command):
        with self._lock:
            self.commands.append(_name_of(command))
            return len(self.commands) - 1

    def _strike(self, number, command, when, near, far):
        with self._lock:
            trouble = self._trouble
            if trouble is None or not trouble.befalls(number, command, when):
                return
            self.hits.append(_name_of(command))
        if trouble.kind == LATE and not trouble.is_silent:
            _reset(near)
        trouble.act()
        if trouble.kind == STALL:
            self._flows.wait(PATIENCE)
        if trouble.kind == LATE:
            try:
                far.sendall(command)
                far.recv(1)
            finally:
                self.delivered.set()
        _reset(near)
        _reset(far)
        raise EOFError


def _name_of(command):
    # *3 $7 EVALSHA …
    return command.split(b"\r\n", 3)[2].decode().upper()


def _reset(link):
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        link.shutdown(socket.SHUT_RDWR)


def _read(stream):
    """Return a whole RESP2 message; raise EOFError if the stream ends."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError
    kind, count = line[:1], line[1:-2]
    if kind == b"$" and int(count) >= 0:
        return line + _exactly(stream, int(count) + 2)
    if kind == b"*" and int(count) >= 0:
        return line + b"".join(_read(stream) for _ in range(int(count)))
    return line


def _exactly(stream, count):
    found = stream.read(count)
    if len(found) < count:
        raise EOFError
    return found
