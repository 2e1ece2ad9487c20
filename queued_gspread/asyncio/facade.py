"""Makes classes whose calls are coroutines out of the blocking ones.

An object here holds a blocking one, which has all its state: ``_properties``, the parent, the HTTP
client. Local properties and methods are that object's own. Arguments and results that are objects
are exchanged for the ones they hold, and back.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from queued_gspread.protocol.kinds import Group

from .bus import Home
from .call import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.protocol.kinds import ObjectKind

__all__ = ["Facade", "asynchronous", "blocking", "held", "shown"]

_Class = TypeVar("_Class", bound="type[Facade]")


class Facade:
    """An object whose calls are coroutines.

    Args:
        own: The blocking object.
        home: The loop of its client.

    """

    def __init__(self, own: Any, home: Home | None = None) -> None:
        self._own = own
        self._home = home or Home(_facades)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is not bound to a loop.
        return type(self), (self._own,)

    def __repr__(self) -> str:
        return repr(self._own)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facade) and self._own is other._own

    def __hash__(self) -> int:
        return hash(id(self._own))


# The class for each blocking one.
_facades: dict[type, type[Facade]] = {}


def asynchronous(kind: ObjectKind, own: type) -> Callable[[_Class], _Class]:
    """Return a decorator that gives a class what a blocking one has, with coroutines for calls.

    What the class has itself stays.
    """

    def decorate(cls: _Class) -> _Class:
        for name, group in kind.groups.items():
            if name not in vars(cls):
                setattr(cls, name, _MAKERS[group](kind, name))
        _facades[own] = cls
        return cls

    return decorate


def blocking(value: Any) -> Any:
    """Return the blocking object that an argument holds; any other argument unchanged."""
    if isinstance(value, Facade):
        return value._own  # noqa: SLF001 - of this module
    if type(value) in (list, tuple) and any(isinstance(each, Facade) for each in value):
        return type(value)(map(blocking, value))
    return value


def held(value: Any) -> tuple[Any, Home | None]:
    """Return the blocking object that an object here holds, and its loop; else it, and None."""
    return (value._own, value._home) if isinstance(value, Facade) else (value, None)  # noqa: SLF001


def shown(value: Any, home: Home) -> Any:
    """Return a result with its blocking objects in their classes here."""
    for own, cls in home.classes.items():
        if isinstance(value, own):
            return cls(value, home)
    if type(value) in (list, tuple):
        return type(value)(shown(each, home) for each in value)
    return value


def _method(kind: ObjectKind, name: str) -> Any:
    async def method(self: Facade, /, *args: Any, **kwargs: Any) -> Any:
        given = {key: blocking(value) for key, value in kwargs.items()}
        taken = tuple(map(blocking, args))
        result = await make(self._home, self._own, kind, name, taken, given)
        return shown(result, self._home)

    return functools.update_wrapper(method, getattr(kind.cls, name))


def _remote_property(kind: ObjectKind, name: str) -> property:
    read = _method(kind, name)
    return property(read, doc=getattr(kind.cls, name).__doc__)


def _local_property(kind: ObjectKind, name: str) -> property:
    def read(self: Facade) -> Any:
        return shown(getattr(self._own, name), self._home)

    return property(read, doc=getattr(kind.cls, name).__doc__)


def _local_method(kind: ObjectKind, name: str) -> Any:
    def method(self: Facade, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._own, name)(*args, **kwargs)

    return functools.update_wrapper(method, getattr(kind.cls, name))


_MAKERS = {
    Group.CALL: _method,
    Group.REMOTE: _remote_property,
    Group.PROPERTY: _local_property,
    Group.LOCAL: _local_method,
}
