"""Refuse requests for Google's paths that a foreign web page may have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from queued_gspread.emulator.wire.errors import sheets_error
from queued_gspread.web.guard import HEADERS, Guard, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.web.guard import Handling

__all__ = ["EmulatorGuard"]


class EmulatorGuard(Guard):
    """The guard of an emulator, which answers on Google's paths as Google does."""

    def __init__(self, host: str, allowed: Iterable[str] = ()) -> None:
        """Take the address that the emulator is bound to, and its names elsewhere; `*` is any."""
        super().__init__(host, allowed, "emulator")

    def for_google(self, handler: Handling) -> Handling:
        """Return a handler of Google's paths that only gets the developer's own requests."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self.check_sender(request.method, request.headers)
            except RefusedError as error:
                body = sheets_error(error.status, str(error)).body
                return web.json_response(body, status=int(error.status), headers=HEADERS)
            return await handler(request)

        return guarded
