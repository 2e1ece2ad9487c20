"""Raises the server's warnings again, where the user can see them."""

from __future__ import annotations

import builtins
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gspread

from queued_gspread.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

__all__ = ["UserLine", "user_level", "warn_again"]

_LIBRARIES: Final = (Path(__file__).parents[1], Path(gspread.__file__).parent)
_INSIDE: Final = tuple(f"{folder}/" for folder in _LIBRARIES)


@dataclass(frozen=True)
class UserLine:
    """A line of the user's, at which a warning is raised later."""

    file: str
    number: int
    module: str
    registry: dict[Any, Any]

    @classmethod
    def now(cls) -> UserLine:
        """Return the line that the user's code is at in this thread."""
        frame = sys._getframe(user_level() - 1)  # noqa: SLF001 - as warnings itself does
        names = frame.f_globals
        registry = names.setdefault("__warningregistry__", {})
        module = names.get("__name__", "<unknown>")
        return cls(frame.f_code.co_filename, frame.f_lineno, module, registry)


def warn_again(raised: Iterable[Any], at: UserLine | None = None) -> None:
    """Raise warnings, given as ``[category, text]``, at the user's line: the one it is at now.

    Raises:
        CodecError: One of them is not of that form.

    """
    for warning in raised:
        try:
            category, text = warning
        except (TypeError, ValueError) as error:
            raise CodecError("a warning is not [category, text]") from error
        if not isinstance(text, str):
            raise CodecError("a warning's text is not text")
        if at is None:
            warnings.warn(text, _category(category), stacklevel=user_level())
        else:
            place = (at.file, at.number, at.module, at.registry)
            warnings.warn_explicit(text, _category(category), *place)


def _category(name: object) -> type[Warning]:
    category = getattr(builtins, name, None) if isinstance(name, str) else None
    if isinstance(category, type) and issubclass(category, Warning):
        return category
    return UserWarning


def user_level() -> int:
    """Return the caller's ``stacklevel`` for the first frame outside this package and gspread."""
    level = 1
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as warnings itself does
    while frame is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame = frame.f_back
        level += 1
    return level
