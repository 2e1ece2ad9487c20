"""The wire format: typed JSON, in which plain data stays plain.

    plain value       null, true, false, numbers, strings, arrays and objects, as in JSON
    tagged value      {"~": [tag, field, ...]}, an object with that one key

An int has no point and no exponent, a float has one. The text is UTF-8; lone surrogates are
written in three bytes, as Python's ``surrogatepass`` does. NaN and infinities are tagged.

    tag           fields
    ----------    ------------------------------------------------------------------
    tuple         items
    set           items
    frozenset     items
    dict          key, value, key, value ... in one array: a dict whose keys are not
                  all strings, or that has the key "~"
    float         "nan", "inf" or "-inf"
    bytes         base64 (a bytearray arrives as bytes)
    datetime      ISO 8601 without zone, fold, offset (a timedelta or null)
    date          ISO 8601
    time          as datetime
    timedelta     days, seconds, microseconds
    pattern       pattern (string or bytes), flags
    enum          class and name of a member of gspread.utils
    generator     items; arrives as a generator
    cell          row, column, value                              gspread.Cell
    values        _json, items                                    gspread's ValueRange
    spreadsheet   _properties
    worksheet     id and title of its spreadsheet in an object, _properties
    response      status, reason, URL, encoding, elapsed, headers as pairs, body
    exception     "module.Class", args, what builtin classes keep in C, __dict__,
                  __cause__, traceback as text

Any other tag, another number of fields, or a field of another type is refused, as is an
object that has the key "~" beside others. A document does not name its version: whoever puts
it into an envelope writes ``WIRE_VERSION`` there.

What goes out: instances of subclasses of int, float, str, list, dict and tuple go as these,
as with ``json.dumps``; so do those of gspread's classes. Never a request, a cookie or an
Authorization header. Exceptions come back with class, args and attributes if their class is
one of gspread, requests, google.auth, this package or a builtin ``Exception``, otherwise as
``RemoteError``. What of their state cannot travel comes back as its repr.

Nothing that arrives is executed: a tag selects a row of a table, and exceptions are
assembled without their constructors.

The standard library's ``json`` does this: for a million cells there and back orjson and
msgspec are 1.9 and 2.1 times as fast, for a call's 20 strings they save 3 of the hundreds
of microseconds that the call takes, and neither takes the other values unaltered (orjson
refuses larger ints, both refuse lone surrogates and turn NaN into null).
"""

from __future__ import annotations

from typing import Any, Final

from queued_gspread.codec.decoder import decode_plain, may_hold_tags
from queued_gspread.codec.encoder import MAX_DEPTH, Unencodable
from queued_gspread.codec.engine import pack
from queued_gspread.codec.exceptions import Raised
from queued_gspread.codec.objects import Objects
from queued_gspread.codec.registry import make_decoder, make_encoder
from queued_gspread.codec.values import Generated
from queued_gspread.errors import CodecError

__all__ = [
    "MAX_DEPTH",
    "WIRE_VERSION",
    "Generated",
    "Objects",
    "Raised",
    "Unencodable",
    "dumps",
    "encode_exception",
    "loads",
]

WIRE_VERSION: Final = 1

_without_objects = make_decoder(None)


def dumps(value: Any, /) -> bytes:
    """Write one value; :class:`Unencodable`, a TypeError, if it cannot travel."""
    try:
        try:
            return pack(make_encoder(strict=False).visit(value))
        except ValueError:
            # Some number has no JSON form. That is rare, and looking for it is slow.
            return pack(make_encoder(strict=True).visit(value))
    except RecursionError:
        raise Unencodable("the value is nested too deeply for this stack") from None


def encode_exception(exc: BaseException, /, *, with_traceback: bool = True) -> bytes:
    """Write an exception, whatever it holds; :func:`loads` returns it, and does not raise it.

    With the traceback, its text is the last of the decoded exception's ``__notes__``. To
    put an exception with its traceback into a larger value, wrap it in :class:`Raised`.
    """
    return dumps(Raised(exc) if with_traceback else exc)


def loads(data: bytes, /, objects: Objects | None = None, *, patterns: bool = True) -> Any:
    """Read one value; :class:`~queued_gspread.errors.CodecError` if ``data`` holds none.

    Spreadsheets and worksheets become what ``objects`` makes of them. Regular expressions are
    refused where ``patterns`` says so.
    """
    try:
        if not may_hold_tags(data):
            return decode_plain(data)
        is_usual = objects is None and patterns
        decoder = _without_objects if is_usual else make_decoder(objects, patterns=patterns)
        return decoder.decode(data)
    except UnicodeDecodeError as error:
        raise CodecError(f"not UTF-8 (at byte {error.start})") from None
    except ValueError as error:
        raise CodecError(f"not JSON: {error}") from None
    except (RecursionError, MemoryError) as error:
        raise CodecError(f"nested too deeply, or too large: {type(error).__name__}") from None
