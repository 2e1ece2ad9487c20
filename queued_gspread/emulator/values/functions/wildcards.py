"""Texts with `?`, `*` and the escape `~`, as searches and criteria take them."""

from __future__ import annotations

import re

_MARK = re.compile(r"~([*?~])|([*?])|(.)", re.DOTALL)


class Wildcard:
    """Looks for a text with wildcards, one piece between its stars after the other.

    A regular expression with several `.*` would try every way to share a long text among them,
    for hours. There is no need to: whatever can follow a piece can follow its first occurrence.
    """

    def __init__(self, wanted: str) -> None:
        """Take the text to look for."""
        pieces: list[list[str]] = [[]]
        for escaped, mark, plain in _MARK.findall(wanted):
            if mark == "*":
                pieces.append([])
            else:
                pieces[-1].append("." if mark else re.escape(escaped or plain))
        self._first, *self._rest = (
            re.compile("".join(piece), re.IGNORECASE | re.DOTALL) for piece in pieces
        )
        self._last_size = len(pieces[-1])

    def find(self, text: str, start: int = 0) -> int:
        """Return the first place, from `start` on, where it occurs; -1 if there is none."""
        first = self._first.search(text, start)
        if first is None or self._end(self._rest, text, first.end()) < 0:
            return -1
        return first.start()

    def is_all_of(self, text: str) -> bool:
        """Whether it matches a whole text."""
        if not self._rest:
            return self._first.fullmatch(text) is not None
        first = self._first.match(text)
        end = self._end(self._rest[:-1], text, first.end()) if first else -1
        last = len(text) - self._last_size
        return 0 <= end <= last and self._rest[-1].fullmatch(text, last) is not None

    @staticmethod
    def _end(pieces: list[re.Pattern[str]], text: str, start: int) -> int:
        """Return where the last piece ends if each follows the one before; -1 if that fails."""
        for piece in pieces:
            found = piece.search(text, start)
            if found is None:
                return -1
            start = found.end()
        return start
