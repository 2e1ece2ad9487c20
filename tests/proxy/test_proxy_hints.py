"""Signatures and annotations can be read when a program runs, as frameworks do that go by them."""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path

import gspread
import pytest

import queued_gspread

CLASSES = ["BackOffHTTPClient", "Client", "HTTPClient", "Spreadsheet", "Worksheet"]
FUNCTIONS = [
    *("authorize", "service_account", "service_account_from_dict"),
    *("oauth", "oauth_from_dict", "api_key"),
]
KEYWORDS = {
    "redis_url": str | None,
    "namespace": str | None,
    "timeout": float | None,
    "grace": float | None,
    "signing_key_file": str | Path | None,
    "caller": str | None,
    "max_age": float | None,
}
SERVERS = {"auth", "credentials"}
"""The parameters whose None, which gspread has not, means the server's own."""

each_class = pytest.mark.parametrize("name", CLASSES)


def told(hint):
    """Return an annotation as data, since unions and generic types have two spellings."""
    origin, within = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return frozenset(map(told, within))
    return (origin, *map(told, within)) if origin else getattr(hint, "__name__", hint)


def hints_of(function):
    return {name: told(hint) for name, hint in typing.get_type_hints(function).items()}


def assert_like(theirs, ours):
    """Compare the hints of gspread's function with those of ours, which may have more."""
    more = {name: told(hint) for name, hint in KEYWORDS.items()}
    hints = hints_of(ours)
    assert {name: hints.pop(name) for name in more} == more
    for name, hint in hints_of(theirs).items():
        wider = frozenset({hint, told(type(None))}) if name in SERVERS else hint
        assert hints.pop(name) in (hint, wider), name
    assert hints == {}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_hints_of_a_login_are_those_of_gspreads(name):
    """The annotations of each function can be read, and are gspread's with our keywords."""
    assert_like(getattr(gspread, name), getattr(queued_gspread, name))
    (client, *_) = [
        part
        for hint in [typing.get_type_hints(getattr(queued_gspread, name))["return"]]
        for part in [*typing.get_args(hint), hint]
    ]
    assert client is queued_gspread.Client


@pytest.mark.parametrize("name", ["BackOffHTTPClient", "Client", "HTTPClient"])
def test_the_hints_of_a_client_are_those_of_gspreads(name):
    """The annotations of each client's constructor can be read, and are gspread's and ours."""
    theirs, ours = getattr(gspread, name), getattr(queued_gspread, name)
    assert_like(theirs.__init__, ours.__init__)


@pytest.mark.parametrize("name", ["Spreadsheet", "Worksheet"])
def test_the_hints_of_an_object_are_those_of_gspreads(name):
    """The annotations of each object's constructor can be read, and are gspread's."""
    ours = hints_of(getattr(queued_gspread, name).__init__)
    shown = inspect.signature(getattr(gspread, name)).parameters.values()
    assert ours == {**{p.name: told(p.annotation) for p in shown}, "return": "NoneType"}


@each_class
def test_a_class_has_the_signature_of_gspreads(name):
    """A class shows gspread's parameters, with the same defaults, and our keywords behind them."""
    theirs = inspect.signature(getattr(gspread, name)).parameters.values()
    ours = inspect.signature(getattr(queued_gspread, name)).parameters.values()
    assert [p.name for p in ours if p.name not in KEYWORDS] == [p.name for p in theirs]
    assert {p.name for p in ours if p.kind is p.KEYWORD_ONLY} <= set(KEYWORDS)
    assert {p.name for p in ours if p.default is p.empty} == {
        p.name for p in theirs if p.default is p.empty and p.name not in SERVERS
    }
    assert not any(isinstance(p.annotation, str) for p in ours)


@each_class
def test_a_class_of_a_users_has_its_own_signature(name):
    """A user's subclass shows the parameters of its own constructor."""

    class Mine(getattr(queued_gspread, name)):
        def __init__(self, region: str = "eu") -> None:
            """Take a region."""

    assert list(inspect.signature(Mine).parameters) == ["region"]
    assert inspect.unwrap(Mine) is Mine


@each_class
def test_a_class_has_its_source(name):
    """The source of a class can be read."""
    assert f"class {name}(" in inspect.getsource(getattr(queued_gspread, name))


@pytest.mark.parametrize("name", CLASSES[1:])  # gspread's backing off hides request's parameters
def test_the_hints_of_the_methods_are_gspreads(name):
    """The annotations of each method can be read where those of gspread's can."""
    for key, theirs in inspect.getmembers(getattr(gspread, name), inspect.isfunction):
        if key == "__init__":
            continue
        ours = getattr(getattr(queued_gspread, name), key)
        try:
            expected = typing.get_type_hints(theirs)
        except NameError:
            with pytest.raises(NameError):
                typing.get_type_hints(ours)
        else:
            assert typing.get_type_hints(ours) == expected, key
        assert inspect.signature(ours) == inspect.signature(theirs), key
