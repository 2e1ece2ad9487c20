"""Which account is asked for a slot, of those that lend a namespace their quota. Pure.

A request may go out under another account than the namespace's own, a *lender*, only where that
lets its caller see and change no more than the namespace's account may: once that account itself
has had a successful answer to a request of the same kind on the same spreadsheet, for ten minutes
from the latest on, or until it is denied one. That is learned here, from answers; so is which
lender may not use which spreadsheet.

Of the accounts that may be asked, the one with the most room is first. The namespace's account
counts as fuller than it is by a third of its slots, or what no other account may send would wait
for them. Redis alone decides whether a slot is free: this is an order in which to ask, and what it
remembers may be wrong. So no bound of the quota depends on it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import PAUSE, Permit, Project
from queued_gspread.broker.permits import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["OWN", "Lending"]

OWN: Final = ""
"""The name of the namespace's own account."""

_KEPT_SHARE: Final = 1 / 3
# For so many seconds it is believed what an account may do, and what not.
_BELIEVED: Final = 600.0
# Spreadsheets that are remembered, of each sort. One that is forgotten costs one request.
_MOST: Final = 10_000
# Redis is asked again after so many seconds, whatever it has said: a limit may have grown.
_ASK_AGAIN: Final = 5.0
_NEVER_LENT: Final = "drive"
_ENDED_BY: Final = {"read": ("read", "write")}
_NOT_TOLD: Final = Permit("")


@dataclass
class Room:
    """An account's slots for one kind of request, as far as this process knows.

    Attributes:
        limit: How many there are; 0 for no limit.
        out: How many requests are in the air.
        ends: When each other slot that is held is free, in order.
        said: Redis's latest answer, if that was to wait.
        ends_at: When that wait is over.
        until: Until when Redis need not be asked again.
        pauses: Until when it makes no request, after a refusal of Google's.

    """

    limit: int
    out: int = 0
    ends: deque[float] = field(default_factory=deque)
    said: Permit = _NOT_TOLD
    ends_at: float = -math.inf
    until: float = -math.inf
    pauses: float = -math.inf

    def held(self, now: float) -> int:
        """Return how many slots are held."""
        while self.ends and self.ends[0] <= now:
            self.ends.popleft()
        return self.out + len(self.ends)


class Lending:
    """Knows what accounts lend, and for which spreadsheets. Thread-safe.

    Args:
        projects: The project of each account, by name; that of the namespace's own is :data:`OWN`.
        limits: Slots of each kind that each account has; 0 for no limit.
        shared: Slots of each kind that a project has; 0 for no limit.
        window: Seconds for which a slot is held after the response.
        clock: A monotonic clock, in seconds.

    """

    def __init__(
        self,
        projects: Mapping[str, str],
        limits: Mapping[str, int],
        shared: Mapping[str, int],
        window: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = dict(projects)
        self._limits, self._shared, self._window, self._clock = limits, shared, window, clock
        self._rooms: dict[tuple[str, str], Room] = {}
        # What the namespace's own account may do: kind and spreadsheet, and until when that is
        # believed. Then the same of what a lender may not, by its name.
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._denied: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def lenders(self) -> list[str]:
        """The names of the accounts that lend."""
        return [name for name in self._projects if name != OWN]

    def siblings(self, account: str) -> tuple[str, ...]:
        """Return the accounts of an account's project, itself included."""
        project = self._projects[account]
        return tuple(name for name, of in self._projects.items() if project and of == project)

    def project(self, account: str, kind: str) -> Project:
        """Return whose slots of a kind count together with an account's."""
        accounts, limit = self.siblings(account), self._shared.get(kind, 0)
        return Project(accounts, limit) if limit and len(accounts) > 1 else ALONE

    # What is learned ---------------------------------------------------------------------------

    def succeeded(self, kind: str, spreadsheet: str) -> None:
        """Note that the namespace's account may make a kind of request on a spreadsheet."""
        with self._lock:
            self._known[kind, spreadsheet] = self._clock() + _BELIEVED
            self._known.move_to_end((kind, spreadsheet))
            if len(self._known) > _MOST:
                self._known.popitem(last=False)

    def denied(self, account: str, kind: str, spreadsheet: str) -> None:
        """Note that an account may not."""
        with self._lock:
            if account == OWN:
                # Who may not read a spreadsheet may not write it either.
                for ended in _ENDED_BY.get(kind, (kind,)):
                    self._known.pop((ended, spreadsheet), None)
                return
            self._denied[account, kind, spreadsheet] = self._clock() + _BELIEVED
            self._denied.move_to_end((account, kind, spreadsheet))
            if len(self._denied) > _MOST:
                self._denied.popitem(last=False)

    def willing(self, kind: str, spreadsheet: str) -> list[str]:
        """Return the lenders that may be asked for a kind of request on a spreadsheet."""
        now = self._clock()
        with self._lock:
            if self._known.get((kind, spreadsheet), -math.inf) <= now:
                return []
            denied = self._denied
            return [
                name
                for name in self.lenders
                if denied.get((name, kind, spreadsheet), -math.inf) <= now
            ]

    # Whom to ask -------------------------------------------------------------------------------

    def in_order(self, kind: str, accounts: Sequence[str]) -> list[str]:
        """Return accounts in the order in which to ask them."""
        now = self._clock()
        with self._lock:
            return sorted(accounts, key=lambda account: self._load(account, kind, now))

    def _load(self, account: str, kind: str, now: float) -> float:
        room, is_own = self._room(account, kind), account == OWN
        if not room.limit:
            return -1.0 if is_own else 0.0  # without a limit nothing need be lent
        return room.held(now) / room.limit + _KEPT_SHARE * is_own

    def resting(self, account: str, kind: str) -> Permit | None:
        """Return what Redis said last, if it would say the same again; None if it is to be asked.

        While a wait has an end, no answer of Google's brings a slot before that.
        """
        now = self._clock()
        with self._lock:
            room = self._room(account, kind)
            return replace(room.said, wait=room.ends_at - now) if now < room.until else None

    def told(self, account: str, kind: str, permit: Permit) -> None:
        """Note what Redis has answered to a request of a kind under an account."""
        now = self._clock()
        with self._lock:
            room = self._room(account, kind)
            room.until = room.pauses = -math.inf
            if permit.word == "go":
                room.out += 1
            if permit.word in ("go", "wait"):
                room.limit = permit.limit
            if permit.word == "wait" and permit.kind == PAUSE:
                room.pauses = now + permit.wait
            elif permit.word == "wait" and permit.wait < math.inf:
                room.said, room.ends_at = permit, now + permit.wait
                room.until = min(room.ends_at, now + _ASK_AGAIN)

    def refused(self, account: str, kind: str, pause: float) -> None:
        """Note for how many seconds an account makes no requests of a kind."""
        now = self._clock()
        with self._lock:
            self._room(account, kind).pauses = now + pause

    def answered(self, account: str, kind: str) -> None:
        """Note that a request under an account is no longer in the air."""
        now = self._clock()
        with self._lock:
            room = self._room(account, kind)
            room.out -= 1
            room.held(now)  # forgets what is over
            room.ends.append(now + self._window)

    def total(self, kind: str, accounts: Sequence[str]) -> int:
        """Return how many slots of a kind accounts have together; 0 for no limit."""
        with self._lock:
            limits = {account: self._room(account, kind).limit for account in accounts}
        if not all(limits.values()):
            return 0
        of_projects: dict[str, int] = {}
        for account, limit in limits.items():
            project = self._projects[account] or f" {account}"
            of_projects[project] = of_projects.get(project, 0) + limit
        bound = self._shared.get(kind, 0) or math.inf
        return int(sum(min(limit, bound) for limit in of_projects.values()))

    def rooms(self, account: str) -> dict[str, tuple[int, int]]:
        """Return for each kind how many slots an account holds, and how many it has."""
        now = self._clock()
        kinds = [kind for kind in self._limits if account == OWN or kind != _NEVER_LENT]
        with self._lock:
            mine = {kind: self._room(account, kind) for kind in kinds}
            return {kind: (room.held(now), room.limit) for kind, room in mine.items()}

    def pauses(self, account: str) -> dict[str, float]:
        """Return for each kind that an account makes no requests of, for how many seconds more."""
        now = self._clock()
        with self._lock:
            mine = {kind: room for (name, kind), room in self._rooms.items() if name == account}
        return {kind: room.pauses - now for kind, room in mine.items() if room.pauses > now}

    def _room(self, account: str, kind: str) -> Room:
        room = self._rooms.get((account, kind))
        if room is None:
            room = self._rooms[account, kind] = Room(self._limits.get(kind, 0))
        return room
