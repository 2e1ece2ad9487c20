"""What the lanes of the server that works do, for those who look at the queue."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import AGAIN, PAUSED, SENT, LaneAtWork, Work, spreadsheet_lane
from queued_gspread.server.calls.titles import quoted, spreadsheet_title

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.broker import AccountAtWork, CacheAtWork
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.calls.history import History
    from queued_gspread.server.figures import Figures
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.valve import Valve

__all__ = ["WorkReporter"]

# How many lanes are published: each takes some 150 bytes.
_MOST: Final = 1000
_MOST_CALLERS: Final = 100
_QUOTA: Final = "quota"
_State = tuple[str, str, float]


class WorkReporter:
    """Reports what the lanes of the server that works do.

    Args:
        history: The calls of this process.
        figures: How long Google takes for answers.
        cache: Returns what is remembered.
        accounts: Returns what each account does, if there are several.

    """

    def __init__(
        self,
        history: History,
        figures: Figures,
        cache: Callable[[], CacheAtWork | None] = lambda: None,
        accounts: Callable[[], Sequence[AccountAtWork]] = tuple,
    ) -> None:
        self._accounts = accounts
        self._history = history
        self._figures = figures
        self._cache = cache
        self._watched: tuple[Valve, Transport] | None = None
        # Of lanes that were at work lately: a call that opens a spreadsheet has no title.
        self._titles: OrderedDict[str, str] = OrderedDict()

    def watch(self, valve: Valve, transport: Transport) -> None:
        """Report on this valve and transport from now on."""
        self._watched = valve, transport

    def rest(self) -> None:
        """Let go of the valve and transport: they refer to the queue and would keep it alive."""
        self._watched = None

    def look(self) -> Work:
        """Return what the lanes do."""
        if self._watched is None:
            return Work()
        calls: dict[str, list[Call]] = {}
        for call in self._history.underway():
            calls.setdefault(call.entry.lane, []).append(call)
        states, now = _states(*self._watched), time.monotonic()
        lanes = [
            _lane(
                name,
                self._title(name, calls.get(name, [])),
                calls.get(name, []),
                states.get(spreadsheet_lane(name)),
                now,
            )
            for name in calls.keys() | states.keys()
        ]
        lanes.sort(key=lambda lane: -lane.oldest)
        sent = (call for each in calls.values() for call in each if call.sent)
        callers = Counter(map(_caller, sent))
        return Work(
            lanes[:_MOST],
            max(0, len(lanes) - _MOST),
            self._watched[0].in_use,
            self._figures.slowest,
            dict(callers.most_common(_MOST_CALLERS)),
            self._cache(),
            self._accounts(),
        )

    def _title(self, name: str, calls: list[Call]) -> str:
        """Return a spreadsheet's title, as one of these calls or the latest before has it."""
        lane = spreadsheet_lane(name)
        title = next(filter(None, (spreadsheet_title(call.job) for call in calls)), "")
        if title:
            self._titles[lane] = title
        if lane in self._titles:
            self._titles.move_to_end(lane)
        if len(self._titles) > _MOST:
            self._titles.popitem(last=False)
        return self._titles.get(lane, "")


def _states(valve: Valve, transport: Transport) -> dict[str, _State]:
    """Return what each lane waits for: a kind of request, the state in a word, and seconds."""
    queues, later = valve.look(_MOST)
    states: dict[str, _State] = {lane: ("", AGAIN, max(0.0, left)) for lane, left in later.items()}
    for kind, waiting in queues.items():
        states |= dict.fromkeys(waiting.lanes, (kind, _QUOTA, 0.0))
    states |= {lane: (kind, PAUSED, 0.0) for lane, kind in valve.parked(_MOST)}
    return states | {lane: ("", SENT, each) for lane, each in transport.in_the_air().items()}


def _lane(name: str, title: str, calls: list[Call], state: _State | None, now: float) -> LaneAtWork:
    kind, word, seconds = state or ("", "", 0.0)
    if not calls:
        return LaneAtWork(name, title, kind=kind, state=word, seconds=round(seconds, 3))
    first = min(calls, key=lambda call: call.entry.seen - call.entry.age)
    return LaneAtWork(
        name,
        title,
        sum(call.sent > 0 for call in calls),
        round(now - first.entry.seen + first.entry.age, 3),
        quoted(first.job.name)[1:-1],
        _caller(first),
        round(now - first.began, 3),
        kind,
        word,
        round(seconds, 3),
    )


def _caller(call: Call) -> str:
    host, process = call.job.caller
    return quoted(f"{host}:{process}")[1:-1]
