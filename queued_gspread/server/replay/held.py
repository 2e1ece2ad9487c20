"""A gspread call that is held where it waits for a response, and goes on from there.

Running gspread's method anew for every response (:mod:`.advance`) is quadratic in a call's
requests. A call of more than a few is run once more, by a thread of its own, which then stays
inside gspread's method: it waits for the next response instead of being stopped. What it does is
the same as before, and so is what is kept of it, so that another server can replay it.

A thread, since a lane is driven by whichever worker is free: a greenlet can only go on in the
thread that has begun it, and would be a dependency with a C extension to save some microseconds of
a request. Most calls never have one, and there are so many of them at the most: calls beyond that
are replayed.
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
"""Requests up to which a call is replayed: that costs less than a thread."""

MOST: Final = 100
"""How many calls are held at a time."""


class Suspender:
    """Holds calls, so many at a time.

    Args:
        few: Requests up to which a call is not held.
        most: How many are held at the most.

    """

    def __init__(self, few: int = FEW, most: int = MOST) -> None:
        self._few = few
        self._places = threading.Semaphore(most)

    def suspended(
        self, body: bytes, exchanges: list[Exchange | RecordedExchange]
    ) -> Suspended | None:
        """Return a run that can be held, of a job; None where that does not pay, or cannot be.

        Args:
            body: The job.
            exchanges: The requests that were answered; whoever advances the run appends to them.

        """
        if len(exchanges) <= self._few or not self._places.acquire(blocking=False):
            return None
        try:
            return Suspended(body, exchanges, self._places.release)
        except (RuntimeError, MemoryError):  # there can be no further thread
            self._places.release()
            return None


class Suspended:
    """A run of gspread's method that can be held; its thread lives until it is closed.

    Args:
        body: The job.
        exchanges: The requests that were answered; whoever advances the run appends to them.
        on_close: Called once its thread has ended.

    Raises:
        RuntimeError: There can be no further thread.

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
        """Go on as far as the exchanges reach, which is one further than the last time.

        Raises:
            CodecError: The job cannot be read.
            CallRefusedError: The job asks for something that is not a public gspread call.

        """
        # gspread may change a request afterwards, such as the page that it asks for; a journal
        # has to tell what was sent.
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
        except BaseException as error:  # noqa: BLE001 - it is raised where the run is advanced
            self._steps.put(error)

    def _wait(self, request: Request) -> None:
        """Hold the run until there is one more response, or stop it."""
        if not self._is_closed:
            self._steps.put(Needs(request))
            self._turn.get()
        if self._is_closed:
            raise ResponseMissing(request)
