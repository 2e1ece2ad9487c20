"""Requests that may not be sent twice, of which nobody knows why they have failed.

One that Google cannot take may come again, since its caller looks and calls again. It takes none
down with it then that would have left with it: for a while such a request is sent alone.
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
    """Remembers what has failed, and not for long; all lanes of a server may use it at once.

    Args:
        clock: A monotonic clock, in seconds.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[RequestDigest, float] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, failed: Iterable[Request]) -> None:
        """Note requests that may have been applied, as far as they may not be sent twice."""
        until = self._clock() + _LONGEST
        for sent in [RequestDigest.of(request) for request in failed if not is_idempotent(request)]:
            with self._lock:
                self._until[sent] = until
                self._until.move_to_end(sent)
                if len(self._until) > _MOST:
                    self._until.popitem(last=False)

    def clear(self, request: Request) -> None:
        """Note that Google has taken a request: it is not what others have failed for."""
        if self._until and not is_read(request):
            with self._lock:
                self._until.pop(RequestDigest.of(request), None)

    def has(self, request: Request) -> bool:
        """Tell whether the like of a request has failed a short while ago."""
        if not self._until or is_read(request):
            return False
        return self._until.get(RequestDigest.of(request), 0.0) > self._clock()
