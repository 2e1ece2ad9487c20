"""Functions of regular expressions, in RE2's syntax as Google's are."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .arguments import (
    BAD_REFERENCE,
    NOT_AVAILABLE,
    WRONG_TYPE,
    EvaluationError,
    Function,
    array,
    joined,
    sound,
    text,
)
from .re2_syntax import BadPatternError, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .arguments import Argument

_GROUP = re.compile(r"\$(\d)|\\(.)", re.DOTALL)


@lru_cache(maxsize=1)
def _re2() -> Any:
    """Return the package google-re2, None where it is not installed."""
    try:
        return importlib.import_module("re2")
    except ImportError:
        return None


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> Any:
    options = _re2().Options()
    options.log_errors = False
    try:
        return _re2().compile(pattern, options)
    except _re2().error as error:
        raise BadPatternError(str(error)) from None


def _asked(values: Sequence[Argument]) -> tuple[Any, str]:
    """Return the pattern and the text that it is searched in; a number is no text."""
    searched = sound(values[0])
    if not isinstance(searched, str) and searched is not None:
        raise EvaluationError(WRONG_TYPE)
    searched, pattern = searched or "", text(values[1])
    try:
        if _re2() is not None:
            return _compiled(pattern), searched
        return translated(pattern, searched), searched
    except BadPatternError:
        raise EvaluationError(BAD_REFERENCE) from None


def _matches(values: Sequence[Argument]) -> bool:
    pattern, searched = _asked(values)
    return pattern.search(searched) is not None


def _extracted(values: Sequence[Argument]) -> Argument:
    """Return the first match of a pattern: its groups side by side, if it has any."""
    pattern, searched = _asked(values)
    match = pattern.search(searched)
    if match is None:
        raise EvaluationError(NOT_AVAILABLE)
    groups = match.groups()
    return array([[group or "" for group in groups]]) if groups else str(match[0])


def _replaced(values: Sequence[Argument]) -> str:
    pattern, searched = _asked(values)
    return joined(_pieces(pattern, searched, text(values[2])))


def _pieces(pattern: Any, searched: str, replacement: str) -> Iterator[str]:
    end, place, last = 0, 0, -1
    while place <= len(searched) and (match := pattern.search(searched, place)):
        place = match.end()
        # RE2 finds no empty match where the previous match has ended.
        if match.start() == match.end() == last:
            place += 1
            continue
        yield searched[end : match.start()]
        yield _filled(replacement, match)
        end = last = match.end()
    yield searched[end:]


def _filled(replacement: str, match: Any) -> str:
    def put(found: re.Match[str]) -> str:
        if found[2]:
            return found[2]
        if int(found[1]) > match.re.groups:
            raise EvaluationError(BAD_REFERENCE)
        return match[int(found[1])] or ""

    return _GROUP.sub(put, replacement)


REGULAR: dict[str, Function] = {
    "REGEXMATCH": Function(_matches, 2, 2),
    "REGEXEXTRACT": Function(_extracted, 2, 2),
    "REGEXREPLACE": Function(_replaced, 3, 3),
}
