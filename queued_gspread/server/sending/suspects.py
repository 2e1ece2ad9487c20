"""Non-idempotent requests that have failed for a reason that is not known.

If Google cannot process such a request, it may come back, since its caller checks and calls again.
So for a while a request like it is sent alone: then it does not fail the calls that it would have
been merged with.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import RequestDigest, is_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from queued_gspread.server.policy.request import Request

__all__ = ["Suspects"]

_LONGEST: Final = 600.0
_MOST: Final = 10_000


class Suspects:
    """Remembers for a while what has failed. Thread-safe: all lanes of a server share it.

    Args:
        clock: A monotonic clock, in seconds.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[RequestDigest, float] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, failed: Iterable[Request]) -> None:
        """Note those of the requests that are non-idempotent; they may have been applied."""
        until = self._clock() + _LONGEST
        digests = [RequestDigest.of(request) for request in failed if not is_idempotent(request)]
        for digest in digests:
            with self._lock:
                self._until[digest] = until
                self._until.move_to_end(digest)
                if len(self._until) > _MOST:
                    self._until.popitem(last=False)

    def clear(self, request: Request) -> None:
        """Note that Google has accepted a request: it is not why others have failed."""
        if self._until and not is_read(request):
            with self._lock:
                self._until.pop(RequestDigest.of(request), None)

    def has(self, request: Request) -> bool:
        """Return whether a request like this one has failed lately."""
        if not self._until or is_read(request):
            return False
        return self._until.get(RequestDigest.of(request), 0.0) > self._clock()
