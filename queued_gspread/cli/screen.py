"""A snapshot as lines of text: what ``status``, ``lanes`` and ``callers`` show. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc

from .tables import cut, fold, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queued_gspread.monitor import Snapshot
    from queued_gspread.monitor.resources import Account, Cache
    from queued_gspread.monitor.snapshot import Caller, Expectation, Lane, Quota, Server

__all__ = ["callers", "keep_places", "lanes", "seconds", "status"]

_LANES_IN_STATUS, _CALLERS_IN_STATUS, _OUTCOMES_IN_STATUS, _ACTIONS_IN_STATUS = 10, 5, 3, 3
_SPARE_OF_LANES: Final = ("for", "running", "first call", "oldest")
# The width from which on there is room for both title and id, or for an address and its project,
# and how many reasons are shown.
_WIDE, _WITH_PROJECT, _REASONS = 160, 120, 3
_WIDEST: Final = 100
_KIB, _MIB = 1 << 10, 1 << 20
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WHAT: Final = {"read": "reads", "write": "writes", "drive": "Drive"}
_STATES: Final = {
    "sent": "waits for Google",
    "again": "is sent again in",
    "quota": "waits for a slot:",
    "locked": "locked by",
}


def seconds(number: float | None, *, at_most: bool = False) -> str:
    """Return a time in words, with its two leading digits or so.

    Args:
        number: The seconds; None if they are not known.
        at_most: Whether it must not be rounded down.

    """
    if number is None:
        return "?"
    if number < _MINUTE:
        return f"{math.ceil(number)} s"
    whole = math.ceil if at_most else round
    if number < 2 * _HOUR:
        return f"{whole(number / _MINUTE)} min"
    return f"{whole(number / _HOUR)} h" if number < 2 * _DAY else f"{whole(number / _DAY)} d"


def keep_places(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Return the names of now so that those of before stay where they were.

    New ones take the places of those that are gone; further ones follow.
    """
    left, new = set(now), [name for name in now if name not in set(before)]
    kept = [name if name in left else (new.pop(0) if new else "") for name in before]
    return [name for name in kept if name] + new


def status(
    snapshot: Snapshot, place: str, order: Sequence[str] = (), width: int | None = None
) -> list[str]:
    """Return one screen: what is wrong, servers, quota, calls, the longest lanes.

    Args:
        snapshot: The snapshot.
        place: Where the queue is, in words.
        order: The names of the lanes that were shown before, in their order.
        width: The width of the terminal; None for none.

    """
    when = shown_utc(snapshot.at)
    account = f", account {snapshot.account}" if snapshot.account else ""
    blocks = [
        _folded([f"{place}{account}", when], width),
        _folded([f"! {problem}" for problem in snapshot.problems], width),
        _servers(snapshot.servers, width),
        _quota(snapshot, width),
        _accounts(snapshot.accounts, width),
        _folded(_calls(snapshot), width),
        _some_lanes(snapshot, order, width),
        _some_callers(snapshot, width),
        _outcomes(snapshot, width or _WIDEST),
        _actions(snapshot, width or _WIDEST),
    ]
    shown = ["\n".join(block) for block in blocks if block]
    return "\n\n".join(shown).splitlines()


def _folded(lines: Iterable[str], width: int | None) -> list[str]:
    return [part for line in lines for part in fold(line, width)]


def lanes(snapshot: Snapshot, order: Sequence[str] = (), width: int | None = None) -> list[str]:
    """Return a table of the lanes that hold calls."""
    if not snapshot.lanes:
        return ["no calls are in the queue"]
    by_name = {lane.lane: lane for lane in snapshot.lanes}
    names = keep_places(order, [*by_name])
    head = ["spreadsheet", "title", "calls", "running", "oldest", "first call", "for"]
    head += ["state", "a read now", "a write now"]
    rows = [_lane(by_name[name]) for name in names]
    if width is not None and width < _WIDE:
        # Not both: a row has the title, or the id if there is none.
        head, rows = head[1:], [[row[1] or row[0], *row[2:]] for row in rows]
        head[0] = "spreadsheet"
    lines = table(head, rows, width, whole=("state",), spare=_SPARE_OF_LANES)
    left_out = snapshot.lanes_in_all - len(snapshot.lanes)
    more = [f"and {left_out:,} more"] if left_out > 0 else []
    whys = {why for lane in snapshot.lanes for why in _whys(lane)}
    return [*lines, *more, *_folded(sorted(whys)[:_REASONS], width)]


def _whys(lane: Lane) -> list[str]:
    """Return why expected waits are not known, where the lane's state does not say so."""
    return [] if lane.paused else [f"? {each.why}" for each in lane.expected if each.why]


def callers(snapshot: Snapshot, order: Sequence[str] = (), width: int | None = None) -> list[str]:
    """Return a table of the latest callers."""
    if not snapshot.callers:
        return ["no server has counted any calls yet"]
    by_name = {caller.caller: caller for caller in snapshot.callers}
    names = keep_places(order, [*by_name])
    return table(_HEAD_OF_CALLERS, (_caller(by_name[name]) for name in names), width)


_HEAD_OF_CALLERS: Final = ("caller", "running", "calls", "failed", "requests", "last")


def _servers(servers: Sequence[Server], width: int | None) -> list[str]:
    if not servers:
        return []
    head = ["server", "", "version", "up", "silent", "token"]
    return table(head, ([*_server(server)] for server in servers), width)


def _server(server: Server) -> tuple[str, ...]:
    name = f"{server.host}:{server.process}" if server.host else server.about or server.id
    lasts = "yes" if server.token_expires is None else seconds(server.token_expires)
    token = lasts if server.has_token else "none"
    if server.role == "gone":
        token = ""
    up = seconds(server.uptime) if server.uptime else "?"
    return name, server.role, server.version or "?", up, seconds(server.silent), token


def _quota(snapshot: Snapshot, width: int | None) -> list[str]:
    head = ["quota", "limit", "held", "in the air", "waiting", "next slot", "busy", "refused"]
    is_known = any(server.host for server in snapshot.servers)
    head += ["a call now waits", "if in use"]
    rows = [
        [
            *_of_kind(each, is_known=is_known),
            _expected(each.expected),
            _expected(each.expected_in_use),
        ]
        for each in snapshot.quota
    ]
    spare = ("busy", "if in use", "waiting", "in the air")
    lines = table(head, rows, width, spare=spare)
    return [*lines, *_folded(_reasons(snapshot.quota), width)]


def _accounts(accounts: Sequence[Account], width: int | None) -> list[str]:
    """Return a table of the accounts, where there are several."""
    if len(accounts) < 2:  # noqa: PLR2004 - several
        return []
    head = ["account", "project", "reads", "writes", "requests", "state"]
    rows = [_account(each) for each in accounts]
    if width is not None and width < _WITH_PROJECT:
        # The address of an account names its project, if there is room for it.
        head, rows = [head[0], *head[2:]], [[row[0], *row[2:]] for row in rows]
    lines = table(head, rows, width, whole=("state",))
    return [*lines, *_folded([_OF_FIRST], width)]


_OF_FIRST: Final = "the quota above, and what a call waits at most, are of the first account alone"


def _account(account: Account) -> list[str]:
    by_kind = {each.kind: each for each in account.quota}
    slots = [
        f"{each.held} of {each.limit or 'any'}" if (each := by_kind.get(kind)) else ""
        for kind in ("read", "write")
    ]
    requests = sum(each.requests for each in account.quota)
    state = "out" if account.is_out else "first" if account.is_first else "lends"
    pauses = (f", {_WHAT[q.kind]} pause {seconds(q.pause)}" for q in account.quota if q.pause)
    return [account.account, account.project, *slots, f"{requests:,}", state + "".join(pauses)]


def _of_kind(each: Quota, *, is_known: bool) -> list[str]:
    lowered = f" (of {each.limit})" if each.effective < each.limit else ""
    limit = f"{each.effective}{lowered}" if each.effective else "none" if is_known else "?"
    refused = each.refused_user + each.refused_project + each.refused_other
    counts = [str(each.held), str(each.in_the_air), str(each.waiting)]
    next_slot = f"pause {seconds(each.pause)}" if each.pause else seconds(each.next_slot)
    return [_WHAT[each.kind], limit, *counts, next_slot, f"{each.busy:.0%}", str(refused)]


def _reasons(quota: Sequence[Quota]) -> list[str]:
    """Return why expected waits are not known, each reason once."""
    kinds: dict[str, list[str]] = {}
    for each in quota:
        if each.expected.why:
            kinds.setdefault(each.expected.why, []).append(_WHAT[each.kind])
    return [f"? {', '.join(names)}: {why}" for why, names in kinds.items()]


def _expected(expected: Expectation) -> str:
    if expected.at_most is None:
        return "?"
    return f"at most {seconds(expected.at_most, at_most=True)}" if expected.at_most else "0 s"


def _calls(snapshot: Snapshot) -> list[str]:
    oldest = f", the oldest for {seconds(snapshot.oldest_call)}" if snapshot.oldest_call else ""
    steps = [step for step in snapshot.history if step.seconds < _MINUTE]
    ended, failed, unknown = (
        sum(getattr(step, name) for step in steps) for name in ("calls", "failed", "unknown")
    )
    requests = sum(step.reads + step.writes + step.drive for step in steps)
    average = sum(step.carried for step in steps) / requests if requests else 0.0
    again = sum(step.resent for step in steps)
    waiting, running = snapshot.calls_waiting, snapshot.calls_running
    of_calls = f"{ended:,} calls, {failed:,} failed ({unknown:,} of unknown outcome)"
    of_requests = f"{requests:,} requests of {average:.1f} calls each, {again:,} sent again"
    return [
        f"calls: {waiting:,} waiting, {running:,} running{oldest}",
        f"last hour: {of_calls}; {of_requests}",
        *_memory(snapshot.cache, sum(step.hits for step in steps)),
    ]


def _memory(cache: Cache, lately: int) -> list[str]:
    """Return what memory has answered, if anything was asked for that may be some seconds old."""
    asked = cache.hits + cache.misses
    if not asked:
        return []
    reads = f"{cache.hits:,} of {asked:,} reads that may be some seconds old"
    told = f"memory answered {reads} ({cache.hits / asked:.0%}), {lately:,} in the last hour"
    if cache.bytes is None or not cache.limit:
        return [f"{told}; no server remembers any now"]
    room = f"{_size(cache.bytes)} of {_size(cache.limit)}"
    answers = "1 answer" if cache.answers == 1 else f"{cache.answers or 0:,} answers"
    return [f"{told}; it holds {answers} in {room}"]


def _size(number: int) -> str:
    return f"{number / _MIB:,.1f} MiB" if number >= _MIB else f"{number / _KIB:,.1f} KiB"


def _some_lanes(snapshot: Snapshot, order: Sequence[str], width: int | None) -> list[str]:
    by_name = {lane.lane: lane for lane in snapshot.lanes}
    names = keep_places([name for name in order if name in by_name], [*by_name])
    shown = [by_name[name] for name in names[:_LANES_IN_STATUS]]
    if not shown:
        return []
    head = ["spreadsheet", "calls", "running", "oldest", "first call", "state"]
    rows = []
    for lane in shown:
        _, title, *counts, method, _, state, _, _ = _lane(lane)
        rows.append([title or lane.lane, *counts, method, state])
    more = snapshot.lanes_in_all - len(rows)
    lines = table(head, rows, width, whole=("state",), spare=("running",))
    return [*lines, *([f"and {more:,} more"] if more > 0 else [])]


def _some_callers(snapshot: Snapshot, width: int | None) -> list[str]:
    shown = snapshot.callers[:_CALLERS_IN_STATUS]
    return table(_HEAD_OF_CALLERS, map(_caller, shown), width) if shown else []


def _outcomes(snapshot: Snapshot, width: int) -> list[str]:
    kept = (
        snapshot.outcomes_in_doubt,
        snapshot.outcomes_unattended,
        snapshot.outcomes_others,
        snapshot.jobs_poisoned,
    )
    if not any(kept):
        return []
    told = "failures: {:,} in doubt, {:,} that nobody waited for, {:,} others; {:,} poisoned jobs"
    lines = fold(told.format(*kept), width)
    for each in snapshot.outcomes[:_OUTCOMES_IN_STATUS]:
        ago = seconds(max(0.0, snapshot.at - each.at))
        told = f": {each.message}" if each.message else ""
        where = cut(each.where, max(20, width // 3))
        lines.append(cut(f"  {ago} ago  {each.method} on {where}: {each.error}{told}", width))
    return lines


def _actions(snapshot: Snapshot, width: int) -> list[str]:
    lines = []
    for each in snapshot.actions[:_ACTIONS_IN_STATUS]:
        why = f" ({each.why})" if each.why else ""
        ago = seconds(max(0.0, snapshot.at - each.at))
        lines.append(cut(f"  {ago} ago  {each.by}: {each.what}{why}", width))
    return ["operators have asked:", *lines] if lines else []


def _lane(lane: Lane) -> list[str]:
    state = _STATES.get(lane.state, "")
    if lane.paused:
        state = lane.paused
    elif lane.state == "locked":
        state = f"{state} {lane.locked_by}"
    elif lane.state == "quota":
        state = f"{state} {_WHAT.get(lane.kind, lane.kind)}"
    elif lane.state == "again":
        state = f"{state} {seconds(lane.seconds)}"
    row = [lane.lane, lane.title, str(lane.calls), str(lane.running), seconds(lane.oldest)]
    first = f"{lane.method} of {lane.caller}" if lane.method else ""
    since = "" if lane.since is None else seconds(lane.since)
    return [*row, first, since, state, *map(_expected, lane.expected)]


def _caller(caller: Caller) -> list[str]:
    last = "" if caller.last is None else seconds(caller.last)
    counts = (str(caller.running), str(caller.calls), str(caller.failed))
    return [caller.caller, *counts, f"{caller.requests:.1f}", last]
