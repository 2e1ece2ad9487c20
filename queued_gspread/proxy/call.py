"""A call's way from a proxy into the queue, and its reply's way back.

Most calls travel whole: one gspread method call is one job. Some cannot. Then gspread's own method
runs here, in the caller, over the queued HTTP client, and each of its requests is a job of its own:

- gspread's code must meet something that is not gspread's: a name that a test or a library has
  patched, on gspread's class or on ours, or a user's own attribute on an object or its class
  (:mod:`queued_gspread.protocol.patches`);
- it is not known which spreadsheet the call is for: it is a client's method that is new, or has new
  parameters, in the installed gspread. Each of its requests waits in the lane of the spreadsheet
  that its URL names, and a warning says that the call is not atomic;
- an argument, or the spreadsheet's id, is a text or a number whose class spells it differently,
  such as a member of a ``(str, Enum)``: only gspread's code decides how it is spelled in a URL or a
  range (:mod:`queued_gspread.proxy.spelling`);
- an argument cannot travel: a set, whose order is this process's alone; a regular expression, which
  might never end and would stop the server; a generator, an iterator or a file, which must be
  consumed only where gspread consumes them; or anything else that JSON cannot express. What gspread
  and requests cannot use either fails inside them, exactly as it would without a queue.
"""

from __future__ import annotations

import inspect
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

import gspread

from queued_gspread._clock import now
from queued_gspread._interrupts import unconverted
from queued_gspread._tracing import UNTRACED
from queued_gspread.broker import sandbox, tell_answered
from queued_gspread.google_api.prepared import prepared
from queued_gspread.protocol import codec
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, ObjectKind
from queued_gspread.protocol.messages import Job, Reply, caller_named, check_http_timeout, new_id
from queued_gspread.protocol.objects import spreadsheet_of
from queued_gspread.protocol.patches import is_patched
from queued_gspread.protocol.property_changes import apply
from queued_gspread.protocol.routing import has_lane, lane_of

from .bodies import whole
from .caller import Caller, decoded
from .factory import Objects, adopt, is_customised, is_ours_patched, making_ours, ours
from .keying import once_now
from .locking import lane_now
from .max_age import max_age_now
from .outgoing import Outgoing, table_of
from .pipelining import current
from .remote_warnings import UserLine, user_level, warn_again
from .reordering import used_cell
from .result_kinds import ADDS, changes_properties, lazy_class, reads_counts
from .spelling import has_own_spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from queued_gspread.broker import Notice

    from .pipelining import Pipeline

__all__ = [
    "Outgoing",
    "answered",
    "make_call",
    "make_own_call",
    "outgoing",
    "reading_properties",
    "runs_here",
    "send_request",
]


def make_call(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Make a call on a proxied object: through the queue if it can travel, else here."""
    if runs_here(proxy, kind, method):
        return _call_here(proxy, kind, method, args, kwargs)
    if _is_request(kind, method):
        return send_request(proxy, *args, **kwargs)
    made = _made(proxy, kind, method, args, kwargs)
    return _call_here(proxy, kind, method, args, kwargs) if made is None else made[0]


def make_own_call(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Make a call that gspread does not have: there is no other way than through the queue."""
    made = None if runs_here(proxy, kind, method) else _made(proxy, kind, method, args, kwargs)
    if made is None:
        raise TypeError(
            f"{method} goes through the queue alone: {proxy!r} has another HTTP client, or an id "
            "whose class spells it in its own way"
        )
    return made[0]


def send_request(http: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Send a request through the queue, even if the method ``request`` is patched."""
    made = _made(http, HTTP_CLIENT, "request", args, kwargs)
    return _request_here(http, *args, **kwargs) if made is None else made[0]


def _made(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any] | None:
    """Make a call through the queue; return its result, or None if an argument cannot travel."""
    pipeline = current()
    if pipeline is not None:
        args, kwargs = pipeline.resolved(args, kwargs)
        _settle(pipeline, proxy, kind, method, (*args, *kwargs.values()))
    call = outgoing(proxy, kind, method, args, kwargs)
    if call is None:
        return None
    return _sent(pipeline, proxy, kind, call)


def _sent(
    pipeline: Pipeline | None, proxy: Any, kind: ObjectKind, call: Outgoing
) -> tuple[Any] | None:
    try:
        if pipeline is not None:
            return (_pipelined(pipeline, proxy, kind, call),)
        with unconverted():
            body = call.encoded()
    except codec.Unencodable:
        return None
    with call.span or UNTRACED:
        reply = call.caller.send(call.job_id, call.lane, body, call.objects)
        return (call.shown(_outcome(proxy, kind, reply)),)


def outgoing(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Outgoing | None:
    """Return a call as it goes into the queue, None if how its arguments are spelled cannot."""
    http, book = http_client_of(proxy, kind), _spreadsheet_id(proxy, kind)
    caller: Caller = http._self_caller
    check_http_timeout(http.timeout)
    if any(map(has_own_spelling, (book, *args, *kwargs.values()))):
        return None
    job = _job(proxy, kind, method, args, kwargs, caller, http.timeout)
    lane = lane_now(caller, lane_of(kind, book, method, args, kwargs))
    if method in kind.own:
        first = list(range(len(kwargs["key"])))
        job.kwargs = {**kwargs, "columns": caller.key_columns.get(table_of(lane, job), first)}
    return Outgoing(caller, job, lane, Objects(http, _parent(proxy, kind)), new_id())


def answered(
    proxy: Any,
    kind: ObjectKind,
    call: Outgoing,
    reply: bytes,
    notice: Notice,
    seconds: float,
) -> Any:
    """Return a call's result, or raise its error, once its reply is there."""
    return call.shown(_outcome(proxy, kind, decoded(reply, call.objects, seconds, notice)))


def _pipelined(pipeline: Pipeline, proxy: Any, kind: ObjectKind, outgoing: Outgoing) -> Any:
    """Put a call into the queue; return its result, which may not be there yet."""
    job, lane = outgoing.job, outgoing.lane
    cls = None if pipeline.waits else lazy_class(kind, job.method)
    is_left = pipeline.leaves(cls)
    body = outgoing.encoded(is_left=is_left)
    began, line = now(), UserLine.now()
    queue = outgoing.caller.queue_now()
    notice = queue.notice()

    def settle(reply: bytes) -> Any:
        told = decoded(reply, outgoing.objects, now() - began, notice)
        pipeline.progress.sent(told.requests)
        return outgoing.shown(_outcome(proxy, kind, told, line))

    changed = _properties_of(proxy) if changes_properties(kind, job.method) else []
    call = pipeline.new_call(job.name, changed, adds=job.method in ADDS)
    cell = None
    if pipeline.reorders and kind is WORKSHEET:
        # Its title, in whatever case, is what names the worksheet to Google.
        title = str(proxy._properties.get("title")).casefold()
        cell = used_cell(job, (proxy.spreadsheet_id, title))
    prepared = queue.prepared(outgoing.job_id, lane, body, notice, is_unattended=is_left)
    call.span = outgoing.span
    pipeline.put_in(call, prepared, queue.put_in, settle, cell)
    if is_left and call.span is not None:
        call.span.end()  # this was all that anybody waits for
    if call.future is not None:
        return call.future
    return pipeline.wait_at_place(call) if cls is None else pipeline.lazy(call, ours(cls))


def _settle(
    pipeline: Pipeline, proxy: Any, kind: ObjectKind, method: str, values: Iterable[Any]
) -> None:
    """Wait for the calls that change what a call needs to know of its object and its arguments."""
    own = [*_properties_of(proxy), *_properties_of(_parent(proxy, kind))]
    pipeline.settle(own, but_adds=not reads_counts(kind, method))
    pipeline.settle([known for value in values for known in _properties_in(value)])


def _properties_of(value: Any) -> list[dict[str, Any]]:
    is_ours = isinstance(value, (gspread.Spreadsheet, gspread.Worksheet))
    return [value._properties] if is_ours else []


def _properties_in(value: Any) -> Iterator[dict[str, Any]]:
    for each in value if type(value) in (list, tuple) else (value,):
        yield from _properties_of(each)


@contextmanager
def reading_properties(proxy: Any) -> Iterator[None]:
    """Let gspread's code read an object here: wait for calls that change it, and for its own."""
    pipeline = current()
    if pipeline is None:
        yield
        return
    pipeline.settle(_properties_of(proxy))
    with pipeline.at_place():
        yield


def _caller_of(http: Any) -> Caller | None:
    """Return the client's caller, None for a test double, which has any attribute."""
    caller = getattr(http, "_self_caller", None)
    return caller if isinstance(caller, Caller) else None


def http_client_of(proxy: Any, kind: ObjectKind) -> Any:
    """Return the HTTP client that an object sends its requests through."""
    if kind is HTTP_CLIENT:
        return proxy
    return proxy.client if kind in (SPREADSHEET, WORKSHEET) else proxy.http_client


def _job(
    proxy: Any,
    kind: ObjectKind,
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
        identity=sandbox.account_for_call(caller.settings, caller.identity),
        http_timeout=http_timeout,
        timeout=caller.settings.timeout,
        caller=caller_named(caller.settings.caller),
        once=once_now(kind, method, args, kwargs),
        max_age=max_age_now(caller.settings),
    )


def _target(proxy: Any, kind: ObjectKind) -> dict[str, Any] | None:
    if kind is SPREADSHEET:
        return {"spreadsheet": {}, "properties": proxy._properties}
    if kind is WORKSHEET:
        return {"spreadsheet": spreadsheet_of(proxy), "properties": proxy._properties}
    return None


def _spreadsheet_id(proxy: Any, kind: ObjectKind) -> Any:
    if kind is SPREADSHEET:
        return proxy.id
    return proxy.spreadsheet_id if kind is WORKSHEET else None


def _parent(proxy: Any, kind: ObjectKind) -> Any:
    """Return the spreadsheet that worksheets in the reply belong to, if it is at hand."""
    if kind is SPREADSHEET:
        return proxy
    parent = getattr(proxy, "spreadsheet", None) if kind is WORKSHEET else None
    known = getattr(parent, "_properties", None)
    return parent if isinstance(known, dict) and "id" in known else None


def runs_here(proxy: Any, kind: ObjectKind, method: str) -> bool:
    """Return whether gspread's own method must run in this process, whatever its arguments."""
    http = http_client_of(proxy, kind)
    if _caller_of(http) is None or (method not in kind.own and _is_replaced(kind, method)):
        return True
    if method in kind.remote or method in kind.own or _is_request(kind, method):
        return False
    if is_patched(kind) or is_customised(proxy, kind) or is_customised(http):
        return True
    if kind is CLIENT and is_ours_patched():
        return True
    if has_lane(kind, method):
        return False
    _warn_of_newer_method(kind, method)
    return True


def _is_request(kind: ObjectKind, method: str) -> bool:
    """Return whether a method is the lowest one: only the queue is below it."""
    return kind is HTTP_CLIENT and method == "request"


def _warn_of_newer_method(kind: ObjectKind, method: str) -> None:
    warnings.warn(
        f"{kind.cls.__name__}.{method} of gspread {gspread.__version__} is newer than this "
        "queued_gspread, which cannot tell which spreadsheet it is for: each of its requests is "
        "sent as a call of its own, and calls of others may come between them. Update "
        "queued_gspread, or use gspread 6.2",
        stacklevel=user_level(),
    )


def _is_replaced(kind: ObjectKind, method: str) -> bool:
    return getattr(kind.cls, method, None) is not kind.originals.get(method)


def _call_here(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    own = inspect.getattr_static(kind.cls, method)
    if kind is CLIENT and is_ours_patched() and _caller_of(proxy.http_client):
        own = making_ours(own)
    bind = getattr(type(own), "__get__", None)  # a test's double has none, and gets no self
    with reading_properties(proxy):
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
    """Send a request whose parts cannot travel, in the form that requests prepares.

    Raises what requests raises for a request that cannot be sent at all.
    """
    request = prepared(method, endpoint, params, data, json, files, headers)
    body = whole(request.body)
    # The server's requests works out the body's length again.
    kept = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in ("content-length", "transfer-encoding")
    }
    return send_request(http, request.method, request.url, data=body, headers=kept)


# So that Python's TypeError for wrong arguments names gspread's method.
_request_here.__qualname__ = gspread.HTTPClient.request.__qualname__


def _outcome(proxy: Any, kind: ObjectKind, reply: Reply, line: UserLine | None = None) -> Any:
    with unconverted(tell_answered):
        if reply.changes and kind in (SPREADSHEET, WORKSHEET):
            apply(proxy._properties, reply.changes)
        try:
            warn_again(reply.warnings, line)
        finally:
            # Even where warnings are errors, the call's own error must be raised.
            if reply.error is not None:
                _raise_once(reply)
    return reply.result


def _raise_once(reply: Reply) -> NoReturn:
    """Raise a reply's error and drop it: kept, it would form a cycle with the reply's frames."""
    error, reply.error = reply.error, None
    try:
        raise cast("Exception", error)
    finally:
        del error
