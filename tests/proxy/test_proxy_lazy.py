"""Results that are not there yet: whatever users do with one, it is what the real one would be."""

from __future__ import annotations

import copy
import json
import pickle
import typing
from concurrent.futures import ThreadPoolExecutor
from operator import eq, ne

import gspread
import pytest

from queued_gspread.protocol.kinds import KINDS
from queued_gspread.proxy.lazy import LazyAnswer, lazy_object, resolved
from queued_gspread.proxy.result_kinds import LAZY

ANSWER = {"spreadsheetId": "id", "updates": {"updatedRange": "A1", "rows": [1, 2]}}
NAMED = "%(spreadsheetId)s"
CELL = gspread.Cell(2, 3, "text")


class Given:
    """A call whose result is there as soon as it is asked for."""

    def __init__(self, result):
        self.result, self.touched = result, 0

    def value(self):
        self.touched += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def lazy_answer(content=ANSWER):
    return LazyAnswer(Given(content))


def lazy_cell():
    return lazy_object(gspread.Cell, Given(copy.copy(CELL)))


def swapped(compare, value):
    return compare(ANSWER, value), compare(CELL, value)


def matched(value):
    match value:
        case {"updates": {"updatedRange": found}}:
            return found
        case gspread.Cell(row=row, value=text):
            return row, text
    return "nothing"


def as_frame(value):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame([value, value]).to_dict()


def as_column(value):
    pandas = pytest.importorskip("pandas")
    return repr(pandas.DataFrame({"a": [value]}))


def as_array(value):
    numpy = pytest.importorskip("numpy")
    made = numpy.array([value], dtype=object)
    return made.shape, made.dtype, made[0] == value


def raised(do):
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - what it is is compared
        return type(error), str(error)


USES = {
    "isinstance": lambda value: [isinstance(value, cls) for cls in (dict, gspread.Cell, list)],
    "class": lambda value: value.__class__.__name__ in ("LazyAnswer", "dict", "Cell"),
    "repr": repr,
    "str": str,
    "f-string": lambda value: f"{value}",
    "percent": lambda value: "%s" % (value,),  # noqa: UP031 - users do
    "equal": lambda value: (value == ANSWER, value == CELL, swapped(eq, value)),
    "unequal": lambda value: (value != ANSWER, value != CELL, swapped(ne, value)),
    "truth": bool,
    "length": lambda value: raised(lambda: len(value)),
    "index": lambda value: raised(lambda: value["updates"]),
    "missing": lambda value: raised(lambda: value["nothing"]),
    "contains": lambda value: raised(lambda: "updates" in value),
    "iteration": lambda value: raised(lambda: list(value)),
    "reversed": lambda value: raised(lambda: list(reversed(value))),
    "attributes": lambda value: raised(lambda: (value.row, value.address, value.value)),
    "no such attribute": lambda value: raised(lambda: value.nothing)[0],
    "methods": lambda value: raised(lambda: (value.get("updates"), [*value.items()])),
    "match": matched,
    "copy": lambda value: (type(copy.copy(value)), vars_of(copy.copy(value))),
    "deepcopy": lambda value: (type(copy.deepcopy(value)), vars_of(copy.deepcopy(value))),
    "pickle": lambda value: vars_of(pickle.loads(pickle.dumps(value))),
    "pickled class": lambda value: type(pickle.loads(pickle.dumps(value))),
    "hash": lambda value: raised(lambda: hash(value))[0],
    "vars": lambda value: raised(lambda: vars(value)),
    "join": lambda value: raised(lambda: ", ".join(value)),
    "json": lambda value: raised(lambda: json.dumps(value)),
    "json, sorted": lambda value: raised(lambda: json.dumps(value, sort_keys=True, indent=1)),
    "json, within": lambda value: raised(lambda: json.dumps({"a": [value]})),
    "dict": lambda value: raised(lambda: dict(value)),
    "unpacked": lambda value: raised(lambda: {**value, "a": 1}),
    "keywords": lambda value: raised(lambda: dict(a=1, **value)),
    "union": lambda value: raised(lambda: ({"a": 1} | value, value | {"a": 1})),
    "update": lambda value: raised(lambda: {}.update(value)),
    "format_map": lambda value: raised(lambda: "{spreadsheetId}".format_map(value)),
    "percent by name": lambda value: raised(lambda: NAMED % value),
    "sorted": lambda value: raised(lambda: sorted(value)),
    "sum of cells": lambda value: raised(lambda: sum(cell.row for cell in [value, value])),
    "pandas, as rows": lambda value: raised(lambda: as_frame(value)),
    "pandas, within": lambda value: raised(lambda: as_column(value)),
    "numpy": as_array,
}


def vars_of(value):
    return dict(value) if isinstance(value, dict) else vars(value)


@pytest.mark.parametrize("use", USES)
def test_an_answer_that_comes_later_is_used_like_one_that_is_there(use):
    """The lazy answer of a write and a dict are the same to whoever touches it first."""
    assert USES[use](lazy_answer()) == USES[use](copy.deepcopy(ANSWER))


@pytest.mark.parametrize("use", sorted(USES.keys() - {"pandas, as rows"}))
def test_a_cell_that_comes_later_is_used_like_one_that_is_there(use):
    """A lazy cell and a cell are the same to whoever touches it first."""
    assert USES[use](lazy_cell()) == USES[use](copy.copy(CELL))


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.update(a=1),
        lambda answer: answer.pop("updates"),
        lambda answer: answer.setdefault("a", 1),
        lambda answer: answer.__setitem__("a", 1),
        lambda answer: answer.__delitem__("updates"),
        lambda answer: answer.__ior__({"a": 1}),
        lambda answer: answer.popitem(),
        lambda answer: answer.clear(),
    ],
)
def test_an_answer_that_is_changed_first(change):
    """What changes an answer changes the whole one."""
    lazy, real = lazy_answer(), copy.deepcopy(ANSWER)
    change(lazy)
    change(real)
    assert dict(lazy) == real


def test_every_method_of_a_dict_waits():
    """No public method of a dict, and no operator, looks at an answer before it is there."""
    apart = {"fromkeys", "__class_getitem__", "__init_subclass__", "__subclasshook__", "__new__"}
    own = {name for name in vars(dict) if callable(getattr(dict, name))} - apart
    calm = {"__init__", "__getattribute__", "__sizeof__", "__doc__", "__hash__"}
    order = {"__lt__", "__le__", "__gt__", "__ge__"}  # no dict has an order
    assert own - vars(LazyAnswer).keys() - calm - order == set()


def test_a_touched_object_is_the_real_one():
    """Once it is there, an object has gspread's class and attributes, and asks for nothing."""
    given = Given(copy.copy(CELL))
    cell = lazy_object(gspread.Cell, given)
    assert isinstance(cell, gspread.Cell)
    assert cell.__class__ is gspread.Cell
    assert given.touched == 0
    assert cell.value == "text"
    assert type(cell) is gspread.Cell
    assert vars(cell) == vars(CELL)
    cell.value = "new"
    assert (cell.value, given.touched) == ("new", 1)


def test_what_is_set_first_is_kept():
    """An attribute that is set before anything is read is set on the real object."""
    cell = lazy_cell()
    cell.value = "mine"
    assert (cell.row, cell.value) == (2, "mine")
    other = lazy_cell()
    del other.value
    assert vars(other) == {"_row": 2, "_col": 3}


def test_a_failure_comes_at_each_touch():
    """A result that failed raises its error whenever it is touched."""
    for lazy in (
        lazy_object(gspread.Cell, Given(ValueError("no"))),
        LazyAnswer(Given(ValueError("no"))),
    ):
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                repr(lazy)


def test_threads_that_touch_at_the_same_time():
    """Whichever thread comes first, all see the whole object."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(100):
            both = [lazy_cell()] * 2
            assert list(pool.map(lambda cell: (cell.row, cell.value), both)) == [(2, "text")] * 2


def test_arguments_are_the_real_ones():
    """Lazy results in an argument, however deep, are what they stand for."""
    found = resolved(([lazy_cell()], {"a": lazy_answer()}, lazy_answer(), "text"))
    assert found == ([CELL], {"a": ANSWER}, ANSWER, "text")
    assert type(found[0][0]) is gspread.Cell
    assert (type(found[1]["a"]), type(found[2])) == (dict, dict)


def returned(kind, method):
    """Return what gspread says that a method returns, as one of our classes of results."""
    said = getattr(getattr(kind.cls, method), "__annotations__", {}).get("return")
    if said == "Worksheet":
        return gspread.Worksheet
    if str(said).startswith(("typing.MutableMapping[str", "typing.Mapping[str")):
        return dict
    return type(None) if said is None else said


# Whether there is one is what a caller wants to know at once; and what reads.
AT_ONCE = {"open", "open_by_key", "open_by_url", "get_worksheet", "get_worksheet_by_id"} | {
    "worksheet", "fetch_sheet_metadata", "login",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_table_of_lazy_results_fits_gspread(kind):
    """Each method in the table is there, and gspread says that it returns that, or anything."""
    for cls, names in LAZY.get(kind, {}).items():
        for name in names.split():
            assert name in kind.calls
            assert returned(kind, name) in (cls, typing.Any), name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_nothing_that_could_be_lazy_is_forgotten(kind):
    """A method that returns nothing, a dict or an object is in the table, or waited for by name."""
    listed = {name for names in LAZY.get(kind, {}).values() for name in names.split()}
    lazy = {type(None), dict, gspread.Cell, gspread.Worksheet, gspread.Spreadsheet}
    could = {name for name in kind.calls if returned(kind, name) in lazy}
    assert could - listed - AT_ONCE == set()
