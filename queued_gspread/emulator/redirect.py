"""Send requests that are meant for Google to the emulator, and never to Google."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EMULATED = (
    "sheets.googleapis.com",
    "www.googleapis.com",
    "drive.googleapis.com",
    "docs.google.com",
)
_GOOGLE = ("googleapis.com", "google.com", "googleusercontent.com", "google.internal")


class NotEmulatedError(requests.RequestException):
    """A request was meant for a host of Google's that the emulator does not stand in for."""


def destination(url: str, emulator: str) -> str | None:
    """Return the emulator's URL for a request to a URL; None if it is not meant for Google.

    Raises NotEmulatedError for a host of Google's whose APIs are not emulated.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in _EMULATED:
        return emulator + urlunsplit(("", "", parts.path, parts.query, ""))
    if any(host == domain or host.endswith(f".{domain}") for domain in _GOOGLE):
        raise NotEmulatedError(
            f"{host}{parts.path} is not asked: the emulator stands in for {', '.join(_EMULATED)}, "
            "and no request leaves for Google. Credentials must be the emulator's own: make "
            "them while it stands in for Google, not before."
        )
    return None


def deliver(
    send: Callable[..., requests.Response],
    request: requests.PreparedRequest,
    emulator: str,
    **options: Any,
) -> requests.Response:
    """Send a request, to the emulator if it is meant for Google; the response hides that.

    Raises NotEmulatedError: see `destination`.
    """
    to = destination(str(request.url), emulator)
    # A proxy in the environment is for Google's hosts; the emulator is on this side of it.
    direct = {**options, "proxies": {}}
    if to is None:
        is_own = str(request.url).startswith(f"{emulator}/")
        return send(request, **(direct if is_own else options))
    sent = request.copy()
    sent.url = to
    response = send(sent, **direct)
    response.request, response.url = request, str(request.url)
    return response


class EmulatorAdapter(HTTPAdapter):
    """A transport for a requests session that sends requests for Google to the emulator.

    session.mount("https://", EmulatorAdapter(emulator.url))
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "emulator"]  # noqa: RUF012  - requests' own list, for copies

    def __init__(self, emulator: str) -> None:
        """Take the emulator's URL; raise ValueError if it is not a URL."""
        if "://" not in emulator:
            remedy = "take its URL, such as http://127.0.0.1:8099"
            raise ValueError(f"emulator={emulator!r} cannot be used: {remedy}.")
        self.emulator = emulator.rstrip("/")
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; raise NotEmulatedError if it is for another host of Google's."""
        options = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert}
        return deliver(super().send, request, self.emulator, proxies=proxies, **options)
