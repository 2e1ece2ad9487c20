"""Sheet titles for places where not every title is allowed: Excel and file names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_IN_EXCEL = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NOT_IN_A_FILE = re.compile(r'[<>:"|*?/\\\x00-\x1f]')
_LONGEST = 31
_BYTES_A_UNIT = 2


def excel_titles(titles: list[str]) -> list[str]:
    r"""Return titles as Excel allows them, all different whatever their case.

    Excel allows 31 UTF-16 units, and forbids `[]:*?/\` and an apostrophe at either end. Allowed
    titles stay; others get `_` for a forbidden character, are cut, and are numbered if the name is
    taken.
    """
    return _distinct(titles, _for_excel)


def file_names(titles: list[str]) -> list[str]:
    """Return titles as names of files, all different whatever their case."""
    return _distinct(titles, lambda title, _: _NOT_IN_A_FILE.sub("_", title) or "_")


def _distinct(titles: list[str], allowed: Callable[[str, int], str]) -> list[str]:
    found: list[str | None] = []
    taken: set[str] = set()
    for title in titles:
        stays = allowed(title, _LONGEST) == title and title.casefold() not in taken
        taken |= {title.casefold()} if stays else set()
        found.append(title if stays else None)
    for place, title in enumerate(titles):
        if found[place] is None:
            found[place] = _free(title, taken, allowed)
    return [name or "" for name in found]


def _free(title: str, taken: set[str], allowed: Callable[[str, int], str]) -> str:
    name, number = allowed(title, _LONGEST), 2
    while name.casefold() in taken:
        mark = f" ({number})"
        name, number = allowed(title, _LONGEST - len(mark)) + mark, number + 1
    taken.add(name.casefold())
    return name


def _for_excel(title: str, longest: int) -> str:
    name = re.sub(r"^'|'$", "_", _NOT_IN_EXCEL.sub("_", title)) or "_"
    units = name.encode("utf-16-le", "replace")[: longest * _BYTES_A_UNIT]
    return re.sub("'$", "_", units.decode("utf-16-le", "ignore"))
