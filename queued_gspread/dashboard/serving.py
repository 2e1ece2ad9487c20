"""Serve the dashboard until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable

__all__ = ["serve"]

# A stream of events has no end of its own.
_LAST_ANSWERS = 0.5


async def serve(
    make_app: Callable[[], web.Application],
    listener: socket.socket,
    on_listening: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    """Serve an application on a socket that listens.

    Args:
        make_app: Makes it, in the loop that serves it.
        listener: The socket.
        on_listening: Called once it is served.
        stopping: Ends it.

    """
    runner = web.AppRunner(make_app(), access_log=None, shutdown_timeout=_LAST_ANSWERS)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        on_listening()
        await stopping.wait()
    finally:
        await runner.cleanup()
