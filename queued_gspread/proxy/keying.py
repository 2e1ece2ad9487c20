"""Idempotency keys, as a block whose writes are numbered.

Each write that goes into the queue takes the next number.
"""

from __future__ import annotations

import itertools
import os
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from queued_gspread.errors import IdempotencyKeyError
from queued_gspread.google_api import methods
from queued_gspread.google_api.paths import path_of
from queued_gspread.protocol.kinds import HTTP_CLIENT
from queued_gspread.protocol.messages import LONGEST_KEEP, LONGEST_KEY, Once
from queued_gspread.protocol.read_only import READ_ONLY_METHODS

from .blocks import Block, InContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.protocol.kinds import ObjectKind

__all__ = ["IdempotencyKey", "once_now"]


@dataclass(eq=False)
class _Block(Block):
    """A block under a key, and the numbers of its writes."""

    begun_by: IdempotencyKey
    numbers: Iterator[int] = field(default_factory=itertools.count)


_current: ContextVar[_Block | None] = ContextVar("queued_gspread.idempotency_key", default=None)


class IdempotencyKey(InContext):
    """A block whose writes are made once under a key; threads and tasks may use it, again too.

    Attributes:
        key: The key.
        keep: Seconds for which answers are kept.

    """

    _current = _current
    _block = _Block

    def __init__(self, key: str, keep: float) -> None:
        self.key = _checked(key)
        if isinstance(keep, bool) or not 0 < keep <= LONGEST_KEEP:
            raise ValueError(
                f"idempotency_key(keep={keep!r}): give seconds, at most {LONGEST_KEEP:g} (31 days)"
            )
        self.keep = float(keep)


def once_now(
    kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Once | None:
    """Return the key and the number of a call that is made here and now; None without one.

    Raises:
        IdempotencyKeyError: The block was begun by another process, or has ended.

    """
    block = _current.get()
    if block is None or not _writes(kind, method, args, kwargs):
        return None
    begun_by = block.begun_by
    if block.owner[0] != os.getpid():
        raise IdempotencyKeyError(
            f"a forked child writes under the idempotency key {begun_by.key!r} of its parent, and "
            "both would number their writes alike: begin a block of its own there, with another key"
        )
    if not block.is_open:
        raise IdempotencyKeyError(
            f"the block under the idempotency key {begun_by.key!r} has ended, and a task that was "
            "started in it still writes: wait for it in the block, or start it before. The call "
            "was not made"
        )
    return Once(begun_by.key, next(block.numbers), begun_by.keep)


def _writes(kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call may write: all that is not known to read."""
    if method in kind.remote or f"{kind.name}.{method}" in READ_ONLY_METHODS:
        return False
    if kind is HTTP_CLIENT and method == "request":
        given = dict(zip(("method", "endpoint"), args, strict=False)) | kwargs
        verb, endpoint = str(given.get("method", "")), str(given.get("endpoint", ""))
        return not methods.reads(verb.upper(), path_of(endpoint))
    return True


def _checked(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f'idempotency_key({key!r:.100}): give a text, such as f"order-{{number}}"')
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(
            f"idempotency_key({key!r:.100}): it has {len(key)} characters; give 1 to {LONGEST_KEY}"
        )
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"idempotency_key({key!r:.100}): {error.reason}") from None
    return str.__str__(key)
