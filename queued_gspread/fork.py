"""A lock that a forked child can use."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ForkLock"]


class ForkLock:
    """A lock that is free in a child process, whoever held it in the parent when it forked."""

    def __init__(self) -> None:
        self._renew()

    def __enter__(self) -> None:
        # A new child has a single thread, so nobody races for the renewal.
        if self._pid != os.getpid():
            self._renew()
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
