"""What Redis holds of a queue, for those who look at it: read in two round trips, without a scan.

Lengths of lanes, counts and what servers publish; no job, no reply. It only reads, so a user of
Redis who may do nothing else is enough: ``docs/security.md`` has its rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection.client import Link, as_text
from queued_gspread.broker.connection.deadline import until
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.waiting.holdups import NOTHING, Holdups

from .actions import Action, asked_of
from .failed_calls import FailedCall, failed_call, places
from .foreign import shown
from .keys import Keys
from .locks import LockHolder, holders_of
from .pauses import Pause, pauses_of
from .permits import KINDS
from .published import Published, published_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queued_gspread.settings import Settings

__all__ = ["KEPT", "Observed", "ServerHash", "observe"]

_LONGEST_READ: Final = 10.0
# Lanes whose lengths are read: each takes a command of one round trip.
_MOST_LANES: Final = 5000
_MOST_OUTCOMES: Final = 20
_MOST_SLOTS: Final = 2000
KEPT: Final = ("unattended", "in_doubt", "others")
"""The sorts of failed calls that are kept apart: :func:`.failed_calls.places` has their keys."""

_SERVER: Final = (
    *("holder", "epoch", "last_beat", "lease", "description", "holdups", "paused", "asked"),
)
_NUMBER: Final = re.compile(r"\d{1,15}(\.\d{1,9})?")


@dataclass(frozen=True)
class ServerHash:
    """The server that works, as its beats have it, and what operators have it do.

    Attributes:
        holder: Its id; '' for none.
        epoch: The latest epoch.
        last_beat: When it last beat, in seconds of Redis's clock; 0 for never.
        lease: The seconds after which it counts as gone.
        about: Its description.
        holdups: What holds requests up.
        pauses: What is paused.
        actions: The latest of what operators have asked for, the latest first.

    """

    holder: str = ""
    epoch: str = ""
    last_beat: float = 0.0
    lease: float = 0.0
    about: str = ""
    holdups: Holdups = NOTHING
    pauses: Sequence[Pause] = ()
    actions: Sequence[Action] = ()


@dataclass(frozen=True)
class Observed:
    """What Redis holds of a queue at a moment. Times are seconds of Redis's clock.

    Attributes:
        namespace: The queue.
        now: That moment.
        server: The server that works.
        published: What servers have published.
        account: The account that the namespace belongs to.
        depth: How many jobs the lanes hold.
        begun: How many of them were begun.
        lanes: How many jobs each lane holds, of so many lanes.
        lanes_in_all: How many lanes there are.
        locks: Who holds the locks of spreadsheets.
        throttle: What Google's refusals have taught: see ``quota.lua``.
        slots: Until when each slot of each kind is held; infinite for one in the air.
        outcomes: The latest calls that failed, of each sort.
        kept: How many are kept, of each of :data:`KEPT`.
        poisoned: How many jobs are kept of which servers have died.

    """

    namespace: str
    now: float
    server: ServerHash = field(default_factory=ServerHash)
    published: Published = field(default_factory=Published)
    account: str = ""
    depth: int = 0
    begun: int = 0
    lanes: Mapping[str, int] = field(default_factory=dict)
    lanes_in_all: int = 0
    locks: Sequence[LockHolder] = ()
    throttle: Mapping[str, float] = field(default_factory=dict)
    slots: Mapping[str, Sequence[float]] = field(default_factory=dict)
    outcomes: Sequence[FailedCall] = ()
    kept: Mapping[str, int] = field(default_factory=dict)
    poisoned: int = 0


def observe(settings: Settings, seconds: float = _LONGEST_READ) -> Observed:
    """Return what Redis holds of a queue.

    Args:
        settings: Where the queue is.
        seconds: For how long Redis may be waited for.

    Raises:
        BrokerUnavailableError: Redis cannot be reached in time, or refuses.

    """
    keys, redis = Keys(settings.namespace), Link(settings).connection.redis
    with until(now() + seconds):
        try:
            commands = _known(keys)
            answers = _ask(redis, [*commands.values()])
            found = {
                name: answer
                for name, answer in zip(commands, answers, strict=True)
                if answer is not None
            }
            published = published_of(found.get("published", {}), _now(found["time"]))
            names = _names_of(found, published)
            lengths = _ask(redis, [["XLEN", keys.lane(name)] for name in names])
        except RedisError as error:
            raise unavailable(settings, error) from error
    lanes = {name: length for name, length in zip(names, lengths, strict=True) if length}
    return _observed(settings.namespace, found, published, lanes)


def _known(keys: Keys) -> dict[str, list[Any]]:
    """Return the commands that read what has a known name."""
    latest = [0, _MOST_OUTCOMES - 1, "REV", "WITHSCORES"]
    return {
        "time": ["TIME"],
        "server": ["HMGET", keys.server, *_SERVER],
        "published": ["HGETALL", keys.published],
        "account": ["GET", keys.account],
        "depth": ["GET", keys.depth],
        "begun": ["HLEN", keys.progress],
        "active": ["SMEMBERS", keys.active],
        "locks": ["HGETALL", keys.locks],
        "throttle": ["HGETALL", keys.throttle],
        "poisoned": ["XLEN", keys.poisoned],
        **{
            f"slots {kind}": ["ZRANGE", keys.slots(kind), 0, _MOST_SLOTS - 1, "WITHSCORES"]
            for kind in KINDS
        },
        **{f"kept {place}": ["ZCARD", key] for place, key in enumerate(places(keys))},
        **{f"latest {place}": ["ZRANGE", key, *latest] for place, key in enumerate(places(keys))},
    }


def _ask(redis: Any, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the answers to commands that go out together; None for a key of a wrong type."""
    if not commands:
        return []
    pipeline = redis.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    answers = pipeline.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, RedisError) and "WRONGTYPE" not in str(answer):
            raise answer
    return [None if isinstance(answer, RedisError) else answer for answer in answers]


def _names_of(found: Mapping[str, Any], published: Published) -> list[str]:
    """Return the lanes whose lengths are read, those at work first."""
    active = {as_text(name) for name in found.get("active", ())}
    at_work = (lane.lane for lane in published.work.lanes if lane.lane in active)
    return [*dict.fromkeys([*at_work, *sorted(active)])][:_MOST_LANES]


def _now(answer: Any) -> float:
    seconds, micros = answer
    return int(seconds) + int(micros) / 1e6


def _observed(
    namespace: str, found: Mapping[str, Any], published: Published, lanes: Mapping[str, int]
) -> Observed:
    sorts = range(len(KEPT))
    kept = [pair for place in sorts for pair in _pairs(found.get(f"latest {place}", ()))]
    outcomes = [call for call in (failed_call(*pair) for pair in kept) if call is not None]
    throttle = found.get("throttle", {}).items()
    return Observed(
        namespace,
        _now(found["time"]),
        _server(found.get("server", [None] * len(_SERVER))),
        published,
        shown(as_text(found.get("account", ""))),
        _whole(found.get("depth")),
        _whole(found.get("begun")),
        lanes,
        len(found.get("active", ())),
        holders_of(found.get("locks", {})),
        {as_text(name): float(as_text(text)) for name, text in throttle if _is_number(text)},
        {
            kind: sorted(score / 1000 for _, score in _pairs(found.get(f"slots {kind}", ())))
            for kind in KINDS
        },
        sorted(outcomes, key=lambda call: str(call.at), reverse=True),
        {sort: _whole(found.get(f"kept {place}")) for place, sort in enumerate(KEPT)},
        _whole(found.get("poisoned")),
    )


def _server(values: Sequence[Any]) -> ServerHash:
    holder, epoch, last_beat, lease, about, said, paused, asked = (
        "" if value is None else as_text(value) for value in values
    )
    moment, _, holdups = said.partition(" ")
    # A server of an earlier version beats without renewing its predecessor's holdups.
    is_said = moment != "" and moment == last_beat
    return ServerHash(
        shown(holder),
        shown(epoch),
        _whole(last_beat) / 1000,
        _whole(lease) / 1000,
        shown(about),
        Holdups.decode(holdups.encode()) if is_said else NOTHING,
        pauses_of(paused),
        asked_of(asked),
    )


def _pairs(answer: Any) -> list[tuple[Any, float]]:
    """Return members with their scores, however the protocol's version has them."""
    if answer and isinstance(answer[0], (list, tuple)):
        return [(member, float(score)) for member, score in answer]
    return [(member, float(score)) for member, score in zip(answer[::2], answer[1::2], strict=True)]


def _whole(value: Any) -> int:
    return int(float(as_text(value))) if _is_number(value) else 0


def _is_number(value: Any) -> bool:
    return _NUMBER.fullmatch(as_text(value)) is not None
