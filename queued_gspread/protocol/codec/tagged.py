"""One row of the table of types that travel: a tag, and how to encode and decode its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .dict_keys import TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .encoder import Encoder

__all__ = ["ANYTHING", "TaggedType"]

# A field that may hold whatever loads() can return.
ANYTHING: Final[tuple[type, ...]] = ()


@dataclass(frozen=True)
class TaggedType:
    """How values of some classes are encoded, ``{"~": [tag, field, ...]}``, and decoded.

    ``fields`` lists, for each field, the exact types that ``decode`` accepts. With ``inherit``,
    instances of subclasses travel this way too, as the base class.
    """

    tag: str
    types: tuple[type, ...]
    encode: Callable[[Encoder, Any], Sequence[Any]]
    fields: tuple[tuple[type, ...], ...]
    decode: Callable[..., Any]
    inherit: bool = False

    def write(self, encoder: Encoder, value: Any) -> dict[str, list[Any]]:
        """Return the tagged object that stands for ``value``."""
        return {TAG: [self.tag, *self.encode(encoder, value)]}

    def wrong_field(self, fields: Sequence[Any]) -> str | None:
        """Return what is wrong with ``fields``, if anything."""
        if len(fields) != len(self.fields):
            return f"tag {self.tag!r} has {len(fields)} fields, not {len(self.fields)}"
        for number, (field, types) in enumerate(zip(fields, self.fields, strict=True), 1):
            if types and type(field) not in types:
                return f"tag {self.tag!r}, field {number}: {type(field).__name__} not allowed"
        return None
