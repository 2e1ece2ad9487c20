"""The listening socket, and the thread with the event loop that serves it."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from .control import Control
    from .handler import Handler

_LARGEST_UPLOAD = 256 * 1024 * 1024


class Listener:
    """Serves requests in a thread of its own between start() and stop()."""

    def __init__(self, host: str, port: int, handler: Handler, control: Control) -> None:
        """Take the address; port 0 becomes a free one, which is kept."""
        self._host = host
        self._port = port
        self._handler = handler
        self._control = control
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """The base URL; raise RuntimeError before the first start."""
        if self._socket is None:
            raise RuntimeError("The emulator has no URL before start().")
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Begin to listen; raise OSError where the port is taken, RuntimeError when running."""
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

    async def _serve(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._handler.open()
        app = web.Application(client_max_size=_LARGEST_UPLOAD)
        self._control.add_to(app)
        app.router.add_route("*", "/{path:.*}", self._handler.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        assert self._socket
        await web.SockSite(runner, self._socket).start()
        listening.set()
        await self._stopping.wait()
        await self._handler.close()
        await runner.cleanup()
