"""Google's own description of the Sheets API: what its messages, enums and methods have.

The lines of `described` are read when something first asks for them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from .described import ENUMS, MESSAGES, METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_UPPER, _LOWER = re.compile("[A-Z]"), re.compile("_([a-z0-9])")


class Field(NamedTuple):
    """A field of a message: its name, the name of its type, and how it holds that."""

    name: str
    kind: str
    is_message: bool
    repeated: bool
    by_name: bool


class Method(NamedTuple):
    """A method: where it is, its body's and its answer's message, '-' for none, its parameters."""

    verb: str
    path: str
    body: str
    answer: str
    query: Mapping[str, Field]


def snake(name: str) -> str:
    """Return a name as the error messages spell it, and as requests may spell it too."""
    return _UPPER.sub(lambda found: f"_{found[0].lower()}", name)


def camel(mask: str) -> str:
    """Return a mask with names as answers have them."""
    return _LOWER.sub(lambda found: found[1].upper(), mask)


@cache
def fields_of(message: str) -> Mapping[str, Field]:
    """Return the fields of a message, by both of the names that each has in JSON."""
    found = _fields(_messages()[message])
    return found | {snake(name): field for name, field in found.items()}


@cache
def values_of(enum: str) -> tuple[str, ...]:
    """Return the values of an enum; none if that is not the name of one."""
    return tuple(_lines(ENUMS).get(enum, "").split())


@cache
def method(name: str) -> Method:
    """Return a method by its name, such as `values.update`."""
    verb, path, body, answer, *query = _lines(METHODS)[name].split(" ", 4)
    of_all = _lines(METHODS)["-"].split(" ", 4)[4]
    return Method(verb, path, body, answer, _fields("".join(query)) | _fields(of_all))


@cache
def _messages() -> Mapping[str, str]:
    return _lines(MESSAGES)


def _lines(text: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (line.partition(" ") for line in text.splitlines())}


def _fields(line: str) -> dict[str, Field]:
    return {name: _field(name, kind) for name, _, kind in (p.partition(":") for p in line.split())}


def _field(name: str, spelled: str) -> Field:
    kind = spelled.rstrip("*+")
    return Field(name, kind, kind in _messages(), spelled.endswith("*"), spelled.endswith("+"))
