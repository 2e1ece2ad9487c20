"""Results that are not there yet: whoever touches one waits for it.

An instance of one of gspread's classes begins as one of a subclass without attributes. At its first
touch it gets the attributes of the real one, and its class. An answer of a write stays a subclass
of ``dict`` that fills itself. To ``isinstance``, and so to code in C, both are what they stand for.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LazyAnswer", "Pending", "lazy_object", "resolved"]

_PENDING: Final = "_queued_gspread_pending"


class Pending(Protocol):
    """A call whose result is to come."""

    def value(self) -> Any:
        """Wait for the result and return it, or raise the call's error."""


def lazy_object(cls: Any, pending: Pending) -> Any:
    """Return an object of a class that becomes a call's result when it is touched."""
    made: Any = object.__new__(_lazy(cls))
    object.__getattribute__(made, "__dict__")[_PENDING] = pending
    return made


def _become(lazy: Any, cls: type[Any]) -> None:
    state = object.__getattribute__(lazy, "__dict__")
    pending = state.get(_PENDING)
    if pending is not None:  # else another thread was here
        state.update(vars(pending.value()))
        object.__setattr__(lazy, "__class__", cls)
        state.pop(_PENDING, None)


@cache
def _lazy(cls: type[Any]) -> type[Any]:
    def read(self: Any, name: str) -> Any:
        if name == "__class__":
            return cls
        _become(self, cls)
        return getattr(self, name)

    def write(self: Any, name: str, value: Any) -> None:
        _become(self, cls)
        setattr(self, name, value)

    def delete(self: Any, name: str) -> None:
        _become(self, cls)
        delattr(self, name)

    def reduce(self: Any, protocol: Any) -> Any:
        _become(self, cls)
        return self.__reduce_ex__(protocol)

    names = {"__getattribute__": read, "__setattr__": write, "__delattr__": delete}
    hidden = {"__reduce_ex__": reduce, "__module__": cls.__module__, "__doc__": cls.__doc__}
    # Its hash is its class's: a class that defines __eq__ has none.
    lazy = type(cls.__name__, (cls,), {**names, **hidden, "__qualname__": cls.__qualname__})
    _originals[lazy] = cls
    return lazy


_originals: dict[type[Any], type[Any]] = {}


class LazyAnswer(dict[str, Any]):
    """The answer of a write, which fills itself when it is touched."""

    __slots__ = ("_pending",)

    def __init__(self, pending: Pending) -> None:
        # To code in C that counts the items itself, it must not be empty.
        super().__init__({_PENDING: None})
        self._pending: Pending | None = pending

    def _fill(self) -> None:
        pending = self._pending
        if pending is not None:
            content = pending.value()
            dict.clear(self)
            dict.update(self, content)
            self._pending = None

    def __copy__(self) -> dict[str, Any]:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        from copy import deepcopy  # noqa: PLC0415 - seldom

        return deepcopy(self.copy(), memo)

    def __reduce_ex__(self, _: Any) -> tuple[Any, ...]:
        return dict, (self.copy(),)


def _filling(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def call(self: LazyAnswer, *args: Any, **kwargs: Any) -> Any:
        self._fill()
        return method(self, *args, **kwargs)

    call.__name__, call.__doc__ = name, method.__doc__
    return call


_FILLING: Final = """
    __contains__ __delitem__ __eq__ __getitem__ __ior__ __iter__ __len__ __ne__ __or__ __repr__
    __reversed__ __ror__ __setitem__ clear copy get items keys pop popitem setdefault update values
"""
for _name in _FILLING.split():
    setattr(LazyAnswer, _name, _filling(_name))


# An error of Python's, such as that there is no such attribute, must name the real class.
LazyAnswer.__name__ = "dict"


def resolved(value: Any) -> Any:
    """Return an argument with all that is lazy in it as it really is, once that is there."""
    kind = type(value)
    if kind is LazyAnswer:
        return value.copy()
    if kind in (list, tuple):
        return kind(map(resolved, value))
    if kind is dict:
        return {key: resolved(each) for key, each in value.items()}
    if kind in _originals:
        _become(value, _originals[kind])
    return value
