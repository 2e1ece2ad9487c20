"""Which names of gspread's classes are calls, and which are answered from local state.

The names come from the installed gspread, so that its next release is covered without a change
here. Every public name of a class is in one of four groups:

``CALL``
    A method; it becomes a job.
``REMOTE``
    Not a method, but only the server can answer it (``Client.expiry``); it becomes a job.
``PROPERTY``
    A property; gspread's own code reads the local object, and what it calls becomes a job.
``LOCAL``
    A method that sends nothing, answered by gspread's own code on the local object.
"""

from __future__ import annotations

import enum
import inspect
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import gspread

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLIENT", "HTTP_CLIENT", "KINDS", "SPREADSHEET", "WORKSHEET", "Group", "ObjectKind"]


class Group(enum.Enum):
    """How a public name of a gspread class is answered."""

    CALL = "call"
    REMOTE = "remote"
    PROPERTY = "property"
    LOCAL = "local"


@dataclass(frozen=True, eq=False)
class ObjectKind:
    """One of gspread's four classes, as a job names it.

    Attributes:
        name: The name on the wire.
        cls: gspread's class.
        local: Its public methods that send nothing.
        remote: Its properties that only the server can answer.
        own: Calls on such an object that are this package's, not methods of the class.

    """

    name: str
    cls: type
    local: frozenset[str] = frozenset()
    remote: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """Each public name that the class defines or inherits, with its group."""
        return {
            name: self._group(name, inspect.getattr_static(self.cls, name))
            for name in dir(self.cls)
            if not name.startswith("_")
        }

    @cached_property
    def calls(self) -> frozenset[str]:
        """The methods that become jobs."""
        return self._named(Group.CALL)

    @cached_property
    def properties(self) -> frozenset[str]:
        """The properties that gspread's own code answers."""
        return self._named(Group.PROPERTY)

    @cached_property
    def originals(self) -> Mapping[str, Any]:
        """Each call's attribute in gspread, leaving out those that a library has patched."""
        attributes = {name: getattr(self.cls, name) for name in self.calls | self.remote}
        return {name: own for name, own in attributes.items() if is_gspreads_own(own)}

    def _group(self, name: str, attribute: object) -> Group:
        if name in self.remote:
            return Group.REMOTE
        if name in self.local:
            return Group.LOCAL
        if isinstance(attribute, property):
            return Group.PROPERTY
        if isinstance(attribute, FunctionType):
            return Group.CALL
        return Group.LOCAL  # not gspread's own: that is only methods and properties

    def _named(self, group: Group) -> frozenset[str]:
        return frozenset(name for name, its in self.groups.items() if its is group)


# ``set_timeout`` keeps a number on the local object; ``get_tab_color`` reads one.
CLIENT: Final = ObjectKind(
    "client", gspread.Client, local=frozenset({"set_timeout"}), remote=frozenset({"expiry"})
)
SPREADSHEET: Final = ObjectKind("spreadsheet", gspread.Spreadsheet)
WORKSHEET: Final = ObjectKind(
    "worksheet",
    gspread.Worksheet,
    local=frozenset({"get_tab_color"}),
    own=frozenset({"upsert_rows"}),
)
HTTP_CLIENT: Final = ObjectKind("http_client", gspread.HTTPClient, local=frozenset({"set_timeout"}))

KINDS: Final[Mapping[str, ObjectKind]] = {
    kind.name: kind for kind in (CLIENT, SPREADSHEET, WORKSHEET, HTTP_CLIENT)
}

_GSPREAD_FILES: Final = inspect.getfile(gspread).removesuffix("__init__.py")


def is_gspreads_own(method: object) -> bool:
    """Return whether a method's code is gspread's, and not a library's that patched it.

    The outermost code object decides: patches often copy ``__module__`` and ``__wrapped__``.
    """
    code = getattr(getattr(method, "fget", method), "__code__", None)
    return code is not None and code.co_filename.startswith(_GSPREAD_FILES)
