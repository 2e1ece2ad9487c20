"""The emulator as a server: in a thread of its own, or until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from .account import Account, TokenRefusedError
from .api import Answer, Request, answer, as_json
from .ids import Ids
from .store import Store
from .timestamps import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_LARGEST_UPLOAD = 256 * 1024 * 1024
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Served:
    """One request that was answered; the path is free of percent-encoding."""

    time: float
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    status: int


class Emulator:
    """A local server with Google's Sheets v4 and Drive v3 APIs and a token endpoint.

    `port=0` takes a free port. With the same `seed` and `clock`, two emulators that get the
    same requests answer the same bytes, tokens aside. What is stored outlives a stop.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        seed: int | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._host = host
        self._port = port
        self._account = Account()
        self._store = Store(Ids(seed), clock, self._account.email)
        self._lock = threading.Lock()
        self._served: list[Served] = []
        self._token_served: list[Served] = []
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, `http://HOST:PORT`, once the emulator was started."""
        if self._socket is None:
            raise RuntimeError("The emulator has no URL before start().")
        return f"http://{self._host}:{self._port}"

    @property
    def ledger(self) -> list[Served]:
        """A copy of the list of all API requests answered so far, in order."""
        with self._lock:
            return list(self._served)

    @property
    def token_requests(self) -> list[Served]:
        """A copy of the list of all token requests answered so far, in order."""
        with self._lock:
            return list(self._token_served)

    def clear_ledger(self) -> None:
        """Forget the API and token requests answered so far."""
        with self._lock:
            self._served.clear()
            self._token_served.clear()

    def service_account_info(self) -> dict[str, str]:
        """Return a service account's JSON for google-auth; its tokens come from here."""
        return self._account.info(self.url)

    def write_service_account(self, path: str | Path) -> None:
        """Write the service account's JSON to a file that only its owner may read."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(path, flags, _OWNER_ONLY), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), _OWNER_ONLY)
            json.dump(self.service_account_info(), file, indent=2)
            file.write("\n")

    def revoke_tokens(self) -> None:
        """Make every access token granted so far invalid."""
        self._account.revoke_all()

    def add_private_file(self, file_id: str) -> None:
        """Let a spreadsheet exist that is not shared: Sheets answers 403, Drive 404."""
        self._store.private.add(file_id)

    def start(self) -> None:
        """Begin to listen, in a thread; raise OSError where the port is taken."""
        if self._thread is not None:
            raise RuntimeError("The emulator is running already.")
        self._socket = socket.create_server((self._host, self._port))
        self._port = self._socket.getsockname()[1]
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening)), name="emulator", daemon=True
        )
        self._thread.start()
        listening.wait()

    def stop(self) -> None:
        """Close all connections and end the thread; a second call does nothing."""
        if self._thread is None:
            return
        assert self._loop
        assert self._stopping
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def serve_forever(self, on_listening: Callable[[], None] | None = None) -> None:
        """Start, report, and return once SIGTERM or SIGINT came; for the main thread only."""
        ended = threading.Event()
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, lambda *_: ended.set()) for number in signals}
        try:
            with self:
                if on_listening:
                    on_listening()
                ended.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _serve(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=_LARGEST_UPLOAD)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        assert self._socket
        await web.SockSite(runner, self._socket).start()
        listening.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, incoming: web.Request) -> web.Response:
        content = await incoming.read()
        # From here on nothing is awaited, so every request sees and leaves a whole state.
        request = Request(incoming.method, incoming.raw_path, incoming.headers, content)
        if request.raw_path == "/token":
            found, book = self._token(request), self._token_served
        else:
            found, book = answer(self._store, self._account, request), self._served
        with self._lock:
            book.append(_served(request, found.status))
        headers = {"Content-Type": found.content_type}
        return web.Response(status=found.status, body=found.body, headers=headers)

    def _token(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.content.decode("utf-8", "replace")))
        try:
            return as_json(self._account.grant(form))
        except TokenRefusedError as refusal:
            code, description = refusal.args
            body = {"error": code, "error_description": description}
            return as_json(body, HTTPStatus.BAD_REQUEST)


def _served(request: Request, status: int) -> Served:
    body: Any = request.content or None
    if body and "json" in request.headers.get("Content-Type", ""):
        with contextlib.suppress(ValueError):
            body = json.loads(request.content)
    return Served(time.time(), request.method, request.path, request.pairs, body, status)
