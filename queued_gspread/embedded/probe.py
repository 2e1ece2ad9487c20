"""Find out what listens at an address: Redis, something else or nothing.

It uses plain sockets, because anything might listen there, and a Redis client might not understand
the answer.
"""

from __future__ import annotations

import re
import socket
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Address: TypeAlias = "tuple[str, int] | Path"

PAUSE = 0.02
TIMEOUT = 3.0
_STATUS_OR_ERROR = re.compile(rb"\+PONG\r\n|-[A-Z]+ ")


class Answer(Enum):
    """The answer to a PING."""

    NOTHING = "nothing listens"
    REDIS = "a Redis that answers, if only to ask for a password"
    LOADING = "a Redis that is reading its append-only file"
    CLOSED = "the connection was closed without an answer"
    OTHER = "something that is not Redis"


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Return whether *condition* comes true within *seconds*.

    It polls, because the events waited for here (another process listens, releases a lock, has
    ended) have no portable notification with a timeout.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    return True


def probe(address: Address, timeout: float = TIMEOUT) -> Answer:
    """Send one PING to *address* and classify the answer."""
    try:
        with _connect(address, timeout) as connection:
            connection.sendall(b"PING\r\n")
            return _judge(connection.recv(64))
    except (ConnectionResetError, BrokenPipeError):
        return Answer.CLOSED
    except TimeoutError:
        return Answer.OTHER
    except OSError:
        return Answer.NOTHING


def settled(address: Address, timeout: float = TIMEOUT) -> Answer:
    """Probe until there is a clear answer: a Redis that is shutting down just closes."""
    answers: list[Answer] = []

    def is_clear() -> bool:
        answers.append(probe(address, timeout))
        return answers[-1] is not Answer.CLOSED

    wait_until(is_clear, timeout)
    return answers[-1]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        port: int = probing.getsockname()[1]
        return port


def _connect(address: Address, timeout: float) -> socket.socket:
    if not isinstance(address, Path):
        return socket.create_connection(address, timeout=timeout)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def _judge(reply: bytes) -> Answer:
    if not reply:
        return Answer.CLOSED
    if reply.startswith(b"-LOADING"):
        return Answer.LOADING
    return Answer.REDIS if _STATUS_OR_ERROR.match(reply) else Answer.OTHER
