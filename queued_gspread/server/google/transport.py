"""The only way to Google: every request of every call goes through here.

Requests are sent through the given client's own ``http_client.request``, so that a custom HTTP
client or a test double works. From there they come back to this package twice: the session applies
the token (:mod:`.session`), and its connections ask once more before they send (:mod:`.fence`).
"""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from gspread.exceptions import APIError

from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import CallRefusedError
from queued_gspread.google_api.responses import is_plain, refusal
from queued_gspread.google_api.scopes import allows, insufficient
from queued_gspread.server.policy.export_page import fetched, is_export
from queued_gspread.server.policy.idempotency import is_idempotent, query_of
from queued_gspread.server.policy.request import (
    CREDENTIALS,
    Exchange,
    Failure,
    Request,
    Response,
    check_sendable,
    tell_request,
)

from .fence import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    import gspread

    from .token_state import AnyTokens

__all__ = ["Transport"]

# The server's token goes with every request, so requests must not go just anywhere.
_PLACES: Final = tuple(
    f"https://{service}.googleapis.com/" for service in ("sheets", "drive", "www")
)

_LONGEST_IDLE: Final = 30.0
_PARTS: Final = 2
_TIMEOUT: Final = 180.0


class Transport:
    """Sends requests through a gspread HTTP client, once each.

    Args:
        http: The HTTP client, as :func:`.session.adopt` returns it.
        tokens: Its access tokens.
        clock: A monotonic clock, in seconds.
        confirm: Called right before a request is sent; if it raises, the request is not sent.
        scopes: The scopes that the server holds itself to, even if its token has more; None for
            those of the token.

    """

    def __init__(
        self,
        http: gspread.HTTPClient,
        tokens: AnyTokens,
        clock: Callable[[], float] = time.monotonic,
        *,
        confirm: Callable[[], None] = lambda: None,
        scopes: Sequence[str] | None = None,
    ) -> None:
        self._http = http
        self._scopes = scopes
        self._confirm = confirm
        self._clock = clock
        # The session may be older than this object, with connections that have long been idle.
        self._connected = -math.inf
        self._api_endpoint: str | None = getattr(http, "api_endpoint", None)
        self._tokens = tokens
        # The lanes whose requests are in the air, with the moment when they were sent.
        self._out: dict[str, float] = {}

    def under(self, http: gspread.HTTPClient, tokens: AnyTokens) -> Transport:
        """Return a transport of another account; what it has in the air counts here as well."""
        made = Transport(http, tokens, self._clock, confirm=self._confirm, scopes=self._scopes)
        made._out = self._out
        return made

    @property
    def token_version(self) -> int:
        """The number of the current access token."""
        return self._tokens.version

    def token_accepted(self, version: int) -> None:
        """Report that Google accepted an access token."""
        self._tokens.accepted(version)

    def token_refused(self, version: int) -> None:
        """Report that Google refused an access token."""
        self._tokens.refused(version)

    def time_out(self, http_timeout: Any) -> str:
        """Return in words how long Google may be silent, and which option set that."""
        if http_timeout is not None:
            return f"client.set_timeout({http_timeout!r})"
        own = getattr(self._http, "timeout", None)
        return "" if own is None else f"--request-timeout {own}"

    def in_the_air(self) -> dict[str, float]:
        """Return how many seconds each lane has waited for Google's answer."""
        now = self._clock()
        return {lane: now - since for lane, since in self._out.copy().items()}

    def confirm(self) -> None:
        """Make sure that no other server is at work.

        Raises:
            StaleEpochError: One may be by now.

        """
        self._confirm()

    def send(self, request: Request, http_timeout: Any, lane: str = "") -> Exchange:
        """Send a lane's request, once, and return it with its outcome.

        Raises:
            StaleEpochError: Another server may be at work by now; nothing was sent.

        """
        self._confirm()
        self._out[lane] = self._clock()
        try:
            with asking(self._confirm):
                return Exchange(request, Response(self._send(request, http_timeout)))
        except StaleEpochError:
            raise
        except Exception as error:  # noqa: BLE001 - any error goes to the caller
            readable = _readable(error)
            _forget_frames(error)
            return Exchange(request, Failure(readable))
        finally:
            self._out.pop(lane, None)

    def _send(self, request: Request, http_timeout: Any) -> Any:
        if request.method == CREDENTIALS:
            return self._ask_credentials(request.endpoint)
        self._check(request)
        self._check_scopes(request)
        if not is_idempotent(request):
            self._drop_idle_connections()
        data = request.data
        given = {
            "params": request.params,
            # As bytes: some versions of requests measure text otherwise than urllib3 encodes it.
            "data": data.encode() if isinstance(data, str) else data,
            "json": request.json,
            "files": request.files,
            "headers": request.headers,
        }
        present = {name: value for name, value in given.items() if value is not None}
        http = self._with_timeout(http_timeout)
        answer = http.request(request.method, request.endpoint, **present)
        return fetched(answer, request, getattr(http, "timeout", None) or _TIMEOUT)

    def place_of(self, request: Request) -> str:
        """Return where a request goes: only scheme and host."""
        parts = urlsplit(self._api_endpoint or str(request.endpoint))
        # The user and password that may precede the host are left out.
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def _check(self, request: Request) -> None:
        # Compare the raw text: two parsers may find two different hosts in one URL.
        endpoint = str(request.endpoint)
        if endpoint.startswith(_PLACES) or is_export(request):
            return
        # A client made for the same emulator may use its URL directly.
        if self._api_endpoint is not None and endpoint.startswith(self._api_endpoint + "/"):
            return
        check_sendable(request)
        raise CallRefusedError(
            f"a request to {endpoint[:80]!r} is refused: the server sends its credentials "
            f"to {', '.join(_PLACES)} alone, and to the page from which a sheet is exported, "
            "https://docs.google.com/spreadsheets/d/ID/export, by GET"
        )

    def _check_scopes(self, request: Request) -> None:
        """Answer as Google would if the token had the scopes that were named, and no others."""
        if self._scopes is None:
            return
        endpoint, pairs = str(request.endpoint), query_of(request)
        if not allows(self._scopes, request.verb, endpoint, pairs):
            refused = insufficient(endpoint)
            tell_request(request, None, refused)
            raise APIError(refused)

    def _ask_credentials(self, what: str) -> Any:
        if what == "refresh":
            return self._tokens.refresh(_TIMEOUT)
        return self._http.auth.expiry

    def _drop_idle_connections(self) -> None:
        """Close idle connections, at most once every half minute.

        A request on a connection that the other side has closed fails, and it is unknown whether
        it was applied. Requests in the air keep their connections.
        """
        session, now = getattr(self._http, "session", None), self._clock()
        if isinstance(session, requests.Session) and now - self._connected >= _LONGEST_IDLE:
            self._connected = now
            session.close()

    def _with_timeout(self, http_timeout: Any) -> gspread.HTTPClient:
        """Return an HTTP client with its own time-out, over the same session.

        gspread keeps the time-out on the HTTP client, where calls in other threads would see it.
        """
        if http_timeout is None:
            return self._http
        http = copy.copy(self._http)
        http.set_timeout(_bounded(http_timeout, getattr(self._http, "timeout", None)))
        return http


# The functions that may raise and lose an answer, with the variable that holds it: gspread fails to
# make an error of it, or requests fails to read its body.
_HOLDERS: Final[dict[CodeType, str]] = {
    APIError.__init__.__code__: "response",
    vars(requests.Response)["content"].fget.__code__: "self",
}


def _readable(error: Exception) -> Exception:
    """Return an error, or an APIError if gspread could not make one of the answer.

    The answer's status decides what happens to the request, so it must not get lost.
    """
    answer = _answer_in(error)
    if answer is None or (isinstance(error, APIError) and is_plain(answer)):
        return error
    return APIError(refusal(answer))


def _answer_in(error: Exception) -> requests.Response | None:
    """Return the answer that an error was raised for, whichever HTTP client received it."""
    if type(error) is APIError:
        answer = vars(error).get("response")
        return answer if isinstance(answer, requests.Response) else None
    trace = error.__traceback__
    while trace is not None:
        name = _HOLDERS.get(trace.tb_frame.f_code)
        answer = trace.tb_frame.f_locals.get(name) if name else None
        if isinstance(answer, requests.Response):
            return _emptied(answer) if name == "self" else answer
        trace = trace.tb_next
    return None


def _emptied(answer: requests.Response) -> requests.Response | None:
    """Return an answer without its body, which broke off; None if its status proves nothing."""
    if answer.ok:
        return None
    answer._content = b""  # noqa: SLF001 - else requests would read it again
    return answer


def _forget_frames(error: BaseException | None) -> None:
    """Drop the tracebacks of an error and its causes: their frames hold large request bodies."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error.with_traceback(None))
        error = error.__cause__ or error.__context__


def _bounded(given: Any, own: Any) -> Any:
    """Return a time-out, its missing parts (connect, read) filled in from the client's own."""
    if not isinstance(given, (tuple, list)) or len(given) != _PARTS:
        return given
    parts = own if isinstance(own, tuple) else (own, own)
    return tuple(part if one is None else one for one, part in zip(given, parts, strict=True))
