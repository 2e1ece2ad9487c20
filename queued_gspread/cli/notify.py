"""Tell the service manager that has started this process how it is: sd_notify, in a few lines.

Without ``NOTIFY_SOCKET`` it does nothing; and whatever is wrong with that socket, the server works
on.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from queued_gspread.server import Server

__all__ = ["Notifier", "status_of"]

_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
# Of the longest silence that the manager allows: so a datagram or two may be late.
_WATCHDOG_PART: Final = 4
_LONGEST_STATUS: Final = 500


class Notifier:
    """Sends the manager what is new.

    Args:
        environment: Where the manager has said how to reach it. Children do not inherit that.
        clock: A monotonic clock, in seconds, that counts while the machine sleeps.

    """

    def __init__(
        self,
        environment: MutableMapping[str, str] = os.environ,
        clock: Callable[[], float] = now,
    ) -> None:
        address, limit, pid = (environment.pop(name, "") for name in _VARIABLES)
        self._address = _parsed(address)
        is_watched = limit.isdecimal() and pid in ("", str(os.getpid()))
        self._watchdog_pause = int(limit) / 1e6 / _WATCHDOG_PART if is_watched else 0.0
        self._clock = clock
        self._fed = clock()
        self._status = ""
        # What the manager has not taken yet, as where its buffer was full.
        self._unsent: dict[str, str] = {}

    def tell(self, status: str, **news: str) -> None:
        """Say what the server does, and what is new about it, such as ``READY="1"``."""
        if status != self._status:
            # A line of its own would be another message.
            news["STATUS"] = " ".join(status.split())[:_LONGEST_STATUS]
            self._status = status
        self._unsent |= news
        self._send()

    def feed(self, silence: float) -> None:
        """Feed the watchdog if it is time to, and the server was not silent since the last time."""
        since = self._clock() - self._fed
        if self._watchdog_pause and since >= self._watchdog_pause and since > silence:
            self._fed += since
            self._unsent["WATCHDOG"] = "1"
            self._send()

    def _send(self) -> None:
        if not (self._address and self._unsent):
            return
        text = "\n".join(f"{name}={value}" for name, value in self._unsent.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)
            manager.sendto(text.encode(errors="replace"), self._address)
            self._unsent.clear()


def _parsed(address: str) -> str:
    """Return the address of a socket by path, or by an abstract name, which begins with an @."""
    if not (address.startswith(("/", "@")) and hasattr(socket, "AF_UNIX")):
        return ""
    return "\0" + address[1:] if address.startswith("@") else address


def status_of(server: Server) -> str:
    """Return what a server does, in a line for its service manager."""
    counts = server.counters.snapshot().values()
    sent = sum(count.requests for count in counts)
    return server.pulse.state + (f"; requests sent: {sent:,}" if sent else "")
