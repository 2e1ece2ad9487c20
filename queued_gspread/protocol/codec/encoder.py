"""Turns values into a tree that JSON can express."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from . import json_text
from .dict_keys import TAG, wrong_keys

__all__ = ["MAX_DEPTH", "Encoder", "Handler", "Unencodable"]

# Far beyond anything the Sheets API accepts, and far below Python's recursion limit:
# one level here is up to four in JSON.
MAX_DEPTH: Final = 100

_ALWAYS_PLAIN: Final[frozenset[type]] = frozenset({str, bool, type(None)})
_USUALLY_PLAIN: Final = _ALWAYS_PLAIN | {int, float}
_STR_ONLY: Final[frozenset[type]] = frozenset({str})
_SHOWN_STEPS: Final = 8


class Unencodable(TypeError):  # noqa: N818 - a signal inside this package
    """A value cannot travel; the text names its type and its place."""


Handler: TypeAlias = Callable[["Encoder", Any], Any]
Find: TypeAlias = Callable[[Any], Handler | None]


class Encoder:
    """One walk over one value.

    ``handlers`` encode the values of a type; ``find`` looks for a handler where the type itself
    has none. With ``strict``, each number is checked for having a JSON form.
    """

    def __init__(self, handlers: Mapping[type, Handler], find: Find, *, strict: bool) -> None:
        self.handlers = handlers
        self.find = find
        self.strict = strict
        self.plain = _ALWAYS_PLAIN if strict else _USUALLY_PLAIN
        self.path: list[Any] = []
        self.exceptions: list[int] = []
        self.exception_count = 0

    def visit(self, value: Any) -> Any:
        """Return the tree that stands for ``value``."""
        kind = type(value)
        if kind in self.plain:
            return value
        handler = self.handlers.get(kind) or self.find(value)
        if handler is None:
            raise self.refusal(f"{kind.__module__}.{kind.__qualname__} cannot travel")
        return handler(self, value)

    def at(self, step: Any, value: Any) -> Any:
        """Visit a value one level down."""
        self.path.append(step)
        if len(self.path) > MAX_DEPTH:
            raise self.refusal(f"more than {MAX_DEPTH} levels, or a structure that holds itself,")
        tree = self.visit(value)
        self.path.pop()
        return tree

    def items(self, values: Iterable[Any]) -> list[Any]:
        """Return the trees of all ``values``; a list of plain values is returned unchanged."""
        row = values if type(values) is list else list(values)
        if set(map(type, row)) <= _USUALLY_PLAIN and self._fits(row):
            return row
        return [self.at(number, value) for number, value in enumerate(row)]

    def mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        """Return an object for a dict with ordinary keys, a tagged list for any other."""
        pairs = value if type(value) is dict else dict(value.items())
        if not set(map(type, pairs)) <= _STR_ONLY or TAG in pairs:
            wrong = wrong_keys(pairs)
            if wrong is not None:
                raise self.refusal(f"a dict with {wrong} cannot travel")
            return {TAG: ["dict", self._flat(pairs)]}
        if set(map(type, pairs.values())) <= _USUALLY_PLAIN and self._fits(pairs):
            return pairs
        plain = self.plain
        return {
            key: item if type(item) in plain else self.at(key, item) for key, item in pairs.items()
        }

    def refusal(self, reason: str) -> Unencodable:
        """Return the exception that says why and where the walk failed."""
        steps = "".join(f"[{step!r:.40}]" for step in self.path[:_SHOWN_STEPS])
        more = "..." if len(self.path) > _SHOWN_STEPS else ""
        return Unencodable(f"{reason} (at value{steps}{more})")

    def _fits(self, tree: Any) -> bool:
        return not self.strict or json_text.fits(tree)

    def _flat(self, pairs: Mapping[Any, Any]) -> list[Any]:
        flat: list[Any] = []
        for key, item in pairs.items():
            flat += (self.at("key", key), self.at(key, item))
        return flat
