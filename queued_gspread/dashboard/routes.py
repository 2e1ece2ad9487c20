"""The page, what it is told, and what it asks for."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from queued_gspread import acting
from queued_gspread._version import __version__
from queued_gspread.broker.locks import LOCKED
from queued_gspread.broker.operators import Operator
from queued_gspread.errors import (
    BrokerUnavailableError,
    ConfigurationError,
    QueuedGspreadError,
)
from queued_gspread.web.fields import read_object
from queued_gspread.web.files import PageFiles
from queued_gspread.web.guard import HEADERS, Guard, RefusedError, json_of

from .actions import ACTIONS, COMMON, operator_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from queued_gspread.broker.listed_jobs import ListedJob

    from .queues import Queue, Token
    from .sampler import Sample

__all__ = ["Dashboard"]

_FILES: Final = PageFiles("queued_gspread.dashboard", "vendor")
_LOGGER: Final = logging.getLogger("queued_gspread.dashboard")
# What is large: sent to pages that show it alone.
_ON_DEMAND: Final = frozenset(
    {"lanes", "first_lanes", "callers", "history", "histograms", "outcomes"}
)
_LONGEST_WRITE: Final = 30.0
_MOST_JOBS, _MOST_OUTCOMES = 500, 1000
_STREAM: Final = {
    **HEADERS,
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",
}
_STATUS: Final = (
    (BrokerUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
)


class Dashboard:
    """Answers the page's requests.

    Args:
        queues: The queues that are shown, by namespace.
        token: The secret of those who may act.
        guard: Decides whose requests are answered.

    """

    def __init__(self, queues: Mapping[str, Queue], token: Token, guard: Guard) -> None:
        self._queues, self._token, self._guard = queues, token, guard

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._guard.guarded, _explained])
        at = "/api/queues/{namespace}"
        app.router.add_get("/", partial(_file, name="page.html"))
        app.router.add_get("/favicon.ico", partial(_file, name="icon.svg"))
        app.router.add_get("/page/{name}", _named_file)
        app.router.add_get("/api/queues", self._all)
        app.router.add_post("/api/token", self._check_token)
        app.router.add_get(f"{at}/snapshot", self._snapshot)
        app.router.add_get(f"{at}/events", self._events)
        app.router.add_get(f"{at}/lanes/{{lane}}/jobs", self._jobs)
        app.router.add_get(f"{at}/outcomes", self._outcomes)
        for name, action in ACTIONS.items():
            app.router.add_post(f"{at}/{name}", partial(self._act, name=name, action=action))
        app.on_cleanup.append(self._close)
        return app

    async def _close(self, _: web.Application) -> None:
        for queue in self._queues.values():
            await queue.sampler.close()

    async def _all(self, _: web.Request) -> web.Response:
        shown = [{"namespace": name, "place": q.look.place} for name, q in self._queues.items()]
        found = {"queues": shown, "may_act": self._token.is_set, "version": __version__}
        return web.json_response(found | {"advice": acting.ADVICE})

    async def _check_token(self, request: web.Request) -> web.Response:
        self._token.check(request.headers)
        return web.json_response({})

    def _queue(self, request: web.Request) -> Queue:
        namespace = request.match_info["namespace"]
        if namespace not in self._queues:
            known = ", ".join(self._queues)
            message = f"There is no queue {namespace!r} here: take one of {known}."
            raise RefusedError(HTTPStatus.NOT_FOUND, message)
        return self._queues[namespace]

    # Looking ---------------------------------------------------------------------------------

    async def _snapshot(self, request: web.Request) -> web.Response:
        sampler, wanted = self._queue(request).sampler, _wanted(request)
        with sampler.looking():
            text = _shown(await sampler.after(0), wanted, {})
        answer = web.json_response(text=text)
        answer.enable_compression()
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        sampler, wanted = self._queue(request).sampler, _wanted(request)
        answer = web.StreamResponse(headers=_STREAM)
        with sampler.looking():
            await answer.prepare(request)
            await answer.write(b"retry: 1000\n\n")
            number, sent = 0, dict[str, str]()
            while True:
                sample = await sampler.after(number)
                text = _shown(sample, wanted, sent)
                number = sample.number
                try:
                    # A page that reads slowly gets the latest sample once it has read.
                    event = f"data: {text}\n\n".encode()
                    await asyncio.wait_for(answer.write(event), _LONGEST_WRITE)
                except ConnectionError:
                    return answer
                except asyncio.TimeoutError:
                    # Or Redis would be asked for somebody who has left without a word.
                    if request.transport is not None:
                        request.transport.abort()
                    return answer

    async def _jobs(self, request: web.Request) -> web.Response:
        queue, lane = self._queue(request), request.match_info["lane"]

        def read() -> dict[str, Any]:
            found = _in_order(Operator(queue.act), lane)
            jobs = [job.shown() for job in islice(found, _MOST_JOBS + 1)]
            return {"jobs": jobs[:_MOST_JOBS], "more": len(jobs) > _MOST_JOBS}

        return web.json_response(await _read(queue, read))

    async def _outcomes(self, request: web.Request) -> web.Response:
        queue = self._queue(request)

        def read() -> list[Any]:
            return [outcome for outcome, _, _ in acting.kept_outcomes(Operator(queue.look))]

        found = await _read(queue, read)
        shown = [asdict(outcome) for outcome in found[:_MOST_OUTCOMES]]
        return web.json_response({"outcomes": shown, "in_all": len(found)})

    # Acting ----------------------------------------------------------------------------------

    async def _act(self, request: web.Request, name: str, action: Any) -> web.Response:
        self._token.check(request.headers)
        queue = self._queue(request)
        known = {**COMMON, **action.fields}
        given = read_object(json_of(await request.read()), known, action.required)
        operator = await asyncio.to_thread(
            operator_of, queue.act, given.get("by", ""), request.remote or "?"
        )
        place = queue.act.place
        _LOGGER.info("%s asks: %s in %s", operator.by, name, place)
        answer = await asyncio.to_thread(action.run, operator, given)
        if "told" in answer:
            _LOGGER.info("%s: %s", operator.by, answer["told"])
        return web.json_response(answer)


@web.middleware
async def _explained(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Have an error of the queue answered as one of the page's."""
    try:
        return await handler(request)
    except QueuedGspreadError as error:
        found = (status for kind, status in _STATUS if isinstance(error, kind))
        status = next(found, HTTPStatus.CONFLICT)
        raise RefusedError(status, str(error)) from error


async def _read(queue: Queue, read: Callable[[], Any]) -> Any:
    """Read in a thread; none waits for a Redis that the sampler knows to be away."""
    if queue.sampler.trouble:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, queue.sampler.trouble)
    return await asyncio.to_thread(read)


async def _file(_: web.Request, name: str) -> web.Response:
    return _FILES.answer(name)


async def _named_file(request: web.Request) -> web.Response:
    return _FILES.answer(request.match_info["name"])


def _in_order(queue: Operator, lane: str) -> Iterator[ListedJob]:
    """Yield a spreadsheet's calls: those of who holds its lock go before the others."""
    names = queue.lanes(lane)
    holders = [name for name in names if name != lane]
    if holders and lane in names:
        yield from takewhile(lambda job: job.mark == LOCKED, queue.jobs(lane))
    for name in holders:
        yield from queue.jobs(name)
    if lane in names:
        yield from dropwhile(lambda job: holders and job.mark == LOCKED, queue.jobs(lane))


def _wanted(request: web.Request) -> frozenset[str]:
    """Return the parts that a page wants beside what all pages get."""
    wanted = frozenset(filter(None, request.query.get("parts", "").split(",")))
    if not wanted <= _ON_DEMAND:
        message = f"parts={request.query['parts']!r} cannot be used: take some of "
        raise RefusedError(HTTPStatus.BAD_REQUEST, message + ", ".join(sorted(_ON_DEMAND)))
    return wanted


def _shown(sample: Sample, wanted: Iterable[str], sent: dict[str, str]) -> str:
    """Return a sample as JSON, without parts that were sent as they are; remember the others."""
    left_out = _ON_DEMAND - set(wanted)
    parts = []
    for name, part in sample.parts.items():
        if name not in left_out and sent.get(name) != part:
            sent[name] = part
            parts.append(f'"{name}":{part}')
    return f'{{"error":{json.dumps(sample.error)},"parts":{{{",".join(parts)}}}}}'
