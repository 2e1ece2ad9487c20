"""A call on its way from a proxy into the queue, and its answer on the way back.

Most calls travel whole: one gspread method call is one job. Some cannot, and then gspread's own
method runs here, in the caller, over the queued HTTP client, so that each of its requests is a
job of its own:

- a library has replaced the method on gspread's class, or the object's class, or its HTTP
  client, has methods of its own, which gspread's code has to meet;
- nobody knows which spreadsheet the call is for: it is one of a client's, and the installed
  gspread has that method, or its parameters, only since a later release. Each of its requests waits
  in the lane of the spreadsheet that its URL names, and a warning tells that they are no unit;
- an argument cannot travel: a set, whose order is that of this process alone, a regular
  expression, which might never end and would stop the server, or whatever JSON cannot say. What
  gspread and requests cannot use either fails inside them, exactly as it would without a queue.
"""

from __future__ import annotations

import inspect
import warnings
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import gspread
import requests

from . import codec
from .broker import Callers, tell_answered
from .catalogue import HTTP_CLIENT, SPREADSHEET, WORKSHEET, Kind
from .intrusion import unconverted
from .job import Job, Reply, check_http_timeout, new_id
from .lane import has_lane, lane_of
from .objects import spreadsheet_of
from .properties import apply
from .rewarn import user_level, warn_again
from .wrapping import Objects, adopt, is_customised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .identity import Identity
    from .settings import Settings

__all__ = ["Caller", "make_call"]


class Caller:
    """What every object of one client shares: where the queue is, and whose calls these are."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.settings = settings
        self.identity = identity
        self._queue = Callers(settings)

    def send(self, job: Job, lane: str, objects: codec.Objects) -> Reply:
        """Put a job into the queue and wait for its reply."""
        job_id = new_id()
        with unconverted():
            reply = self._queue.call(job_id, lane, job.encode())
        with unconverted(tell_answered):
            try:
                return Reply.decode(reply, objects)
            finally:
                self._queue.forget(job_id)


def make_call(
    proxy: Any, kind: Kind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Make a call on a proxied object: in the queue if it can travel, else here."""
    http = http_client_of(proxy, kind)
    caller = getattr(http, "_self_caller", None)
    # A test's double has any attribute that it is asked for.
    if not isinstance(caller, Caller) or _belongs_here(proxy, http, kind, method):
        return _call_here(proxy, kind, method, args, kwargs)
    check_http_timeout(http.timeout)
    args = tuple(_collected(arg) for arg in args)
    kwargs = {name: _collected(arg) for name, arg in kwargs.items()}
    job = _job(proxy, kind, method, args, kwargs, caller, http.timeout)
    lane = lane_of(kind, _spreadsheet_id(proxy, kind), method, args, kwargs)
    try:
        reply = caller.send(job, lane, Objects(http, _parent(proxy, kind)))
    except codec.Unencodable:
        args = tuple(_released(arg) for arg in args)
        kwargs = {name: _released(arg) for name, arg in kwargs.items()}
        return _call_here(proxy, kind, method, args, kwargs)
    return _outcome(proxy, kind, reply)


def http_client_of(proxy: Any, kind: Kind) -> Any:
    """Return the HTTP client that an object sends its requests through."""
    if kind is HTTP_CLIENT:
        return proxy
    return proxy.client if kind in (SPREADSHEET, WORKSHEET) else proxy.http_client


def _job(
    proxy: Any,
    kind: Kind,
    method: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    caller: Caller,
    http_timeout: Any,
) -> Job:
    return Job(
        kind=kind.name,
        method=method,
        target=_target(proxy, kind),
        args=args,
        kwargs=kwargs,
        identity=caller.identity,
        http_timeout=http_timeout,
        timeout=caller.settings.timeout,
    )


def _target(proxy: Any, kind: Kind) -> dict[str, Any] | None:
    if kind is SPREADSHEET:
        return {"spreadsheet": {}, "properties": proxy._properties}
    if kind is WORKSHEET:
        return {"spreadsheet": spreadsheet_of(proxy), "properties": proxy._properties}
    return None


def _spreadsheet_id(proxy: Any, kind: Kind) -> Any:
    if kind is SPREADSHEET:
        return proxy.id
    return proxy.spreadsheet_id if kind is WORKSHEET else None


def _parent(proxy: Any, kind: Kind) -> Any:
    """Return the spreadsheet that worksheets in the reply belong to, as far as one is at hand."""
    if kind is SPREADSHEET:
        return proxy
    parent = getattr(proxy, "spreadsheet", None) if kind is WORKSHEET else None
    known = getattr(parent, "_properties", None)
    return parent if isinstance(known, dict) and "id" in known else None


def _belongs_here(proxy: Any, http: Any, kind: Kind, method: str) -> bool:
    """Tell whether gspread's own method is to run in this process, whatever its arguments."""
    if kind is HTTP_CLIENT and method == "request":
        return False  # there is nothing beneath it but the queue
    if method in kind.remote:
        return False  # only the server can answer it
    if _is_replaced(kind, method) or is_customised(proxy, kind) or is_customised(http):
        return True
    if has_lane(kind, method):
        return False
    _warn_of_newer_method(kind, method)
    return True


def _warn_of_newer_method(kind: Kind, method: str) -> None:
    warnings.warn(
        f"{kind.cls.__name__}.{method} of gspread {gspread.__version__} is newer than this "
        "queued_gspread, which cannot tell which spreadsheet it is for: each of its requests is "
        "sent as a call of its own, and calls of others may come between them. Update "
        "queued_gspread, or use gspread 6.2",
        stacklevel=user_level(),
    )


def _is_replaced(kind: Kind, method: str) -> bool:
    return method in kind.calls and getattr(kind.cls, method) is not kind.originals.get(method)


def _collected(argument: Any) -> Any:
    """Return a generator's items, which can be sent and, where sending fails, used again."""
    return codec.Generated(list(argument)) if type(argument) is GeneratorType else argument


def _released(argument: Any) -> Any:
    if isinstance(argument, codec.Generated):
        return (item for item in argument.items)
    return argument


def _call_here(
    proxy: Any, kind: Kind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if kind is HTTP_CLIENT and method == "request":
        return _request_here(proxy, *args, **kwargs)
    own = inspect.getattr_static(kind.cls, method)
    bind = getattr(type(own), "__get__", None)  # a test's double has none, and gets no self
    bound = own if bind is None else bind(own, proxy, type(proxy))
    return bound if method in kind.remote else adopt(bound(*args, **kwargs))


def _request_here(
    http: Any,
    method: str,
    endpoint: str,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    files: Any = None,
    headers: Any = None,
) -> Any:
    """Send a request whose parts cannot travel in the form that requests gives them.

    This raises what requests raises for what cannot be sent at all.
    """
    prepared = requests.Request(
        method.upper(), endpoint, params=params, data=data, json=json, files=files, headers=headers
    ).prepare()
    body = prepared.body
    if body is not None and not isinstance(body, (str, bytes)):
        body = b"".join(cast("Iterable[bytes]", body))  # a stream
    # The body is whole now, and the server's requests measures it anew.
    sent = {
        name: value
        for name, value in prepared.headers.items()
        if name.lower() not in ("content-length", "transfer-encoding")
    }
    return http._queued_request(method, prepared.url, data=body, headers=sent)


def _outcome(proxy: Any, kind: Kind, reply: Reply) -> Any:
    with unconverted(tell_answered):
        if reply.changes and kind in (SPREADSHEET, WORKSHEET):
            apply(proxy._properties, reply.changes)
    try:
        warn_again(reply.warnings)
    finally:
        # Where warnings are errors, the call's own error is still the one to raise.
        if reply.error is not None:
            _raise_once(reply)
    return reply.result


def _raise_once(reply: Reply) -> NoReturn:
    """Raise a reply's error, and hold it no more: it would hold the frames that hold the reply."""
    error, reply.error = reply.error, None
    try:
        raise cast("Exception", error)
    finally:
        del error
