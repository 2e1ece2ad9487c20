"""One server's right to write: what it runs under an epoch that has ended changes nothing."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker.connection.client import Connection, Link, is_passing
from queued_gspread.broker.connection.failures import is_denied, is_locked_out
from queued_gspread.errors import BrokerUnavailableError

from .keys import Keys
from .sandbox import check_server

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["FencedScripts", "StaleEpochError", "unless_stale"]

_LOGGER: Final = logging.getLogger("queued_gspread.server")
_PAUSE: Final = 0.2


class StaleEpochError(Exception):
    """Another server works by now, or this one's lease lapsed: it may not write any more."""


class FencedScripts:
    """Runs scripts under an epoch. Any thread of the server may use it.

    Args:
        settings: Where the queue is.
        epoch: Its number; '' for none.
        stopping: Once it is set, nobody waits for a Redis that is away.

    """

    def __init__(
        self, settings: Settings, epoch: str = "", stopping: threading.Event | None = None
    ) -> None:
        if not epoch:  # a server that works already goes on
            check_server(settings)
        self.settings = settings
        self.epoch = epoch
        self._stopping = stopping or threading.Event()
        self._keys = Keys(settings.namespace)
        self._link = Link(settings)

    @property
    def _connection(self) -> Connection:
        return self._link.connection

    def _fenced(
        self, script: str, keys: list[str], args: list[Any], *, insists: bool = False
    ) -> Any:
        """Run a script under this epoch; while Redis is away, wait for it.

        Where it *insists*, it waits as well while Redis does not let this server in, or not do
        this: what it has to say is known to nobody else.
        """
        is_told = False
        while True:
            try:
                return unless_stale(self._run(script, keys, args))
            except BrokerUnavailableError as error:
                is_denied_this = insists and is_denied(error)
                waits = is_passing(error) or (insists and is_locked_out(error)) or is_denied_this
                if is_denied_this and not is_told:
                    # What the lease's thread asks for may be allowed, and then it tells nothing.
                    _LOGGER.warning("what came of a call is kept until Redis takes it: %s", error)
                    is_told = True
                if not waits or self._stopping.wait(_PAUSE):
                    raise

    def _run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return self._connection.run(script, *self._under_epoch(keys, args))

    def _under_epoch(self, keys: list[str], args: list[Any]) -> tuple[list[str], list[Any]]:
        return [self._keys.server, *keys], [self.epoch, *args]


def unless_stale(found: Any) -> Any:
    """Return what a script answered, unless it refused to run under its epoch."""
    if found == b"stale":
        raise StaleEpochError
    return found
