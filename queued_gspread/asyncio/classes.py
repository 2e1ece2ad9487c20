"""The four classes, with coroutines for calls; ``classes.pyi`` has their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread import proxy
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET

from .facade import Facade, asynchronous, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Client", "HTTPClient", "Spreadsheet", "Worksheet"]


@asynchronous(HTTP_CLIENT, proxy.HTTPClient)
class HTTPClient(Facade):
    """A queued HTTP client whose calls are coroutines."""

    @property
    def auth(self) -> Any:
        """The credentials."""
        return self._own.auth

    @property
    def timeout(self) -> Any:
        """What ``set_timeout`` was given."""
        return self._own.timeout


@asynchronous(CLIENT, proxy.Client)
class Client(Facade):
    """A queued client whose calls are coroutines."""

    @property
    def http_client(self) -> Any:
        """The HTTP client."""
        return shown(self._own.http_client, self._home)

    async def get_expiry(self) -> Any:
        """Return when the server's access token ends."""
        return await self.expiry  # type: ignore[attr-defined]  # made by the decorator


@asynchronous(SPREADSHEET, proxy.Spreadsheet)
class Spreadsheet(Facade):
    """A queued spreadsheet whose calls are coroutines."""

    @property
    def client(self) -> Any:
        """The HTTP client."""
        return shown(self._own.client, self._home)

    @property
    def _properties(self) -> Any:
        return self._own._properties  # noqa: SLF001 - gspread's own name

    async def __aiter__(self) -> AsyncIterator[Any]:
        for sheet in await self.worksheets():  # type: ignore[attr-defined]  # the decorator's
            yield sheet

    async def get_sheet1(self) -> Any:
        """Return the first worksheet."""
        return await self.get_worksheet(0)  # type: ignore[attr-defined]  # the decorator's

    async def get_creationTime(self) -> Any:  # noqa: N802 - as gspread spells it
        """Return when it was made."""
        return await self._drive_time("creationTime", "createdTime")

    async def _lastUpdateTime(self) -> Any:  # noqa: N802 - as gspread spells it
        return await self._drive_time("lastUpdateTime", "modifiedTime")

    async def _drive_time(self, name: str, key: str) -> Any:
        if key not in self._properties:
            await self.update_drive_metadata()  # type: ignore[attr-defined]  # the decorator's
        return getattr(self._own, name)

    sheet1 = property(get_sheet1, doc=get_sheet1.__doc__)
    creationTime = property(get_creationTime, doc=get_creationTime.__doc__)  # noqa: N815 - the same
    lastUpdateTime = property(_lastUpdateTime, doc=proxy.Spreadsheet.lastUpdateTime.__doc__)  # noqa: N815 - the same


@asynchronous(WORKSHEET, proxy.Worksheet)
class Worksheet(Facade):
    """A queued worksheet whose calls are coroutines."""

    @property
    def client(self) -> Any:
        """The HTTP client."""
        return shown(self._own.client, self._home)

    @property
    def spreadsheet_id(self) -> Any:
        """The id of its spreadsheet."""
        return self._own.spreadsheet_id

    @property
    def _properties(self) -> Any:
        return self._own._properties  # noqa: SLF001 - gspread's own name
