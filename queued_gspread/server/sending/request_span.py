"""The spans of requests to Google: one for each attempt, with links to the calls that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from queued_gspread import _tracing
from queued_gspread._tracing import harmless
from queued_gspread.server.policy.request import Failure, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread._tracing import Span
    from queued_gspread.server.policy.request import Exchange, Request, Response

    from .outgoing import OutgoingRequest

__all__ = ["sent_in_span"]

_FIRST_ERROR: Final = 400
_OTHER: Final = "_OTHER"
_PORTS: Final = {"https": 443, "http": 80}


def sent_in_span(
    send: Callable[[], Exchange], outgoing: OutgoingRequest, request: Request, place: str
) -> Exchange:
    """Send a request in a span of its own, which is the current one meanwhile.

    Args:
        send: Sends it, once.
        outgoing: The calls that it is for.
        request: The request.
        place: Scheme and host that it goes to.

    """
    span = _begin(outgoing, request, place)
    if span is None:
        return send()
    with span, span.current():
        exchange = send()
        _end(span, exchange.outcome)
    return exchange


@harmless
def _begin(outgoing: OutgoingRequest, request: Request, place: str) -> Span | None:
    spans = [call.span for call in outgoing.calls if call.span is not None]
    # One that is recorded, so that the request is in the trace of a call that somebody looks at.
    parent = next((span for span in spans if span.is_sampled), spans[0])
    called, url = request.called, urlsplit(place)
    attributes: dict[str, str | int] = {
        "http.request.method": _OTHER if called is None else called.verb,
        "server.address": url.hostname or "",
        "server.port": url.port or _PORTS.get(url.scheme, 0),
        "queued_gspread.calls": len(outgoing.calls),
        **_tracing.place(outgoing.spreadsheet),
    }
    name = "HTTP"  # as the conventions name one whose method is not known
    if called is not None:
        name, attributes["url.template"] = f"{called.verb} {called.path}", called.path
    return _tracing.begin("CLIENT", name, attributes, parent=parent, links=spans)


@harmless
def _end(span: Span, outcome: Response | Failure) -> None:
    status = getattr(answer_of(outcome), "status_code", None)
    if isinstance(status, int) and status:
        span.set("http.response.status_code", status)
        if status >= _FIRST_ERROR:
            span.end(str(status))
            return
    span.ended_with(outcome.error if isinstance(outcome, Failure) else None)
