"""Fields of JSON objects and of queries: which values each accepts, and why not others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Json: TypeAlias = dict[str, Any]
# How the page asks for a value: `value` is JSON, or text if it is not valid JSON.
Form: TypeAlias = Literal["number", "seconds", "choice", "flag", "text", "value"]
_LONGEST_SHOWN = 200


class WrongFieldError(Exception):
    """A field that cannot be used: its name, its value and what to send instead."""

    def __init__(self, field: str, value: Any, remedy: str) -> None:
        """Build the message from the three."""
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        super().__init__(f"{field}={shown} cannot be used: take {remedy}.")
        self.field = field
        self.value = value


@dataclass(frozen=True)
class Kind:
    """A kind of value: its description, and which JSON values belong to it."""

    takes: str
    fits: Callable[[Any], bool]
    form: Form
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """What a field means and the kind of its value.

    For the page, `default` is the value if the field is left out, `example` a possible value.
    """

    about: str
    kind: Kind
    example: str = ""
    default: str = ""


def fields_json(fields: Mapping[str, Field]) -> Json:
    """Return everything that the page needs to ask for these fields."""
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
    """Return a text as a number, or as it is if it is not one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_SHOWN else text


def _read(name: str, value: Any, fields: Mapping[str, Field]) -> Any:
    field = fields.get(name)
    if field is None:
        known = ", ".join(fields) or "no field"
        raise WrongFieldError(name, value, f"a known field ({known})")
    if not field.kind.fits(value):
        raise WrongFieldError(name, value, field.kind.takes)
    return tuple(value) if isinstance(value, list) else value
