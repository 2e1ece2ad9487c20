"""Suspend a gspread call where it waits for a response, and resume it from there.

Running gspread's method anew for every response (:mod:`.advance`) is quadratic in a call's
requests. A call with more than a few requests is run once more, in a thread of its own, which then
stays inside gspread's method: it waits for the next response instead of being stopped. The call
does the same as before and keeps the same journal, so another server can replay it.

It is a thread because a lane is driven by any free worker. A greenlet can only go on in the thread
that began it, and would add a dependency with a C extension to save some microseconds of a request.
Most calls never need a thread, and their number is limited: calls beyond that are replayed.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from queued_gspread.server.policy.request import RecordedExchange, Request

from .advance import Done, Needs, ResponseMissing, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.server.policy.request import Exchange

__all__ = ["FEW", "MOST", "Suspended", "Suspender"]

FEW: Final = 3
"""Up to so many requests, a call is replayed: that costs less than a thread."""

MOST: Final = 100
"""How many calls are held at a time, at most."""


class Suspender:
    """Holds calls, up to a limit.

    Args:
        few: Up to so many requests, a call is not held.
        most: How many calls are held at a time, at most.

    """

    def __init__(self, few: int = FEW, most: int = MOST) -> None:
        self._few = few
        self._places = threading.Semaphore(most)

    def suspended(
        self, body: bytes, exchanges: list[Exchange | RecordedExchange]
    ) -> Suspended | None:
        """Return a run of a job that can be held; None if that does not pay or is not possible.

        Args:
            body: The job.
            exchanges: The requests that were answered; the caller appends to them before it
                advances the run.

        """
        if len(exchanges) <= self._few or not self._places.acquire(blocking=False):
            return None
        try:
            return Suspended(body, exchanges, self._places.release)
        except (RuntimeError, MemoryError):  # no more threads can be started
            self._places.release()
            return None


class Suspended:
    """A run of gspread's method that can be held; its thread lives until it is closed.

    Args:
        body: The job.
        exchanges: The requests that were answered; the caller appends to them before it advances
            the run.
        on_close: Called once its thread has ended.

    Raises:
        RuntimeError: No more threads can be started.

    """

    def __init__(
        self,
        body: bytes,
        exchanges: list[Exchange | RecordedExchange],
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._body = body
        self._exchanges = exchanges
        self._on_close = on_close
        self._is_closed = False
        self._turn: SimpleQueue[None] = SimpleQueue()
        self._steps: SimpleQueue[Done | Needs | BaseException] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="held call", daemon=True)
        self._thread.start()

    def advance(self) -> Done | Needs:
        """Go on as far as the exchanges reach, which is one further than last time.

        Raises:
            CodecError: The job cannot be read.
            CallRefusedError: The job asks for something that is not a public gspread call.

        """
        # gspread may change a request object afterwards, such as to ask for the next page, but the
        # journal must show what was sent.
        self._exchanges[-1] = RecordedExchange.of(self._exchanges[-1])
        self._turn.put(None)
        step = self._steps.get()
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        """End the run and its thread, wherever it is."""
        if self._is_closed:
            return
        self._is_closed = True
        self._turn.put(None)
        self._thread.join()
        self._on_close()

    def _work(self) -> None:
        self._turn.get()
        if self._is_closed:
            return
        try:
            self._steps.put(run(self._body, self._exchanges, self._wait))
        except BaseException as error:  # noqa: BLE001 - raised again in advance()
            self._steps.put(error)

    def _wait(self, request: Request) -> None:
        """Hold the run until there is one more response, or stop it if it was closed."""
        if not self._is_closed:
            self._steps.put(Needs(request))
            self._turn.get()
        if self._is_closed:
            raise ResponseMissing(request)
