"""A gspread call as a pure function of the responses recorded so far.

    advance(job, exchanges) -> Done(...) | Needs(request)

gspread's own method runs against an HTTP client that hands out the recorded responses in turn
and stops the run at the first one missing. gspread is deterministic given its responses, so a run
with one more response gets one step further. Nothing is sent here, and no state is kept.

That is quadratic in a call's requests. So a call with many requests is suspended where it waits
instead (:mod:`.held`); it goes through the same :func:`run`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, cast
from urllib.parse import urlsplit

import gspread
from gspread.exceptions import APIError

from queued_gspread.errors import (
    CallRefusedError,
    CodecError,
    ReplayDivergedError,
    UnknownMethodError,
)
from queued_gspread.google_api.responses import empty_response
from queued_gspread.google_api.scopes import allows, insufficient
from queued_gspread.protocol import objects
from queued_gspread.protocol.kinds import KINDS, SPREADSHEET, WORKSHEET, Group, ObjectKind
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.protocol.property_changes import changes, tracked
from queued_gspread.server.policy import rectangles
from queued_gspread.server.policy.idempotency import query_of
from queued_gspread.server.policy.inspection import inspect
from queued_gspread.server.policy.request import (
    CREDENTIALS,
    Exchange,
    Failure,
    RecordedExchange,
    Request,
    RequestDigest,
    Response,
    answer_of,
    check_sendable,
    tell_request,
)
from queued_gspread.server.policy.running_call import running

from . import captured_warnings
from .upserts import upsert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.auth.credentials import Credentials as GoogleCredentials

__all__ = ["Decoded", "Done", "Needs", "ResponseMissing", "advance", "decode", "run", "sends_once"]

_MOST_NUMBERS: Final = 1000


@dataclass(frozen=True)
class Done:
    """The call has ended with this reply."""

    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True)
class Needs:
    """The call needs an answer to this request to go on."""

    request: Request


class ResponseMissing(BaseException):
    """Stops a run. A BaseException, so that gspread's ``except Exception`` does not catch it."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


def advance(
    body: bytes, exchanges: Sequence[Exchange | RecordedExchange], decoded: Decoded | None = None
) -> Done | Needs:
    """Run a job's call as far as the recorded exchanges reach.

    Args:
        body: The job.
        exchanges: The requests that were answered.
        decoded: The decoded job, if it was not run yet; the run uses it up.

    Raises:
        CodecError: The job cannot be read.
        CallRefusedError: The job asks for something that is not a public gspread call.

    """
    try:
        return run(body, exchanges, _stop, decoded)
    except ResponseMissing as missing:
        return Needs(missing.request)


def sends_once(body: bytes) -> bool:
    """Return whether a call ends after one request, as far as that shows without Google.

    It runs the call with an empty answer to find out.
    """
    exchanges: list[Exchange | RecordedExchange] = []

    def answer_first(request: Request) -> None:
        if exchanges:
            raise ResponseMissing(request)
        exchanges.append(Exchange(request, Response(empty_response())))

    try:
        run(body, exchanges, answer_first)
    except ResponseMissing:
        return False
    return True


def run(
    body: bytes,
    exchanges: Sequence[Exchange | RecordedExchange],
    on_missing: Callable[[Request], None],
    decoded: Decoded | None = None,
) -> Done:
    """Run a job's call to its end.

    Every run decodes the job anew, since gspread changes some arguments in place.

    Args:
        body: The job.
        exchanges: The requests that were answered.
        on_missing: Called with a request that none of them answers. By the time it returns, an
            exchange that does has been appended.
        decoded: See :func:`advance`.

    Raises:
        CodecError: The job cannot be read.
        CallRefusedError: The job asks for something that is not a public gspread call.

    """
    decoded = decoded or decode(body)
    decoded.http.load(exchanges, on_missing)
    target, before = _target(decoded)
    with running(decoded.job) as call:
        reply = _outcome(decoded, target)
    reply.warnings = call.warnings
    if before is not None:
        reply.changes = changes(before, target._properties)  # noqa: SLF001 - gspread's state
    return Done(reply)


def _stop(request: Request) -> NoReturn:
    raise ResponseMissing(request)


class Decoded(NamedTuple):
    """A job that one run uses up, since gspread changes some arguments in place.

    Attributes:
        job: The job.
        http: The HTTP client of the objects in it.
        kind: The kind of object whose method is called.
        is_property: Whether it is no method but a property, which sends requests too.

    """

    job: Job
    http: ReplayClient
    kind: ObjectKind
    is_property: bool


def decode(body: bytes) -> Decoded:
    """Decode a job, with real gspread objects among its arguments.

    Raises:
        CodecError: The job cannot be read.
        CallRefusedError: The job asks for something that is not a public gspread call.

    """
    http = ReplayClient()
    job = Job.decode(body, _RealObjects(http))
    http.scopes = job.identity.scopes
    kind = KINDS.get(job.kind)
    if kind is None:
        raise CodecError(f"a job's kind is {job.kind!r}, not one of {', '.join(KINDS)}")
    group = Group.CALL if job.method in kind.own else kind.groups.get(job.method)
    if group not in (Group.CALL, Group.REMOTE):
        raise _no_such_method(job, kind)
    if job.method == "get_all_records":
        _check_lists(job)
    return Decoded(job, http, kind, group is Group.REMOTE)


def _no_such_method(job: Job, kind: ObjectKind) -> UnknownMethodError:
    ours, theirs = gspread.__version__, job.versions[1]
    return UnknownMethodError(
        f"{kind.cls.__name__}.{job.method} is not a public call of the server's gspread {ours} "
        f"(the client has gspread {theirs})"
        + ("" if ours == theirs else ": install the same version on both sides")
    )


def _check_lists(job: Job) -> None:
    """Refuse long lists that gspread turns into a dict, or searches for every cell."""
    for headers in (*job.args[1:2], job.kwargs.get("expected_headers")):
        numbers = [item for item in _items(headers) if type(item) is not str]
        if len(numbers) > _MOST_NUMBERS:
            raise CodecError(
                f"expected_headers takes a list with at most {_MOST_NUMBERS} items that are not "
                "text: give the headers as text"
            )
    for columns in (*job.args[4:5], job.kwargs.get("numericise_ignore")):
        if len(_items(columns)) > _MOST_NUMBERS:
            raise CodecError(
                f"numericise_ignore takes a list of at most {_MOST_NUMBERS} columns: give "
                "['all'] for all of them"
            )


def _items(argument: Any) -> Sequence[Any]:
    return argument if isinstance(argument, (list, tuple)) else ()


def _outcome(decoded: Decoded, target: Any) -> Reply:
    job = decoded.job
    try:
        own = _OWN.get(job.name)
        found = getattr(target, job.method) if own is None else partial(own, target)
        return Reply(result=found if decoded.is_property else found(*job.args, **job.kwargs))
    except Exception as error:  # noqa: BLE001 - raised again in the caller
        return Reply(error=error)


_OWN: Final[Mapping[str, Callable[..., Any]]] = {"worksheet.upsert_rows": upsert_rows}


def _target(decoded: Decoded) -> tuple[Any, dict[Any, Any] | None]:
    """Return the object to call, and its properties before the call."""
    job, http, kind, _ = decoded
    if kind not in (SPREADSHEET, WORKSHEET):
        return (objects.client(http) if kind.cls is gspread.Client else http), None
    if job.target is None:
        raise CodecError(f"a job on a {kind.name} does not say on which")
    properties = job.target["properties"]
    if kind is SPREADSHEET:
        return objects.spreadsheet(http, tracked(properties)), properties
    about = job.target["spreadsheet"]
    parent = objects.spreadsheet(http, about)
    return objects.worksheet(http, parent, about.get("id"), tracked(properties)), properties


class _RealObjects:
    """Makes gspread's own objects of the spreadsheets and worksheets among the arguments."""

    def __init__(self, http: gspread.HTTPClient) -> None:
        self._http = http

    def spreadsheet(self, properties: dict[str, Any]) -> gspread.Spreadsheet:
        return objects.spreadsheet(self._http, properties)

    def worksheet(
        self, spreadsheet: dict[str, Any], properties: dict[str, Any]
    ) -> gspread.Worksheet:
        parent = objects.spreadsheet(self._http, spreadsheet)
        return objects.worksheet(self._http, parent, spreadsheet["id"], properties)


class ReplayClient(gspread.HTTPClient):
    """An HTTP client that replays recorded responses and calls back at the first one missing."""

    def __init__(self) -> None:
        # gspread's constructor is not called: it wants credentials and makes a session.
        self.scopes: Sequence[str] | None = None
        self.timeout = None
        self.auth = cast("GoogleCredentials", _Credentials(self))

    def load(
        self,
        exchanges: Sequence[Exchange | RecordedExchange],
        on_missing: Callable[[Request], None],
    ) -> None:
        """Replay these responses from now on; call ``on_missing`` with a request that has none."""
        self._exchanges = exchanges
        self._on_missing = on_missing
        self._position = 0

    def request(
        self,
        method: str,
        endpoint: str,
        params: Any = None,
        data: Any = None,
        json: Any = None,
        files: Any = None,
        headers: Any = None,
    ) -> Any:
        """Return the recorded response, raise the recorded failure, or stop the run."""
        # What requests would raise in the caller if this cannot be sent at all.
        method.upper()
        urlsplit(str(endpoint))
        return self.ask(Request(method, endpoint, params, data, json, files, headers))

    def ask(self, asked: Request) -> Any:
        """Return the recorded response, raise the recorded failure, or stop the run."""
        if self.scopes is not None and not _is_allowed(self.scopes, asked):
            refusal = insufficient(asked.endpoint)
            tell_request(asked, None, refusal)
            raise APIError(refusal)
        if self._position >= len(self._exchanges):
            _check_allowed(asked)  # a request with an answer was inspected before it was sent
        return self._next(asked)

    @property
    def begins_with_append(self) -> bool:
        """Whether all that is left of an earlier run of an upsert is its append."""
        first = self._exchanges[0].sent.endpoint if self._exchanges else ""
        return first.endswith(":append")

    def recorded(self) -> Any:
        """Return the first recorded response, or raise the failure, whatever the request was."""
        outcome = self._exchanges[0].outcome
        if isinstance(outcome, Failure):
            raise outcome.error.with_traceback(None)
        return outcome.value

    def login(self) -> None:
        """Have the server refresh its credentials."""
        self._next(Request(CREDENTIALS, "refresh"))

    def _next(self, request: Request) -> Any:
        position = self._position
        self._position += 1
        is_asked_now = position >= len(self._exchanges)
        if is_asked_now:
            self._on_missing(request)
        exchange = self._exchanges[position]
        if not (is_asked_now or exchange.answers(request)):
            _diverged(position, exchange.sent, request)
        outcome = exchange.outcome
        tell_request(request, getattr(outcome, "error", None), answer_of(outcome))
        if isinstance(exchange.outcome, Failure):
            # Raised in every run: a traceback that is kept would grow with each run.
            raise exchange.outcome.error.with_traceback(None)
        return exchange.outcome.value


# Python names the function in its errors about arguments: let these read as gspread's.
for _name in ("request", "login"):
    getattr(ReplayClient, _name).__qualname__ = getattr(gspread.HTTPClient, _name).__qualname__

rectangles.install()
captured_warnings.install()


def _is_allowed(scopes: Sequence[str], asked: Request) -> bool:
    return allows(scopes, asked.verb, str(asked.endpoint), query_of(asked))


def _check_allowed(request: Request) -> None:
    """Refuse a request that may not be sent, with requests' own error if it could not be."""
    try:
        inspect(request)
    except CallRefusedError as error:
        refusal = error
    else:
        return
    check_sendable(request)
    raise refusal


class _Credentials:
    """Stands in for the server's credentials, which never leave it."""

    def __init__(self, http: ReplayClient) -> None:
        self._http = http

    @property
    def expiry(self) -> Any:
        """When they expire."""
        return self._http._next(Request(CREDENTIALS, "expiry"))  # noqa: SLF001 - same module


def _diverged(position: int, recorded: RequestDigest, asked: Request) -> NoReturn:
    raise ReplayDivergedError(
        f"request {position + 1} of a replayed call is {asked.method} {asked.endpoint}, but the "
        f"recorded response belongs to another {recorded.method} {recorded.endpoint}: "
        "nothing more was sent for this call"
    )
