"""What a forked child can use, and what it leaves to its parent."""

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
    """Have a method that ends something do nothing in a forked child of whoever started it.

    The child has a copy of the object, and may well leave its ``with`` block or run its exit
    handlers. What the object stands for belongs to the process ``_owner``, if that is set.
    """

    @wraps(method)
    def end(self: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_owner", None) in (None, os.getpid()):
            method(self, *args, **kwargs)

    return cast("_Ending", end)


class ForkLock:
    """A lock that is free in a child process, whoever held it in the parent when it forked.

    It is for the few that live as long as the process: none is ever forgotten. The thread that
    holds it may take it again, as a signal handler does that makes a call.

    Attributes:
        own: The lock, to be taken by ``with``: only there can no signal handler come between the
            taking and the block. In a method here it could, and would leave the lock locked.

    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.own = threading.RLock()
