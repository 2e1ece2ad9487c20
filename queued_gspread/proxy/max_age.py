"""How old the answers to a call's reads may be: what a block says, else the client's setting."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from queued_gspread.settings import checked_seconds

from .blocks import Block, InContext, innermost
from .locking import current

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["MaxAge", "max_age_now"]

_current: ContextVar[Block | None] = ContextVar("queued_gspread.max_age", default=None)


class MaxAge(InContext):
    """A block whose reads may be some seconds old; threads and tasks may use it, again too.

    Attributes:
        seconds: How old.

    """

    _current = _current

    def __init__(self, seconds: float) -> None:
        self.seconds = checked_seconds(seconds, f"max_age({seconds!r:.40})", zero=True)


def max_age_now(settings: Settings) -> float:
    """Return how old the answers of a call that is made here and now may be, in seconds.

    Who holds a lock reads all afresh: some calls, such as ``open`` by a title, are in no lane of
    the lock, by which the server could tell.
    """
    block = _current.get()
    if block is not None:
        block = innermost(block)
    seconds: float = settings.max_age if block is None else block.begun_by.seconds
    return 0.0 if seconds and current() is not None else seconds
