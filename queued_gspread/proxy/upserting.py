"""Upserts: rows as users have them, on their way into the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from queued_gspread.errors import UpsertError
from queued_gspread.protocol.kinds import WORKSHEET

from .call import make_own_call
from .pipelining import current
from .worksheet import Worksheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .upserted import Upserted

__all__ = ["METHOD", "arguments", "upsert_rows"]

METHOD: Final = "upsert_rows"

_EXISTING: Final = ("update", "keep", "fail")
_OPTIONS: Final = ("RAW", "USER_ENTERED")
# Numpy's kinds of types for dates and durations.
_MOMENTS: Final = ("M", "m")


def upsert_rows(sheet: Any, rows: Any, **options: Any) -> Upserted:
    """Make the call; see :func:`queued_gspread.upsert_rows`."""
    pipeline = current()
    if pipeline is not None:
        (sheet, rows), options = pipeline.resolved((sheet, rows), options)
    args, kwargs = arguments(sheet, rows, **options)
    return cast("Upserted", make_own_call(sheet, WORKSHEET, METHOD, args, kwargs))


def arguments(
    sheet: Any, rows: Any, *, key: Any, existing: Any, head: Any, value_input_option: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a job; raise :class:`UpsertError` for what cannot be used."""
    if not isinstance(sheet, Worksheet):
        raise TypeError(
            f"upsert_rows takes a worksheet of a queued_gspread client, not a "
            f"{type(sheet).__module__}.{type(sheet).__qualname__}"
        )
    is_one = isinstance(key, str) or not isinstance(key, Iterable)
    keys = [*map(_plain, [key] if is_one else key)]
    if not keys or not all(isinstance(name, str) and name for name in keys):
        raise UpsertError(f"key={key!r} cannot be used: give a header, or a list of headers")
    if len(set(keys)) < len(keys):
        raise UpsertError(f"key={key!r} names a header twice")
    if existing not in _EXISTING:
        raise UpsertError(f"existing={existing!r} cannot be used: take one of {_EXISTING}")
    option = str(getattr(value_input_option, "value", value_input_option))
    if option not in _OPTIONS:
        raise UpsertError(f"value_input_option={option!r} cannot be used: take one of {_OPTIONS}")
    if type(head) is not int or head < 1:
        raise UpsertError(f"head={head!r} cannot be used: give the number of the header row")
    kwargs = {"key": keys, "existing": existing, "head": head, "value_input_option": option}
    return (_rows(rows),), kwargs


def _rows(rows: Any) -> list[Any]:
    if hasattr(rows, "columns") and hasattr(rows, "itertuples"):
        return _rows_of_frame(rows)
    if isinstance(rows, str | bytes | dict) or not isinstance(rows, Iterable):
        raise UpsertError(f"rows is a {type(rows).__name__}: give a list of dicts or of lists")
    return [_row(f"rows[{number}]", row) for number, row in enumerate(rows)]


def _rows_of_frame(frame: Any) -> list[Any]:
    """Return the rows of a ``pandas.DataFrame``; what is missing leaves its cell as it is."""
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise UpsertError(f"the DataFrame has a column twice: {names}")
    tuples: Iterable[Sequence[Any]] = frame.itertuples(index=False, name=None)
    return [
        _row(f"frame.iloc[{number}]", dict(zip(names, map(_or_none, row), strict=True)))
        for number, row in enumerate(tuples)
    ]


def _or_none(value: Any) -> Any:
    """Return None for NaN and NaT, which are not equal to themselves, and NA, which never says."""
    try:
        return None if value != value else value  # noqa: PLR0124 - NaN is not
    except (TypeError, ValueError):
        return None if type(value).__name__ == "NAType" else value


def _row(what: str, row: Any) -> Any:
    if isinstance(row, dict):
        return {_header(what, name): _value(what, name, value) for name, value in row.items()}
    if isinstance(row, list | tuple):
        return [_value(what, place, value) for place, value in enumerate(row)]
    raise UpsertError(
        f"{what} is a {type(row).__name__}: give a dict by header, or a list in their order"
    )


def _header(what: str, name: Any) -> str:
    if not isinstance(name, str):
        raise UpsertError(f"{what} has {name!r} for a header: give its text")
    return str.__str__(name)


def _plain(value: Any) -> Any:
    """Return a value without a class of its own, such as that of an enum's member."""
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base(value) if base is not str else str.__str__(value)
    return value


def _value(what: str, name: Any, given: Any) -> Any:
    """Return a value as JSON has it; numbers of numpy are such values too."""
    value = _unboxed(given) if hasattr(given, "item") and hasattr(given, "dtype") else given
    if value is None or isinstance(value, bool | int | float | str):
        return _plain(value)
    raise UpsertError(
        f"{what}[{name!r}] is a {type(given).__name__}, which no cell can have: give text (of a "
        "date, value.isoformat()), a number, True, False or None"
    )


def _unboxed(value: Any) -> Any:
    """Return the value that one of numpy's holds; a moment, held as a number, as it is."""
    if getattr(value.dtype, "kind", "") in _MOMENTS:
        return value
    try:
        return value.item()
    except ValueError:  # an array of several
        return value
