"""Who may use the page and the settings: nobody whom another web page sends."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from .fields import WrongFieldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

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


class RefusedError(Exception):
    """A request that is answered with a status and a message, and changes nothing."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


class Guard:
    """Answers in place of a handler where a request is wrong, or not the developer's own.

    A web page that the developer visits can have the browser send requests here. It cannot name
    its own host in them if the emulator listens on this machine only (a name that is rebound to
    127.0.0.1 stays in `Host`), nor hide its origin, nor send JSON without being asked for leave.
    """

    def __init__(self, host: str) -> None:
        """Take the address that the emulator is bound to."""
        self._only_loopback = _is_loopback(host)

    @web.middleware
    async def guarded(self, request: web.Request, handler: Handling) -> web.StreamResponse:
        """Return a handler's answer, or an error as JSON."""
        try:
            check_sender(request.method, request.headers, self._only_loopback)
            answer = await handler(request)
        except WrongFieldError as error:
            answer = _error(HTTPStatus.BAD_REQUEST, error, field=error.field, value=error.value)
        except RefusedError as error:
            answer = _error(error.status, error)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            answer = _error(error.status, f"{error.method} cannot be used here: take {allowed}.")
            answer.headers["Allow"] = allowed
        except web.HTTPNotFound:
            answer = _error(HTTPStatus.NOT_FOUND, f"There is no {request.path}: take another path.")
        answer.headers.update(HEADERS)
        return answer


def check_sender(method: str, headers: Mapping[str, str], only_loopback: bool) -> None:
    """Raise RefusedError for what a foreign web page could have sent."""
    host, origin = headers.get("Host", ""), headers.get("Origin")
    if only_loopback and not _is_loopback(_name(host)):
        message = f"Host={host!r} is not this emulator: take 127.0.0.1 or localhost."
        raise RefusedError(HTTPStatus.FORBIDDEN, message)
    if origin is not None and origin.partition("://")[2] != host:
        message = f"Origin={origin!r} is not this emulator: take its own page, or send no Origin."
        raise RefusedError(HTTPStatus.FORBIDDEN, message)
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


def _error(status: int, error: Exception | str, **told: Any) -> web.Response:
    return web.json_response({"error": {"message": str(error), **told}}, status=int(status))
