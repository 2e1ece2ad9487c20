"""The base of the four queued classes, each of which is a subclass of gspread's own.

The public methods of gspread's class become jobs. Everything else is inherited: its constructor,
its properties and its private methods run here, with the queued object as their self, so whatever
they send goes through the queue. Attributes are an object's own, as in gspread.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

from .call import make_call
from .catalogue import Group
from .wrapping import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from .catalogue import Kind

__all__ = ["Proxy"]


def _method(kind: Kind, name: str, module: str) -> Callable[..., Any]:
    def method(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
        return make_call(self, kind, name, args, kwargs)

    functools.update_wrapper(method, getattr(kind.cls, name))
    method.__module__ = module  # where pickle looks for it
    return method


def _remote_property(kind: Kind, name: str, _module: str) -> property:
    def read(self: Proxy) -> Any:
        return make_call(self, kind, name, (), {})

    return property(read, doc=getattr(kind.cls, name).__doc__)


_MAKERS: dict[Group, Callable[[Kind, str, str], Any]] = {
    Group.CALL: _method,
    Group.REMOTE: _remote_property,
}


class Proxy:
    """A gspread object whose public methods are calls in the queue."""

    _shown_as: ClassVar[type]

    def __init_subclass__(cls, queued: Kind | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if queued is None:
            return  # a user's subclass
        cls._shown_as = queued.cls
        for name, group in queued.groups.items():
            if group in _MAKERS:
                setattr(cls, name, _MAKERS[group](queued, name, cls.__module__))
        register(queued, cls)

    @property
    def __class__(self) -> type:
        """The class of gspread's that an object stands for, or the user's own subclass."""
        cls = type(self)
        shown: type = vars(cls).get("_shown_as", cls)
        return shown

    @__class__.setter
    def __class__(self, cls: type) -> None:
        vars(object)["__class__"].__set__(self, cls)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # pickle would compare the class that it makes with __class__.
        reduced: Any = super().__reduce_ex__(max(protocol, 2))
        if isinstance(reduced, str):
            return reduced  # the name of a global, of a user's own
        return (_make, reduced[:2], *reduced[2:])


def _make(make: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Make an unpickled object. The name is part of every pickle."""
    return make(*args)
