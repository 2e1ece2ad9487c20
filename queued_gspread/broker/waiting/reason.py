"""Why a caller has waited for long, and for how much longer, in words. Pure.

The text contains nothing about a call except that it waits: no arguments, and no outcomes of other
calls. A number in it is a bound for what was waiting at that time, if nothing comes in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc
from queued_gspread.broker.pauses import EVERYTHING
from queued_gspread.broker.permits import PAUSE

from .holdups import AGAIN, INTERVAL, NOTHING, QUOTA, SENT, SHARED, Holdup, Holdups

if TYPE_CHECKING:
    from queued_gspread.broker.locks import LockHolder
    from queued_gspread.broker.pauses import Pause

__all__ = ["CERTAIN", "SPACED", "Sight", "bound", "brief", "longest", "reason"]

# A working server beats at least once a second.
_SILENT: Final = 3.0
CERTAIN: Final = 0.9
"""The share of a window's requests that a queue can count on."""
SPACED: Final = 1 / 3
"""The share for which it may still have to wait until the window is over, since spreadsheets share
them fairly."""
_QUOTAS: Final = {"read": "the read quota", "write": "the write quota", "drive": "Drive's quota"}
_USED: Final = {"read": "reads", "write": "writes", "drive": "Drive"}
_ONE: Final = {"read": "one read", "write": "one write", "drive": "one request to Drive"}


@dataclass(frozen=True)
class Sight:
    """What a waiting caller sees.

    Attributes:
        where: Namespace and Redis, in words.
        start: How to start a server there, in words.
        grace: Seconds without a server after which the caller gives up.
        lane: The lane of its call.
        away: Seconds for which Redis has been out of reach; None if it is not.
        silence: Seconds of the caller's wait for which no server was alive.
        ahead: How many calls are ahead of its own in the lane.
        is_exact: Whether they were counted; else there may be fewer.
        age: Seconds since the server's latest beat.
        holdups: The holdups of that beat.
        lock: Who holds the lock of the call's spreadsheet, if anybody does.
        moment: Redis's clock, in seconds.
        pause: What an operator has paused, if it holds the call up.

    """

    where: str = ""
    start: str = ""
    grace: float = 0.0
    lane: str = ""
    away: float | None = None
    silence: float = 0.0
    ahead: int = 0
    is_exact: bool = True
    age: float = 0.0
    holdups: Holdups = NOTHING
    lock: LockHolder | None = None
    moment: float = 0.0
    pause: Pause | None = None


def reason(sight: Sight) -> str:
    """Return what a caller waits for, as one line without a full stop."""
    if sight.away is not None:
        return f"Redis has been out of reach for {sight.away:.0f} s ({sight.where})"
    if sight.silence >= _SILENT:
        return (
            f"no server has been alive for {sight.silence:.0f} s in {sight.where}. Calls fail "
            f"after {sight.grace:g} s of that; {sight.start}"
        )
    pause = sight.pause
    if pause is not None and (pause.what == EVERYTHING or sight.lock is None):
        return f"{pause.shown}{_behind(sight)}"
    if sight.holdups.token is not None:
        seconds = sight.holdups.token + sight.age
        return f"the server has had no access token for {seconds:.0f} s; its log says why"
    return _of_queue(sight) if sight.lock is None else _of_lock(sight, sight.lock)


def brief(sight: Sight) -> str:
    """Return the same, in fewer words where a quota is used up."""
    word, _ = _of_lane(sight)
    holdup = sight.holdups.kinds.get(word)
    is_elsewhere = sight.lock is not None or sight.pause is not None or sight.away is not None
    if is_elsewhere or holdup is None or holdup.why != QUOTA or word not in _QUOTAS:
        return reason(sight)
    if sight.silence >= _SILENT or sight.holdups.token is not None:
        return reason(sight)
    place = f"behind {_calls(sight).removesuffix(' ahead')}" if sight.ahead else "next in line"
    most = bound(holdup, sight.ahead, sight.age)
    known = "" if math.isinf(most) else f", at most {max(1, math.ceil(most))} s"
    used = f"{holdup.limit:,} of {holdup.limit:,}" if holdup.limit else "used up"
    return f"{place}{known}; quota: {_USED[word]} {used}"


def _of_queue(sight: Sight) -> str:
    word, seconds = _of_lane(sight)
    if word == SENT:
        return f"no answer from Google for {seconds + sight.age:.0f} s{_behind(sight)}"
    if word == AGAIN:
        left = max(0.0, seconds - sight.age)
        return f"a request has failed and will be retried in {left:.0f} s{_behind(sight)}"
    return _of_kind(sight, word, sight.holdups.kinds.get(word))


def _of_lock(sight: Sight, lock: LockHolder) -> str:
    seconds = max(0.0, sight.moment - lock.since)
    since = shown_utc(lock.since)
    return (
        f"the spreadsheet is locked by {lock.who} for {seconds:.0f} s, since {since}"
        f"{_behind(replace(sight, ahead=max(0, sight.ahead - 1)))}"
    )


def _of_lane(sight: Sight) -> tuple[str, float]:
    """Return what a lane waits for; '' if that is not known."""
    word_and_seconds = sight.holdups.lanes.get(sight.lane)
    if word_and_seconds is not None:
        return word_and_seconds
    kinds = sight.holdups.kinds
    named = [word for word, _ in sight.holdups.lanes.values()]
    # Long queues do not name all their lanes.
    unnamed = [kind for kind, one in kinds.items() if one.lanes > named.count(kind)]
    return (unnamed[0] if len(unnamed) == 1 else "", 0.0)


def _of_kind(sight: Sight, kind: str, holdup: Holdup | None) -> str:
    if holdup is None:
        return f"waiting for {_calls(sight)}" if sight.ahead else "waiting for the server's answer"
    what = _QUOTAS.get(kind)
    if what is None:
        return f"waiting for the server's memory{_behind(sight)}"
    if holdup.why == PAUSE:
        return f"{_pause(what, holdup.next - sight.age)}{_behind(sight)}"
    if holdup.why == INTERVAL:
        return f"waiting for the interval between requests (--interval){_behind(sight)}"
    others = holdup.lanes - 1
    line = f", {others} other spreadsheet{'s' if others > 1 else ''} in line" if others > 0 else ""
    return f"waiting for {what}: {_calls(sight)}{line}{_at_most(sight, kind, holdup)}"


def _pause(what: str, left: float) -> str:
    if math.isinf(left):
        return f"Google has refused a request for {what}, and one trial request is out"
    seconds = max(1, math.ceil(left))
    return f"Google has refused a request for {what}, which pauses for {seconds} s more"


def _at_most(sight: Sight, kind: str, holdup: Holdup) -> str:
    most = bound(holdup, sight.ahead, sight.age)
    if holdup.why not in (QUOTA, SHARED) or math.isinf(most):
        return ""
    terms = f" if each takes {_ONE[kind]}" if sight.ahead else ""
    return f", at most {max(1, math.ceil(most))} s{terms}"


def longest(sight: Sight) -> float:
    """Return the seconds for which the quota can hold a call up at the most, each taking a request.

    0 if no quota does, infinite if it is not known.
    """
    word, _ = _of_lane(sight)
    holdup = sight.holdups.kinds.get(word)
    if holdup is None or holdup.why not in (QUOTA, SHARED):
        return 0.0
    return bound(holdup, sight.ahead, sight.age)


def bound(holdup: Holdup, ahead: int, age: float = 0.0) -> float:
    """Return the seconds after which the quota lets a call go on at the latest.

    Lanes take turns. So each other lane sends at most one request before a lane's next request, and
    again before each one after that; a lane that has had fewer than others may catch up first, for
    at most a window. Slots that are held now are free within a window, and those of the requests
    that take them within one more.

    Args:
        holdup: What its kind of request waits for.
        ahead: How many requests go first in its own lane.
        age: Seconds since the holdup was written.

    """
    place = (ahead + 1) * max(1, holdup.lanes)
    is_alone = holdup.why != SHARED
    if not holdup.limit or (is_alone and math.isinf(holdup.next)):
        return math.inf
    if is_alone and place == 1:
        return max(0.0, holdup.next - age)
    shared = (place + math.ceil(holdup.limit * SPACED)) / max(1, int(holdup.limit * CERTAIN))
    return (math.ceil(shared) + (holdup.lanes > 1)) * holdup.window


def _calls(sight: Sight) -> str:
    if not sight.ahead:
        return "no call ahead"
    most = "" if sight.is_exact else "up to "
    return f"{most}{sight.ahead:,} call{'s' if sight.ahead > 1 else ''} ahead"


def _behind(sight: Sight) -> str:
    return f": {_calls(sight)}" if sight.ahead else ""
