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
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import gspread

from queued_gspread._clock import now
from queued_gspread._interrupts import unconverted
from queued_gspread.broker import Producer, sandbox, tell_answered
from queued_gspread.errors import CallTimeoutError
from queued_gspread.google_api.prepared import prepared
from queued_gspread.protocol import codec
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, ObjectKind
from queued_gspread.protocol.messages import (
    Job,
    Reply,
    caller_named,
    check_http_timeout,
    new_id,
)
from queued_gspread.protocol.objects import spreadsheet_of
from queued_gspread.protocol.patches import is_patched
from queued_gspread.protocol.property_changes import apply
from queued_gspread.protocol.routing import has_lane, lane_of

from .factory import Objects, adopt, is_customised, is_ours_patched, making_ours
from .remote_warnings import user_level, warn_again
from .spelling import has_own_spelling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.broker import Notice
    from queued_gspread.protocol.identity import Identity
    from queued_gspread.settings import Settings

__all__ = ["Caller", "make_call", "send_request"]

_BLOCK: Final = 65_536


class Caller:
    """Shared by all objects of one client: where the queue is, and whose calls these are."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.settings = settings
        self.identity = identity
        self._queue = Producer(settings)

    def send(self, job: Job, lane: str, objects: codec.Objects) -> Reply:
        """Put a job into the queue and wait for its reply."""
        job_id, began = new_id(), now()
        queue = self._queue_now()
        notice = queue.notice()
        with unconverted():
            reply = queue.call(job_id, lane, job.encode(), notice)
        with unconverted(tell_answered):
            try:
                decoded = Reply.decode(reply, objects)
                return _close_notice(decoded, now() - began, notice, self.settings.caller)
            finally:
                queue.forget(job_id)

    def _queue_now(self) -> Producer:
        settings = sandbox.settings_for_call(self.settings)
        return self._queue if settings is self.settings else Producer(settings)


def _close_notice(reply: Reply, seconds: float, notice: Notice, caller: str | None = None) -> Reply:
    """End a call's notice, or add to a time-out's text who waited how long, and for what."""
    error = reply.error
    if error is None:
        notice.end()
    elif isinstance(error, CallTimeoutError):
        waited = f"{error} ({caller or 'this caller'} has waited for {seconds:.1f} s)"
        error.args = (waited + notice.last_words(),)
    return reply


def make_call(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Make a call on a proxied object: through the queue if it can travel, else here."""
    http = http_client_of(proxy, kind)
    if _caller_of(http) is None or _belongs_here(proxy, http, kind, method):
        return _call_here(proxy, kind, method, args, kwargs)
    if _is_request(kind, method):
        return send_request(proxy, *args, **kwargs)
    reply = _reply(proxy, kind, method, args, kwargs)
    if reply is None:
        return _call_here(proxy, kind, method, args, kwargs)
    return _outcome(proxy, kind, reply)


def send_request(http: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Send a request through the queue, even if the method ``request`` is patched."""
    reply = _reply(http, HTTP_CLIENT, "request", args, kwargs)
    if reply is None:
        return _request_here(http, *args, **kwargs)
    return _outcome(http, HTTP_CLIENT, reply)


def _reply(
    proxy: Any, kind: ObjectKind, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Reply | None:
    """Put a call into the queue; return its reply, or None if an argument cannot travel."""
    http, book = http_client_of(proxy, kind), _spreadsheet_id(proxy, kind)
    caller: Caller = http._self_caller
    check_http_timeout(http.timeout)
    if any(map(has_own_spelling, (book, *args, *kwargs.values()))):
        return None
    job = _job(proxy, kind, method, args, kwargs, caller, http.timeout)
    lane = lane_of(kind, book, method, args, kwargs)
    try:
        return caller.send(job, lane, Objects(http, _parent(proxy, kind)))
    except codec.Unencodable:
        return None


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


def _belongs_here(proxy: Any, http: Any, kind: ObjectKind, method: str) -> bool:
    """Return whether gspread's own method must run in this process, whatever its arguments."""
    if _is_replaced(kind, method):
        return True
    if method in kind.remote or _is_request(kind, method):
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
    body = _whole(request.body)
    # The server's requests works out the body's length again.
    kept = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in ("content-length", "transfer-encoding")
    }
    return send_request(http, request.method, request.url, data=body, headers=kept)


# So that Python's TypeError for wrong arguments names gspread's method.
_request_here.__qualname__ = gspread.HTTPClient.request.__qualname__


def _whole(body: Any) -> str | bytes | None:
    """Return a body as requests would send it: text of a stream is UTF-8."""
    if isinstance(body, str):
        return str.__str__(body)
    if body is None or type(body) is bytes:
        return body
    return b"".join(map(_chunk, _parts(body)))


def _chunk(part: Any) -> bytes:
    chunk = part.encode() if isinstance(part, str) else part
    # Fails as http.client does for anything that is not bytes.
    return b"%b" % (chunk,) if len(chunk) else b""


def _parts(body: Any) -> Iterable[Any]:
    if hasattr(body, "read"):
        return iter(lambda: body.read(_BLOCK) or None, None)
    try:
        return [memoryview(body)]
    except TypeError:
        pass
    if not hasattr(body, "__iter__"):  # urllib3's wording
        raise TypeError(
            "'body' must be a bytes-like object, file-like object, or iterable. "
            f"Instead was {body!r}"
        )
    return cast("Iterable[Any]", body)


def _outcome(proxy: Any, kind: ObjectKind, reply: Reply) -> Any:
    with unconverted(tell_answered):
        if reply.changes and kind in (SPREADSHEET, WORKSHEET):
            apply(proxy._properties, reply.changes)
        try:
            warn_again(reply.warnings)
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
