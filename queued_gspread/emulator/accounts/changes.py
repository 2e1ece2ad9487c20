"""When what the emulator holds is changed: one change at a time, and counted."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Changes:
    """Lets changes be made as a whole, and tells whoever waits for them, in any thread."""

    def __init__(self) -> None:
        """Begin with no change."""
        self.count = 0
        self._noticed = threading.Condition()

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Make one change, with whatever outcome; nobody makes or looks at another meanwhile."""
        with self._noticed:
            try:
                yield
            finally:
                self.count += 1
                self._noticed.notify_all()

    @contextlib.contextmanager
    def still(self) -> Iterator[int]:
        """Let nothing be changed meanwhile; the count of changes so far."""
        with self._noticed:
            yield self.count

    def wait_until(self, predicate: Callable[[], bool]) -> None:
        """Return once it is true; it is asked after every change and every `wake()`."""
        with self._noticed:
            self._noticed.wait_for(predicate)

    def wake(self) -> None:
        """Let those who wait ask again."""
        with self._noticed:
            self._noticed.notify_all()
