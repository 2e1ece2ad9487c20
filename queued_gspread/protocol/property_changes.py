"""A call's changes to the ``_properties`` of its object, as data.

Two threads may make calls on one object. gspread changes row and column counts by ``+=`` and
``-=``: these travel as differences, so that no thread's rows are lost. Everything that it assigns
travels as an assignment, so that two ``resize(200)`` result in 200.

On the wire a change is ``[operation, path, value]``: ``["add", ["gridProperties",
"rowCount"], 1]``, ``["set", ["title"], "new"]``, ``["delete", ["tabColorStyle"], null]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from queued_gspread._fork import ForkLock
from queued_gspread.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Change", "apply", "changes", "tracked"]

Path: TypeAlias = list[Any]
Change: TypeAlias = list[Any]


class Count(int):
    """An int that remembers what was added to it in place.

    Only ``+=`` and ``-=`` are remembered: ``count + 1`` is a plain int, which gspread assigns.
    """

    difference: int = 0

    def __iadd__(self, amount: int) -> Count:  # noqa: PYI034 - Self needs Python 3.11
        """Add in place."""
        return self._moved(amount)

    def __isub__(self, amount: int) -> Count:  # noqa: PYI034 - Self needs Python 3.11
        """Subtract in place."""
        return self._moved(-amount)

    def _moved(self, amount: int) -> Count:
        moved = Count(int(self) + amount)
        moved.difference = self.difference + amount
        return moved


# An error text of gspread's, such as "unsupported operand type(s) for +: 'int' and 'str'", must
# name the user's type.
Count.__name__ = "int"


def tracked(properties: Any) -> Any:
    """Return a copy of properties whose ints remember what was added to them."""
    if type(properties) is dict:
        return {key: tracked(value) for key, value in properties.items()}
    return Count(properties) if type(properties) is int else properties


def changes(before: dict[Any, Any], after: dict[Any, Any]) -> list[Change]:
    """Return the changes that turn the one into the other, shortest paths first."""
    return list(_changes(before, after, []))


def _changes(before: dict[Any, Any], after: dict[Any, Any], path: Path) -> Iterator[Change]:
    for key in before.keys() - after.keys():
        yield ["delete", [*path, key], None]
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Count) and value.difference:
            yield ["add", [*path, key], value.difference]
        elif isinstance(old, dict) and isinstance(value, dict):
            yield from _changes(old, value, [*path, key])
        elif key not in before or not _same(old, value):
            yield ["set", [*path, key], value]


def _same(old: object, new: object) -> bool:
    if old is new or old != new:
        return old is new
    # To Python, 1 equals True and 1.0.
    are_bools = isinstance(old, bool) == isinstance(new, bool)
    return are_bools and isinstance(old, float) == isinstance(new, float)


_lock = ForkLock()


def apply(properties: dict[Any, Any], these: Iterable[Change]) -> None:
    """Make the changes in place, so that other holders of the dict and its parts see them.

    Raises:
        CodecError: A change is not of the documented form.

    """
    with _lock.own:
        for change in these:
            _apply(properties, change)


def _apply(properties: dict[Any, Any], change: Change) -> None:
    try:
        operation, (*parents, key), value = change
        place = properties
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                place[parent] = {}
            place = place[parent]
        _OPERATIONS[operation](place, key, value)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise CodecError("a change of properties is not [operation, path, value]") from error


def _add(place: dict[Any, Any], key: Any, value: Any) -> None:
    place[key] = place.get(key, 0) + value


def _set(place: dict[Any, Any], key: Any, value: Any) -> None:
    place[key] = value


def _delete(place: dict[Any, Any], key: Any, _: Any) -> None:
    place.pop(key, None)


_OPERATIONS = {"add": _add, "set": _set, "delete": _delete}
