"""Changes of what the emulator holds: one at a time, and counted."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Changes:
    """Makes changes atomic, and wakes threads that wait for them. Thread-safe."""

    def __init__(self) -> None:
        """Begin with no change."""
        self.count = 0
        self._noticed = threading.Condition()

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Make one change, which counts even if it fails; no other thread changes or reads."""
        with self._noticed:
            try:
                yield
            finally:
                self.count += 1
                self._noticed.notify_all()

    @contextlib.contextmanager
    def still(self) -> Iterator[int]:
        """Prevent changes meanwhile; yield the number of changes so far."""
        with self._noticed:
            yield self.count

    def wait_until(self, predicate: Callable[[], bool]) -> None:
        """Return once the predicate is true; it is checked after every change and `wake()`."""
        with self._noticed:
            self._noticed.wait_for(predicate)

    def wake(self) -> None:
        """Let waiting threads check their conditions again."""
        with self._noticed:
            self._noticed.notify_all()
