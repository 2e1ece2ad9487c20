"""The valve: a request waits here for a token and for a slot of the quota.

Google allows so many requests of a kind in a window of time, and does not say whether its
windows are fixed or sliding, or where they begin. So a slot is held from the moment at which
its request may be sent until one window after its response has arrived, and there are no more
slots than the quota has requests. Then no window of Google's holds more than the quota:

    Let a window be [a, a + w), and take the requests that Google counts in it. Google counts a
    request at some moment c between its sending s and its response r. Let j be the one of them
    that was sent last. Each of the others, i, was sent by then, s_i <= s_j, and its slot is held
    until r_i + w >= c_i + w >= a + w > c_j >= s_j. So at s_j all their slots are held at once,
    and there are no more of them than the quota.

Nothing is assumed of latencies, nor of the window but its length; that Google's clock and
Redis's run equally fast is. A slot whose response never came is held until one window after its
server was found gone; what Google would do with such a request later than that is not covered.
Who asks, and when, is chosen for fairness between lanes (``line``, ``fairness``). That can only
delay a question: of those that Redis has let go the proof holds, whenever and in whatever order
they asked.

Slots are kept in Redis (``broker/lua/quota.lua``), on Redis's clock, so that they outlive the
server; and where Redis forgets them, by the server that holds them (``broker.permits.Held``).

The request that is next in line asks Redis, and is told to go, or how long to wait. The others
ask nobody. The waiting takes no thread: a ticket is resumed by a call.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from queued_gspread.broker import ALL, Permit
from queued_gspread.server.failure import logged

from .ticket_queue import SLOTLESS, Ticket, TicketQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Slot
    from queued_gspread.server.failure import Watch
    from queued_gspread.server.google.token_state import TokenState

__all__ = ["LATE", "LEFT", "Valve", "Waiting"]

LATE: Final = Permit("late")
"""For a ticket that gives up: its time is over."""

LEFT: Final = Permit("left")
"""For a ticket that is left to the next server."""

# Nothing is waited for without an end, even where it should be told of.
_LOOK_AGAIN: Final = 5.0


class Waiting(NamedTuple):
    """A line that waits: what was said of it, seconds until then, its length, lanes of it.

    ``is_shared`` tells whether its slots are shared out between spreadsheets.
    """

    permit: Permit
    left: float
    length: int
    lanes: list[str]
    is_shared: bool = False


_NOTHING: Final = Permit("")


class Valve:
    """Lets requests through, each when it may be sent.

    Args:
        token_state: Whether the server has a usable token.
        retry_for: Seconds for which requests wait for one.
        clock: A monotonic clock, in seconds.
        watched: Watches its thread.

    """

    def __init__(
        self,
        token_state: Callable[[], TokenState],
        retry_for: float,
        clock: Callable[[], float] = time.monotonic,
        watched: Watch = logged,
    ) -> None:
        self._token_state = token_state
        self._retry_for = retry_for
        self._clock = clock
        self._numbers = itertools.count(1)
        self._line = TicketQueue()
        self._changed = threading.Condition()
        # Counts what may have ended a wait: a response, a new token.
        self._events = 0
        self._closing: Permit | Exception | None = None
        # The one that is being asked for, and stands in no line.
        self._asked: Ticket | None = None
        # What Redis has said last of each kind, and when.
        self._said: dict[str, tuple[Permit, float]] = {}
        work = watched(self._work)
        self._thread = threading.Thread(target=work, name="valve", daemon=True)

    def start(self) -> None:
        """Begin to let waiting requests through."""
        self._thread.start()

    def enter(
        self, ticket: Ticket, resume: Callable[[Permit | Exception], None]
    ) -> Permit | Exception | None:
        """Return what becomes of a request at once; None if it waits, and is resumed later."""
        ticket.number = ticket.number or next(self._numbers)
        ticket.resume = resume
        with self._changed:
            over = self._over_for(ticket)
            is_next = over is None and self._is_next(ticket)
            held_back = -math.inf if is_next else self._line.held_back(ticket, self._clock())
        answer = over or (self._try(ticket) if is_next else None)
        if answer is None:
            ticket.on_wait(held_back)
            answer = self._wait(ticket)
        return answer

    def wake(self, kind: str = ALL) -> None:
        """Say that a kind of request may be asked for; or, for ALL, that the token has changed."""
        with self._changed:
            self._line.unblock(kind)
            self._has_happened()

    def answered(self, slot: Slot) -> None:
        """Say that a request was answered, and its slot given back."""
        with self._changed:
            self._line.answered(slot, self._clock())
            self._has_happened()

    def _has_happened(self) -> None:
        self._events += 1
        if self._line:
            self._changed.notify_all()

    def close(self, answer: Permit | Exception = LEFT) -> None:
        """Let nothing through any more; what waits, and whatever comes, gets that answer."""
        with self._changed:
            self._closing = self._closing or answer
            left = self._line.remove(lambda _: True)
            self._changed.notify_all()
        for ticket in left:
            ticket.resume(self._closing)

    def look(self, most: int) -> tuple[dict[str, Waiting], dict[str, float]]:
        """Return what waits: the lines, and lanes that come later, with the seconds until then.

        Args:
            most: How many lanes are named of each.

        """
        with self._changed:
            now, asked = self._clock(), self._asked
            lines = self._line.lanes(most)
            if asked is not None and not asked.is_in_line:
                count, lanes = lines.get(asked.kind, (0, []))
                lines[asked.kind] = count + 1, [*lanes, asked.lane]
            later = {one.lane: one.not_before - now for one in self._line.early(most)}
            is_shared = self._line.is_shared
        waiting = {}
        for kind, (count, lanes) in lines.items():
            permit, moment = self._said.get(kind, (_NOTHING, -math.inf))
            is_said = permit.word == "wait" and now - moment < 2 * _LOOK_AGAIN
            # Who waits for others to have their share need not have asked.
            is_sharing = is_shared and permit.limit > 0
            if is_said or is_sharing:
                left = moment + permit.wait - now
                if is_sharing and not (is_said and left > 0):
                    permit = replace(permit, kind="")  # a pause, say, which is over by now
                waiting[kind] = Waiting(permit, left, count, lanes, is_shared=is_sharing)
        return waiting, later

    def join(self) -> None:
        """Wait until the valve, once closed, has ended its thread."""
        self._thread.join()

    def _over_for(self, ticket: Ticket) -> Permit | Exception | None:
        return self._closing or (LATE if ticket.until <= self._clock() else None)

    def _is_next(self, ticket: Ticket) -> bool:
        now = self._clock()
        return ticket.not_before <= now and self._line.passes(ticket, now)

    def _wait(self, ticket: Ticket) -> Permit | Exception | None:
        with self._changed:
            over = self._over_for(ticket)
            if over is None:
                self._line.add(ticket)
                self._changed.notify_all()
            return over

    def _work(self) -> None:
        try:
            self._let_through()
        except BaseException as error:
            told = RuntimeError(f"the valve has failed: {type(error).__name__}: {error}")
            self.close(told)
            if self._asked is not None:
                self._asked.resume(told)
            raise

    def _let_through(self) -> None:
        while (ticket := self._next_due()) is not None:
            self._asked = ticket
            with self._changed:
                over = self._over_for(ticket)
                if over is not None:
                    self._line.told(ticket)
            answer = over or self._try(ticket) or self._wait(ticket)
            self._asked = None
            if answer is not None:
                ticket.resume(answer)

    def _next_due(self) -> Ticket | None:
        """Wait for a ticket that may be asked for; None if the valve is closed."""
        with self._changed:
            while self._closing is None:
                ticket = self._line.take(self._clock())
                if ticket is not None:
                    return ticket
                moment = self._line.next_moment()
                pause = None if moment == math.inf else max(0.0, moment - self._clock())
                self._changed.wait(pause)
            return None

    def _try(self, ticket: Ticket) -> Permit | Exception | None:
        """Ask for a permit; None if the ticket has to wait, and its kind with it."""
        answer = self._answer_to(ticket)
        permit = answer if isinstance(answer, Permit) else None
        with self._changed:
            self._line.told(ticket, permit)
            if self._line and (permit is None or permit.word != "go"):
                # What was asked for in vain may be another one's share.
                self._changed.notify_all()
        return None if permit is not None and permit.word == "wait" else answer

    def _answer_to(self, ticket: Ticket) -> Permit | Exception | None:
        events = self._events
        if ticket.kind not in SLOTLESS:
            state = self._token_state()
            if state.error is not None and state.waited >= self._retry_for:
                return state.error
            if not state.is_usable:
                left = math.inf if state.error is None else self._retry_for - state.waited
                self._block(ALL, self._clock() + min(left, _LOOK_AGAIN), events)
                return None
        try:
            permit = ticket.ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the call has to know
            return error
        self._said[ticket.kind] = permit, self._clock()
        if permit.word != "wait":
            if permit.word != "go":
                # A slot that a lost permit had taken is free again, and no response tells of it.
                self.wake(ticket.kind)
            return permit
        wait = min(permit.wait, _LOOK_AGAIN)
        self._block(permit.kind, self._clock() + wait, events, ticket.kind)
        return permit

    def _block(self, which: str, until: float, events: int, kind: str = ALL) -> None:
        with self._changed:
            # What ended the wait may have come while the question was on its way.
            if events == self._events:
                self._line.block(ALL if which == ALL else kind, until)
