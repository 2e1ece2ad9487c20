"""What users of gspread_asyncio import: its managers, its ``nowait=True`` and its caches.

Change ``import gspread_asyncio`` to ``import queued_gspread.asyncio.compat as gspread_asyncio``.
The server does the pacing and the retrying, so ``delay`` and the handlers of errors are there to be
overridden, and are not called.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from gspread.utils import extract_id_from_url

from queued_gspread import auth, proxy
from queued_gspread.protocol.kinds import CLIENT, SPREADSHEET, WORKSHEET

from . import classes
from .bus import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from queued_gspread.protocol.kinds import ObjectKind

__all__ = [
    "AsyncioGspreadClient",
    "AsyncioGspreadClientManager",
    "AsyncioGspreadSpreadsheet",
    "AsyncioGspreadWorksheet",
    "Client",
    "ClientManager",
    "Spreadsheet",
    "Worksheet",
]


class ClientManager:
    """Makes clients, as gspread_asyncio's does.

    Args:
        credentials_fn: Returns the credentials of the account that the calls are meant for. It is
            called once, in a thread.
        gspread_delay: Ignored: the server paces all requests.
        reauth_interval: Ignored: the server renews its access token.
        cell_flush_delay: Ignored.
        gspread_timeout: See :meth:`gspread.Client.set_timeout`.
        redis_url: See :func:`queued_gspread.authorize`, as for the next five.
        namespace: See there.
        timeout: See there.
        grace: See there.
        signing_key_file: See there.
        max_age: See there.

    """

    def __init__(
        self,
        credentials_fn: Callable[[], Any],
        gspread_delay: float = 1.1,
        reauth_interval: int = 45,
        cell_flush_delay: float = 5.0,
        gspread_timeout: float | tuple[float, float] | None = None,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        grace: float | None = None,
        signing_key_file: str | Path | None = None,
        max_age: float | None = None,
    ) -> None:
        self.credentials_fn = credentials_fn
        self.gspread_delay = gspread_delay
        self.reauth_interval = reauth_interval * 60
        self.cell_flush_delay = cell_flush_delay
        self.gspread_timeout = gspread_timeout
        self._authorize = functools.partial(
            auth.authorize,
            redis_url=redis_url,
            namespace=namespace,
            timeout=timeout,
            grace=grace,
            signing_key_file=signing_key_file,
            max_age=max_age,
        )
        self._client: tuple[asyncio.AbstractEventLoop, Client] | None = None

    async def authorize(self) -> Client:
        """Return the client of the running loop, the same one each time."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            credentials = await asyncio.to_thread(self.credentials_fn)
            if self._client is None or self._client[0] is not loop:
                client = self._authorize(credentials)
                client.set_timeout(self.gspread_timeout)
                self._client = loop, Client(client, _Home(self))
        return self._client[1]

    async def before_gspread_call(self, method: Any, args: Any, kwargs: Any) -> None:
        """Do something before each call; for subclasses."""

    async def handle_gspread_error(self, e: Any, method: Any, args: Any, kwargs: Any) -> None:
        """Not called: the server retries what is idempotent."""

    async def handle_requests_error(self, e: Any, method: Any, args: Any, kwargs: Any) -> None:
        """Not called: the server retries what is idempotent."""

    async def delay(self) -> None:
        """Not called: the server keeps to the quota."""


class _Home(Home):
    """Also has the client's manager."""

    def __init__(self, manager: ClientManager) -> None:
        super().__init__(_CLASSES)
        self.manager = manager


class _Managed:
    """Has what all objects have."""

    _home: Any
    _own: Any

    @property
    def cm(self) -> ClientManager:
        """The manager of its client."""
        manager: ClientManager = self._home.manager
        return manager


class Client(_Managed, classes.Client):
    """A client that remembers the spreadsheets that it has opened."""

    def __init__(self, own: Any, home: Any = None) -> None:
        super().__init__(own, home)
        self._books: dict[str, Any] = {}

    @property
    def gc(self) -> Any:
        """The blocking client."""
        return self._own

    async def login(self) -> None:
        """Do nothing: the server logs in."""

    async def open(self, title: str, folder_id: str | None = None) -> Any:
        """Open a spreadsheet by its title, or return it if it was opened before."""
        known = (book for book in self._books.values() if book.title == title)
        book = None if folder_id else next(known, None)
        return book or self._kept(await super().open(title, folder_id=folder_id))

    async def open_by_key(self, key: str) -> Any:
        """Open a spreadsheet by its id, or return it if it was opened before."""
        return self._books.get(key) or self._kept(await super().open_by_key(key))

    async def open_by_url(self, url: str) -> Any:
        """Open a spreadsheet by its URL, or return it if it was opened before."""
        return await self.open_by_key(extract_id_from_url(url))

    async def create(self, title: str, folder_id: str | None = None) -> Any:
        """Create a spreadsheet."""
        return self._kept(await super().create(title, folder_id=folder_id))

    async def del_spreadsheet(self, file_id: str) -> None:
        """Delete a spreadsheet."""
        self._books.pop(file_id, None)
        await super().del_spreadsheet(file_id)

    def _kept(self, book: Any) -> Any:
        return self._books.setdefault(book.id, book)


class Spreadsheet(_Managed, classes.Spreadsheet):
    """A spreadsheet that remembers its worksheets."""

    def __init__(self, own: Any, home: Any = None) -> None:
        super().__init__(own, home)
        self._sheets: dict[int, Any] = {}

    @property
    def ss(self) -> Any:
        """The blocking spreadsheet."""
        return self._own

    async def get_worksheet(self, index: int) -> Any:
        """Return a worksheet by its position, the same object each time."""
        known = (sheet for sheet in self._sheets.values() if sheet.index == index)
        return next(known, None) or self._kept(await super().get_worksheet(index))

    async def worksheet(self, title: str) -> Any:
        """Return a worksheet by its title, the same object each time."""
        known = (sheet for sheet in self._sheets.values() if sheet.title == title)
        return next(known, None) or self._kept(await super().worksheet(title))

    async def get_worksheet_by_id(self, id: str | int) -> Any:  # noqa: A002 - gspread's name
        """Return a worksheet by its id."""
        return self._kept(await super().get_worksheet_by_id(id))

    async def reorder_worksheets(self, worksheets_in_desired_order: Any) -> Any:
        """Put the worksheets into another order."""
        self._sheets.clear()
        return await super().reorder_worksheets(list(worksheets_in_desired_order))

    async def add_worksheet(self, title: str, rows: int, cols: int, index: Any = None) -> Any:
        """Add a worksheet."""
        self._sheets.clear()
        return self._kept(await super().add_worksheet(title, rows, cols, index=index))

    async def duplicate_sheet(
        self,
        source_sheet_id: int,
        insert_sheet_index: Any = None,
        new_sheet_id: Any = None,
        new_sheet_name: Any = None,
    ) -> Any:
        """Duplicate a worksheet."""
        self._sheets.clear()
        return self._kept(
            await super().duplicate_sheet(
                source_sheet_id, insert_sheet_index, new_sheet_id, new_sheet_name
            )
        )

    async def del_worksheet(self, worksheet: Any) -> Any:
        """Delete a worksheet."""
        self._sheets.clear()
        return await super().del_worksheet(worksheet)

    async def del_worksheet_by_id(self, worksheet_id: str | int) -> Any:
        """Delete a worksheet by its id."""
        self._sheets.clear()
        return await super().del_worksheet_by_id(worksheet_id)

    def _kept(self, sheet: Any) -> Any:
        return self._sheets.setdefault(sheet.id, sheet)


class Worksheet(_Managed, classes.Worksheet):
    """A worksheet."""

    @property
    def ws(self) -> Any:
        """The blocking worksheet."""
        return self._own

    async def copy_to(self, spreadsheet_id: str) -> Any:
        """Copy it to another spreadsheet."""
        return await super().copy_to(spreadsheet_id)

    async def sort(self, specs: Any, range: str | None = None) -> Any:  # type: ignore[override]  # noqa: A002 - as gspread_asyncio has it
        """Sort by a list of columns and their orders."""
        return await super().sort(*specs, range=range)

    async def get_tab_color(self) -> Any:  # type: ignore[override]  # as gspread_asyncio has it
        """Return the tab's color, which is at hand."""
        return super().get_tab_color()

    async def delete_rows(self, index: int, end_index: int | None = None) -> Any:
        """Delete rows."""
        return await super().delete_rows(index, end_index)

    async def get_all_records(  # type: ignore[override]  # as gspread_asyncio has it
        self,
        empty2zero: bool = False,
        head: int = 1,
        default_blank: Any = "",
        allow_underscores_in_numeric_literals: bool = False,
        numericise_ignore: Any = (),
        value_render_option: Any = None,
        expected_headers: Any = None,
    ) -> Any:
        """Return all rows as dicts; the parameters are in gspread_asyncio's order."""
        return await super().get_all_records(
            head=head,
            default_blank=default_blank,
            numericise_ignore=numericise_ignore,
            allow_underscores_in_numeric_literals=allow_underscores_in_numeric_literals,
            empty2zero=empty2zero,
            value_render_option=value_render_option,
            expected_headers=expected_headers,
        )


def _with_nowait(call: Any, name: str) -> Any:
    async def make(self: Any, args: Any, kwargs: Any) -> Any:
        await self.cm.before_gspread_call(getattr(self._own, name), args, kwargs)
        return await call(self, *args, **kwargs)

    async def method(self: Any, /, *args: Any, nowait: bool = False, **kwargs: Any) -> Any:
        if not nowait:
            return await make(self, args, kwargs)
        task = asyncio.get_running_loop().create_task(make(self, args, kwargs))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        await asyncio.sleep(0)  # so that it is put in before what comes next
        return task

    return functools.update_wrapper(method, call)


# A loop holds its tasks weakly.
_tasks: set[asyncio.Task[Any]] = set()

_KINDS: dict[type, tuple[ObjectKind, type]] = {
    Client: (CLIENT, proxy.Client),
    Spreadsheet: (SPREADSHEET, proxy.Spreadsheet),
    Worksheet: (WORKSHEET, proxy.Worksheet),
}
_CLASSES: dict[type, Any] = {own: cls for cls, (_, own) in _KINDS.items()}
_CLASSES[proxy.HTTPClient] = classes.HTTPClient

for _cls, (_kind, _) in _KINDS.items():
    for _name in _kind.calls:
        setattr(_cls, _name, _with_nowait(getattr(_cls, _name), _name))

AsyncioGspreadClientManager = ClientManager
AsyncioGspreadClient = Client
AsyncioGspreadSpreadsheet = Spreadsheet
AsyncioGspreadWorksheet = Worksheet
