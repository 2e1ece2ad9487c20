"""gspread's own objects: they travel by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from gspread import Cell, Spreadsheet, Worksheet
from gspread.worksheet import ValueRange

from queued_gspread.errors import CodecError
from queued_gspread.protocol.objects import spreadsheet_of

from .tagged import ANYTHING, TaggedType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .encoder import Encoder

__all__ = ["KINDS", "Objects", "object_kinds"]


class Objects(Protocol):
    """Makes the spreadsheets and worksheets on the side that decodes them."""

    def spreadsheet(self, properties: dict[str, Any]) -> Any:
        """Return the spreadsheet with these properties."""

    def worksheet(self, spreadsheet: dict[str, Any], properties: dict[str, Any]) -> Any:
        """Return the worksheet with these properties.

        ``spreadsheet`` has its spreadsheet's ``id`` and, if known, ``title``.
        """


def _spreadsheet(encoder: Encoder, value: Spreadsheet) -> Sequence[Any]:
    return (encoder.at("_properties", dict(value._properties)),)  # noqa: SLF001


def _worksheet(encoder: Encoder, value: Worksheet) -> Sequence[Any]:
    # A hundred worksheets of one spreadsheet must not include it a hundred times.
    parent = spreadsheet_of(value)
    properties = dict(value._properties)  # noqa: SLF001
    return (encoder.at("_spreadsheet", parent), encoder.at("_properties", properties))


def _cell(encoder: Encoder, value: Cell) -> Sequence[Any]:
    return (
        encoder.at("row", value.row),
        encoder.at("col", value.col),
        encoder.at("value", value.value),
    )


def _value_range(encoder: Encoder, value: ValueRange) -> Sequence[Any]:
    metadata = encoder.at("_json", dict(value._json))  # noqa: SLF001
    return (metadata, encoder.items(list.__iter__(value)))


def _make_value_range(metadata: dict[str, Any], items: list[Any]) -> ValueRange:
    values = ValueRange(items)
    values._json = metadata  # noqa: SLF001 - gspread's constructor does not take it
    return values


_DICT: Final[tuple[type, ...]] = (dict,)

KINDS: Final = (
    TaggedType("cell", (Cell,), _cell, (ANYTHING,) * 3, Cell, inherit=True),
    TaggedType(
        "values", (ValueRange,), _value_range, (_DICT, (list,)), _make_value_range, inherit=True
    ),
)


def _refused(*_: Any) -> NoReturn:
    raise CodecError("gspread objects are not expected here")


def object_kinds(objects: Objects | None) -> tuple[TaggedType, ...]:
    """Return the kinds whose values need ``objects`` to be decoded."""
    sheet = _refused if objects is None else objects.spreadsheet
    worksheet = _refused if objects is None else objects.worksheet
    return (
        TaggedType("spreadsheet", (Spreadsheet,), _spreadsheet, (_DICT,), sheet, inherit=True),
        TaggedType("worksheet", (Worksheet,), _worksheet, (_DICT, _DICT), worksheet, inherit=True),
    )
