"""Bounds for what gspread makes of a few arguments: rectangles of cells, and column numbers.

gspread pads rectangles with empty cells: between two cells to write, around the values of a range,
up to the end of a sheet. Two cells are a small job, but may span more than a machine can hold. So
some of gspread's functions are wrapped with a check, which is active only in threads that make a
server's call (:mod:`.running_call`).
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import gspread
from gspread.exceptions import IncorrectCellLabel
from gspread.utils import a1_to_rowcol

from queued_gspread.errors import CallRefusedError
from queued_gspread.protocol.patches import put

from .running_call import running_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.protocol.messages import Job

    from .request import Request

__all__ = ["MOST_CELLS", "MOST_OBJECTS", "check", "install", "made_of"]

MOST_CELLS: Final = 10_000_000
"""The largest rectangle, in cells: as many as Google allows in a spreadsheet."""

MOST_OBJECTS: Final = 2_500_000
"""The largest rectangle of gspread's ``Cell``, which take 150 bytes each and 550 in a reply, or
of values to send: with more, the request exceeds 10 MiB and Google refuses it."""

# gspread's work on a label grows faster than its length: powers of 26, a search from each letter.
_LONGEST_LABEL: Final = 1_000

_RANGE: Final = re.compile(rb'"range": *"((?:[^"\\]|\\.){0,1000})"')
_CORNERS: Final = re.compile(r"([A-Za-z]{1,4}[0-9]{1,9}):([A-Za-z]{1,4}[0-9]{1,9})")

_COUNTLESS: Final = 10**12

_OF_OBJECTS: Final = {"range", "get_all_cells", "named_range", "update_cells"}
_OF_OBJECTS_IN_ALL: Final = {"find", "findall"}


def made_of(job: Job, request: Request, content: bytes) -> tuple[int, bool]:
    """Return how many cells gspread makes of an answer at most, and whether they are ``Cell``.

    The answer may have fewer: gspread makes a cell for every place of a range, empty ones too.
    """
    label = unquote(request.path.partition("/values/")[2])
    found = _RANGE.search(content) if label else None
    if found is None:
        return 0, False
    cells = max(_cells_in(label), _cells_in(found[1].decode(errors="replace")))
    if not _makes_objects(job):
        return min(cells, MOST_CELLS), False
    # The caller's copy of the sheet decides how many rows there are.
    is_open = ":" in label.rpartition("!")[2] and not _cells_in(label)
    return MOST_OBJECTS if is_open else min(cells, MOST_OBJECTS), True


def _cells_in(label: str) -> int:
    """Return how many cells a range has; 0 if it does not give all four ends."""
    found = _CORNERS.fullmatch(label.rpartition("!")[2])
    if found is None:
        return 0
    (top, left), (bottom, right) = map(a1_to_rowcol, found.groups())
    rows, columns = bottom - top + 1, right - left + 1
    return max(rows, 1) * max(columns, 1)


def check(rows: int, columns: int) -> None:
    """Raise :class:`CallRefusedError` if the running call makes too large a rectangle."""
    call = running_call()
    if call is None:
        return
    job = call.job
    most = MOST_OBJECTS if _makes_objects(job) else MOST_CELLS
    cells = max(rows, 1) * max(columns, 1)
    if not cells <= most:  # NaN is neither
        raise CallRefusedError(
            f"{job.kind}.{job.method} makes a rectangle of {_shown(rows)} rows and "
            f"{_shown(columns)} columns, {_shown(cells)} cells, and the server makes {most:,} at "
            "the most: read or write what there is in several ranges, by batch_get() or "
            "batch_update()"
        )


def _shown(number: int) -> str:
    # Python refuses to format a number of thousands of digits.
    return f"{number:,}" if number < _COUNTLESS else f"over {_COUNTLESS:,}"


def _makes_objects(job: Job) -> bool:
    if job.method in _OF_OBJECTS_IN_ALL:
        # With a row or column given, gspread only makes cells of that.
        named = (*job.args[1:3], job.kwargs.get("in_row"), job.kwargs.get("in_column"))
        return all(each is None for each in named)
    return job.method in _OF_OBJECTS


def _check_filled(values: Any, rows: Any = None, cols: Any = None, *_: Any, **__: Any) -> None:
    columns = max(map(len, values), default=0) if cols is None else cols
    check(len(values) if rows is None else rows, columns)


def _check_cells(cells: Any) -> None:
    if cells:
        check(_extent([cell.row for cell in cells]), _extent([cell.col for cell in cells]))


def _extent(numbers: list[Any]) -> Any:
    # Two large floats may differ by 0 where gspread's integers differ by more.
    whole = [int(one) if isinstance(one, float) and one == one else one for one in numbers]  # noqa: PLR0124 - NaN
    return max(whole) - min(whole) + 1


def _check_label(label: Any) -> None:
    if len(label) > _LONGEST_LABEL and running_call() is not None:
        raise IncorrectCellLabel(f"{label[:20]}…")


def _looking_first(look: Callable[..., None], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def looks_first(*args: Any, **kwargs: Any) -> Any:
        # For unusable arguments, gspread raises its own error.
        with suppress(TypeError, ValueError, AttributeError):
            look(*args, **kwargs)
        return function(*args, **kwargs)

    return looks_first


def install() -> None:
    """Wrap the functions."""
    for module, name, look in (
        (gspread.worksheet, "fill_gaps", _check_filled),
        (gspread.worksheet, "cell_list_to_rect", _check_cells),
        (gspread.worksheet, "a1_to_rowcol", _check_label),
        (gspread.worksheet, "is_full_a1_notation", _check_label),
        (gspread.utils, "a1_to_rowcol", _check_label),
        (gspread.utils, "_a1_to_rowcol_unbounded", _check_label),
    ):
        if hasattr(module, name):  # other versions of gspread may lack one
            put(module, name, _looking_first(look, getattr(module, name)))
