"""Refuse requests that a foreign web page may have sent."""

from __future__ import annotations

import ipaddress
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from .fields import WrongFieldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

Handling: TypeAlias = "Callable[[web.Request], Awaitable[web.StreamResponse]]"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_JSON = "application/json"
_ANY = "*"
# Of the page itself, and of who has typed the address.
_OWN_SITES = {"same-origin", "none"}


class RefusedError(Exception):
    """A request is answered with a status and a message, and changes nothing."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


class Guard:
    """Answers instead of a handler if a request is invalid or not the user's own.

    A web page that the user visits can make the browser send requests here. It cannot hide
    its host name (a name rebound to this machine stays in `Host`) or its origin, it cannot send
    JSON without a preflight request, and browsers say whether another site's page is behind one.

    Args:
        host: The address that the process is bound to.
        allowed: Its names elsewhere; `*` is any.
        what: The process, in words.

    """

    def __init__(self, host: str, allowed: Iterable[str] = (), what: str = "process") -> None:
        if isinstance(allowed, str):
            raise TypeError(f"allowed_hosts={allowed!r} cannot be used: take a list of names.")
        self._what = what
        self._only_loopback = _is_loopback(host)
        self._names = {name.lower() for name in (host, *allowed) if name}

    @web.middleware
    async def guarded(self, request: web.Request, handler: Handling) -> web.StreamResponse:
        """Return a handler's answer, or an error as JSON."""
        try:
            self.check_sender(request.method, request.headers)
            _check_content(request.method, request.headers)
            answer = await handler(request)
        except WrongFieldError as error:
            answer = _error(HTTPStatus.BAD_REQUEST, error, field=error.field, value=error.value)
        except RefusedError as error:
            answer = refusal(error)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            answer = _error(error.status, f"{error.method} cannot be used here: take {allowed}.")
            answer.headers["Allow"] = allowed
        except web.HTTPNotFound:
            answer = _error(HTTPStatus.NOT_FOUND, f"There is no {request.path}: take another path.")
        answer.headers.update(HEADERS)
        return answer

    def check_sender(self, method: str, headers: Mapping[str, str]) -> None:
        """Raise RefusedError for what a foreign web page could have sent."""
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if not self._is_own(_name(host)):
            message = (
                f"Host={host!r} is not this {self._what}: take its address, 127.0.0.1 or "
                "localhost, or start it with --allow-host (allowed_hosts=) and that name."
            )
            raise RefusedError(HTTPStatus.FORBIDDEN, message)
        if origin is not None and origin.partition("://")[2] != host:
            message = (
                f"Origin={origin!r} is not this {self._what}: take its own page, or send no Origin."
            )
            raise RefusedError(HTTPStatus.FORBIDDEN, message)
        site = headers.get("Sec-Fetch-Site", "none")
        if site not in _OWN_SITES and not _is_link(method, headers):
            message = (
                f"Sec-Fetch-Site={site!r} is another site's page: take the {self._what}'s own page."
            )
            raise RefusedError(HTTPStatus.FORBIDDEN, message)

    def _is_own(self, name: str) -> bool:
        """Whether a name can only mean this emulator: an address cannot be rebound."""
        if name in self._names or _ANY in self._names:
            return True
        return _is_loopback(name) or (not self._only_loopback and _is_address(name))


def json_of(content: bytes) -> Any:
    """Return the JSON value of a body, {} for none; it must be possible to write it again."""
    try:
        value = json.loads(content or b"{}")
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        message = f"The body is no JSON ({error}): take a JSON object."
        raise RefusedError(HTTPStatus.BAD_REQUEST, message) from None
    return value


def _is_link(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a link of another page was followed, which shows that page nothing."""
    is_top = headers.get("Sec-Fetch-Mode") == "navigate"
    return method == "GET" and is_top and headers.get("Sec-Fetch-Dest") == "document"


def _check_content(method: str, headers: Mapping[str, str]) -> None:
    kind = headers.get("Content-Type", "")
    if method in {"POST", "PUT"} and kind.partition(";")[0].strip().lower() != _JSON:
        message = f"Content-Type={kind!r} cannot be used: take {_JSON}."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def refusal(error: RefusedError) -> web.Response:
    """Return the answer to a request that is refused."""
    return _error(error.status, error)


def _error(status: int, error: Exception | str, **fields: Any) -> web.Response:
    return web.json_response({"error": {"message": str(error), **fields}}, status=int(status))
