"""Exceptions: class, arguments, attributes, cause and the server's traceback.

Decoding runs none of the class's own code: the constructor of its builtin base class makes the
object, and then it gets its attributes. An exception that cannot be made so becomes a
:class:`~queued_gspread.errors.RemoteError`.
"""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import requests
from gspread import Spreadsheet, Worksheet
from gspread.exceptions import APIError

from queued_gspread.errors import CodecError, RemoteError
from queued_gspread.google_api.responses import is_error, is_plain, made_up_response, refusal

from .builtin_exceptions import Unfit, construct, fields_of, native_base
from .dict_keys import TAG
from .exception_classes import CLASSES, GROUP, name_of
from .responses import shown_request
from .scrub import clean, describe, outline, scrub
from .tagged import ANYTHING, TaggedType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .encoder import Encoder

__all__ = ["KINDS", "Raised"]

_MAX_NESTED: Final = 8
_MAX_COUNT: Final = 256
_MAX_NAME: Final = 200
_NOTES: Final = "__notes__"


class Raised:
    """An exception that should arrive with its traceback."""

    __slots__ = ("exception",)

    def __init__(self, exception: BaseException) -> None:
        self.exception = exception


def _text(exc: BaseException) -> str:
    try:
        text = str(exc)
    except Exception:  # noqa: BLE001 - foreign code, and only its text is wanted
        text = describe(exc)
    name = name_of(type(exc))
    return clean(f"{name}: {text}" if text else name)


@contextmanager
def _nested(encoder: Encoder, exc: BaseException) -> Iterator[None]:
    encoder.exception_count += 1
    encoder.exceptions.append(id(exc))
    try:
        yield
    finally:
        encoder.exceptions.pop()


def _too_many(encoder: Encoder, exc: BaseException) -> bool:
    return (
        id(exc) in encoder.exceptions
        or len(encoder.exceptions) >= _MAX_NESTED
        or encoder.exception_count >= _MAX_COUNT
    )


def _somehow(encoder: Encoder, step: str, value: Any) -> Any:
    """Encode ``value``, or at least its type: an exception must always arrive."""
    depth = len(encoder.path)

    def travels(part: Any) -> bool:
        known = type(part) in encoder.plain or encoder.handlers.get(type(part))
        return bool(known or encoder.find(part)) and not isinstance(part, (Spreadsheet, Worksheet))

    try:
        return encoder.at(step, scrub(value, travels))
    except Exception:  # noqa: BLE001 - a Mapping is foreign code and may raise anything
        del encoder.path[depth:]
        return outline(value)


def _arguments(exc: BaseException) -> tuple[Any, ...]:
    if isinstance(exc, GROUP):
        return (exc.message, list(exc.exceptions))
    return exc.args


def _attributes(exc: BaseException) -> dict[str, Any]:
    # A request holds the Authorization header. The attribute itself belongs to the class, so it
    # stays, without that content.
    return {
        name: shown_request(value) if name.strip("_") == "request" else value
        for name, value in vars(exc).items()
        if type(name) is str and name != TAG
    }


def _state(encoder: Encoder, exc: BaseException) -> list[Any]:
    name = name_of(type(exc))
    if _too_many(encoder, exc):
        # Its text may be as deeply nested as the exception.
        return [name_of(RemoteError), [f"{name}: nested too deeply to be carried"], {}, {}]
    if CLASSES.get(name) is not type(exc):
        notes = _somehow(encoder, _NOTES, getattr(exc, _NOTES, None))
        return [name_of(RemoteError), [_text(exc)], {}, {_NOTES: notes}]
    with _nested(encoder, exc):
        return [
            name,
            [_somehow(encoder, "args", value) for value in _arguments(exc)],
            {key: _somehow(encoder, key, value) for key, value in fields_of(exc).items()},
            {key: _somehow(encoder, key, value) for key, value in _attributes(exc).items()},
        ]


def _cause(encoder: Encoder, exc: BaseException) -> Any:
    cause = exc.__cause__
    with _nested(encoder, exc):
        if cause is None or _too_many(encoder, cause):
            return None
        return encoder.at("__cause__", cause)


def _encode(encoder: Encoder, exc: BaseException) -> Sequence[Any]:
    return (*_state(encoder, exc), _cause(encoder, exc), None)


def _encode_raised(encoder: Encoder, raised: Raised) -> Sequence[Any]:
    *fields, _ = _encode(encoder, raised.exception)
    return (*fields, _trace(raised.exception))


def _trace(exc: BaseException) -> str | None:
    if exc.__traceback__ is None:
        return None
    try:
        lines = traceback.format_exception(type(exc), exc, exc.__traceback__)
    except Exception:  # noqa: BLE001 - it reads attributes that any code may have set
        lines = traceback.format_tb(exc.__traceback__)
    return clean("".join(lines)).rstrip()


def _make(
    name: str, args: list[Any], fields: dict[str, Any], attributes: dict[str, Any]
) -> Exception:
    cls = CLASSES.get(name)
    if cls is None:
        return RemoteError(_shown(name, args))
    try:
        exc = construct(cls, args, fields)
    except Unfit:
        return RemoteError(
            f"{_shown(name, args)} (it arrived without what such an exception holds)"
        )
    # Copying the exception would set a name that the builtin class knows in its C structure.
    base = native_base(cls)
    vars(exc).update(
        {
            key: value
            for key, value in attributes.items()
            if type(key) is str and not key.startswith("__") and not hasattr(base, key)
        }
    )
    if isinstance(exc, APIError):
        _complete(exc)
    return exc


def _complete(exc: APIError) -> None:
    """Give an APIError what its methods need, so that it can be shown, copied and pickled."""
    state = vars(exc)
    response = state.get("response")
    if not isinstance(response, requests.Response):
        response = made_up_response(0, "UNKNOWN", _UNKNOWN)
    # gspread unpickles an APIError by making it anew of its response.
    exc.response = response if is_plain(response) else refusal(response)
    if not is_error({"error": state.get("error")}):
        exc.error = {"code": -1, "message": refusal(response).text, "status": "UNKNOWN"}
    exc.code = exc.error["code"]


def _shown(name: str, args: list[Any]) -> str:
    text = args[0] if len(args) == 1 and type(args[0]) is str else ", ".join(map(describe, args))
    return f"{name[:_MAX_NAME]}: {text}" if text else name[:_MAX_NAME]


def _decode(
    name: str,
    args: list[Any],
    fields: dict[str, Any],
    attributes: dict[str, Any],
    cause: Any,
    trace: str | None,
) -> Exception:
    if cause is not None and not isinstance(cause, Exception):
        raise CodecError("the cause is not an exception")
    exc = _make(name, args, fields, attributes)
    if cause is not None:
        exc.__cause__ = cause
    _annotate(exc, attributes.get(_NOTES), trace)
    return exc


def _annotate(exc: Exception, notes: Any, trace: str | None) -> None:
    kept = [note for note in notes if type(note) is str] if type(notes) is list else []
    if trace is not None:
        kept.append(f"On the server:\n{trace}")
    if kept:
        # Python 3.10 has no add_note(), but allows the attribute.
        vars(exc)[_NOTES] = kept


_UNKNOWN: Final = {"message": "what Google answered is not known", "status": "UNKNOWN"}

_FIELDS: Final[tuple[tuple[type, ...], ...]] = (
    (str,),
    (list,),
    (dict,),
    (dict,),
    ANYTHING,
    (str, type(None)),
)

KINDS: Final = (
    TaggedType("exception", (BaseException,), _encode, _FIELDS, _decode, inherit=True),
    TaggedType("exception", (Raised,), _encode_raised, _FIELDS, _decode),
)
