"""What servers publish for those who look at the queue, as Redis keeps it: in one hash.

=================  ==================================================================
field              value
=================  ==================================================================
``server:ID``      number and time of the server's latest publication, and its :class:`Card`
``work``           time and epoch, and what the lanes of the server that works do: :class:`Work`
``resources``      the same time and epoch, and what it has to make calls with, beyond its first
                   account (:mod:`.resources`); earlier versions neither write nor read it
``total:NAME``     a count since the beginning; the names are in ``server.figures``
``caller:CALLER``  when it last had a call answered, its calls, those that failed, its requests
``10:PLACE``       a step of the history of an hour, in JSON; places come again
``300:PLACE``      a step of the history of two days
=================  ==================================================================

Anyone may have written any of it: what cannot be read counts as not there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker.connection.client import as_text

from .foreign import finite, is_number, loaded, number_in, options_in, shown, typed, whole
from .resources import Resources, resources_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .resources import AccountAtWork, CacheAtWork

__all__ = [
    "AGE_OF_STEPS",
    "BOUNDS",
    "CallerCounts",
    "Card",
    "LaneAtWork",
    "Publication",
    "Published",
    "Work",
    "card_in",
    "published_of",
]

AGE_OF_STEPS: Final = {10: 3600, 300: 172_800}
"""Of each history: the seconds of a step, and how many seconds it goes back; as in the script."""

BOUNDS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
"""The upper bounds of the places of histograms, in seconds; there is one more place beyond them."""

_CARD: Final = re.compile(r"(\d{1,15}) (\d{1,15}) (.*)", re.DOTALL)
_CALLER: Final = re.compile(r"(\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15})")


@dataclass(frozen=True)
class Card:
    """What a server says of itself.

    Attributes:
        host: Its host.
        process: Its process.
        version: Its version of this package.
        gspread: Its version of gspread.
        python: Its version of Python.
        account: Whose credentials it has, in words.
        up: The seconds since it started.
        lease: The seconds after which it counts as gone if it is silent.
        has_token: Whether it has an access token, so that it can send requests.
        token: The seconds until that expires; None if it does not, or if nobody knows.
        options: The options that matter, by name.
        limits: How many requests of each kind a window may hold; 0 for no limit.
        works: Whether it works, and does not stand by.

    """

    host: str = ""
    process: int = 0
    version: str = ""
    gspread: str = ""
    python: str = ""
    account: str = ""
    up: float = 0.0
    lease: float = 0.0
    has_token: bool = False
    token: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    works: bool = False

    def differences(self, other: Card) -> list[str]:
        """Return the options that another server has set otherwise."""
        both = self.options.keys() & other.options.keys()
        return sorted(name for name in both if self.options[name] != other.options[name])

    def encode(self) -> str:
        """Return it as text for Redis."""
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True)
class LaneAtWork:
    """What a lane does. Nothing here is an argument or a cell's value.

    Attributes:
        lane: Its name.
        title: The spreadsheet's title, as its calls have it; '' if they do not.
        running: For how many of its calls a request was sent.
        oldest: The seconds since its first call was put in; 0 if that is not known.
        method: The method of that: ``worksheet.append_row``; '' if the server has not read it yet.
        caller: Its caller.
        since: The seconds since the server took it up.
        kind: The kind of request that the lane waits for; '' for none, or if that is not known.
        state: What it does: ``sent`` (waits for Google's answer), ``again`` (waits until a request
            is sent again), ``quota`` (waits for its turn), ``paused`` (waits for the end of an
            operator's pause) or '' (none of these for long).
        seconds: Since when, or for how long, it is in that state.

    """

    lane: str
    title: str = ""
    running: int = 0
    oldest: float = 0.0
    method: str = ""
    caller: str = ""
    since: float = 0.0
    kind: str = ""
    state: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Work:
    """What the lanes of the server that works do.

    Attributes:
        lanes: Those with calls under way, or that wait: the oldest first, and no more than so many.
        left_out: How many more there are.
        in_use: How many spreadsheets share the slots; 0 if they are not shared.
        slowest: The longest time that Google took for an answer lately, by kind, in seconds.
        callers: For how many calls of each caller a request was sent.
        cache: The answers that it remembers; None if it remembers none.
        accounts: Its accounts, the first one first; none if it has only one.

    """

    lanes: Sequence[LaneAtWork] = ()
    left_out: int = 0
    in_use: int = 0
    slowest: Mapping[str, float] = field(default_factory=dict)
    callers: Mapping[str, int] = field(default_factory=dict)
    cache: CacheAtWork | None = None
    accounts: Sequence[AccountAtWork] = ()

    def with_heads(self, ages: Mapping[str, float]) -> Work:
        """Return it with the ages of lanes' first calls, where the server has not read these."""
        lanes = {lane.lane: lane for lane in self.lanes}
        for name, age in ages.items():
            lane = lanes.get(name, LaneAtWork(name))
            lanes[name] = lane if lane.method else replace(lane, oldest=round(age, 3))
        return replace(self, lanes=sorted(lanes.values(), key=lambda lane: -lane.oldest))

    def encode(self) -> str:
        """Return it as text for Redis."""
        names = [each.name for each in fields(LaneAtWork)]
        lanes = [[getattr(lane, name) for name in names] for lane in self.lanes]
        rest = [self.left_out, self.in_use, dict(self.slowest), dict(self.callers)]
        return json.dumps([lanes, *rest], separators=(",", ":"))

    def encode_resources(self) -> str:
        """Return what it has to make calls with as text for Redis; '' for nothing to be told.

        It is apart from the rest: earlier versions read that only as they write it.
        """
        return Resources(self.cache, self.accounts).encode()


@dataclass(frozen=True)
class CallerCounts:
    """The calls of a caller that were answered.

    Attributes:
        last: When the latest was, in seconds of Redis's clock.
        calls: How many there were.
        failed: How many of them failed.
        requests: Its part of the requests that were sent.

    """

    last: float
    calls: int
    failed: int
    requests: float


@dataclass(frozen=True)
class Publication:
    """What a server publishes at a time.

    Attributes:
        number: Its number, from 1 on; sent again, it adds nothing.
        card: The server's card; None at its end.
        work: What its lanes do; None for a server that does not work.
        totals: Differences of counts, by name.
        step: The same for the history, by shorter names.
        callers: Of each caller: calls, those that failed, thousandths of requests.

    """

    number: int
    card: Card | None = None
    work: Work | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    step: Mapping[str, int] = field(default_factory=dict)
    callers: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def args(self, server_id: str, kinds: Sequence[str]) -> list[Any]:
        """Return it as arguments of ``publish.lua``, with the limits of these kinds."""
        limits = {} if self.card is None else self.card.limits
        card = "" if self.card is None else self.card.encode()
        work = "" if self.work is None else self.work.encode()
        resources = "" if self.work is None else self.work.encode_resources()
        args: list[Any] = [server_id, self.number, card, work, resources]
        args.append(json.dumps(dict(self.step)))
        args += [len(self.totals), *(each for pair in self.totals.items() for each in pair)]
        args += [each for kind in kinds for each in (kind, limits.get(kind, 0))]
        return args + [each for name, by in self.callers.items() for each in (name, *by)]


@dataclass(frozen=True)
class Published:
    """All that servers have published, as Redis has it.

    Attributes:
        cards: Of each server that has not ended: when it last published, and its card.
        work: What the lanes of the server that works do.
        worked_at: When that was published, in seconds of Redis's clock.
        epoch: Under which epoch.
        totals: Counts since the beginning, by name.
        callers: The latest callers.
        history: The steps of each history by their seconds, in order: counts by name, and ``t``,
            the time at which the step begins.

    """

    cards: Mapping[str, tuple[float, Card]] = field(default_factory=dict)
    work: Work = field(default_factory=Work)
    worked_at: float = 0.0
    epoch: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)
    callers: Mapping[str, CallerCounts] = field(default_factory=dict)
    history: Mapping[int, Sequence[Mapping[str, float]]] = field(default_factory=dict)


def card_in(text: Any) -> tuple[float, Card] | None:
    """Return when a server last published, and its card; None if it has ended."""
    match = _CARD.fullmatch(as_text(text))
    found = loaded(match[3]) if match else None
    if match is None or not isinstance(found, dict):
        return None
    taken = {each.name: found[each.name] for each in fields(Card) if each.name in found}
    for name in ("options", "limits"):
        options = taken.get(name)
        taken[name] = options_in(options) if isinstance(options, dict) else {}
    taken["limits"] = {kind: int(finite(limit)) for kind, limit in taken["limits"].items()}
    return int(match[2]) / 1000, typed(Card, taken)


def published_of(found: Mapping[bytes, bytes], now: float) -> Published:
    """Return what servers have published.

    Args:
        found: The hash in Redis.
        now: Redis's clock, in seconds.

    """
    parts: dict[str, dict[str, bytes]] = {}
    for name, value in found.items():
        part, _, rest = as_text(name).partition(":")
        parts.setdefault(part, {})[rest] = value
    cards = {shown(name): card_in(text) for name, text in parts.get("server", {}).items()}
    callers = {shown(name): _caller(text) for name, text in parts.get("caller", {}).items()}
    work, epoch, at = _work(*(parts.get(name, {}).get("", b"") for name in ("work", "resources")))
    totals = {name: whole(text) for name, text in parts.get("total", {}).items()}
    return Published(
        {name: card for name, card in cards.items() if card is not None},
        work,
        at,
        epoch,
        {shown(name): number for name, number in totals.items() if number > 0},
        {name: counts for name, counts in callers.items() if counts is not None},
        {size: _steps(parts.get(str(size), {}), now - age) for size, age in AGE_OF_STEPS.items()},
    )


def _work(text: bytes, more: bytes) -> tuple[Work, str, float]:
    match, beside = _CARD.fullmatch(as_text(text)), _CARD.fullmatch(as_text(more))
    try:
        moment, epoch, said = match.groups() if match else ("0", "", "")
        # An earlier version's server leaves there what another one has written.
        is_of_it = beside is not None and beside.groups()[:2] == (moment, epoch)
        resources = resources_in(beside[3]) if beside and is_of_it else Resources()
        lanes, left_out, in_use, slowest, callers = json.loads(said)
        work = Work(
            tuple(_lane(lane) for lane in lanes),
            int(number_in(left_out)),
            int(number_in(in_use)),
            {shown(kind): number_in(seconds) for kind, seconds in slowest.items()},
            {shown(caller): int(number_in(number)) for caller, number in callers.items()},
            resources.cache,
            resources.accounts,
        )
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return Work(), "", 0.0
    return work, epoch, int(moment) / 1000


def _lane(values: Any) -> LaneAtWork:
    names = [each.name for each in fields(LaneAtWork)]
    return typed(LaneAtWork, dict(zip(names, values, strict=True)))


def _caller(text: bytes) -> CallerCounts | None:
    match = _CALLER.fullmatch(as_text(text))
    if match is None:
        return None
    last, calls, failed, requests = map(int, match.groups())
    return CallerCounts(last / 1000, calls, failed, requests / 1000)


def _steps(found: Mapping[str, bytes], since: float) -> list[dict[str, float]]:
    steps = []
    for text in found.values():
        step = loaded(text)
        if isinstance(step, dict):
            counts = {shown(name): value for name, value in step.items() if is_number(value)}
            if "t" in counts and counts["t"] > since:
                steps.append(counts)
    return sorted(steps, key=lambda step: step["t"])
