"""The valve: a request waits here for a token and for a slot of the quota.

Google allows a number of requests of a kind in a window of time, and does not say whether its
windows are fixed or sliding, or where they begin. So a slot is held from the moment at which
its request may be sent until one window after its response has arrived, and there are no more
slots than the quota has requests. Then no window of Google's holds more than the quota:

    Let a window be [a, a + w), and take the requests that Google counts in it. Google counts a
    request at some moment c between its sending s and its response r. Let j be the one of them
    that was sent last. Each of the others, i, was sent by then, s_i <= s_j, and its slot is held
    until r_i + w >= c_i + w >= a + w > c_j >= s_j. So at s_j all their slots are held at once,
    and there are no more of them than the quota.

Where accounts lend a namespace their quota, this holds for each account by itself: its requests
take slots of its own, and no more of them are held at once than its quota has. It holds for each
project of which there are several accounts, too. A request takes a slot only while the accounts of
its project hold fewer together than the project's quota has; one script counts and takes, so
nothing comes in between. Let "requests" be those of a project, and the proof stands: at s_j all
their slots are held at once, in the sets of its accounts, and there are no more of them than its
quota. An account that has its project for itself is held to the lower one of both quotas. All this
is about the accounts that a server has. What others of the same project have sent less than a
window before, for a server that had them, it does not count.

Nothing is assumed of latencies, nor of the window but its length; that Google's clock and
Redis's run equally fast is. A slot whose response never came is held until one window after its
server was found gone; what Google would do with such a request later than that is not covered.
Which request asks, and when, is chosen for fairness between lanes (``ticket_queue``, ``fairness``),
and under which account for the sake of their room (``lending``). That can only delay a question, or
ask it elsewhere: the proof holds for every request that Redis has let go, whenever and in whatever
order they asked.

Slots are kept in Redis (``broker/lua/quota.lua``), on Redis's clock, so that they outlive the
server. If Redis forgets them, the server that holds them still has them (``broker.held.Held``).

A request's task takes a ticket and waits for its turn. Then it asks Redis, on the worker's thread
that drives it. Redis answers "go", or how long to wait: then all requests of that kind wait, and
the task goes back into the queue. Of the tickets of a kind that have waited, one has its turn at a
time, and the others do not ask. Requests that may go out under any account wait in a line of their
own, and ask one account after the other in their turn: so they do not wait behind one that only the
namespace's account may send, nor it behind them. Waiting takes no thread, and the valve's own
thread only gives turns.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from queued_gspread.broker import ALL, LENT, Permit
from queued_gspread.server.failure import logged

from .ticket_queue import FREE, SLOTLESS, Ticket, TicketQueue, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from queued_gspread.broker import Slot
    from queued_gspread.server.failure import Watch
    from queued_gspread.server.google.token_state import TokenState

    Resume = Callable[[Permit | Exception], None]

__all__ = ["LATE", "LEFT", "TURN", "Valve", "Waiting"]

TURN: Final = Permit("go")
"""For a ticket whose turn has come: its task may ask Redis, or go on if it needs no slot."""

LATE: Final = Permit("late")
"""For a ticket that gives up, as its time is over."""

LEFT: Final = Permit("left")
"""For a ticket that is left to the next server."""

# Cap every wait, in case a wake-up is missed.
_LOOK_AGAIN: Final = 5.0


class Waiting(NamedTuple):
    """The tickets of one kind that wait.

    Attributes:
        permit: Redis's latest answer to one of them.
        left: The seconds until that answer's wait is over.
        length: How many tickets wait.
        lanes: The lanes of some of them.
        is_shared: Whether the slots are shared out between spreadsheets.

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
        token_state: Returns whether the server has a usable token.
        retry_for: Seconds for which requests wait for a token.
        clock: A monotonic clock, in seconds.
        watched: Wraps the work of the valve's thread, to watch it.

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
        self._queue = TicketQueue()
        self._changed = threading.Condition()
        # Counts events that may end a wait: a response, a new token.
        self._events = 0
        self._closing: Permit | Exception | None = None
        # How to resume the task of each ticket that waits.
        self._resumes: dict[Ticket, Resume] = {}
        # Tickets that have their turn, and the count of events when it began.
        self._asking: dict[Ticket, int] = {}
        # Redis's latest answer for each line, and when it came.
        self._said: dict[str, tuple[Permit, float]] = {}
        work = watched(self._work)
        self._thread = threading.Thread(target=work, name="valve", daemon=True)

    def start(self) -> None:
        """Start the thread that gives waiting tickets their turn."""
        self._thread.start()

    def turn_now(self, ticket: Ticket) -> Permit | None:
        """Return a ticket's turn, or how it ends; None if it must wait.

        A caller that gets a :data:`TURN` must report Redis's answer: see :meth:`told`.

        Raises:
            Exception: There will be no token, or no more turns.

        """
        turn = self._turn_now(ticket)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def enter(self, ticket: Ticket, resume: Resume) -> Permit | Exception | None:
        """Return what :meth:`turn_now` does; a task that must wait is resumed with it later."""
        return self._turn_now(ticket) or self._wait(ticket, resume)

    def held_back(self, ticket: Ticket) -> float:
        """Return for how many seconds fairness lets other lanes go first.

        Negative if it does not, and infinite if only an answer from Google can tell.
        """
        with self._changed:
            return self._queue.held_back(ticket, self._clock())

    def end_of(self, ticket: Ticket) -> Permit | None:
        """Return how a ticket ends, if its time is over or the valve closed; None if it goes on."""
        over = self._answer_if_over(ticket)
        if isinstance(over, Exception):
            raise over
        return over

    def told(self, ticket: Ticket, permit: Permit | None = None) -> None:
        """Note what Redis answered a ticket that had its turn.

        If the answer is to wait, the ticket keeps the turn of its kind until it is back in the
        queue, so that no other ticket overtakes it on the way.

        Args:
            ticket: The ticket.
            permit: The answer; None if Redis was not asked, or asking failed.

        """
        with self._changed:
            events = self._asking.pop(ticket, None)
            if events is None:
                return
            self._queue.told(ticket, permit)
            word = "" if permit is None else permit.word
            if permit is not None:
                self._said[ticket.kind] = permit, self._clock()
            if permit is not None and word == "wait":
                self._queue.hold(ticket)
                until = self._clock() + min(permit.wait, _LOOK_AGAIN)
                self._block(ALL if permit.kind == ALL else ticket.kind, until, events)
            was_held = word != "wait" and self._queue.let_go(ticket)
            if word not in ("go", "wait", ""):
                # A slot that a lost permit had taken is free again, and no response will say so.
                self._queue.unblock(ticket.kind)
                self._events += 1
            # A slot that this ticket did not get may be due to another one.
            if (was_held or word != "go") and self._queue:
                self._changed.notify_all()

    def wake(self, kind: str = ALL) -> None:
        """Let a kind of request ask again; for ALL, because the token has changed."""
        with self._changed:
            self._queue.unblock(kind)
            self._note_event()

    def unpark(self, pauses: Collection[str]) -> None:
        """Let requests ask again whose pause is none of these any more."""
        with self._changed:
            if self._queue.unpark(pauses):
                self._note_event()

    def answered(self, slot: Slot) -> None:
        """Note that a request was answered and its slot released."""
        with self._changed:
            self._queue.answered(slot, self._clock())
            self._note_event()

    def _note_event(self) -> None:
        self._events += 1
        if self._queue:
            self._changed.notify_all()

    def close(self, answer: Permit | Exception = LEFT) -> None:
        """Let nothing through any more; tickets that wait, or come later, get that answer."""
        with self._changed:
            self._closing = self._closing or answer
            left = [self._resumes.pop(each) for each in self._queue.remove(lambda _: True)]
            self._changed.notify_all()
        for resume in left:
            resume(self._closing)

    def parked(self, most: int) -> list[tuple[str, str]]:
        """Return the lanes of up to ``most`` requests that a pause holds up, with their kinds."""
        with self._changed:
            return self._queue.parked(most)

    def look(self, most: int) -> tuple[dict[str, Waiting], dict[str, float]]:
        """Return what waits: each kind's tickets, and the seconds until lanes that come later.

        Args:
            most: How many lanes to name for each.

        """
        with self._changed:
            now = self._clock()
            by_kind = self._queue.lanes(most)
            for ticket in self._queue.held:
                count, lanes = by_kind.get(kind_of(ticket), (0, []))
                by_kind[kind_of(ticket)] = count + 1, [*lanes, ticket.lane]
            early = self._queue.early(most)
            later = {ticket.lane: ticket.not_before - now for ticket in early}
            is_shared = self._queue.is_shared
        waiting = {}
        for kind, (count, lanes) in by_kind.items():
            permit, moment, is_said = self._said_of(kind, now)
            # A ticket that waits until others have had their share need not have asked.
            is_sharing = is_shared and permit.limit > 0
            if is_said or is_sharing:
                left = moment + permit.wait - now
                if is_sharing and not (is_said and left > 0):
                    permit = replace(permit, kind="")  # such as a pause that is over by now
                waiting[kind] = Waiting(permit, left, count, lanes, is_shared=is_sharing)
        return waiting, later

    def _said_of(self, kind: str, now: float) -> tuple[Permit, float, bool]:
        """Return what Redis has said of a kind, when, and whether that is to wait still.

        Of its two lines the longer wait and the lower limit, so that no caller is told too little.
        """
        lines = [said for line in (kind, kind + LENT) if (said := self._said.get(line))]
        lines = [said for said in lines if now - said[1] < 2 * _LOOK_AGAIN] or lines
        waits = [said for said in lines if said[0].word == "wait"]
        permit, moment = max(
            waits or lines,
            key=lambda said: said[1] + said[0].wait,
            default=(_NOTHING, -math.inf),
        )
        limit = min((said.limit for said, _ in lines if said.limit), default=0)
        is_said = bool(waits) and now - moment < 2 * _LOOK_AGAIN
        return replace(permit, limit=limit), moment, is_said

    @property
    def in_use(self) -> int:
        """How many spreadsheets slots are shared out between."""
        return self._queue.in_use

    def join(self) -> None:
        """Wait until the thread of a closed valve has ended."""
        self._thread.join()

    def _answer_if_over(self, ticket: Ticket) -> Permit | Exception | None:
        return self._closing or (LATE if ticket.until <= self._clock() else None)

    def _turn_now(self, ticket: Ticket) -> Permit | Exception | None:
        ticket.number = ticket.number or next(self._numbers)
        with self._changed:
            self._queue.let_go(ticket)  # it is back from its turn
            over = self._answer_if_over(ticket)
            if over is not None:
                return over
            now = self._clock()
            if ticket.pause or ticket.not_before > now or not self._queue.passes(ticket, now):
                return None
            if ticket.kind != FREE:
                self._asking[ticket] = self._events
        return self._with_token(ticket)

    def _with_token(self, ticket: Ticket) -> Permit | Exception | None:
        """Return a ticket's turn; None while there is no token, or why there will be none."""
        if ticket.kind in SLOTLESS:
            return TURN
        state = self._token_state()
        is_hopeless = state.error is not None and state.waited >= self._retry_for
        if state.is_usable and not is_hopeless:
            return TURN
        with self._changed:
            events = self._asking.pop(ticket, self._events)
            self._queue.told(ticket)
            self._queue.let_go(ticket)
            if self._queue:
                self._changed.notify_all()
            if not is_hopeless:
                left = math.inf if state.error is None else self._retry_for - state.waited
                self._block(ALL, self._clock() + min(left, _LOOK_AGAIN), events)
        return state.error if is_hopeless else None

    def _block(self, kind: str, until: float, events: int) -> None:
        # The event that ends this wait may have come while Redis was being asked.
        if events == self._events:
            self._queue.block(kind, until)

    def _wait(self, ticket: Ticket, resume: Resume) -> Permit | Exception | None:
        with self._changed:
            over = self._answer_if_over(ticket)
            if over is None:
                self._resumes[ticket] = resume
                self._queue.add(ticket)
                self._changed.notify_all()
            return over

    # The valve's thread ----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (due := self._next_due()) is not None:
                self._give_turn(*due)
        except BaseException as error:
            self.close(RuntimeError(f"the valve has failed: {type(error).__name__}: {error}"))
            raise

    def _next_due(self) -> tuple[Ticket, Permit | Exception | None] | None:
        """Wait for a ticket whose turn has come, or that ends; None if the valve is closed."""
        with self._changed:
            while self._closing is None:
                ticket = self._queue.take(self._clock())
                if ticket is not None:
                    return ticket, self._begin_turn(ticket)
                moment = self._queue.next_moment()
                pause = None if moment == math.inf else max(0.0, moment - self._clock())
                self._changed.wait(pause)
            return None

    def _begin_turn(self, ticket: Ticket) -> Permit | Exception | None:
        over = self._answer_if_over(ticket)
        if over is not None:
            self._queue.told(ticket)
        elif ticket.kind != FREE:
            self._queue.hold(ticket)
            self._asking[ticket] = self._events
        return over

    def _give_turn(self, ticket: Ticket, over: Permit | Exception | None) -> None:
        """Resume a ticket's task; or put it back into the queue, if there is no token."""
        resume = self._resumes.pop(ticket)
        try:
            answer = over or self._with_token(ticket) or self._wait(ticket, resume)
        except BaseException as error:
            resume(RuntimeError(f"the valve has failed: {type(error).__name__}: {error}"))
            raise
        if answer is not None:
            resume(answer)
