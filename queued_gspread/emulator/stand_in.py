"""The emulator in place of Google: scripts that log in with plain gspread reach it unchanged."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.oauth2.service_account import Credentials
from requests.adapters import HTTPAdapter

from .redirect import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from .server import Emulator


@contextlib.contextmanager
def standing_in(emulator: Emulator) -> Iterator[None]:
    """Send all of this process's requests to Google to the emulator meanwhile.

    Whatever service account's key is read, from a file (which need not exist), from a dict or by
    Application Default Credentials, the credentials are the emulator's: those of the account that
    the key belongs to, else of the first. This covers everything that uses requests, as gspread
    does.
    """
    with _folder() as folder, pytest.MonkeyPatch.context() as patch:
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
        patch.setattr(HTTPAdapter, "send", _sender(emulator.url))
        from_info, from_file = _constructors(emulator)
        patch.setattr(Credentials, "from_service_account_info", classmethod(from_info))
        patch.setattr(Credentials, "from_service_account_file", classmethod(from_file))
        yield


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a new folder and remove it afterwards, but not in a forked child."""
    owner, folder = os.getpid(), Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _sender(emulator: str) -> Callable[..., requests.Response]:
    original = HTTPAdapter.send

    def send(
        self: HTTPAdapter,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        options = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert}
        return deliver(original.__get__(self), request, emulator, proxies=proxies, **options)

    return send


def _constructors(emulator: Emulator) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return replacements for google-auth's two constructors."""
    original = vars(Credentials)["from_service_account_info"].__func__

    def from_info(kind: type[Credentials], info: Mapping[str, Any], **options: Any) -> Any:
        own = str(info.get("token_uri", "")).startswith(f"{emulator.url}/")
        return original(kind, info if own else emulator.service_account_info(), **options)

    def from_file(kind: type[Credentials], filename: str | Path, **options: Any) -> Any:
        return from_info(kind, _read(filename), **options)

    return from_info, from_file


def _read(filename: str | Path) -> Mapping[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(Path(filename).read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
