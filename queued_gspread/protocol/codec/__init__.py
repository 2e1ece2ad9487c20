"""The wire format: typed JSON, in which plain data stays plain.

    plain value       null, true, false, numbers, strings, arrays and objects, as in JSON
    tagged value      {"~": [tag, field, ...]}, an object with that one key

An int has no point and no exponent, a float has one. The text is UTF-8; lone surrogates are
written in three bytes, as Python's ``surrogatepass`` does. NaN and infinities are tagged.

    tag          in    fields
    -----------  ----  -----------------------------------------------------------------
    tuple        j r   items
    dict         j r   key, value, key, value ... in one array: a dict whose keys are not
                       all strings, or that has the key "~"
    float        j r   "nan", "inf" or "-inf"
    bytes        j r   base64
    enum         j r   class and name of a member of gspread.utils
    datetime       r   ISO 8601 without zone, fold, offset (a timedelta or null)
    date           r   ISO 8601
    time           r   as datetime
    timedelta      r   days, seconds, microseconds
    cell         j r   row, column, value                              gspread.Cell
    values       j r   _json, items                                    gspread's ValueRange
    spreadsheet    r   _properties
    worksheet    j r   id and title of its spreadsheet in an object, _properties
    request        r   method, URL
    response       r   status, reason, URL, encoding, elapsed, headers as pairs, body, request
    exception      r   "module.Class", args, what builtin classes keep in C, __dict__,
                       __cause__, traceback as text

The second column says what may stand in a job (``j``) and what in a reply or in a journal (``r``).
Any other tag, another number of fields, or a field of another type is refused, as is an
object that has the key "~" beside others. The keys of a dict are text; a hundred of one dict may
be null, booleans, floats and ints of 64 bits instead. A document does not name its version:
whoever puts it into an envelope writes ``WIRE_VERSION`` there.

Sets do not travel, since their order is that of one process. Regular expressions do not, since one
that never ends would stop its reader. Generators, iterators and files do not, since to draw them
is for whoever is given them.

What goes out: instances of subclasses of int, float, str, list, dict and tuple go as these,
as with ``json.dumps``; so do those of gspread's classes. Never a request as it was sent, a cookie
or an Authorization header. Exceptions come back with class, args and attributes if their class is
one of gspread, requests, google.auth, this package or a builtin ``Exception``, otherwise as
``RemoteError``. What of their state cannot travel comes back as its repr.

Nothing that arrives is executed: a tag selects a row of a table, and exceptions are made by
the constructors of builtin classes, of fields that are checked. An exception that cannot be made
so arrives as ``RemoteError``.

The standard library's ``json`` does this: for a million cells there and back orjson and
msgspec are 1.9 and 2.1 times as fast, for a call's 20 strings they save 3 of the hundreds
of microseconds that the call takes, and neither takes the other values unaltered (orjson
refuses larger ints, both refuse lone surrogates and turn NaN into null).
"""

from __future__ import annotations

from typing import Any, Final

from queued_gspread._interrupts import own
from queued_gspread.errors import CodecError

from .decoder import decode_plain, may_hold_tags
from .encoder import MAX_DEPTH, Unencodable
from .exceptions import Raised
from .gspread_objects import Objects
from .json_text import pack
from .registry import JOB, REPLY

__all__ = [
    "MAX_DEPTH",
    "WIRE_VERSION",
    "Objects",
    "Raised",
    "Unencodable",
    "dumps",
    "encode_exception",
    "loads",
]

WIRE_VERSION: Final = 1


def dumps(value: Any, /, *, in_job: bool = False) -> bytes:
    """Write one value; :class:`Unencodable`, a TypeError, if it cannot travel so.

    Args:
        value: The value.
        in_job: Whether it is for a job, not for a reply or a journal.

    """
    table = JOB if in_job else REPLY
    try:
        try:
            return pack(table.encoder(strict=False).visit(value))
        except own(ValueError):
            # Some number has no JSON form. That is rare, and looking for it is slow.
            return pack(table.encoder(strict=True).visit(value))
    except RecursionError:
        raise Unencodable("the value is nested too deeply for this stack") from None


def encode_exception(exc: BaseException, /, *, with_traceback: bool = True) -> bytes:
    """Write an exception, whatever it holds; :func:`loads` returns it, and does not raise it.

    With the traceback, its text is the last of the decoded exception's ``__notes__``. To
    put an exception with its traceback into a larger value, wrap it in :class:`Raised`.
    """
    return dumps(Raised(exc) if with_traceback else exc)


def loads(data: bytes, /, objects: Objects | None = None, *, in_job: bool = False) -> Any:
    """Read one value; :class:`~queued_gspread.errors.CodecError` if ``data`` holds none.

    Args:
        data: What :func:`dumps` wrote.
        objects: Makes spreadsheets and worksheets of what arrives; without it, none may.
        in_job: Whether it is from a job, not from a reply or a journal.

    """
    try:
        if not may_hold_tags(data):
            return decode_plain(data)
        return (JOB if in_job else REPLY).decoder(objects).decode(data)
    except UnicodeDecodeError as error:
        raise CodecError(f"not UTF-8 (at byte {error.start})") from None
    except ValueError as error:
        raise CodecError(f"not JSON: {error}") from None
    except (RecursionError, MemoryError) as error:
        raise CodecError(f"nested too deeply, or too large: {type(error).__name__}") from None
