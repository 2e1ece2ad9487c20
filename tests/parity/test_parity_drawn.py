"""Calls that are drawn, made both ways; and whether the comparison finds what it is for."""

from __future__ import annotations

import contextlib
import inspect
from collections import OrderedDict
from itertools import islice

import gspread
import pytest
from places import DOCS

import queued_gspread
from queued_gspread.proxy import call as sending
from queued_gspread.server.google.transport import Transport

from .by_design import MEANT, SENTENCES, SUBCLASSES
from .compare import compare
from .drawn import TARGETS, Drawn, drawn, surface
from .session import faults_of_the_server, make
from .sides import both
from .values import Value

_FEW = 300


@pytest.fixture(scope="module")
def two(redis_url):
    """Return the two ways."""
    with both("drawn", redis_url) as sides:
        yield sides


@pytest.fixture
def sides(two):
    """Return the two ways as they were at first."""
    for side in two:
        side.begin()
    return two


def _value(arg):
    return Value(repr(arg), arg if callable(arg) else lambda _: arg)


_PROPERTIES = Value("s.ws._properties", lambda side: side.ws._properties)


def call(target, name, *args, **kwargs):
    """Return a call with these arguments."""
    cls = next(cls for cls, targets in TARGETS.items() if target in targets)
    made = {key: Value(key, lambda _, arg=arg: arg) for key, arg in kwargs.items()}
    values = [arg if isinstance(arg, Value) else _value(arg) for arg in args]
    return Drawn(target, cls, name, tuple(values), tuple(made.items()))


def test_drawn_calls_are_the_same_both_ways(two):
    """A slice of the drawn calls comes to the same both ways, but for what the docs name."""
    with faults_of_the_server() as logged:
        tally = make(list(islice(drawn(0), _FEW)), two)
    assert tally.differences == 0, "\n".join(tally.lines())
    assert logged == []


def test_every_parameter_is_drawn():
    """A round of draws names every parameter of every public method of the four classes once."""
    every = set()
    for cls in (gspread.Client, gspread.Spreadsheet, gspread.Worksheet, gspread.HTTPClient):
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                names = list(inspect.signature(method).parameters)[1:] or [None]
                every |= {(cls.__name__, name, parameter) for parameter in names}
    found = surface()
    assert every <= set(found)
    assert len(set(found)) == len(found)
    round_ = list(islice(drawn(1), len(found)))
    assert {(each.cls, each.name) for each in round_} == {place[:2] for place in found}


def test_a_seed_draws_the_same_calls_again():
    """Calls are drawn from their seed alone."""
    first, again, other = (list(map(str, islice(drawn(seed), _FEW))) for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_docs_name_what_is_meant(sentence):
    """Each difference that is meant stands in the docs, word for word."""
    pages = [" ".join(page.read_text().split()) for page in DOCS.glob("*.md")]
    assert any(sentence in page for page in pages)


@pytest.mark.parametrize(
    ("number", "made"),
    [
        (0, call("gc", "open_by_key", "a/../b")),
        (
            0,
            call(
                "http",
                "request",
                "get",
                "https://www.googleapis.com/drive/v3/files",
                headers={"X": "y"},
            ),
        ),
        (2, call("ws", "clear_note", "x" * 3000)),
        (3, call("http", "import_csv", "nothing-here", lambda _: range(3))),
        (4, call("sh", "worksheet", lambda side: side.ws)),
        (5, call("ws", "update_note", "B2", lambda side: side.gc)),
        (6, call("sh", "values_batch_get", ["A1"], _PROPERTIES)),
        (7, call("sh", "worksheet", lambda _: OrderedDict(a=1))),
    ],
)
def test_a_difference_that_is_meant_is_found(sides, number, made):
    """What the table of meant differences names is there, and is told by its own sentence."""
    expected = [*(meant.sentence for meant in MEANT), SUBCLASSES][number]
    assert compare(made, sides) == ([], expected)


@contextlib.contextmanager
def _patched(target, name, wrong):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, wrong(getattr(target, name)))
        yield


def _other_result(outcome):
    return lambda proxy, kind, reply: tuple(outcome(proxy, kind, reply))


def _other_error(_):
    def raise_another(reply):
        raise ValueError(*reply.error.args)

    return raise_another


def _nothing(_):
    return lambda *_: None


def _drawn_out(job):
    def draw(proxy, kind, method, args, *rest):
        for each in args:
            list(each)
        return job(proxy, kind, method, args, *rest)

    return draw


def _twice(send):
    def send_twice(self, request, *args):
        send(self, request, *args)
        return send(self, request, *args)

    return send_twice


FAULTS = {
    "result": (sending, "_outcome", _other_result, call("ws", "row_values", 1)),
    "raised": (sending, "_raise_once", _other_error, call("ws", "get", "Nope!A1")),
    "warned": (sending, "warn_again", _nothing, call("ws", "update", "A1", [[1]])),
    "left": (sending, "_job", _drawn_out, call("ws", "update_title", lambda _: iter("A1"))),
    "properties": (sending, "apply", _nothing, call("ws", "add_rows", 2)),
    "requests": (Transport, "send", _twice, call("ws", "row_values", 1)),
    "equal": (queued_gspread.Worksheet, "__eq__", _nothing, call("sh", "get_worksheet", 0)),
}


@pytest.mark.parametrize("aspect", FAULTS)
def test_a_fault_of_the_queue_is_found(sides, aspect):
    """What is wrong on the queue's side, a result, an error or a warning, is a difference."""
    *fault, made = FAULTS[aspect]
    assert compare(made, sides) == ([], None)
    for side in sides:
        side.begin()
    with _patched(*fault):
        differences, named = compare(made, sides)
    assert aspect in {difference.aspect for difference in differences}
    assert named is None


def test_another_state_is_found(sides, monkeypatch):
    """What the emulator holds afterwards is compared, though all that was seen is the same."""
    monkeypatch.setattr(sides[1].emulator._store, "touch", lambda file: None)
    differences, _ = compare(call("ws", "update_acell", "A1", "x"), sides)
    assert [difference.aspect for difference in differences] == ["state"]


def test_a_fault_that_the_server_logs_is_found(two, monkeypatch):
    """What the server logs as a fault of its own is one, whatever the caller got."""
    with faults_of_the_server() as logged:
        monkeypatch.setattr(Transport, "send", lambda *_: 1 / 0)
        with contextlib.suppress(Exception):
            two[1].gc.open_by_key("x")
    assert any("ZeroDivisionError" in line for line in logged)
