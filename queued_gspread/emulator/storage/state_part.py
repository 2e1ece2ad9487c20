"""A part of a state that is being read, and its place in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class DamagedError(ValueError):
    """Something in a state is invalid; the text names it and its place."""


class Part:
    """A JSON value with its place, such as `files[3].book`."""

    def __init__(self, content: Any, place: str = "") -> None:
        """Take the value at a place."""
        self.content = content
        self.place = place

    def __getitem__(self, name: str) -> Part:
        """Return a member of an object; raise DamagedError if there is none."""
        members = self.expect(dict)
        if name not in members:
            raise DamagedError(f"{self.place or 'it'} has no {name!r}")
        return Part(members[name], f"{self.place}.{name}".lstrip("."))

    def __iter__(self) -> Iterator[Part]:
        """Yield the items of a list."""
        for number, item in enumerate(self.expect(list)):
            yield Part(item, f"{self.place}[{number}]")

    def members(self) -> Iterator[tuple[str, Part]]:
        """Yield the names and values of an object."""
        return ((name, self[name]) for name in self.expect(dict))

    def expect(self, kind: type[T]) -> T:
        """Return the value, or raise DamagedError if it is of another kind."""
        if not isinstance(self.content, kind):
            raise DamagedError(f"{self.place or 'it'} is no {kind.__name__}")
        return self.content

    def read(self, reader: Callable[[Any], T]) -> T:
        """Return a function's result for the value, or raise DamagedError if it fails."""
        try:
            return reader(self.content)
        except DamagedError:
            raise
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise DamagedError(f"{self.place} cannot be read ({error})") from error
