"""Queued objects pass for gspread's own."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterable

import gspread
import pytest

import queued_gspread
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, KINDS, SPREADSHEET, WORKSHEET
from queued_gspread.protocol.objects import bare


@pytest.fixture
def objects(gc, sh, ws):
    """Return one object of each kind."""
    return {
        CLIENT.name: gc,
        SPREADSHEET.name: sh,
        WORKSHEET.name: ws,
        HTTP_CLIENT.name: gc.http_client,
    }


def test_isinstance_holds_for_both_classes(objects):
    """Each object is an instance of gspread's class and of ours, and of no other."""
    for name, kind in KINDS.items():
        ours = getattr(queued_gspread, kind.cls.__name__)
        for other, thing in objects.items():
            assert isinstance(thing, kind.cls) is (name == other)
            assert isinstance(thing, ours) is (name == other)


def test_only_a_spreadsheet_is_iterable(objects):
    """As in gspread, a spreadsheet can be iterated over and nothing else can."""
    assert [name for name, thing in objects.items() if isinstance(thing, Iterable)] == [
        SPREADSHEET.name
    ]


def test_equality_and_hash_are_by_identity(gc, sh):
    """Two objects for the same worksheet differ, as gspread's do; one equals itself."""
    one, other = sh.sheet1, sh.sheet1
    assert one == one  # noqa: PLR0124 - that is the point
    assert one != other
    assert not one != one  # noqa: PLR0124, SIM202 - the operator itself
    assert len({one, other, one}) == 2
    assert one.spreadsheet == sh
    assert sh == one.spreadsheet
    assert gc == gc  # noqa: PLR0124 - that is the point
    assert all(map(bool, (gc, sh, one)))


def test_worksheets_of_one_reply_share_their_spreadsheet(sh):
    """All worksheets that a spreadsheet returns belong to that very object."""
    sh.add_worksheet("Second", 5, 5)
    assert all(worksheet.spreadsheet is sh for worksheet in sh.worksheets())
    assert sh.sheet1.duplicate().spreadsheet is sh


def test_methods_have_gspreads_signatures_and_docstrings(objects):
    """Bound methods show gspread's signature, docstring and name."""
    for name, kind in KINDS.items():
        real = object.__new__(kind.cls)
        for method in kind.calls | kind.local:
            ours, theirs = getattr(objects[name], method), getattr(real, method)
            assert inspect.signature(ours) == inspect.signature(theirs), method
            assert ours.__doc__ == theirs.__doc__
            assert ours.__name__ == theirs.__name__


def test_dir_lists_gspreads_names(objects):
    """``dir`` lists whatever gspread's object has."""
    for name, kind in KINDS.items():
        assert set(dir(kind.cls)) <= set(dir(objects[name]))
    assert "_properties" in dir(objects[WORKSHEET.name])


def test_properties_can_be_edited_and_assigned(sh, ws):
    """The next call sees what the user did to ``_properties``, in place or by assignment."""
    sh.add_worksheet("Elsewhere", 5, 5).update_acell("A1", "there")
    ws._properties["title"] = "Elsewhere"
    assert ws.acell("A1").value == "there"
    ws._properties = {**ws._properties, "title": "Sheet1"}
    assert ws.acell("A1").value is None
    assert ws.title == "Sheet1"


def test_properties_change_in_place(ws):
    """A call changes the dict that others hold, and the dicts in it."""
    properties, grid = ws._properties, ws._properties["gridProperties"]
    ws.resize(rows=50)
    ws.update_title("New")
    ws.append_row([1])
    assert ws._properties is properties
    assert ws._properties["gridProperties"] is grid
    assert grid["rowCount"] == 51
    assert properties["title"] == "New"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_can_be_pickled(gc, sh, ws, protocol):
    """An unpickled object calls through the same queue, and what it holds stays shared."""
    client, spreadsheet, worksheet = pickle.loads(pickle.dumps((gc, sh, ws), protocol))
    worksheet.update_acell("A1", "from the copy")
    assert ws.acell("A1").value == "from the copy"
    assert worksheet.spreadsheet is spreadsheet
    assert client.open_by_key(sh.id).title == sh.title
    assert isinstance(worksheet, gspread.Worksheet)


def test_methods_can_be_pickled(ws):
    """Methods of the classes and of objects can be handed to a pool of processes."""
    for kind in KINDS.values():
        ours = getattr(queued_gspread, kind.cls.__name__)
        for method in kind.calls:
            assert pickle.loads(pickle.dumps(getattr(ours, method))) is getattr(ours, method)
    ws.append_row(["x"])
    assert pickle.loads(pickle.dumps(ws.row_values))(1) == ["x"]


def test_credentials_are_not_pickled(server, key_file, redis_url, namespace):
    """A pickled client carries whose credentials it was given, and not the credentials."""
    client = queued_gspread.service_account(key_file, redis_url=redis_url, namespace=namespace)
    assert client.http_client.auth is not None
    pickled = pickle.dumps(client)
    assert b"PRIVATE" not in pickled
    assert b"emulator@" in pickled
    assert pickle.loads(pickled).http_client.auth is None


def test_attributes_of_a_subclass_are_copied_and_pickled(gc):
    """What a user's subclass sets, over a default of its class too, is in every copy."""
    labelled = bare(Labelled, **vars(gc))
    labelled.label, labelled.extra = "changed", [1]
    for twin in (
        copy.copy(labelled),
        copy.deepcopy(labelled),
        pickle.loads(pickle.dumps(labelled)),
    ):
        assert type(twin) is Labelled
        assert (twin.label, twin.extra) == ("changed", [1])


class Labelled(queued_gspread.Client):
    label = "default"


def test_copies_share_and_deep_copies_do_not(ws):
    """``copy`` shares the properties, as with gspread's objects; ``deepcopy`` has its own."""
    shallow, deep = copy.copy(ws), copy.deepcopy(ws)
    ws.update_title("Renamed")
    assert (shallow.title, deep.title) == ("Renamed", "Sheet1")
    assert deep.spreadsheet_id == ws.spreadsheet_id


def test_a_subclass_is_queued_too(server, redis_url, namespace):
    """A user's subclass of Client has its own methods, and its calls are queued."""

    class Library(queued_gspread.Client):
        def __init__(self, shelf, **kwargs):
            super().__init__(**kwargs)
            self.shelf = shelf

        def books(self):
            return self.create(f"Books on {self.shelf}").title

        def create(self, title, folder_id=None):
            return super().create(title.upper(), folder_id)

    library = Library("shelf 3", redis_url=redis_url, namespace=namespace)
    assert library.books() == "BOOKS ON SHELF 3"
    assert isinstance(library, gspread.Client)
    assert pickle.loads(pickle.dumps(library.http_client)).timeout is None


def test_the_time_out_is_the_clients_own(server, gc, sh, redis_url, namespace):
    """``set_timeout`` is seen by all objects of a client, and by no other client's."""
    other = queued_gspread.authorize(redis_url=redis_url, namespace=namespace)
    gc.set_timeout((3, 30))
    assert sh.client.timeout == (3, 30)
    assert other.http_client.timeout is None
    assert sh.sheet1.get_all_values() == [[]]
    gc.set_timeout(None)
    assert sh.client.timeout is None
