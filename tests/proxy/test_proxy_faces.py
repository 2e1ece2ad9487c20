"""What the queued classes look like beside gspread's: the same names, and none that collide."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from unittest import mock

import gspread
import pytest

import queued_gspread

SUBMODULES = [module.name for module in pkgutil.iter_modules(gspread.__path__)]


def pairs():
    """Yield each class of gspread's, of each of its modules, with what has its name here."""
    for name in SUBMODULES:
        ours = importlib.import_module(f"queued_gspread.{name}")
        for cls in vars(importlib.import_module(f"gspread.{name}")).values():
            if inspect.isclass(cls) and cls.__module__ == f"gspread.{name}":
                yield cls, getattr(ours, cls.__name__)


PAIRS = list(pairs())
QUEUED = [(theirs, ours) for theirs, ours in PAIRS if ours is not theirs]
each_class = pytest.mark.parametrize(
    ("theirs", "ours"), PAIRS, ids=[theirs.__name__ for theirs, _ in PAIRS]
)
each_queued = pytest.mark.parametrize(
    ("theirs", "ours"), QUEUED, ids=[theirs.__name__ for theirs, _ in QUEUED]
)

BESIDE = {
    "HTTPClient": {"_self_caller", "__getattr__"},
    "BackOffHTTPClient": {"_self_caller", "__getattr__"},
}
"""The names that our classes have and gspread's have not: each is one less for users."""

PYTHONS = {"__annotations__", "__annotations_cache__", "__slotnames__"}
"""The names that Python gives a class when somebody asks for its annotations, or pickles it."""


def test_five_classes_are_queued():
    """The classes that send are ours, and all others are gspread's own."""
    assert {theirs.__name__ for theirs, _ in QUEUED} == {
        *("BackOffHTTPClient", "Client", "HTTPClient", "Spreadsheet", "Worksheet")
    }


@each_class
def test_a_class_has_the_names_of_gspreads(theirs, ours):
    """Each class has all names of gspread's, and beside them those that are listed."""
    beside = set(dir(ours)) - set(dir(theirs)) - PYTHONS
    assert beside == BESIDE.get(theirs.__name__, set())
    assert set(dir(theirs)) - set(dir(ours)) - PYTHONS == set()


@each_queued
def test_a_name_is_of_the_sort_that_gspreads_is(theirs, ours):
    """What is a method of gspread's class is one of ours, and so is a property or a constant."""
    for name in set(dir(theirs)) - set(dir(object)) - PYTHONS:
        kinds = [type(inspect.getattr_static(cls, name)) for cls in (theirs, ours)]
        assert kinds[0] is kinds[1], name


def is_wanted(module, name):
    """Tell whether our module should have a name: of what logs in, only what is gspread's."""
    value = getattr(importlib.import_module(f"gspread.{module}"), name)
    of = str(getattr(value, "__module__", ""))
    is_known = module != "auth" or of.startswith(("gspread", "google.")) or name.isupper()
    return is_known and not name.startswith("__")


@pytest.mark.parametrize("module", SUBMODULES)
def test_a_submodule_has_the_names_of_gspreads(module):
    """Each submodule has whatever gspread's has, its private helpers and what it imports too."""
    ours = importlib.import_module(f"queued_gspread.{module}")
    theirs = dir(importlib.import_module(f"gspread.{module}"))
    names = {name for name in theirs if is_wanted(module, name)}
    assert {name for name in names if not hasattr(ours, name)} == names - set(dir(ours)) == set()


def test_objects_have_the_attributes_of_gspreads(gc, sh, ws, emulator):
    """An object holds what gspread's holds; an HTTP client has our way instead of a session."""
    client = emulator.gspread_client()
    spreadsheet = client.open_by_key(sh.id)
    assert vars(gc).keys() == vars(client).keys()
    assert vars(sh).keys() == vars(spreadsheet).keys()
    assert vars(ws).keys() == vars(spreadsheet.sheet1).keys()
    beside = vars(gc.http_client).keys() ^ vars(client.http_client).keys()
    assert beside == {"_self_caller", "session"}


@each_queued
def test_a_spec_of_a_mock_behaves_as_with_gspread(theirs, ours):
    """A double with one of our classes for its spec supports what gspread's class supports."""
    for use in (len, iter, bool, list, int, callable, lambda double: 1 in double):
        told = []
        for cls in (theirs, ours):
            try:
                told.append(type(use(mock.MagicMock(spec=cls))))
            except TypeError as error:
                told.append(str(error))
        assert told[0] == told[1]


@each_queued
def test_an_object_is_no_more_than_gspreads_is(theirs, ours):
    """``bool``, ``len``, ``iter`` and the like work where they do with gspread's objects."""
    for use in (bool, len, iter, reversed, int, callable, hash, lambda one: 1 in one, next):
        told = []
        for cls in (theirs, ours):
            try:
                told.append(type(use(cls.__new__(cls))))
            except (TypeError, AttributeError) as error:
                told.append(str(error))
        assert told[0] == told[1]


@each_queued
def test_a_misspelled_attribute_says_what_was_meant(theirs, ours):
    """The error of an attribute that is missing knows its object, so that Python can suggest."""
    told = []
    for thing in (theirs.__new__(theirs), ours.__new__(ours)):
        with pytest.raises(AttributeError) as raised:
            thing.opne_by_kye  # noqa: B018 - for its error
        assert raised.value.obj is thing
        told.append((str(raised.value), raised.value.name))
    assert told[0] == told[1]


@each_queued
def test_an_object_is_of_the_class_that_it_says(theirs, ours):
    """``__class__`` is the class that ``type`` tells, so that dispatch by class finds ours."""

    @functools.singledispatch
    def told(_thing):
        return "anything"

    told.register(theirs, lambda _thing: "gspread's")
    assert told(ours.__new__(ours)) == "gspread's"
    told.register(ours, lambda _thing: "ours")
    thing = ours.__new__(ours)
    assert told(thing) == "ours"
    assert thing.__class__ is type(thing) is ours


@each_queued
def test_attributes_are_the_users_to_name(theirs, ours):
    """Attributes of any name can be set, by ``vars`` too, and no keyword of a class is taken."""
    names = ["_state", "_proxy", "around", "_restored", "_kind", "_shown_as", "_queue", "queued"]

    class Base:
        def __init_subclass__(cls, queued, **kwargs):
            super().__init_subclass__(**kwargs)
            cls.told = queued

    class Mine(ours, Base, queued="mine"):
        pass

    thing = Mine.__new__(Mine)
    vars(thing).update(dict.fromkeys(names, "mine"))
    thing.__dict__["more"] = "mine"
    assert set(vars(thing).values()) == {"mine"} == {getattr(thing, name) for name in names}
    assert (Mine.told, thing.__class__) == ("mine", Mine)
    assert not any(hasattr(theirs, name) for name in names)


def test_gspreads_methods_can_be_reached_by_the_class(gc, ws):
    """``super()`` and calls by the class reach what gspread answers without sending."""

    class Slow(queued_gspread.Client):
        def set_timeout(self, timeout=None):
            super().set_timeout(timeout * 2)

    gc.__class__ = Slow
    gc.set_timeout(30)
    assert gc.http_client.timeout == 60
    assert list(map(queued_gspread.Worksheet.get_tab_color, [ws])) == [None]
    with mock.patch.object(queued_gspread.Client, "set_timeout") as double:
        queued_gspread.Client.set_timeout(5)
    double.assert_called_once_with(5)
