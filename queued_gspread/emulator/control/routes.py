"""The routes below /emulator and the page at /, beside those of Google's APIs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.web.fields import (
    Field,
    Json,
    fields_json,
    read_object,
    read_query,
    whole_number,
)
from queued_gspread.web.files import PageFiles
from queued_gspread.web.guard import RefusedError, json_of

from . import entries, kinds, rules, settings, sheets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from queued_gspread.emulator.book.store import Store
    from queued_gspread.emulator.http.fault_rules import Rule
    from queued_gspread.emulator.http.handler import Handler
    from queued_gspread.emulator.http.ledger import Ledger

    from .controlled import Controlled
    from .guard import EmulatorGuard

_MOST_ROWS, _MOST_COLUMNS, _MOST_LISTED = 500, 100, 1000
_ROWS, _COLUMNS, _LISTED = 100, 26, 200
_WINDOW = {
    "row": Field("the first row, from 0", kinds.COUNT),
    "rows": Field("how many rows", kinds.within(1, _MOST_ROWS)),
    "column": Field("the first column, from 0", kinds.COUNT),
    "columns": Field("how many columns", kinds.within(1, _MOST_COLUMNS)),
}
_PRIVATE = {"id": Field("id of a spreadsheet that is not shared", kinds.FILE_ID)}
_LIMIT = {"limit": Field("how many at most", kinds.within(1, _MOST_LISTED))}
_FILES = PageFiles("queued_gspread.emulator")
_LEDGER = {"after": Field("the number of the last entry that is known", kinds.COUNT), **_LIMIT}


@dataclass(frozen=True)
class Asked:
    """A request to one of the routes: what its path names, its query and its body."""

    parts: Mapping[str, str]
    query: dict[str, int]
    body: Any


class Control:
    """Shows and sets an emulator's state and settings, in its thread between its requests."""

    def __init__(
        self, emulator: Controlled, store: Store, ledger: Ledger, guard: EmulatorGuard
    ) -> None:
        """Take the emulator to show and set, and the guard that decides who may."""
        self._emulator = emulator
        self._store = store
        self._ledger = ledger
        self._guard = guard

    def add_to(self, app: web.Application, handler: Handler) -> None:
        """Add the routes to an application; all other paths are those of Google's APIs."""
        control = web.Application(middlewares=[self._guard.guarded])
        control.router.add_get("/page/{name}", _asked_page)
        control.router.add_routes(self._routes())
        app.add_subapp("/emulator", control)
        for path, name in (("/", "page.html"), ("/favicon.ico", "icon.svg")):
            app.router.add_get(path, partial(self._guard.guarded, handler=_page(name)))
        app.router.add_route("*", "/{path:.*}", self._guard.for_google(handler.handle))

    def _routes(self) -> list[web.RouteDef]:
        return [
            _route("GET", "/fields", _fields),
            _route("GET", "/files", self._files, _LIMIT),
            _route("GET", "/files/{file}/sheets/{sheet}", self._window, _WINDOW),
            _route("GET", "/private", self._private),
            _route("POST", "/private", self._make_private),
            _route("DELETE", "/private/{file}", self._share),
            _route("GET", "/quotas", self._quotas),
            _route("PUT", "/quotas", self._set_quotas),
            _route("GET", "/settings", self._settings),
            _route("PUT", "/settings", self._set_settings),
            _route("GET", "/faults", self._faults),
            _route("POST", "/faults", self._add_fault),
            _route("DELETE", "/faults", self._clear_faults),
            _route("DELETE", "/faults/{number}", self._remove_fault),
            _route("GET", "/summary", self._summary),
            _route("GET", "/ledger", self._entries, _LEDGER),
            _route("DELETE", "/ledger", self._clear_ledger),
            _route("GET", "/ledger/{number}", self._entry),
            _route("POST", "/tokens/revoke", self._revoke),
        ]

    def _files(self, asked: Asked) -> Json:
        return sheets.files_json(self._store, asked.query.get("limit", _LISTED))

    def _window(self, asked: Asked) -> Json:
        file_id, sheet_id = asked.parts["file"], asked.parts["sheet"]
        file = self._store.files.get(file_id)
        if file is None or file.book is None:
            raise _missing("spreadsheet", file_id)
        sheet = next((one for one in file.book.sheets if str(one.sheet_id) == sheet_id), None)
        if sheet is None:
            raise _missing("sheet", sheet_id)
        found = sheets.window_json(file.book, sheet, _rect(asked.query))
        return {"version": file.version, **found}

    def _private(self, _: Asked) -> Json:
        return {"files": self._emulator.private_files}

    def _make_private(self, asked: Asked) -> Json:
        self._emulator.add_private_file(read_object(asked.body, _PRIVATE, _PRIVATE)["id"])
        return self._private(asked)

    def _share(self, asked: Asked) -> Json:
        file_id = asked.parts["file"]
        if file_id not in self._emulator.private_files:
            raise _missing("private file", file_id)
        self._emulator.remove_private_file(file_id)
        return self._private(asked)

    def _quotas(self, _: Asked) -> Json:
        return settings.quotas_json(self._emulator.quotas)

    def _set_quotas(self, asked: Asked) -> Json:
        self._emulator.quotas = settings.changed_quotas(self._emulator.quotas, asked.body)
        return self._quotas(asked)

    def _settings(self, _: Asked) -> Json:
        return settings.settings_json(self._emulator)

    def _set_settings(self, asked: Asked) -> Json:
        settings.change_settings(self._emulator, asked.body)
        return self._settings(asked)

    def _faults(self, _: Asked) -> Json:
        return {"rules": [rules.rule_json(rule) for rule in self._emulator.faults.rules]}

    def _add_fault(self, asked: Asked) -> Json:
        fault, arguments = rules.parse_rule(asked.body)
        return rules.rule_json(self._emulator.faults.add(fault, **arguments))

    def _clear_faults(self, _: Asked) -> Json:
        return self._remove(self._emulator.faults.rules)

    def _remove_fault(self, asked: Asked) -> Json:
        number = asked.parts["number"]
        found = [rule for rule in self._emulator.faults.rules if str(rule.number) == number]
        if not found:
            raise _missing("fault", number)
        return self._remove(found)

    def _remove(self, gone: list[Rule]) -> Json:
        for rule in gone:
            self._emulator.faults.remove(rule)
        return {"removed": len(gone)}

    def _summary(self, _: Asked) -> Json:
        ledger = self._ledger
        return {**asdict(ledger.tally), "under_way": ledger.under_way, "last": ledger.span[1]}

    def _entries(self, asked: Asked) -> Json:
        forgotten, last = self._ledger.span
        limit = asked.query.get("limit", _LISTED)
        found = self._ledger.since(asked.query.get("after", last - limit), limit)
        shown = [entries.entry_json(entry) for entry in found]
        return {"entries": shown, "forgotten": forgotten, "summary": self._summary(asked)}

    def _entry(self, asked: Asked) -> Json:
        number = asked.parts["number"]
        wanted = whole_number(number)
        found = self._ledger.since(wanted - 1, 1) if isinstance(wanted, int) else []
        if not found or found[0].number != wanted:
            raise _missing("entry", number)
        return entries.whole_entry_json(found[0])

    def _clear_ledger(self, _: Asked) -> Json:
        forgotten, last = self._ledger.span
        self._emulator.clear_ledger()
        return {"removed": last - forgotten}

    def _revoke(self, asked: Asked) -> Json:
        read_object(asked.body, {})
        self._emulator.revoke_tokens()
        return {}


def _route(
    method: str,
    path: str,
    handle: Callable[[Asked], Json],
    fields: Mapping[str, Field] | None = None,
) -> web.RouteDef:
    async def handler(request: web.Request) -> web.Response:
        query = read_query(request.query, fields or {})
        body = json_of(await request.read()) if method in {"POST", "PUT"} else None
        shown = handle(Asked(request.match_info, query, body))
        return web.json_response(shown, dumps=partial(json.dumps, default=str))

    return web.route(method, path, handler)


def _fields(_: Asked) -> Json:
    tables = {
        "quotas": settings.QUOTAS,
        "settings": settings.SETTINGS,
        "rule": rules.RULE,
        "private": _PRIVATE,
    }
    shown = {name: fields_json(table) for name, table in tables.items()}
    return shown | {"faults": {kind: fields_json(own) for kind, (_, own) in rules.FAULTS.items()}}


def _rect(query: Mapping[str, int]) -> Rect:
    row, column = query.get("row", 0), query.get("column", 0)
    return Rect(
        row, row + query.get("rows", _ROWS), column, column + query.get("columns", _COLUMNS)
    )


def _missing(noun: str, wanted: str) -> RefusedError:
    message = f"There is no {noun} {wanted!r}: take one that is listed."
    return RefusedError(HTTPStatus.NOT_FOUND, message)


async def _asked_page(request: web.Request) -> web.Response:
    return _FILES.answer(request.match_info["name"])


def _page(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Metadata-Flavor"):
            # google-auth looks whether this is the metadata server of a machine at Google.
            return web.Response(headers={"Metadata-Flavor": "Google"})
        return _FILES.answer(name)

    return handler
