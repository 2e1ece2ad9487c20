"""The wire format: typed JSON, in which plain data stays plain.

    plain value       null, true, false, numbers, strings, arrays and objects, as in JSON
    tagged value      {"~": [tag, field, ...]}, an object with that one key

An int has neither a point nor an exponent, a float has one of them. The text is UTF-8; lone
surrogates take three bytes, as with Python's ``surrogatepass``. NaN and infinities are tagged.

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

The second column says what is allowed in a job (``j``) and in a reply or a journal (``r``). Any
other tag, another number of fields, or a field of another type is refused, as is an object that has
the key "~" beside others. The keys of a dict are text; up to a hundred keys of one dict may be
null, booleans, floats and 64-bit ints instead. A document does not contain its version: the message
around it has ``WIRE_VERSION``.

Sets do not travel, since their order is that of one process. Regular expressions do not, since one
that never ends would stop its reader. Generators, iterators and files do not, since only the code
that they are passed to should consume them.

Encoding: instances of subclasses of int, float, str, list, dict and tuple travel as these, as with
``json.dumps``; so do those of subclasses of gspread's classes. A request as it was sent, a cookie
or an Authorization header is never encoded. Exceptions keep class, args and attributes if their
class is one of gspread, requests, google.auth, this package or a builtin ``Exception``; others
become ``RemoteError``. A part of their state that cannot travel becomes its repr.

Decoding executes nothing that arrives: a tag selects a row of a table, and exceptions are made by
the constructors of builtin classes from checked fields. An exception that cannot be made so becomes
a ``RemoteError``.

Why the standard library's ``json``: for a million cells there and back orjson and msgspec are 1.9
and 2.1 times as fast, for a call's 20 strings they save 3 of the hundreds of microseconds that the
call takes, and neither keeps the other values unaltered (orjson refuses larger ints, both refuse
lone surrogates and turn NaN into null).
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

WIRE_VERSION: Final = 2
"""The newest version that is read. Only what an earlier version would misread has it: jobs under an
idempotency key. All else is of the first version."""


def dumps(value: Any, /, *, in_job: bool = False) -> bytes:
    """Encode one value; raise :class:`Unencodable`, a TypeError, if it cannot travel.

    Args:
        value: The value.
        in_job: Whether it is for a job, not for a reply or a journal.

    """
    table = JOB if in_job else REPLY
    try:
        try:
            return pack(table.encoder(strict=False).visit(value))
        except own(ValueError):
            # Some number has no JSON form. That is rare, and checking each number is slow.
            return pack(table.encoder(strict=True).visit(value))
    except RecursionError:
        raise Unencodable("the value is nested too deeply for this stack") from None


def encode_exception(exc: BaseException, /, *, with_traceback: bool = True) -> bytes:
    """Encode an exception, whatever it holds; :func:`loads` returns it without raising it.

    The traceback's text becomes the last of the decoded exception's ``__notes__``. To put an
    exception with its traceback into a larger value, wrap it in :class:`Raised`.
    """
    return dumps(Raised(exc) if with_traceback else exc)


def loads(data: bytes, /, objects: Objects | None = None, *, in_job: bool = False) -> Any:
    """Decode one value; raise :class:`~queued_gspread.errors.CodecError` if it is not valid.

    Args:
        data: What :func:`dumps` wrote.
        objects: Makes the spreadsheets and worksheets; without it, they are refused.
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
