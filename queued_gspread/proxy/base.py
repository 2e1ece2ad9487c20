"""Turns a subclass of a gspread class into a queued one.

The public methods of gspread's class become jobs. Everything else is inherited: its constructor,
properties and private methods run here, with the queued object as ``self``, so whatever they send
goes through the queue. In a pipeline, what is answered here waits for calls that may change it.
Attributes stay on the object, as in gspread, and the class gets no names beyond gspread's, since
users may add their own.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from queued_gspread.protocol.kinds import Group

from .call import make_call, reading_properties
from .factory import register
from .pending import mark_queued

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.protocol.kinds import ObjectKind

__all__ = ["queued"]

_Class = TypeVar("_Class", bound=type)


def queued(kind: ObjectKind) -> Callable[[_Class], _Class]:
    """Return a decorator that makes the methods of a gspread subclass send jobs."""

    def decorate(cls: _Class) -> _Class:
        for name, group in kind.groups.items():
            if group in _MAKERS and name not in _CONSTANT:
                setattr(cls, name, _MAKERS[group](kind, name, cls))
        register(kind, cls)
        return cls

    return decorate


def _method(kind: ObjectKind, name: str, cls: type) -> Callable[..., Any]:
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return make_call(self, kind, name, args, kwargs)

    mark_queued(method)
    functools.update_wrapper(method, getattr(kind.cls, name))
    method.__module__ = cls.__module__  # where pickle looks for it
    return method


def _remote_property(kind: ObjectKind, name: str, _: type) -> property:
    def read(self: Any) -> Any:
        return make_call(self, kind, name, (), {})

    return property(read, doc=getattr(kind.cls, name).__doc__)


def _local_property(kind: ObjectKind, name: str, cls: type) -> property:
    def read(self: Any) -> Any:
        with reading_properties(self):
            return getattr(super(cls, self), name)

    return property(read, doc=getattr(kind.cls, name).__doc__)


def _local_method(kind: ObjectKind, name: str, cls: type) -> Callable[..., Any]:
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with reading_properties(self):
            return getattr(super(cls, self), name)(*args, **kwargs)

    functools.update_wrapper(method, getattr(kind.cls, name))
    method.__module__ = cls.__module__
    return method


# What no call changes, and what keeps a number on a client.
_CONSTANT = {"id", "url", "spreadsheet", "set_timeout"}

_MAKERS: dict[Group, Callable[[ObjectKind, str, type], Any]] = {
    Group.CALL: _method,
    Group.REMOTE: _remote_property,
    Group.PROPERTY: _local_property,
    Group.LOCAL: _local_method,
}
