"""The listening socket, and the thread with the event loop that serves it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from queued_gspread.web.address import base_url, is_exposed, listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .handler import Handler

_LARGEST_UPLOAD = 256 * 1024 * 1024
# How many turns of the event loop it takes from the kernel to the handler for a request: asyncio
# and aiohttp need six or so, from the connection to the call.
_TURNS = 20


class Listener:
    """Serves requests in its own thread between start() and stop()."""

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        add_routes: Callable[[web.Application, Handler], None],
    ) -> None:
        """Take the address; port 0 becomes a free one, which is kept."""
        self._host = host
        self._port = port
        self._handler = handler
        self._add_routes = add_routes
        self._url = ""
        self._socket: socket.socket | None = None
        self.exposed = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._server: web.Server | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread is not None

    @property
    def url(self) -> str:
        """The base URL; raise RuntimeError before the first start."""
        if not self._url:
            raise RuntimeError("The emulator has no URL before start().")
        return self._url

    def start(self) -> None:
        """Start listening; raise OSError if the port is taken, RuntimeError if running."""
        if self._thread is not None:
            raise RuntimeError("The emulator is running already.")
        self._socket = listening(self._host, self._port)
        self._port = self._socket.getsockname()[1]
        self._url = base_url(self._host, self._socket)
        self.exposed = is_exposed(self._socket)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="emulator", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close all connections and end the thread; a second call does nothing."""
        if self._thread is None:
            return
        assert self._loop
        assert self._stopping
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def check_outside(self) -> None:
        """Raise RuntimeError in the thread that serves requests, which cannot wait for itself."""
        if self._thread is threading.current_thread():
            raise RuntimeError(
                "The emulator's own thread cannot start, stop or reset it: use another one."
            )

    def renew(self, forget: Callable[[], None]) -> None:
        """Close all connections, and call `forget` when no request is under way."""
        if self._thread is None:
            forget()
            return
        assert self._loop
        asyncio.run_coroutine_threadsafe(self._renew(forget), self._loop).result()

    async def _renew(self, forget: Callable[[], None]) -> None:
        await self._settle()
        assert self._server
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        # A request may be on its way from a connection to the handler.
        await self._settle()
        forget()
        self._handler.open()

    async def _settle(self) -> None:
        """Let everything sent so far arrive, then end."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await self._handler.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._handler.open()
        app = web.Application(client_max_size=_LARGEST_UPLOAD)
        self._add_routes(app, self._handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._server = runner.server
        assert self._socket
        await web.SockSite(runner, self._socket).start()
        ready.set()
        await self._stopping.wait()
        await self._handler.close()
        await runner.cleanup()
