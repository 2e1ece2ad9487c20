"""Spans, where the program has set OpenTelemetry up; nothing at all where it has not.

The API is never imported here: a program that wants spans has set a tracer provider for them, and
has imported the API for that. So whoever has no use for it pays one look into a dict for each call.

What goes wrong in the provider, or in what it calls, is logged once and costs no call.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

from ._interrupts import own
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType, TracebackType

    from opentelemetry import trace

    Attributes = dict[str, str | int]

__all__ = ["CONVENTIONS", "UNTRACED", "Span", "begin", "harmless", "messaging", "place", "tracer"]

CONVENTIONS: Final = "1.44.0"
"""The version of OpenTelemetry's semantic conventions by which spans are named."""

UNTRACED: Final[AbstractContextManager[None]] = nullcontext()
"""Stands for the span of a call that has none."""

P = ParamSpec("P")
T = TypeVar("T")

_LOGGER: Final = logging.getLogger("queued_gspread")
_API: Final = "opentelemetry.trace"
_NAME: Final = "queued_gspread"
_SCHEMA: Final = f"https://opentelemetry.io/schemas/{CONVENTIONS}"
# Of https://www.w3.org/TR/trace-context/: version, trace, parent and flags.
_TRACEPARENT: Final = re.compile(
    r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)
_NO_SPREADSHEET: Final = "-"
_LONGEST: Final = 200
_FAILED: Final = "OpenTelemetry fails here, so spans are missing; calls are made all the same"


class _Known:
    """The tracer of the provider that was seen last, and whether a failure was logged."""

    provider: Any = None
    tracer: Any = None
    has_failed = False


def harmless(function: Callable[P, T]) -> Callable[P, T | None]:
    """Return a function that logs its first error, and returns None instead of raising it."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return function(*args, **kwargs)
        except own(Exception):  # a signal handler's is the caller's
            if not _Known.has_failed:
                _Known.has_failed = True
                _LOGGER.warning(_FAILED, exc_info=True)
            return None

    return guarded


def tracer() -> trace.Tracer | None:
    """Return the tracer of the program's provider; None if it has set none."""
    api = sys.modules.get(_API)
    return None if api is None else _tracer_of(api)


@harmless
def _tracer_of(api: ModuleType) -> trace.Tracer | None:
    proxy = getattr(api, "ProxyTracerProvider", None)
    if proxy is None:
        return None  # another thread is importing it
    provider = api.get_tracer_provider()
    if isinstance(provider, proxy):
        return None
    if _Known.provider is not provider:
        _Known.tracer = provider.get_tracer(_NAME, __version__, schema_url=_SCHEMA)
        _Known.provider = provider
    return _Known.tracer  # type: ignore[no-any-return]  # a class that the program chose


class Span:
    """A span of ours. It ends once; as a context manager, with the block and its error.

    Args:
        span: The API's span.

    """

    def __init__(self, span: trace.Span) -> None:
        self._span: trace.Span | None = span
        self.context = span.get_span_context()

    @property
    def traceparent(self) -> str | None:
        """What another process needs to go on with the trace; None if there is no trace."""
        it = self.context
        if not it.is_valid:
            return None
        return f"00-{it.trace_id:032x}-{it.span_id:016x}-{it.trace_flags:02x}"

    @harmless
    def set(self, name: str, value: str | int) -> None:
        """Set an attribute."""
        if self._span is not None:
            self._span.set_attribute(name, value)

    @harmless
    def end(self, error: str = "") -> None:
        """End it, unless it has ended; an error is named by its class or its HTTP status."""
        span, self._span = self._span, None
        if span is None:
            return
        if error:
            api: Any = sys.modules[_API]
            span.set_attribute("error.type", error)
            span.set_status(api.Status(api.StatusCode.ERROR))
        span.end()

    def ended_with(self, error: BaseException | None) -> None:
        """End it with the error of what it was begun for, if that has failed."""
        self.end("" if error is None else type(error).__name__)

    @property
    def is_sampled(self) -> bool:
        """Whether somebody will see it."""
        return self.context.trace_flags.sampled

    def current(self) -> AbstractContextManager[Any]:
        """Return a block in which it is the current span, for other instrumentation."""
        api: Any = sys.modules[_API]
        options = {"record_exception": False, "set_status_on_exception": False}
        return api.use_span(self._span, **options)  # type: ignore[no-any-return]  # looked up

    def drop(self) -> None:
        """Never end it, so that nobody sees it."""
        self._span = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.ended_with(error)


@harmless
def begin(
    kind: Literal["PRODUCER", "CONSUMER", "CLIENT"],
    name: str,
    attributes: Attributes,
    *,
    parent: str | Span | None = None,
    links: Sequence[Span] = (),
) -> Span | None:
    """Begin a span, if the program traces.

    Args:
        kind: Its kind.
        name: Its name.
        attributes: Its attributes.
        parent: The span that it is a child of, or that one's ``traceparent``; None for the span of
            this context, and '' for none.
        links: The spans that it is linked to.

    """
    mine = tracer()
    if mine is None:
        return None
    api: Any = sys.modules[_API]
    context, before = None, [span.context for span in links]
    if parent is not None:
        remote = _context_of(api, parent) if isinstance(parent, str) else parent.context
        context = api.set_span_in_context(api.NonRecordingSpan(remote))
        if isinstance(parent, str):
            before.append(remote)
    to = [api.Link(each) for each in before if each.is_valid]
    return Span(mine.start_span(name, context, api.SpanKind[kind], attributes, to))


def _context_of(api: Any, traceparent: str) -> trace.SpanContext:
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return api.INVALID_SPAN_CONTEXT  # type: ignore[no-any-return]  # the module is looked up
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return api.SpanContext(  # type: ignore[no-any-return]  # the same
        trace_id, span_id, is_remote=True, trace_flags=api.TraceFlags(flags)
    )


def messaging(
    operation: Literal["send", "process"], namespace: str, lane: str, method: str, job_id: str
) -> tuple[str, Attributes]:
    """Return the name and the attributes of a span that is about one job.

    Args:
        operation: What is done with the job.
        namespace: The queue's namespace.
        lane: The lane of its spreadsheet.
        method: The method with the kind of its object.
        job_id: The job's id.

    """
    attributes: Attributes = {
        "messaging.system": _NAME,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": namespace,
        "messaging.message.id": _plain(job_id),
        "queued_gspread.method": _plain(method),
    }
    return f"{operation} {namespace}", attributes | place(lane)


def place(lane: str) -> Attributes:
    """Return the attribute that names the spreadsheet of a lane, if it has one."""
    return {} if lane == _NO_SPREADSHEET else {"messaging.destination.partition.id": _plain(lane)}


def _plain(text: str) -> str:
    """Return a text from Redis, where anybody may have written it, so that it can be exported."""
    return text[:_LONGEST].encode(errors="replace").decode()
