"""Which values each message may contain, by type for encoding and by tag for decoding."""

from __future__ import annotations

from typing import Any, Final

from gspread import Spreadsheet, Worksheet

from . import exceptions, gspread_objects, python_values, responses
from .decoder import Decoder
from .encoder import Encoder, Handler

__all__ = ["JOB", "REPLY", "Table"]

_PORTABLE: Final = (
    *python_values.KINDS,
    *gspread_objects.KINDS,
    *responses.KINDS,
    *exceptions.KINDS,
)
_KINDS: Final = (*_PORTABLE, *gspread_objects.object_kinds(None))

# A job may have what gspread's arguments need, a reply what results or exceptions need.
_EVERYWHERE: Final = ("tuple", "dict", "float", "bytes", "enum")
_OBJECTS: Final = ("cell", "values", "spreadsheet", "worksheet")
# No method of gspread takes a spreadsheet. If one is passed, gspread shows it or iterates over it,
# which sends requests: those must be the caller's.
_IN_JOBS: Final = frozenset({*_EVERYWHERE, *_OBJECTS}) - {"spreadsheet"}
_IN_REPLIES: Final = frozenset(
    {*_EVERYWHERE, *_OBJECTS}
    | {"datetime", "date", "time", "timedelta", "request", "response", "exception"}
)


class Table:
    """The values that one kind of message may contain.

    Attributes:
        tags: Their tags.

    """

    def __init__(self, message: str, tags: frozenset[str]) -> None:
        self.tags = tags
        self._message = message
        kinds = [kind for kind in _KINDS if kind.tag in tags]
        self._handlers: dict[type, Handler] = {
            **python_values.HANDLERS,
            **{cls: kind.write for kind in kinds for cls in kind.types},
        }
        self._inherited: dict[type, Handler] = {
            **python_values.HANDLERS,
            **{cls: kind.write for kind in kinds if kind.inherit for cls in kind.types},
        }
        self._portable = {kind.tag: kind for kind in _PORTABLE if kind.tag in tags}
        self._without_objects = self._decoder(None)

    def encoder(self, *, strict: bool) -> Encoder:
        """Return an encoder for one value."""
        return Encoder(self._handlers, self._find, strict=strict)

    def decoder(self, target: gspread_objects.Objects | None) -> Decoder:
        """Return a decoder whose spreadsheets and worksheets ``target`` makes."""
        return self._without_objects if target is None else self._decoder(target)

    def _decoder(self, target: gspread_objects.Objects | None) -> Decoder:
        own = {
            kind.tag: kind for kind in gspread_objects.object_kinds(target) if kind.tag in self.tags
        }
        return Decoder({**self._portable, **own}, self._message)

    def _find(self, value: Any) -> Handler | None:
        for base in type(value).__mro__:
            if base in self._inherited:
                return self._inherited[base]
        # A proxy has its own type, and shows only by __class__ what it stands for.
        for base in (Worksheet, Spreadsheet):
            if isinstance(value, base):
                return self._inherited.get(base)
        return None


JOB: Final = Table("job", _IN_JOBS)
REPLY: Final = Table("reply", _IN_REPLIES)
