"""The main thread of the program that a server is part of."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stop_after_main"]


def stop_after_main(stop: Callable[[], None]) -> bool:
    """Stop a server if its program's main thread has ended; return whether it has.

    After that, Python lets no pool start another thread, so calls would wait forever.
    """
    if threading.main_thread().is_alive():
        return False
    LOGGER.warning("stopping, as the main thread has ended: Server.wait() would keep it")
    stop()
    return True
