"""Ids, ranges and numbers of classes that spell them in a way of their own, as with gspread."""

from __future__ import annotations

import enum

import gspread
import pytest
from gspread.utils import ExportFormat
from numpy_like import Int64
from subclasses import Marked, Numbered, Raw, Real, Text, Whole

import queued_gspread
from queued_gspread.proxy import call
from queued_gspread.proxy.spelling import has_own_spelling
from queued_gspread.settings import Settings


class Spelled(str):
    """A text that another one is shown of."""

    __slots__ = ("shown",)

    def __new__(cls, value, shown):
        made = super().__new__(cls, value)
        made.shown = shown
        return made

    def __str__(self):
        return self.shown

    def __format__(self, spec):
        return format(self.shown, spec)


class Alike(str, enum.Enum):
    """As scripts write it that put members into URLs."""

    A1 = "A1"

    def __str__(self):
        return self.value


@pytest.fixture
def plain(emulator):
    return emulator.gspread_client()


def outcome(call, *args):
    """Return what a call comes to, in words."""
    try:
        found = call(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        return type(error).__name__, str(error)
    return "returned", repr(found)


ODD = [Marked.LOW, Numbered.ONE, Alike.A1, Text("A1"), Spelled("x", "A1"), Whole(1), Real(2.5)]
WAYS = {
    "open_by_key": lambda gc, ws, odd: gc.open_by_key(odd),
    "del_spreadsheet": lambda gc, ws, odd: gc.del_spreadsheet(odd),
    "export": lambda gc, ws, odd: gc.export(odd, ExportFormat.CSV),
    "list_permissions": lambda gc, ws, odd: gc.list_permissions(file_id=odd),
    "values_get": lambda gc, ws, odd: gc.http_client.values_get(odd, "A1"),
    "values_get of a range": lambda gc, ws, odd: gc.http_client.values_get(ws.spreadsheet_id, odd),
    "get": lambda gc, ws, odd: ws.get(odd),
    "acell": lambda gc, ws, odd: ws.acell(odd),
    "row_values": lambda gc, ws, odd: ws.row_values(odd),
    "worksheet": lambda gc, ws, odd: ws.spreadsheet.worksheet(odd),
    "update": lambda gc, ws, odd: ws.update([[1]], range_name=odd),
    "update_cell": lambda gc, ws, odd: ws.update_cell(1, 1, odd),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_spelled_as_by_gspread(way, gc, ws, plain):
    """What a call with such an argument returns, or raises, is what it does with plain gspread."""
    own = plain.open_by_key(ws.spreadsheet_id).sheet1
    queued = {type(odd): outcome(WAYS[way], gc, ws, odd) for odd in ODD}
    assert queued == {type(odd): outcome(WAYS[way], plain, own, odd) for odd in ODD}


def test_an_object_keeps_an_id_of_such_a_class(gc, sh, ws):
    """A spreadsheet that was opened by it is used by what the URL has of it."""
    ws.update([["here"]])
    book = gc.open_by_key(Spelled("something else", sh.id))
    assert type(book) is queued_gspread.Spreadsheet
    assert type(book.id) is Spelled
    assert book.worksheets()[0].get_all_values() == [["here"]]
    book.sheet1.update([["there"]])
    assert ws.get_all_values() == [["there"]]


def test_a_request_goes_where_its_url_is_spelled(gc, ws):
    """The URL of a bare request is what its class says, the method and the body are values."""
    url = gspread.urls.SPREADSHEET_VALUES_URL % (ws.spreadsheet_id, "A1")
    body = Spelled('{"values": [["x"]]}', "{}")
    params = {"valueInputOption": Spelled("RAW", "?")}
    gc.http_client.request(Spelled("put", "get"), Spelled("?", url), params, data=body)
    assert ws.acell("A1").value == "x"


def test_a_cell_is_its_value_and_the_call_one_job(ws, monkeypatch):
    """In rows such values are what JSON makes of them, and the call travels whole."""
    monkeypatch.setattr(call, "_call_here", lambda *_: pytest.fail("it did not travel"))
    ws.append_rows([[Marked.LOW, Text("text"), Numbered.ONE, Whole(5), Real(1.5)]])
    ws.append_row([Marked.LOW])
    assert ws.get_all_values()[0] == ["low", "text", "1", "5", "1.5"]


def test_what_is_spelled_alike_travels(ws, monkeypatch):
    """An argument whose class says what its value is does not keep a call from travelling."""
    monkeypatch.setattr(call, "_call_here", lambda *_: pytest.fail("it did not travel"))
    ws.update([["x"]], Alike.A1, value_input_option=gspread.utils.ValueInputOption.raw)
    assert ws.acell(Alike.A1).value == "x"


@pytest.mark.parametrize("odd", [Raw(b"a,b"), bytearray(b"a,b"), Text("a,b"), Alike.A1])
def test_a_csv_of_such_a_class_is_its_value(odd, gc, sh, ws, plain):
    """A CSV of a class derived from bytes or str, or in a buffer, is imported as by gspread."""
    found = []
    for client in (gc, plain):
        client.import_csv(sh.id, odd)
        found.append(sh.get_worksheet(0).get_all_values())
    assert found[0] == found[1] != [[]]


class Names(str, enum.Enum):
    QUEUE = "enum-queue"
    URL = "redis://localhost:1/3"


def test_settings_are_plain_texts():
    """A namespace and a URL that are members of an enum are their values, to all who use them."""
    found = Settings.resolve(redis_url=Names.URL, namespace=Names.QUEUE)
    assert (found.redis_url, found.namespace) == ("redis://localhost:1/3", "enum-queue")
    assert type(found.redis_url) is type(found.namespace) is str


def test_a_spelling_that_fails_is_gspreads_to_meet():
    """A class whose spelling raises is not asked anything else."""

    class Failing(str):
        __slots__ = ()

        def __str__(self):
            raise ZeroDivisionError

    assert has_own_spelling(Failing("x"))
    assert not has_own_spelling(Int64(1))
