"""Python's own values that JSON cannot express."""

from __future__ import annotations

import base64
import enum
import math
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from gspread import utils

from queued_gspread.errors import CodecError

from .dict_keys import TAG, wrong_keys
from .encoder import Encoder, Handler
from .tagged import TaggedType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["ENUMS", "HANDLERS", "KINDS"]

_FLOATS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

ENUMS: Final[dict[str, type[enum.Enum]]] = {
    name: cls
    for name, cls in vars(utils).items()
    if isinstance(cls, type) and issubclass(cls, enum.Enum) and len(cls)
}


def _items(encoder: Encoder, value: Iterable[Any]) -> Sequence[Any]:
    return (encoder.items(value),)


def _dict(flat: list[Any]) -> dict[Any, Any]:
    wrong = wrong_keys(flat[::2])
    if wrong is not None:
        raise CodecError(wrong)
    pairs = dict(zip(flat[::2], flat[1::2], strict=True))
    if 2 * len(pairs) != len(flat):
        raise CodecError("a key occurs twice")
    return pairs


def _base64(_: Encoder, value: bytes) -> Sequence[Any]:
    return (base64.b64encode(value).decode("ascii"),)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _member(_: Encoder, value: enum.Enum) -> Sequence[Any]:
    return (type(value).__name__, value.name)


def _find_member(class_name: str, name: str) -> enum.Enum:
    return ENUMS[class_name][name]


def _moment(encoder: Encoder, value: datetime | time) -> Sequence[Any]:
    # fromisoformat() reads an offset below one second as UTC, so it travels separately.
    text = value.replace(tzinfo=None).isoformat()
    return (text, value.fold, encoder.visit(value.utcoffset()))


def _reader(cls: type[datetime | time]) -> Callable[..., datetime | time]:
    def read(text: str, fold: int, offset: timedelta | None) -> datetime | time:
        zone = None if offset is None else timezone(offset)
        return cls.fromisoformat(text).replace(fold=fold, tzinfo=zone)

    return read


def _integer(encoder: Encoder, value: int) -> int:
    number = int.__index__(value)
    if not encoder.strict or -(1 << 63) <= number < 1 << 63:
        return number
    try:
        str(number)
    except ValueError:
        raise encoder.refusal("an int with more digits than Python writes") from None
    return number


def _number(_: Encoder, value: float) -> Any:
    number = float.__float__(value)
    return number if math.isfinite(number) else {TAG: ["float", repr(number)]}


def _text(_: Encoder, value: str) -> str:
    return str.__str__(value)


# What JSON can express. Subclasses travel as these, as with json.dumps.
HANDLERS: Final[dict[type, Handler]] = {
    int: _integer,
    float: _number,
    str: _text,
    list: Encoder.items,
    dict: Encoder.mapping,
}

_LIST: Final[tuple[type, ...]] = (list,)
_STR: Final[tuple[type, ...]] = (str,)
_INT: Final[tuple[type, ...]] = (int,)
_MOMENT: Final[tuple[tuple[type, ...], ...]] = (_STR, _INT, (timedelta, type(None)))

KINDS: Final = (
    TaggedType("tuple", (tuple,), _items, (_LIST,), tuple, inherit=True),
    TaggedType("bytes", (bytes,), _base64, (_STR,), _bytes),
    TaggedType("enum", tuple(ENUMS.values()), _member, (_STR, _STR), _find_member),
    TaggedType("datetime", (datetime,), _moment, _MOMENT, _reader(datetime)),
    TaggedType("time", (time,), _moment, _MOMENT, _reader(time)),
    TaggedType("date", (date,), lambda _, v: (v.isoformat(),), (_STR,), date.fromisoformat),
    TaggedType(
        "timedelta",
        (timedelta,),
        lambda _, v: (v.days, v.seconds, v.microseconds),
        (_INT, _INT, _INT),
        timedelta,
    ),
    # These two are encoded by the handlers of dict and float.
    TaggedType("dict", (), _items, (_LIST,), _dict),
    TaggedType("float", (), _items, (_STR,), _FLOATS.__getitem__),
)
