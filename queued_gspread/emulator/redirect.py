"""Requests that are meant for Google: to the emulator instead, and nowhere else."""

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
    """Return where on the emulator a request to a URL goes, None if it is not meant for Google.

    Raises NotEmulatedError for a host of Google's that has no APIs of the emulator's.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in _EMULATED:
        return emulator + urlunsplit(("", "", parts.path, parts.query, ""))
    if any(host == domain or host.endswith(f".{domain}") for domain in _GOOGLE):
        raise NotEmulatedError(
            f"{host}{parts.path} is not asked: the emulator stands in for {', '.join(_EMULATED)}, "
            "and no request leaves for Google. Credentials have to be the emulator's own: make "
            "them while it stands in for Google, not before."
        )
    return None


def deliver(
    send: Callable[..., requests.Response],
    request: requests.PreparedRequest,
    emulator: str,
    **options: Any,
) -> requests.Response:
    """Send a request, to the emulator if it is meant for Google; the response does not show it.

    Raises NotEmulatedError: see `destination`.
    """
    to = destination(str(request.url), emulator)
    # A proxy of the environment is for Google's hosts, and the emulator is on this side of it.
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
    """A transport for a requests session that takes what is meant for Google to the emulator.

    session.mount("https://", EmulatorAdapter(emulator.url))
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "emulator"]  # noqa: RUF012  - requests' own list, for copies

    def __init__(self, emulator: str) -> None:
        """Take the emulator's URL; raise ValueError for what is none."""
        if "://" not in emulator:
            told = "take its URL, such as http://127.0.0.1:8099"
            raise ValueError(f"emulator={emulator!r} cannot be used: {told}.")
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
        """Send a request; raise NotEmulatedError for what is meant for another host of Google's."""
        options = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert}
        return deliver(super().send, request, self.emulator, proxies=proxies, **options)
