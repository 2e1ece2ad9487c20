"""Subclasses, and objects made without a constructor, behave as those of gspread's classes do.

What the classes here do is taken from libraries: gspread-pandas, betterspread, gspread-formatting
and gspread-rpa.
"""

from __future__ import annotations

import abc
import copy
import pickle
import threading
from unittest import mock

import gspread
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials
from waiting import PATIENCE

import queued_gspread
from queued_gspread.protocol.kinds import KINDS

OURS = {name: getattr(queued_gspread, kind.cls.__name__) for name, kind in KINDS.items()}


@pytest.fixture
def queue(monkeypatch, server, redis_url, namespace):
    """Have clients with no settings of their own use the test's queue."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", namespace)


class RetryingClient(queued_gspread.Client):
    """Sets attributes first, passes a session on, and puts a request of its own in place."""

    _email = None
    _root = None

    def __init__(self, credentials):
        self.scope = ["a scope"]
        self._root = "no request yet"
        self.seen = []
        super().__init__(credentials, AuthorizedSession(credentials))
        self.http_client.auth = credentials
        original = self.http_client.request

        def request(*args, **kwargs):
            self.seen.append(args[0])
            return original(*args, **kwargs)

        self.http_client.request = request
        files = "https://www.googleapis.com/drive/v3/files/root"
        self._root = self.http_client.request("get", files, params={"fields": "name"}).json()

    def open(self, title):
        file = next(f for f in self.list_spreadsheet_files(title) if f["name"] == title)
        return queued_gspread.Spreadsheet(self.http_client, file)


def test_a_client_that_sets_attributes_first(queue, key_file, sh, ws):
    """Attributes from before the constructor stay, and its request sees whatever is sent."""
    client = RetryingClient(Credentials.from_service_account_file(key_file))
    assert client.scope == ["a scope"]
    assert client._root == {"name": "My Drive"}
    assert client.http_client._self_caller.identity.email == client.http_client.auth.signer_email
    title = f"Of {sh.id}"
    sh.update_title(title)
    opened = client.open(title)
    assert opened.id == sh.id
    opened.sheet1.append_row(["x"])
    assert ws.get_all_values() == [["x"]]
    assert client.seen == ["get", "get", "get", "get", "post"]
    assert client.expiry


class LazySheet(queued_gspread.Spreadsheet):
    """Opens its spreadsheet later, and never calls the constructor."""

    sheet: gspread.Spreadsheet | None

    def __init__(self, gc, title):
        self.gc, self.wanted, self.sheet = gc, title, None

    def __repr__(self):
        return f"<LazySheet {self.wanted} {'closed' if self.sheet is None else 'open'}>"

    def open(self):
        self.sheet = self.gc.open(self.wanted)
        self.client = self.sheet.client
        self._properties = self.sheet._properties

    def tabs(self):
        return [
            Tab(
                sheet=self,
                spreadsheet=self.sheet,
                properties=found._properties,
                spreadsheet_id=self.sheet.id,
                client=self.sheet.client,
            )
            for found in self.worksheets()
        ]


class Tab(queued_gspread.Worksheet):
    """Keeps its sheet before it calls the constructor."""

    def __init__(self, sheet, *args, **kwargs):
        self.sheet = sheet
        super().__init__(*args, **kwargs)


def test_a_spreadsheet_that_is_opened_later(gc, sh):
    """A subclass whose constructor is never called works once its attributes are there."""
    sheet = LazySheet(gc, f"Later {sh.id}")
    sh.update_title(sheet.wanted)
    assert f"{sheet}" == str(sheet) == repr(sheet) == f"<LazySheet {sheet.wanted} closed>"
    with pytest.raises(AttributeError, match="_properties"):
        _ = sheet.title
    sheet.open()
    assert (sheet.id, sheet.title) == (sh.id, sheet.wanted)
    (tab,) = sheet.tabs()
    tab.append_row(["x"])
    assert sheet.sheet1.get_all_values() == [["x"]]
    assert tab.sheet is sheet
    assert tab.spreadsheet is sheet.sheet


def test_objects_made_without_a_constructor(gc, sh, ws):
    """What is made bare and given gspread's own attributes sends through their client."""
    client = queued_gspread.Client.__new__(queued_gspread.Client)
    client.http_client = gc.http_client
    sheet = queued_gspread.Spreadsheet.__new__(queued_gspread.Spreadsheet)
    sheet.client, sheet._properties = gc.http_client, {"id": sh.id, "title": "mine"}
    worksheet = queued_gspread.Worksheet.__new__(queued_gspread.Worksheet)
    worksheet.client, worksheet.spreadsheet_id = gc.http_client, sh.id
    worksheet._properties = ws._properties
    worksheet.append_row(["x"])
    assert client.open_by_key(sh.id).sheet1.get_all_values() == [["x"]]
    assert sheet.sheet1.get_all_values() == [["x"]]
    assert [found.id for found in sheet] == [worksheet.id] == [0]
    assert repr(sheet) == f"<Spreadsheet 'mine' id:{sh.id}>"
    other = queued_gspread.Worksheet(sheet, {"sheetId": 4, "title": "Other"}, sh.id, sheet.client)
    assert other.spreadsheet == sheet
    assert other.spreadsheet != sh


def test_an_http_client_made_without_a_constructor(queue, sh, key_file):
    """It uses the queue of the environment, and says whose its credentials are."""
    http = queued_gspread.HTTPClient.__new__(queued_gspread.HTTPClient)
    http.auth, http.timeout = Credentials.from_service_account_file(key_file), None
    assert http.fetch_sheet_metadata(sh.id)["properties"]["title"] == sh.title
    assert http._self_caller.identity.email == http.auth.signer_email


def test_a_first_use_without_a_constructor_holds_no_lock(queue, sh, monkeypatch):
    """While one thread prepares such a client another can, as a child that was forked then."""
    http = queued_gspread.HTTPClient.__new__(queued_gspread.HTTPClient)
    http.auth, http.timeout = None, None
    entered, leave = threading.Event(), threading.Event()
    make = queued_gspread.proxy.http_client._caller

    def slow(*args):
        if threading.current_thread() is first:
            entered.set()
            leave.wait()
        return make(*args)

    monkeypatch.setattr(queued_gspread.proxy.http_client, "_caller", slow)
    first, second = (threading.Thread(target=http.values_get, args=(sh.id, "A1")) for _ in "12")
    first.start()
    entered.wait()
    second.start()
    second.join(PATIENCE)
    is_held = second.is_alive()
    leave.set()
    first.join()
    second.join()
    assert not is_held


def test_a_worksheet_whose_spreadsheet_is_not_known(gc, sh, ws):
    """A worksheet with no spreadsheet, or with one that has no id, calls with its own id."""
    ws.append_row(["x"])
    twin = queued_gspread.Worksheet.__new__(queued_gspread.Worksheet)
    twin.client, twin.spreadsheet_id, twin._properties = gc.http_client, sh.id, ws._properties
    assert twin.get_all_values() == [["x"]]
    twin._spreadsheet = queued_gspread.Spreadsheet.__new__(queued_gspread.Spreadsheet)
    twin._spreadsheet._properties = {"title": "no id"}
    assert twin.duplicate(new_sheet_name="Copy").get_all_values() == [["x"]]


@pytest.mark.parametrize("double", [mock.MagicMock(), mock.Mock(spec=gspread.HTTPClient)])
def test_a_double_in_the_place_of_the_http_client(double):
    """Gspread's own code meets a test's double, and nothing is put into a queue."""
    double.auth, double.fetch_sheet_metadata.return_value = mock.Mock(expiry=5), {"sheets": []}
    client = queued_gspread.Client.__new__(queued_gspread.Client)
    client.http_client = double
    assert client.expiry == 5
    sheet = queued_gspread.Spreadsheet.__new__(queued_gspread.Spreadsheet)
    sheet.client, sheet._properties = double, {"id": "key"}
    assert sheet.worksheets() == []
    double.fetch_sheet_metadata.assert_called_once_with("key", params=None)


@pytest.mark.parametrize("name", OURS)
def test_a_bare_object_lacks_what_gspreads_lacks(name):
    """Without its attributes an object raises gspread's AttributeError, and a session is none."""
    ours, theirs = OURS[name], KINDS[name].cls
    for attribute in ("client", "http_client", "_properties", "auth", "anything"):
        with pytest.raises(AttributeError) as raised:
            getattr(theirs.__new__(theirs), attribute)
        with pytest.raises(AttributeError, match=str(raised.value)):
            getattr(ours.__new__(ours), attribute)


class Plugin(abc.ABC):  # noqa: B024 - a base with a metaclass is what is needed
    """Takes an argument of the class."""

    def __init_subclass__(cls, kind, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.plugged = kind


class Slotted(queued_gspread.Worksheet, Plugin, kind="a kind"):
    """Uses what classes can: slots, defaults, arguments of ``__new__``, attributes on demand."""

    __slots__ = ("slot",)
    client = None
    label = "default"

    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls)
        made.slot = "filled"
        return made

    def __getattr__(self, name):
        if name == "on_demand":
            return f"of {self.spreadsheet_id}"
        raise AttributeError(name)


class Locked(list, queued_gspread.Worksheet):
    """Is a list too, and has something that cannot be copied."""

    def __init__(self, *args):
        self.lock = threading.Lock()
        queued_gspread.Worksheet.__init__(self, *args)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state):
        vars(self).update(state, lock=threading.Lock())


def copies(thing, least=0):
    """Return it and its copies, made in each of the ways, but with no lower protocol of pickle."""
    protocols = range(least, pickle.HIGHEST_PROTOCOL + 1)
    pickled = (pickle.loads(pickle.dumps(thing, protocol)) for protocol in protocols)
    return [thing, copy.copy(thing), copy.deepcopy(thing), *pickled]


def test_what_a_subclass_has_is_in_its_copies(gc, sh, ws):
    """Slots, attributes over a default, and what was set from outside are in every copy."""
    slotted = Slotted(sh, ws._properties, sh.id, gc.http_client)
    slotted.label, slotted.extra = "changed", [1]
    ws.append_row(["x"])
    for twin in copies(slotted, least=2):  # below it Python refuses slots
        assert type(twin) is Slotted
        assert (twin.slot, twin.label, twin.extra) == ("filled", "changed", [1])
        assert (twin.on_demand, twin.plugged) == (f"of {sh.id}", "a kind")
        assert twin.get_all_values() == [["x"]]
        assert not hasattr(twin, "missing")


def test_a_subclass_says_how_it_is_copied(gc, sh, ws):
    """``__getstate__`` and ``__setstate__`` of a user's own are used, and what it is besides."""
    locked = Locked(sh, ws._properties, sh.id, gc.http_client)
    locked.append("item")
    ws.append_row(["x"])
    for twin in copies(locked):
        assert twin == ["item"]
        assert twin.lock.acquire(blocking=False)
        twin.lock.release()
        assert twin.get_all_values() == [["x"]]


class Cyclic:
    """Leads to itself, directly and by what it holds."""

    def fill(self):
        self.label, self.me, self.held = "filled", self, [{"back": self}]

    def told(self):
        return (self.label, self.me is self, self.held[0]["back"] is self)


class Unlocked:
    """Leaves out what cannot be copied, and has no ``__setstate__``."""

    def fill(self):
        self.label, self.lock = "filled", threading.Lock()

    def told(self):
        return (self.label, hasattr(self, "lock"))

    def __getstate__(self):
        return {"label": self.label + " and kept"}


class Restoring:
    """Takes its state in a form of its own."""

    def fill(self):
        self.label = "filled"

    def told(self):
        return (self.label, sorted(vars(self)))

    def __getstate__(self):
        return ("a state", self.label)

    def __setstate__(self, state):
        self.label = state


class Reduced:
    """Says how it is made, and what of."""

    def fill(self):
        self.label = "filled"

    def told(self):
        return self.label

    def __reduce__(self):
        return (_made, (type(self), f"{self.label} and made"), {"state": 1})


def _made(cls, label):
    made = object.__new__(cls)
    made.label = label
    return made


class Copied:
    """Says what its copies are."""

    def fill(self):
        self.label = "filled"

    def told(self):
        return self.label

    def __copy__(self):
        return _made(type(self), "copied")

    def __deepcopy__(self, memo):
        return _made(type(self), f"deep {type(memo).__name__}")


class WithSlots:
    """Has places beside its dict."""

    __slots__ = ("slot",)

    def fill(self):
        self.label, self.slot = "filled", [1]

    def told(self):
        return (self.label, self.slot)


class WithArguments:
    """Is made with arguments that it remembers."""

    def __new__(cls, given="nothing"):
        return _made(cls, given)

    def fill(self):
        self.label = "filled"

    def told(self):
        return self.label

    def __getnewargs__(self):
        return (self.label,)


MIXINS = [Cyclic, Unlocked, Restoring, Reduced, Copied, WithSlots, WithArguments]


def _pair(mixin, name):
    """Return a mixin over gspread's class and over ours, where pickle finds both."""
    pair = []
    for side, base in (("Theirs", KINDS[name].cls), ("Ours", OURS[name])):
        cls = type(base)(f"{side}{mixin.__name__}{name}", (mixin, base), {"__module__": __name__})
        pair.append(globals().setdefault(cls.__name__, cls))
    return pair


PAIRS = [_pair(mixin, name) for mixin in MIXINS for name in OURS]


@pytest.mark.parametrize("pair", PAIRS, ids=[ours.__name__ for _, ours in PAIRS])
def test_copies_are_made_as_those_of_gspreads_classes(pair):
    """Whatever a subclass says of its copies holds with our classes as it does with gspread's."""
    told = []
    for cls in pair:
        thing = cls.__new__(cls)
        thing.fill()
        made = copies(thing, least=2)
        assert all(type(twin) is cls for twin in made)
        told.append([twin.told() for twin in made])
    assert told[0] == told[1]


class Single(queued_gspread.Worksheet):
    """Is one object, which pickle finds by its name."""

    def __reduce__(self):
        return "SINGLE"


SINGLE = Single.__new__(Single)


def test_a_subclass_may_be_found_by_its_name():
    """An object that pickle finds by a name is that object in every copy."""
    assert all(twin is SINGLE for twin in copies(SINGLE))


def test_a_subclass_is_what_it_says(gc, sh, ws):
    """Its instances are of its own class, of ours and of gspread's, and say so."""
    tab = Tab(sh, sh, ws._properties, sh.id, gc.http_client)
    assert tab.__class__ is type(tab) is Tab
    assert issubclass(Tab, queued_gspread.Worksheet)
    assert issubclass(queued_gspread.Worksheet, gspread.Worksheet)
    assert isinstance(tab, gspread.Worksheet)
    assert repr(tab) == "<Tab 'Sheet1' id:0>"
    assert {"sheet", "_properties", "append_row"} <= set(dir(tab))
    assert vars(tab)["sheet"] is sh


def test_an_object_can_be_given_another_class(ws):
    """A worksheet becomes one of a user's subclass by assignment, as in gspread."""
    ws.__class__ = Tab
    assert type(ws) is Tab
    assert ws.get_all_values() == [[]]


def test_an_object_attribute_takes_the_place_of_a_method(sh, monkeypatch):
    """A method that was replaced on one object is met by gspread's code, until it is put back."""
    titles = ["replaced"]
    with monkeypatch.context() as patch:
        patch.setattr(sh, "fetch_sheet_metadata", lambda: {"sheets": titles})
        assert sh.fetch_sheet_metadata() == {"sheets": titles}
        with pytest.raises(TypeError):
            sh.worksheets()
    assert len(sh.worksheets()) == 1


class OwnSession(AuthorizedSession):
    """Might send requests in a way of its own."""


@pytest.mark.parametrize("make", [requests.Session, OwnSession])
def test_any_session_but_google_auths_is_refused(make, key_file):
    """A session that gspread would not make itself is a TypeError that names it."""
    arguments = []
    if make is OwnSession:
        arguments = [Credentials.from_service_account_file(key_file)]
    for refuses in (queued_gspread.Client, queued_gspread.HTTPClient):
        with pytest.raises(TypeError, match=f"session={make.__name__} cannot be used"):
            refuses(None, make(*arguments))
