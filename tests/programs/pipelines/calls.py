"""The calls of a history, drawn from a seed."""

from __future__ import annotations

from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Step", "drawn"]

# A call that changes what others need to know comes as often as so many of them.
_MOST, _LEAST = 30, 5


@dataclass(frozen=True)
class Step:
    """One step of a history.

    Attributes:
        name: The call, as a reader would write it.
        do: Makes it, on a side, with the results of the steps before.
        method: Returns the method and its arguments, for a call that may be submitted.

    """

    name: str
    do: Callable[[Any, list[Any]], Any]
    method: Callable[[Any], tuple[Any, ...]] | None = None


def drawn(chance):
    """Return the steps of a history."""
    steps = []
    for number in range(chance.randint(_LEAST, _MOST)):
        kind = chance.choices(_MAKERS, _WEIGHTS)[0]
        steps.append(kind(chance, steps, number))
    return steps


def _step(target, method, *args, **kwargs):
    given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
    return Step(
        f"{target}.{method}({given})",
        lambda side, _: getattr(getattr(side, target), method)(*deepcopy(args), **kwargs),
        None if kwargs else lambda side: (getattr(getattr(side, target), method), *deepcopy(args)),
    )


def _sheet(chance):
    return chance.choice(["ws", "ws", "ws", "tail"])


def _label(chance):
    return f"{chance.choice('ABCD')}{chance.randint(1, 12)}"


def _append(chance, _, number):
    row = [f"row {number}", chance.choice([1, "x", None, "=1+1", True])]
    return _step(_sheet(chance), "append_row", row, value_input_option=_option(chance))


def _appends(chance, _, number):
    rows = [[f"rows {number}", n] for n in range(chance.randint(1, 3))]
    return _step(_sheet(chance), "append_rows", rows)


def _option(chance):
    return chance.choice(["RAW", "USER_ENTERED"])


def _write(chance, _, number):
    return _step(_sheet(chance), "update_acell", _label(chance), f"cell {number}")


def _update(chance, _, number):
    table = [[f"a {number}", number], ["b", None]]
    return _step(_sheet(chance), "update", table, _label(chance))


def _batch(chance, _, number):
    data = [{"range": _label(chance), "values": [[number]]} for _ in range(2)]
    return _step(_sheet(chance), "batch_update", data)


def _clear(chance, _, number):
    return _step(_sheet(chance), "batch_clear", [_label(chance)])


def _read(chance, _, number):
    method, *args = chance.choice(
        [
            ("acell", _label(chance)),
            ("acell", _label(chance)),
            ("acell", _label(chance)),
            ("get", f"A1:{chance.choice('BCD')}9"),
            ("get_all_values",),
            ("row_values", 1),
            ("col_values", 1),
            ("find", "row 1"),
            ("range", "A1:B3"),
        ]
    )
    return _step(_sheet(chance), method, *args)


def _shape(chance, _, number):
    method, *args = chance.choice(
        [
            ("add_rows", 2),
            ("add_rows", 3),
            ("add_cols", 1),
            ("resize", chance.randint(40, 42), 12),
            ("insert_row", [f"inserted {number}"], 2),
            ("insert_rows", [["i"], ["j"]], 1),
            ("insert_cols", [["c"]], 2),
            ("delete_rows", 1, 2),
            ("delete_columns", 3),
            ("freeze", 1),
            ("sort", (1, "asc")),
            ("get_all_cells",),
            ("clear",),
        ]
    )
    return _step(_sheet(chance), method, *args)


def _look(chance, _, number):
    method, *args = chance.choice(
        [
            ("update_title", chance.choice(["First", "Second"])),
            ("update_title", chance.choice(["First", "Third"])),
            ("update_tab_color", "#ff7f00"),
            ("clear_tab_color",),
            ("update_index", chance.randint(0, 2)),
            ("hide_gridlines",),
            ("show_gridlines",),
            ("update_note", "A1", f"note {number}"),
            ("format", "A1:B1", {"textFormat": {"bold": True}}),
            ("merge_cells", "C1:D2"),
            ("unmerge_cells", "C1:D2"),
        ]
    )
    return _step(_sheet(chance), method, *args)


def _property(chance, _, number):
    target, name = chance.choice(
        [
            ("ws", "row_count"), ("ws", "col_count"), ("ws", "title"), ("tail", "row_count"),
            ("ws", "tab_color"), ("ws", "frozen_row_count"), ("sh", "title"), ("ws", "index"),
            ("sh", "timezone"),
        ]
    )  # fmt: skip
    return Step(f"{target}.{name}", lambda side, _: getattr(getattr(side, target), name))


def _book(chance, _, number):
    method, *args = chance.choice(
        [
            ("update_title", chance.choice(["Books", "Volumes"])),
            ("update_locale", chance.choice(["de_DE", "en_US"])),
            ("values_append", "It's!A1", {"valueInputOption": "RAW"}, {"values": [[number]]}),
            ("values_get", "Sheet1!A1:B2"),
            ("worksheet", chance.choice(["Sheet1", "None"])),
            ("batch_update", {"requests": []}),
            ("add_worksheet", f"New {number}", 5, 5),
            ("fetch_sheet_metadata", {"fields": "sheets.properties.title"}),
        ]
    )
    return _step("sh", method, *args)


def _fault(chance, _, number):
    method, *args = chance.choice(
        [
            ("update", [["x"]], "nonsense range"),
            ("append_row", ["x"] * 3, "WRONG"),
            ("batch_clear", ["more nonsense"]),
            ("delete_rows", 900, 950),
            ("update_acell", "6A", "x"),
            ("insert_note", "A1", 3),
            ("add_rows", "x"),
            ("sort", (1, "up")),
            ("get", "nonsense range"),
            ("acell", "ZZZ9999999"),
        ]
    )
    return _step(_sheet(chance), method, *args)


def there(result):
    """Return a result that may be a future; raise the error of a call that had none."""
    if isinstance(result, Exception):
        raise result
    return result.result() if isinstance(result, Future) else result


def _rewrite(chance, steps, number):
    """Write back a cell that an earlier step has read: a result is an argument."""
    reads = [n for n, step in enumerate(steps) if ".acell('" in step.name]
    if not reads:
        return _write(chance, steps, number)
    used, target = chance.choice(reads), _sheet(chance)
    return Step(
        f"{target}.update_cells([result {used}])",
        lambda side, results: getattr(side, target).update_cells([there(results[used])]),
    )


_TABLE = {
    _append: 24, _appends: 6, _write: 16, _update: 6, _batch: 3, _clear: 3, _read: 20, _shape: 10,
    _look: 4, _property: 4, _book: 4, _fault: 5, _rewrite: 3,
}  # fmt: skip
_MAKERS, _WEIGHTS = list(_TABLE), list(_TABLE.values())
