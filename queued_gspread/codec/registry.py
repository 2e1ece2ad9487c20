"""All kinds in one table, by the type that is written and by the tag that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gspread import Spreadsheet, Worksheet

from queued_gspread.codec import exceptions, objects, responses, values
from queued_gspread.codec.decoder import Decoder
from queued_gspread.codec.encoder import Encoder, Handler

if TYPE_CHECKING:
    from queued_gspread.codec.kind import Kind

__all__ = ["make_decoder", "make_encoder"]

_PORTABLE: Final = (*values.KINDS, *objects.KINDS, *responses.KINDS, *exceptions.KINDS)
_KINDS: Final = (*_PORTABLE, *objects.object_kinds(None))

_HANDLERS: Final[dict[type, Handler]] = {
    **values.HANDLERS,
    **{cls: kind.write for kind in _KINDS for cls in kind.types},
}
_INHERITED: Final[dict[type, Handler]] = {
    **values.HANDLERS,
    **{cls: kind.write for kind in _KINDS if kind.inherit for cls in kind.types},
}
_BY_TAG: Final[dict[str, Kind]] = {kind.tag: kind for kind in _PORTABLE}
_BY_TAG_BUT_PATTERNS: Final = {tag: kind for tag, kind in _BY_TAG.items() if tag != "pattern"}


def _find(value: Any) -> Handler | None:
    for base in type(value).__mro__:
        if base in _INHERITED:
            return _INHERITED[base]
    # A proxy has a type of its own, and says only through __class__ what it stands for.
    for base in (Worksheet, Spreadsheet):
        if isinstance(value, base):
            return _INHERITED[base]
    return None


def make_encoder(*, strict: bool) -> Encoder:
    """Return an encoder for one value."""
    return Encoder(_HANDLERS, _find, strict=strict)


def make_decoder(target: objects.Objects | None, *, patterns: bool = True) -> Decoder:
    """Return a decoder that hands spreadsheets and worksheets to ``target``."""
    known = _BY_TAG if patterns else _BY_TAG_BUT_PATTERNS
    return Decoder({**known, **{kind.tag: kind for kind in objects.object_kinds(target)}})
