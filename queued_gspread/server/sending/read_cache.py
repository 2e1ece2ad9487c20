"""Answers to reads, by spreadsheet and request, for as long as nothing may have changed them.

Plain data, without I/O. A *number* counts what was sent that may have changed something. A read
notes it when it is sent, and its answer is kept only if nothing was counted for its spreadsheet
since: so what was in the air at the same time as a write is never kept.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from queued_gspread._clock import now
from queued_gspread.broker import CacheAtWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["DEFAULT_CACHE_BYTES", "Answer", "Found", "ReadCache", "Sent"]

DEFAULT_CACHE_BYTES: Final = 64 * 1024**2

# An answer may take this part of the limit, so that one does not push out all the others.
_LARGEST: Final = 8
# Spreadsheets of which it is known when they were last changed; about the others it is assumed
# that they were changed when the latest one was that is known no more.
_MOST_BOOKS: Final = 10_000


class Answer(Protocol):
    """An answer as it is kept."""

    @property
    def size(self) -> int:
        """The bytes of memory that it takes."""


class Sent(NamedTuple):
    """When a read was sent.

    Attributes:
        at: The moment before it was sent.
        number: What was counted by then.

    """

    at: float
    number: int


class Found(NamedTuple):
    """An answer that is young enough.

    Attributes:
        answer: The answer.
        until: The moment from which on it is too old.

    """

    answer: Answer
    until: float


class _Kept(NamedTuple):
    answer: Answer
    at: float


class _Change(NamedTuple):
    """The latest change: its number, and until when answers to what is sent are not kept."""

    number: int = 0
    until: float = -math.inf

    def merged(self, other: _Change) -> _Change:
        return _Change(max(self.number, other.number), max(self.until, other.until))


class ReadCache:
    """Keeps the answers that were used or given last. Thread-safe.

    Args:
        limit: The bytes that all answers may take; 0 to keep none.
        clock: A monotonic clock, in seconds, that also counts while the machine is paused.

    """

    def __init__(self, limit: int = DEFAULT_CACHE_BYTES, clock: Callable[[], float] = now) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        # By spreadsheet and request, the least recently used first.
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()
        self._requests: dict[str, set[bytes]] = {}
        self._bytes = self._number = 0
        # Of spreadsheets that have changed, the one that has not for longest first; and of others.
        self._changes: OrderedDict[str, _Change] = OrderedDict()
        self._others = _Change()

    @property
    def at_work(self) -> CacheAtWork:
        """What it holds, in numbers."""
        with self._lock:
            return CacheAtWork(self._bytes, self.limit, len(self._kept))

    def has(self, book: str, request: bytes) -> bool:
        """Return whether there is an answer, however old."""
        return (book, request) in self._kept

    def find(self, book: str, request: bytes, max_age: float) -> Found | None:
        """Return the answer to a request that was sent ``max_age`` seconds ago at most."""
        with self._lock:
            kept = self._kept.get((book, request))
            if kept is None or self._clock() - kept.at > max_age:
                return None
            self._kept.move_to_end((book, request))
            return Found(kept.answer, kept.at + max_age)

    def sent(self) -> Sent:
        """Note that a read is about to be sent."""
        with self._lock:
            return Sent(self._clock(), self._number)

    def keep(self, book: str, request: bytes, answer: Answer, sent: Sent) -> bool:
        """Keep an answer, unless something may have changed since it was sent.

        Returns whether it is kept.
        """
        with self._lock:
            change = self._changes.get(book, self._others).merged(self._others)
            kept = self._kept.get((book, request))
            is_outdated = change.number > sent.number or sent.at < change.until
            if is_outdated or (kept is not None and kept.at > sent.at):
                return False
            self._drop(book, request)
            if answer.size > self.limit // _LARGEST:
                return False
            self._kept[book, request] = _Kept(answer, sent.at)
            self._requests.setdefault(book, set()).add(request)
            self._bytes += answer.size
            while self._bytes > self.limit:
                self._drop(*next(iter(self._kept)))
            return True

    def drop(self, book: str, request: bytes) -> None:
        """Forget the answer to one request."""
        with self._lock:
            self._drop(book, request)

    def forget(self, books: Iterable[str] | None, until: float = -math.inf) -> None:
        """Forget what is known of spreadsheets that may change.

        Args:
            books: Their ids; None for all.
            until: Answers to what is sent before this moment are not kept either.

        """
        with self._lock:
            self._number += 1
            change = _Change(self._number, until)
            if books is None:
                self._forget_all(change)
                return
            for book in books:
                self._changes[book] = self._changes.pop(book, change).merged(change)
                for request in [*self._requests.get(book, ())]:
                    self._drop(book, request)
            while len(self._changes) > _MOST_BOOKS:
                self._others = self._others.merged(self._changes.popitem(last=False)[1])

    def _forget_all(self, change: _Change) -> None:
        self._others = self._others.merged(change)
        self._kept.clear()
        self._requests.clear()
        self._bytes = 0

    def _drop(self, book: str, request: bytes) -> None:
        kept = self._kept.pop((book, request), None)
        if kept is None:
            return
        self._bytes -= kept.answer.size
        requests = self._requests[book]
        requests.discard(request)
        if not requests:
            del self._requests[book]
