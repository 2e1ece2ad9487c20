"""Objects in a forked child: locks that stay usable, and clean-up that stays the parent's."""

from __future__ import annotations

import os
import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ForkLock", "by_owner"]

_Ending = TypeVar("_Ending", bound="Callable[..., None]")


def by_owner(method: _Ending) -> _Ending:
    """Make a clean-up method a no-op in a forked child of the process that owns the object.

    The child has a copy of the object, and may leave its ``with`` block or run its exit handlers.
    The resource behind the object belongs to the process ``_owner``, if that is set.
    """

    @wraps(method)
    def end(self: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_owner", None) in (None, os.getpid()):
            method(self, *args, **kwargs)

    return cast("_Ending", end)


class ForkLock:
    """A reentrant lock that is free in a forked child, even if a parent's thread held it.

    Only for locks that live as long as the process: they are never unregistered. It is reentrant
    because a signal handler may make a call while its thread holds the lock.

    Attributes:
        own: The lock. Take it by ``with``: only there can no signal handler run between taking
            the lock and entering the block. In a method here one could, and leave it locked.

    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.own = threading.RLock()
