"""Fields of JSON objects and of queries: what each may hold, and what is wrong with a value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Json: TypeAlias = dict[str, Any]
# How the page asks for a value: `value` is JSON, or text where it is none.
Form: TypeAlias = Literal["number", "seconds", "choice", "flag", "text", "value"]
_LONGEST_SHOWN = 200


class WrongFieldError(Exception):
    """A field that cannot be used: its name, its value and what to send instead."""

    def __init__(self, field: str, value: Any, remedy: str) -> None:
        """Make the message of the three."""
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        super().__init__(f"{field}={shown} cannot be used: take {remedy}.")
        self.field = field
        self.value = value


@dataclass(frozen=True)
class Kind:
    """A kind of value: what to take, in words, and which JSON values are of it."""

    takes: str
    fits: Callable[[Any], bool]
    form: Form
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """What a field is about and the kind of its value.

    For those who are asked for it: `default` is what holds where it is left out, `example` a value
    that it might have.
    """

    about: str
    kind: Kind
    example: str = ""
    default: str = ""


def fields_json(fields: Mapping[str, Field]) -> Json:
    """Return all that is needed to ask a person for these fields."""
    return {
        name: {
            "about": field.about,
            "takes": field.kind.takes,
            "form": field.kind.form,
            "choices": list(field.kind.choices),
            "example": field.example,
            "default": field.default,
        }
        for name, field in fields.items()
    }


def read_object(
    body: Any, fields: Mapping[str, Field], required: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the fields of a JSON object, lists as tuples; raise WrongFieldError at the first."""
    if not isinstance(body, dict):
        raise WrongFieldError("body", body, "a JSON object")
    for name in required:
        if name not in body:
            raise WrongFieldError(name, None, fields[name].kind.takes)
    return {name: _read(name, value, fields) for name, value in body.items()}


def read_query(query: Mapping[str, str], fields: Mapping[str, Field]) -> dict[str, int]:
    """Return the whole numbers of a query; raise WrongFieldError as `read_object` does."""
    numbers = {name: whole_number(text) for name, text in query.items()}
    return {name: _read(name, value, fields) for name, value in numbers.items()}


def whole_number(text: str) -> int | str:
    """Return the number that a text is, or the text where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_SHOWN else text


def _read(name: str, value: Any, fields: Mapping[str, Field]) -> Any:
    field = fields.get(name)
    if field is None:
        known = ", ".join(fields) or "no field"
        raise WrongFieldError(name, value, f"a field that is known ({known})")
    if not field.kind.fits(value):
        raise WrongFieldError(name, value, field.kind.takes)
    return tuple(value) if isinstance(value, list) else value
