"""One request from its arrival to its answer, with quotas, latency and faults on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import struct
import time
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aiohttp import web

from queued_gspread.emulator.api.oauth import granted, is_token_path
from queued_gspread.emulator.api.request import Answer, Request, refusal
from queued_gspread.emulator.api.router import admitted, answer, find_place, is_append
from queued_gspread.emulator.faults import ExpiredToken, Reset, Seconds
from queued_gspread.emulator.limits.quotas import Counted, Meter, Quotas
from queued_gspread.emulator.wire.errors import ApiError, quota_exceeded

from .alarm import Alarm, StoppedError
from .fault_answers import seen
from .fault_rules import Faults, Hit, To, drawn
from .ledger import Ledger, Served

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator.accounts.changes import Changes
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

ApplyShare: TypeAlias = float | Literal["random"]
_SHARES: dict[Counted, ApplyShare] = {"arrival": 0.0, "answer": 1.0, "random": "random"}
# Makes a closing socket send a reset instead of a normal end.
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass
class _Visit:
    """The state of an unanswered request; `total` is its latency."""

    request: Request
    to: To
    hit: Hit
    arrived: float
    total: float
    account: str = ""
    project: int = 0
    quota: str = ""
    counted: float | None = None
    refused_by: str = ""
    applied_at: float | None = None
    answer: Answer | None = None
    not_computed: tuple[str, ...] = ()

    @property
    def late(self) -> bool:
        """Whether its connection is reset at once but it is still applied."""
        return isinstance(self.hit.ending, Reset) and self.hit.ending.late is not None

    @property
    def spared(self) -> bool:
        """Whether no fault keeps it from being applied."""
        return self.hit.ending is None or self.hit.ending.applied


class Handler:
    """Answers requests; its settings may be changed from any thread at any time.

    Nothing is awaited while a request is applied, so every request sees and leaves a consistent
    state.
    """

    def __init__(
        self,
        store: Store,
        project: Project,
        changes: Changes,
        monotonic: Callable[[], float],
        seed: int | None,
    ) -> None:
        """Begin without quotas, latency and faults."""
        self.ledger = Ledger()
        self.faults = Faults(seed)
        self.meter = Meter(Quotas())
        self.latency: Seconds = 0.0
        self.apply_share: ApplyShare = 0.5
        self.append_race = 0.0
        self._store = store
        self._project = project
        self._changes = changes
        self._now = monotonic
        self._alarm = Alarm(monotonic)
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311  - chance, not secrets

    def renew(self) -> None:
        """Forget served requests and faults; the settings stay."""
        self._chance.seed(self._seed)
        self.faults.renew()
        self.ledger.clear()

    def open(self) -> None:
        """Start serving in the running event loop."""
        self._alarm = Alarm(self._now)

    async def close(self) -> None:
        """Reset the connections of all unanswered requests; record but do not apply them."""
        self._alarm.stop()
        while self.ledger.under_way:  # noqa: ASYNC110  - each of them ends at its next turn
            await asyncio.sleep(0)

    async def handle(self, incoming: web.Request) -> web.Response:
        """Return the answer to a request, after its latency."""
        content = await _content(incoming)
        if content is None:
            return web.Response()
        visit = self._arrival(
            Request(incoming.method, incoming.raw_path, incoming.headers, content)
        )
        with self.ledger.arrival():
            if visit.late:
                _reset(incoming)
            shown, fault = await self._outcome(visit)
            answered = visit.arrived if visit.late else self._now()
            self.ledger.add(_served(visit, shown, fault, answered), visit.to, len(content))
        if shown is None:
            _reset(incoming)
            return web.Response()
        # Not the system's clock: Google's may be ahead of this machine's.
        date = formatdate(self._project.now, usegmt=True)
        headers = {"Content-Type": shown.content_type, "Date": date, **shown.headers}
        return web.Response(status=shown.status, body=shown.body, headers=headers)

    def _arrival(self, request: Request) -> _Visit:
        to: To = "token" if is_token_path(request.raw_path) else "api"
        hit = self.faults.pick(to, request)
        total = hit.latency + (drawn(self.latency, self._chance) if to == "api" else 0.0)
        if isinstance(hit.ending, Reset) and hit.ending.late is not None:
            total = hit.ending.late
        return _Visit(request, to, hit, self._now(), total)

    async def _outcome(self, visit: _Visit) -> tuple[Answer | None, str]:
        """Return the client's answer, None for a reset, and the fault's name."""
        alarm = self._alarm
        try:
            if visit.to == "token":
                await self._grant(visit, alarm)
            else:
                await self._serve(visit, alarm)
            await alarm.until(visit.arrived + visit.total)
        except StoppedError:
            return None, "stopped"
        if visit.hit.ending:
            return seen(visit.hit.ending, visit.to, visit.request), visit.hit.name
        return visit.answer, visit.hit.name

    async def _grant(self, visit: _Visit, alarm: Alarm) -> None:
        if visit.spared:
            await alarm.until(visit.arrived + self._applied(visit))
            visit.applied_at = self._now()
            visit.answer, visit.account = granted(self._project, visit.request)

    async def _serve(self, visit: _Visit, alarm: Alarm) -> None:
        if not self._admit(visit):
            return
        counted, applied = self._counted(visit), self._applied(visit)
        await alarm.until(visit.arrived + counted)
        if self._allowed(visit) and visit.spared:
            if self.append_race and is_append(visit.request):
                applied = await self._race(visit, alarm, counted, applied)
            await alarm.until(visit.arrived + applied)
            visit.applied_at = self._now()
            self._store.gaps.taken()
            visit.answer = self._apply(visit.request)
            visit.not_computed = self._store.gaps.taken()

    def _apply(self, request: Request) -> Answer:
        if request.method == "GET":
            return answer(self._store, request)
        with self._changes.making():
            return answer(self._store, request)

    async def _race(self, visit: _Visit, alarm: Alarm, counted: float, applied: float) -> float:
        """Find an append's place before others have written; return when it is applied."""
        race = self.append_race
        looks = max(counted, applied - race)
        await alarm.until(visit.arrived + looks)
        find_place(self._store, visit.request)
        return looks + race

    def _admit(self, visit: _Visit) -> bool:
        request, ending = visit.request, visit.hit.ending
        if isinstance(ending, ExpiredToken):
            holder = self._project.holder(request.token)
            visit.account = holder.email if holder else ""
            if ending.for_good:
                self._project.revoke(request.token)
            return False
        try:
            visit.account = admitted(self._project, request)
        except ApiError as error:
            visit.answer = refusal(error)
            return False
        visit.quota, visit.project = request.quota, self._project.number_of(visit.account)
        return True

    def _counted(self, visit: _Visit) -> float:
        """Return how long after its arrival a request is counted."""
        return visit.total * self._drawn(_SHARES[self.meter.quotas.counted])

    def _applied(self, visit: _Visit) -> float:
        """Return how long after its arrival a request is applied."""
        return visit.total * (1.0 if visit.late else self._drawn(self.apply_share))

    def _drawn(self, share: ApplyShare) -> float:
        return self._chance.random() if share == "random" else share

    def _allowed(self, visit: _Visit) -> bool:
        meter, now = self.meter, self._now()
        limit = meter.take(visit.account, visit.quota, now, visit.project)
        if limit is None:
            visit.counted = now
            return True
        visit.refused_by = limit.name
        answered = refusal(quota_exceeded(limit))
        if limit.kind != "drive" and meter.quotas.retry_after is not None:
            answered = replace(answered, headers={"Retry-After": str(meter.quotas.retry_after)})
        visit.answer = answered
        return False


async def _content(incoming: web.Request) -> bytes | None:
    """Return a request's body; None if the connection was closed before it had arrived in full."""
    try:
        return await incoming.read()
    except (OSError, RuntimeError):
        if incoming.transport is None:
            return None
        raise


def _reset(incoming: web.Request) -> None:
    transport = incoming.transport
    if transport is None or transport.is_closing():
        return
    connection: Any = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


def _served(visit: _Visit, shown: Answer | None, fault: str, answered: float) -> Served:
    request = visit.request
    body: Any = request.content or None
    if body and "json" in request.headers.get("Content-Type", ""):
        with contextlib.suppress(ValueError, RecursionError):
            body = json.loads(request.content)
    return Served(
        time=time.time(),
        method=request.method,
        path=request.path,
        query=request.pairs,
        body=body,
        status=shown.status if shown else 0,
        arrived=visit.arrived,
        answered=answered,
        account=visit.account,
        project=visit.project,
        quota=visit.quota,
        counted=visit.counted,
        refused_by=visit.refused_by,
        applied=visit.applied_at is not None,
        applied_at=visit.applied_at,
        fault=fault,
        not_computed=visit.not_computed,
    )
