"""Runs a server's scripts under its epoch: once that has ended, they change nothing."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker.connection.attempts import is_passing
from queued_gspread.broker.connection.client import Connection, Link
from queued_gspread.broker.connection.failures import is_denied, is_locked_out
from queued_gspread.errors import BrokerUnavailableError

from .keys import Keys
from .sandbox import check_server
from .timing import QueueTiming

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["FencedScripts", "StaleEpochError", "unless_stale"]

_LOGGER: Final = logging.getLogger("queued_gspread.server")


class StaleEpochError(Exception):
    """Another server works now, or this one's lease lapsed: it must not write any more."""


class FencedScripts:
    """Runs scripts under an epoch. Any thread of the server may use it.

    Args:
        settings: Where the queue is.
        epoch: The epoch's number; '' for none.
        stopping: Once set, no thread waits for a Redis that is out of reach.
        timing: How long to wait for Redis.

    """

    def __init__(
        self,
        settings: Settings,
        epoch: str = "",
        stopping: threading.Event | None = None,
        timing: QueueTiming | None = None,
    ) -> None:
        if not epoch:  # a server that already works was checked before
            check_server(settings)
        self.settings = settings
        self.epoch = epoch
        self._stopping = stopping or threading.Event()
        self._timing = timing or QueueTiming()
        self._keys = Keys(settings.namespace)
        self._link = Link(settings)

    @property
    def _connection(self) -> Connection:
        return self._link.connection

    def _fenced(
        self, script: str, keys: list[str], args: list[Any], *, insists: bool = False
    ) -> Any:
        """Run a script under this epoch; while Redis is out of reach, wait for it.

        If it *insists*, it also waits while Redis rejects this server's login or permissions, since
        no other process knows the data that would be lost.
        """
        is_logged = False
        while True:
            try:
                return unless_stale(self._run(script, keys, args))
            except BrokerUnavailableError as error:
                is_denied_this = insists and is_denied(error)
                waits = is_passing(error) or (insists and is_locked_out(error)) or is_denied_this
                if is_denied_this and not is_logged:
                    # The lease's thread may be permitted its own commands, and then logs nothing.
                    _LOGGER.warning("a call's outcome is kept until Redis accepts it: %s", error)
                    is_logged = True
                if not waits or self._stopping.wait(self._timing.retry_pause):
                    raise

    def _run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return self._connection.run(script, *self._under_epoch(keys, args))

    def _under_epoch(self, keys: list[str], args: list[Any]) -> tuple[list[str], list[Any]]:
        return [self._keys.server, *keys], [self.epoch, *args]


def unless_stale(result: Any) -> Any:
    """Return a script's result, unless its epoch had ended."""
    if result == b"stale":
        raise StaleEpochError
    return result
