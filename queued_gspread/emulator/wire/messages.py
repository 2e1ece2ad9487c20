"""The messages in requests, read as Google reads proto3's JSON, by its own description of them.

What is null is absent, and so is an empty list. One value may stand for a list of one, and a list
of lists for one list. Numbers and truths may be texts. A field's name may be in snake case.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

from .description import camel, fields_of, method, snake, values_of
from .errors import invalid_fields, sheets_unimplemented, unknown_field, unknown_parameter
from .field_mask import parse_mask, paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .description import Field

Json = dict[str, Any]
_V4 = "type.googleapis.com/google.apps.sheets.v4."
_TYPES = {
    "Color": "type.googleapis.com/google.type.Color",
    "bool": "TYPE_BOOL",
    "double": "TYPE_DOUBLE",
    "float": "TYPE_FLOAT",
    "int": "TYPE_INT32",
    "mask": "type.googleapis.com/google.protobuf.FieldMask",
    "string": "TYPE_STRING",
}
_NUMBERS = frozenset({"int", "double", "float"})
_TRUTHS = dict.fromkeys(["true", "t", "yes", "y", "1"], True) | dict.fromkeys(
    ["false", "f", "no", "n", "0"], False
)
_NUMERAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_NOT_READ = object()
# Fields that Google would store or obey, and the emulator would drop.
_NOT_KEPT = frozenset(
    [
        *("chipRuns", "dataSourceColumnReference", "dataSourceFormula"),
        *("dataSourceSheetDimensions", "dataSourceSheetProperties", "dataSourceSheetRange"),
        *("dataSourceTable", "filteredRowsIncluded", "pivotTable", "tableId"),
        "useAlternateSeries",
    ]
)
_OF_TABLES = frozenset({"AppendCellsRequest", "DeleteTableRequest", "Table"})


def read_message(kind: str, value: Json, where: str = "", is_kept: bool = False) -> Json:
    """Return a message with the names and the types that Google's description gives its fields.

    Raises Google's 400 for all fields at once that are unknown or cannot be of their type, and a
    501 for one that the emulator would drop. One that is kept, in a state, may have more fields.
    """
    reader = _Reader(is_kept)
    found = reader.message(kind, value, where)
    reader.refuse()
    return found


def read_body(name: str, body: Json) -> Json:
    """Return the body of a request to a method."""
    kind = method(name).body
    where = "data" if kind == "ValueRange" else ""
    return body if kind == "-" else read_message(kind, body, where)


def read_query(name: str, query: Mapping[str, str]) -> Json:
    """Return the parameters of a request to a method; an empty text is an absent one."""
    reader, known, found = _Reader(), method(name).query, {}
    for parameter, text in query.items():
        if parameter not in known:
            raise unknown_parameter(parameter)
        if text:
            found[parameter] = reader.single(known[parameter], text, parameter)
    reader.refuse()
    return found


def check_mask(name: str, mask: str) -> None:
    """Raise Google's 400 for a mask that names a field that a method's answer does not have.

    The Sheets API treats a space as part of the name beside it.
    """
    spaced = next((part for part in re.split(r"[,()]", mask) if re.search(r"\s", part)), None)
    if spaced is not None:
        raise unknown_field(mask, spaced)
    for path in paths(parse_mask(mask)):
        if not _exists(method(name).answer, path):
            raise unknown_field(mask, ".".join(path))


def _exists(kind: str, path: tuple[str, ...]) -> bool:
    if not path or path[0] == "*":
        return True
    field = fields_of(kind).get(path[0])
    if field is None or field.name != path[0]:
        return False
    return _exists(field.kind, path[1:]) if field.is_message else path[1:] in {(), ("*",)}


class _Reader:
    """Reads messages, and collects what is wrong with them."""

    def __init__(self, is_kept: bool = False) -> None:
        self.is_kept = is_kept
        self.limit = math.inf if is_kept else 2**31
        self.wrong: list[tuple[str, str]] = []

    def refuse(self) -> None:
        """Raise Google's 400 if anything is wrong."""
        if self.wrong:
            raise invalid_fields(self.wrong)

    def message(self, kind: str, value: Json, where: str) -> Json:
        known, found = fields_of(kind), {}
        for name, part in value.items():
            if part is None:
                continue
            field = known.get(name)
            if field and part and field.name in _NOT_KEPT and kind not in _OF_TABLES:
                raise sheets_unimplemented(f"The emulator does not keep {where}.{field.name}.")
            taken = self._field(field, part, where) if field else self._unknown(name, part, where)
            if taken is not _NOT_READ:
                found[field.name if field else name] = taken
        return found

    def single(self, field: Field, value: Any, where: str) -> Any:
        if field.is_message:
            if isinstance(value, dict):
                return self.message(field.kind, value, where)
        elif isinstance(value, dict):
            parent, _, name = where.rpartition(".")
            return self._wrong(parent, self._spelled(name), "Starting an object on a scalar field")
        else:
            taken = _scalar(field.kind, value, self.limit)
            if taken is not None:
                return taken
        kind = _TYPES.get(field.kind, f"{_V4}{field.kind}")
        return self._wrong(where, kind, json.dumps(value))

    def _field(self, field: Field, value: Any, where: str) -> Any:
        place = f"{where}.{field.name}".lstrip(".")
        if field.kind == "any":
            return value
        if field.by_name:
            return self._by_name(field, value, place)
        if field.repeated:
            found = [self.single(field, *item) for item in _items(value, place)]
            # Google does not tell an empty list from an absent one.
            return found if found or self.is_kept else _NOT_READ
        if isinstance(value, list):
            return self._misplaced(
                field.name, where, "Proto field is not repeating, cannot start list."
            )
        return self.single(field, value, place)

    def _by_name(self, field: Field, value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(place, f"{_V4}{field.kind}", json.dumps(value))
        parts = value.items()
        return {key: self.single(field, part or {}, f"{place}.{key}") for key, part in parts}

    def _unknown(self, name: str, value: Any, parent: str) -> Any:
        return value if self.is_kept else self._misplaced(name, parent, "Cannot find field.")

    def _misplaced(self, name: str, parent: str, why: str) -> object:
        parent = self._spelled(parent)
        at = f" at '{parent}'" if parent else ""
        message = f'Invalid JSON payload received. Unknown name "{name}"{at}: {why}'
        self.wrong.append((parent, message))
        return _NOT_READ

    def _wrong(self, where: str, kind: str, shown: str) -> object:
        where = self._spelled(where)
        self.wrong.append((where, f"Invalid value at '{where}' ({kind}), {shown}"))
        return _NOT_READ

    def _spelled(self, where: str) -> str:
        return where if self.is_kept else snake(where)


def _items(value: Any, place: str) -> Iterator[tuple[Any, str]]:
    """Yield the items of a repeated field with their places, without nulls."""
    if not isinstance(value, list):
        yield value, place
        return
    for index, item in enumerate(_flat(value)):
        if item is not None:
            yield item, f"{place}[{index}]"


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _scalar(kind: str, value: Any, limit: float) -> Any:
    """Return a value as one of this type; None if it cannot be one."""
    if isinstance(value, bool):
        return value if kind == "bool" else None
    if kind in {"string", "mask"}:
        return None if not isinstance(value, str) else camel(value) if kind == "mask" else value
    if kind == "bool":
        return _TRUTHS.get(value.lower()) if isinstance(value, str) else None
    if kind in _NUMBERS:
        return _number(kind, value, limit)
    values = values_of(kind)
    if isinstance(value, str):
        return value if value in values else None
    return dict(enumerate(values)).get(_number("int", value, limit))


def _number(kind: str, value: Any, limit: float) -> Any:
    """Return a number, which may be a text; a whole one may have a fraction of zero."""
    if isinstance(value, str):
        value = float(value) if _NUMERAL.fullmatch(value) else None
    if not isinstance(value, (int, float)):
        return None
    if kind != "int":
        return value if abs(value) <= sys.float_info.max else None
    return int(value) if value % 1 == 0 and -limit <= value < limit else None
