"""The state that builtin exceptions keep outside ``args`` and ``__dict__``, and how to restore it.

Their C code trusts that state, so only their own constructors ever set it, and what those do not
check is checked here.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from queued_gspread._interrupts import own

from .exception_classes import GROUP
from .tagged import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Unfit", "construct", "fields_of", "native_base"]

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_NUMBER: Final[tuple[type, ...]] = (int, type(None))
_TEXT: Final[tuple[type, ...]] = (str, type(None))
_PATH: Final[tuple[type, ...]] = (str, bytes, int, type(None))

# Python prints a line of blanks and carets as long as a syntax error's offsets say.
_MOST_COLUMNS: Final = 100_000


class Unfit(Exception):  # noqa: N818 - a signal inside this package
    """The fields that arrived do not fit the class."""


@dataclass(frozen=True)
class _Native:
    """One row of the table.

    Attributes:
        fields: The names of the fields, with the exact types that each may have.
        arguments: Returns the constructor's arguments for ``args`` and all fields.
        has_own_args: Whether ``args`` must stay as the constructor sets them: copying an exception
            passes them on unchecked.

    """

    fields: Mapping[str, tuple[type, ...]]
    arguments: Callable[[list[Any], dict[str, Any]], Arguments]
    has_own_args: bool = False


def _nothing(_args: list[Any], _fields: dict[str, Any]) -> Arguments:
    return (), {}


def _group(args: list[Any], _: dict[str, Any]) -> Arguments:
    return tuple(args), {}


def _os_error(_: list[Any], fields: dict[str, Any]) -> Arguments:
    errno, strerror, filename, filename2, written = fields.values()
    if all(value is None for value in fields.values()):
        return (), {}
    # A BlockingIOError takes a number where others take the file's name.
    third = filename if written is None else written
    return (errno, strerror, third, None, filename2), {}


def _import_error(_: list[Any], fields: dict[str, Any]) -> Arguments:
    message = fields.pop("msg")
    return () if message is None else (message,), fields


def _named(_: list[Any], fields: dict[str, Any]) -> Arguments:
    return (), fields


def _stop(_: list[Any], fields: dict[str, Any]) -> Arguments:
    return (fields["value"],), {}


def _syntax_error(args: list[Any], fields: dict[str, Any]) -> Arguments:
    message, *location = fields.values()
    numbers = (number for number in location if type(number) is int)
    if not all(-1 <= number < _MOST_COLUMNS for number in numbers):
        raise Unfit
    if len(args) != 2:  # noqa: PLR2004 - with two, the second is the location
        return tuple(args), {}
    if not any(location):
        raise Unfit
    return (message, tuple(location if location[-1] is not None else location[:4])), {}


def _unicode_error(_: list[Any], fields: dict[str, Any]) -> Arguments:
    if not 0 <= fields["start"] <= fields["end"] <= len(fields["object"]):
        raise Unfit
    return tuple(fields.values()), {}


def _unicode(of: type, *, encoding: bool = True) -> _Native:
    fields = {"object": (of,), "start": (int,), "end": (int,), "reason": (str,)}
    return _Native({"encoding": (str,), **fields} if encoding else fields, _unicode_error, True)


# In the order of the constructor's arguments. Left out: the object of an AttributeError, which may
# be anything, and an ImportError's name_from, for which printing a traceback imports the module.
_NATIVES: Final[dict[Any, _Native]] = {
    OSError: _Native(
        {
            "errno": ANYTHING,
            "strerror": ANYTHING,
            "filename": _PATH,
            "filename2": _PATH,
            "characters_written": _NUMBER,
        },
        _os_error,
    ),
    ImportError: _Native({"msg": ANYTHING, "name": _TEXT, "path": _TEXT}, _import_error),
    AttributeError: _Native({"name": _TEXT}, _named),
    NameError: _Native({"name": _TEXT}, _named),
    StopIteration: _Native({"value": ANYTHING}, _stop),
    SyntaxError: _Native(
        {
            "msg": ANYTHING,
            "filename": _TEXT,
            "lineno": _NUMBER,
            "offset": _NUMBER,
            "text": _TEXT,
            "end_lineno": _NUMBER,
            "end_offset": _NUMBER,
        },
        _syntax_error,
        has_own_args=True,
    ),
    UnicodeDecodeError: _unicode(bytes),
    UnicodeEncodeError: _unicode(str),
    UnicodeTranslateError: _unicode(str, encoding=False),
    **({GROUP: _Native({}, _group, has_own_args=True)} if GROUP else {}),
    Exception: _Native({}, _nothing),
}


def native_base(cls: type[BaseException]) -> type[BaseException]:
    """Return the builtin class whose C structure the instances of ``cls`` have."""
    base: Any = cls
    while base.__module__ != builtins.__name__:
        base = base.__base__
    builtin: type[BaseException] = base
    return builtin


def fields_of(exc: BaseException) -> dict[str, Any]:
    """Return an exception's fields; those that are None count as not set."""
    fields = {}
    for name in _native(type(exc)).fields:
        try:
            value = getattr(exc, name)
        except (AttributeError, TypeError):
            continue  # never set
        if value is not None:
            fields[name] = value
    return fields


def construct(cls: type[Exception], args: list[Any], fields: Mapping[str, Any]) -> Exception:
    """Return an instance of ``cls``, made by the constructor of its builtin base class.

    Raises:
        Unfit: There is no such instance.

    """
    native, base = _native(cls), cast("Any", native_base(cls))
    kept = {name: fields.get(name) for name in native.fields}
    if any(types and type(kept[name]) not in types for name, types in native.fields.items()):
        raise Unfit
    try:
        positional, named = native.arguments(args, kept)
        exc: Exception = base.__new__(cls, *positional, **named)
        base.__init__(exc, *positional, **named)
    except own(Exception):  # the constructors raise various errors for bad arguments
        raise Unfit from None
    if not native.has_own_args:
        exc.args = tuple(args)
    return exc


def _native(cls: type[BaseException]) -> _Native:
    return next(native for base, native in _NATIVES.items() if issubclass(cls, base))
