"""The base of the four queued classes: a wrapt proxy of a real gspread object.

The real object was built without its constructor and holds a queued HTTP client. Its public
methods, taken from gspread's class, become jobs; its properties and its private attributes are
gspread's own, and whatever they send goes through the queued HTTP client.
"""

from __future__ import annotations

import copy
import functools
import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar

import wrapt

from .catalogue import Group
from .objects import bare
from .wrapping import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from .catalogue import Kind

    _Base = wrapt.BaseObjectProxy[Any]
else:
    _Base = wrapt.BaseObjectProxy  # older wrapts take no type argument when run

__all__ = ["Proxy"]


def _call(
    proxy: Proxy, kind: Kind, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    from .call import make_call  # noqa: PLC0415 - Redis and the codec come with the first client

    return make_call(proxy, kind, name, args, kwargs)


def _method(kind: Kind, name: str) -> Callable[..., Any]:
    def method(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
        return _call(self, kind, name, args, kwargs)

    return functools.update_wrapper(method, getattr(kind.cls, name))


def _remote_property(kind: Kind, name: str) -> property:
    def read(self: Proxy) -> Any:
        return _call(self, kind, name, (), {})

    return property(read, doc=getattr(kind.cls, name).__doc__)


def _property(kind: Kind, name: str) -> property:
    own: property = getattr(kind.cls, name)
    # With the proxy as its self, so that what it calls is queued.
    return property(own.fget, doc=own.__doc__)


_MAKERS: dict[Group, Callable[[Kind, str], Any] | None] = {
    Group.CALL: _method,
    Group.REMOTE: _remote_property,
    Group.PROPERTY: _property,
    Group.LOCAL: None,
}


class Proxy(_Base):
    """A gspread object whose public methods are calls in the queue."""

    _kind: ClassVar[Kind]

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self._self_own: dict[str, Any] = {}

    def __init_subclass__(cls, kind: Kind | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is None:
            return  # a user's subclass
        cls._kind = kind
        for name, group in kind.groups.items():
            make = _MAKERS[group]
            if make is not None:
                setattr(cls, name, make(kind, name))
        register(kind, cls)

    @classmethod
    def around(cls, real: Any) -> Self:
        """Return a proxy of a real object, without running a constructor that users know."""
        proxy = cls.__new__(cls)
        Proxy.__init__(proxy, real)
        return proxy

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        # wrapt keeps on the proxy what its class knows, and does not show it.
        if not name.startswith("_self_") and hasattr(type(self), name):
            self._self_own[name] = value

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._self_own.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        real = self.__wrapped__
        attributes = vars(real)
        if name in attributes:
            return attributes[name]
        # Private methods, and methods that a library added to gspread's class, see the proxy.
        attribute = inspect.getattr_static(type(real), name, None)
        if isinstance(attribute, FunctionType):
            return MethodType(attribute, self)
        return getattr(real, name)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _restore, (type(self), type(self.__wrapped__), self._state())

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__reduce_ex__(2)

    def __copy__(self) -> Self:
        return self._restored(type(self.__wrapped__), self._state())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._restored(type(self.__wrapped__), copy.deepcopy(self._state(), memo))

    def _state(self) -> dict[str, Any]:
        """Return the attributes that make a copy, here or in another process.

        Those of the real object, and those that wrapt keeps on the proxy itself.
        """
        return {"real": dict(vars(self.__wrapped__)), "own": dict(self._self_own)}

    @classmethod
    def _restored(cls, real: type[Any], state: dict[str, Any]) -> Self:
        """Return what :meth:`_state` describes."""
        proxy = cls.around(bare(real, **state["real"]))
        for name, value in state["own"].items():
            setattr(proxy, name, value)
        return proxy


def _restore(proxy: type[Proxy], real: type[Any], state: dict[str, Any]) -> Proxy:
    """Make an unpickled proxy. The name is part of every pickle."""
    return proxy._restored(real, state)
