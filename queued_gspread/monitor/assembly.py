"""The snapshot of a queue, made of what Redis holds. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import (
    BOUNDS,
    DRAIN,
    EVERYTHING,
    KINDS,
    LaneAtWork,
    shown,
    spreadsheet_lane,
)

from . import counts
from .expected import Expected, Slots, in_kind, in_lane, unknown
from .operators import action_of, pause_of, paused_for
from .outcomes import outcome_of
from .resources import accounts_of, cache_of, full_project
from .snapshot import Expectation, Lane, Option, Quota, Server, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.broker import Card, LockHolder, Observed

    from .operators import Pause

__all__ = ["snapshot_of"]

# A server publishes every two seconds; one that has not for so long is gone.
_SILENT: Final = 6.0
# What the lanes do is known no longer if it was published before that, as if that fails for long.
_STALE: Final = 30.0
_MOST_LANES: Final = 1000
_SLOW_ANSWER: Final = 3.0
_WHAT: Final = {"read": "reads", "write": "writes", "drive": "requests to Drive"}


def snapshot_of(observed: Observed) -> Snapshot:
    """Return the snapshot of what Redis holds."""
    return _Assembly(observed).snapshot()


class _Assembly:
    """Makes a snapshot; holds what several of its parts need."""

    def __init__(self, observed: Observed) -> None:
        self._seen = observed
        server, published = observed.server, observed.published
        # A time that is still to come was written before the clock was set back.
        silent = abs(observed.now - server.last_beat)
        is_alive = server.holder != "" and silent < max(server.lease, 1.0)
        self._holder = server.holder if is_alive else ""
        card = published.cards.get(self._holder)
        latest = sorted(published.cards.values(), key=lambda each: each[0])
        # Limits and window are needed also while no server works.
        self._card = card[1] if card else latest[-1][1] if latest else None
        self._since_work = abs(observed.now - published.worked_at)
        is_fresh = self._since_work < _STALE
        is_current = self._holder != "" and published.epoch == server.epoch and is_fresh
        self._at_work = {lane.lane: lane for lane in published.work.lanes} if is_current else {}
        self._in_use = published.work.in_use if is_current else 0
        accounts = published.work.accounts if is_current else ()
        self._accounts = accounts_of(accounts, published.totals, self._since_work)
        self._cache = cache_of(published.work.cache if is_current else None, published.totals)
        self._spreadsheets = len({spreadsheet_lane(name) for name in observed.lanes})
        self._servers = self._all_servers()
        self._paused = tuple(pause_of(pause, observed.now) for pause in server.pauses)

    def snapshot(self) -> Snapshot:
        seen, totals = self._seen, self._seen.published.totals
        lanes = sorted(self._lanes(), key=lambda lane: (-(lane.oldest or 0.0), lane.lane))
        quota = tuple(self._quota(kind) for kind in KINDS)
        oldest = [lane.oldest for lane in lanes if lane.oldest is not None]
        return Snapshot(
            at=seen.now,
            namespace=seen.namespace,
            account=seen.account,
            problems=tuple(self._problems(quota)),
            paused=self._paused,
            actions=tuple(map(action_of, seen.server.actions)),
            servers=tuple(self._servers),
            takeovers=totals.get("takeovers", 0),
            quota=quota,
            accounts=self._accounts,
            cache=self._cache,
            calls_waiting=max(0, seen.depth - seen.begun),
            calls_running=seen.begun,
            oldest_call=max(oldest, default=None),
            lanes=tuple(lanes[:_MOST_LANES]),
            lanes_in_all=seen.lanes_in_all,
            calls=counts.calls_of(totals),
            requests=counts.requests_of(totals),
            histograms=counts.histograms_of(totals, BOUNDS),
            callers=counts.callers_of(seen.published, seen.now),
            outcomes=tuple(outcome_of(call) for call in seen.outcomes),
            outcomes_unattended=seen.kept.get("unattended", 0),
            outcomes_in_doubt=seen.kept.get("in_doubt", 0),
            outcomes_others=seen.kept.get("others", 0),
            jobs_poisoned=seen.poisoned,
            history=counts.steps_of(seen.published.history),
        )

    # Servers ---------------------------------------------------------------------------------

    def _all_servers(self) -> list[Server]:
        cards = self._seen.published.cards
        servers = [self._server(name, *card) for name, card in cards.items()]
        if self._holder and self._holder not in cards:
            servers.append(self._server(self._holder, self._seen.now, None))
        roles = ("works", "stands by", "gone")
        return sorted(servers, key=lambda each: (roles.index(each.role), -each.uptime))

    def _server(self, name: str, at: float, card: Card | None) -> Server:
        seen, works = self._seen, name == self._holder
        silent = abs(seen.now - (seen.server.last_beat if works else at))
        # One that says that it works, and has no lease, was not heard of since that has ended.
        is_gone = silent >= _SILENT or (card is not None and card.works)
        role = "works" if works else "gone" if is_gone else "stands by"
        worker = seen.published.cards.get(self._holder)
        differs = card.differences(worker[1]) if card and worker else []
        return Server(
            id=name,
            role=role,
            host=card.host if card else "",
            process=card.process if card else 0,
            about=seen.server.about if works else "",
            version=card.version if card else "",
            gspread=card.gspread if card else "",
            python=card.python if card else "",
            account=card.account if card else "",
            epoch=seen.server.epoch if works else "",
            uptime=card.up + max(0.0, seen.now - at) if card and role != "gone" else 0.0,
            silent=silent,
            lease=seen.server.lease if works else card.lease if card else 0.0,
            has_token=card.has_token if card else seen.server.holdups.token is None,
            token_expires=_left(card.token, seen.now - at) if card else None,
            options=tuple(
                Option(option, str(value), option in differs)
                for option, value in (card.options.items() if card else ())
            ),
        )

    # Quota -----------------------------------------------------------------------------------

    def _quota(self, kind: str) -> Quota:
        slots, step = self._slots(kind), counts.last_hour(self._seen.published.history)
        held = [end for end in slots.releases if end > 0]
        first, obstacle = slots.until(0), self._obstacle(kind)
        # Its own lane is none of those that hold calls.
        others = max(self._spreadsheets, self._in_use - 1)
        in_use = in_lane(slots, 0, others, is_shared=self._in_use > 1)
        return Quota(
            kind=kind,
            limit=self._card.limits.get(kind, 0) if self._card else 0,
            effective=slots.limit,
            window=slots.window,
            held=len(held),
            in_the_air=sum(math.isinf(end) for end in held),
            waiting=self._waiting(kind),
            next_slot=None if math.isinf(first) else first,
            pause=self._pause(kind),
            refused_user=int(step.get(f"refused.user.{kind}", 0)),
            refused_project=int(step.get(f"refused.project.{kind}", 0)),
            refused_other=int(step.get(f"refused.{kind}", 0)),
            busy=step.get(f"busy.{kind}", 0.0) / max(1.0, step.get("seen", 0.0)),
            expected=_told(kind, obstacle or in_kind(slots, self._ahead(kind))),
            expected_in_use=_told(kind, obstacle or in_use),
        )

    def _slots(self, kind: str) -> Slots:
        seen, card = self._seen, self._card
        options = card.options if card else {}
        limit = card.limits.get(kind, 0) if card else 0
        lowered = seen.throttle.get(f"limit:{kind}")
        window, interval = (_seconds(options.get(name)) for name in ("quota_window", "interval"))
        window = window or 60.0
        # A slot is held for no longer than a window, if the clock was set back.
        ends = [end - seen.now for end in seen.slots.get(kind, ()) if end > seen.now]
        return Slots(
            limit if lowered is None else max(1, int(lowered)),
            [end if math.isinf(end) else min(end, window) for end in ends],
            window,
            interval,
            seen.published.work.slowest.get(kind, 0.0),
        )

    def _pause(self, kind: str) -> float:
        until, now = self._seen.throttle.get(f"until:{kind}", 0.0) / 1000, self._seen.now
        paused = self._seen.throttle.get(f"paused:{kind}", 0.0) / 1000
        return until - max(now, paused) if until > now else 0.0

    def _obstacle(self, kind: str, lane: str = "") -> Expected | None:
        """Return why nobody knows when a request of a kind is sent; None if nothing is known."""
        drain = next((pause for pause in self._paused if pause.what == DRAIN), None)
        pause = drain or paused_for(self._paused, kind, lane)
        if pause is not None:
            return unknown(pause.short)
        if not self._holder:
            return unknown("no server works")
        if self._seen.server.holdups.token is not None:
            return unknown("the server has no access token")
        if self._pause(kind) > 0:
            left = math.ceil(self._pause(kind))
            return unknown(f"paused for {left} s, as Google has refused a request")
        if f"streak:{kind}" in self._seen.throttle:
            return unknown("Google has refused a request, and one trial request goes first")
        why = self._full_project(kind)
        return unknown(why) if why else None

    def _full_project(self, kind: str) -> str:
        options = self._card.options if self._card else {}
        limit = int(_seconds(options.get(f"project_{kind}s_per_minute")))
        project = full_project(self._accounts, kind, limit, self._ahead(kind))
        return project and f"the accounts of project {project} use up its quota together"

    def _waiting(self, kind: str) -> int:
        """Return how many lanes have a request that waits for a slot, or may have one."""
        holdup = self._seen.server.holdups.kinds.get(kind)
        lanes = [lane for lane in self._at_work.values() if lane.state != "paused"]
        named = sum(lane.kind == kind for lane in lanes)
        known = {name for name, lane in self._at_work.items() if lane.method or lane.state}
        is_new = len(self._seen.lanes.keys() - known)
        waiting = max(named, holdup.lanes if holdup else 0) + (is_new if self._holder else 0)
        # What servers have said may be older than the lengths of lanes.
        return min(waiting, len(self._seen.lanes))

    def _ahead(self, kind: str) -> int:
        """Return how many lanes may have a request that waits for a slot by now.

        What servers say may be seconds old: a lane that waited for nothing then may be in line
        again, if it holds calls besides those that were running.
        """
        lanes = self._seen.lanes
        idle = [each for each in self._at_work.values() if not each.kind and each.state != "paused"]
        again = sum((lane.method or lane.state) != "" for lane in idle if _has_more(lane, lanes))
        return min(self._waiting(kind) + again, len(lanes))

    # Lanes -----------------------------------------------------------------------------------

    def _lanes(self) -> list[Lane]:
        locks = {lock.lane: lock for lock in self._seen.locks}
        slots = {kind: self._slots(kind) for kind in ("read", "write")}
        return [
            self._lane(name, calls, locks.get(name), slots)
            for name, calls in self._seen.lanes.items()
        ]

    def _lane(
        self, name: str, calls: int, lock: LockHolder | None, slots: Mapping[str, Slots]
    ) -> Lane:
        at_work, since = self._at_work.get(name, LaneAtWork(name)), self._since_work
        is_known = at_work.method != ""
        state, seconds = at_work.state, at_work.seconds
        if state == "sent":
            seconds += since
        elif state == "again":
            seconds = max(0.0, seconds - since)
        if lock is not None:
            state, seconds = "locked", max(0.0, self._seen.now - lock.since)
        paused = self._pause_of(name, at_work)
        return Lane(
            lane=shown(name),
            title=at_work.title,
            calls=calls,
            running=at_work.running,
            oldest=at_work.oldest + since if is_known or at_work.oldest else None,
            method=at_work.method,
            caller=at_work.caller,
            since=at_work.since + since if is_known else None,
            state=state,
            kind=at_work.kind,
            seconds=seconds,
            locked_by="" if lock is None else lock.who,
            paused="" if paused is None else paused.short,
            expected=tuple(
                _told(
                    kind,
                    self._obstacle(kind, spreadsheet_lane(name))
                    or (unknown(paused.short) if paused else None)
                    or self._expected(calls, state, seconds, each),
                )
                for kind, each in slots.items()
            ),
        )

    def _pause_of(self, name: str, at_work: LaneAtWork) -> Pause | None:
        """Return what holds up a lane's first call; only its server knows of what kind that is."""
        kind = at_work.kind if at_work.state == "paused" else ""
        return paused_for(self._paused, kind or EVERYTHING, spreadsheet_lane(name))

    def _expected(self, calls: int, state: str, seconds: float, slots: Slots) -> Expected:
        if state == "locked":
            return unknown("the spreadsheet is locked")
        if state == "again":
            return unknown("a request has failed, and will be sent again")
        if state == "sent" and seconds >= _SLOW_ANSWER:
            return unknown(f"no answer from Google for {seconds:.0f} s")
        others = max(self._spreadsheets, self._in_use) - 1
        return in_lane(slots, calls, others, is_shared=self._in_use > 1)

    # What is wrong ---------------------------------------------------------------------------

    def _problems(self, quota: tuple[Quota, ...]) -> list[str]:
        problems = [*self._problems_of_servers(), *(pause.text for pause in self._paused)]
        problems += [each.problem for each in self._accounts if each.problem]
        for each in quota:
            if each.pause > 0:
                what = _WHAT[each.kind]
                problems.append(f"Google refuses {what}: pause {math.ceil(each.pause)} s")
        for server in (each for each in self._servers if each.role == "stands by"):
            names = ", ".join(option.name for option in server.options if option.differs)
            if names:
                place = f"{server.host}:{server.process}"
                problems.append(f"{place} stands by with other options than the worker: {names}")
        return problems

    def _problems_of_servers(self) -> list[str]:
        if not self._holder:
            ended = self._seen.server.last_beat
            since = f" for {self._seen.now - ended:.0f} s" if ended else ""
            return [f"no server has worked{since}" if since else "no server works"]
        problems = []
        token = self._seen.server.holdups.token
        if token is not None:
            problems.append(
                f"the server has had no access token for {token:.0f} s; its log says why"
            )
        elif not all(server.has_token for server in self._servers if server.role == "works"):
            # Calls fail at once, so none of them waits for a token.
            problems.append("the server has no access token; its log says why")
        if not any(server.role == "stands by" for server in self._servers):
            problems.append("no standby: if the server ends, calls wait")
        return problems


def _told(kind: str, expected: Expected) -> Expectation:
    return Expectation(kind, expected.at_most, expected.why)


def _left(seconds: float | None, age: float) -> float | None:
    return None if seconds is None else max(0.0, seconds - age)


def _seconds(value: object) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else 0.0  # type: ignore[arg-type]  # a number


def _has_more(lane: LaneAtWork, lengths: Mapping[str, int]) -> bool:
    return lengths.get(lane.lane, 0) > lane.running
