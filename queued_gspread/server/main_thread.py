"""The program that a server is part of."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stop_after_main"]


def stop_after_main(stop: Callable[[], None]) -> bool:
    """Have a server stop if its program's main thread has ended; return whether it has.

    From then on no pool can have a further thread, so that calls would wait for ever.
    """
    if threading.main_thread().is_alive():
        return False
    LOGGER.warning("stopping, as the main thread has ended: Server.wait() would keep it")
    stop()
    return True
