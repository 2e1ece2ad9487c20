"""Without google-re2, Python's regular expressions are held against it."""

import random
import warnings

import pytest

from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.functions import regular
from queued_gspread.emulator.values.functions.re2_syntax import BadPatternError, translated

pytest.importorskip("re2")

PARTS = [
    *"ab.*+?|()[]^$-{}\\,12 \n~&",
    "(?:",
    "(?i)",
    "(?P<n>",
    "(?<n>",
    "(?=",
    "(?s)",
    "(?m)",
    "(?i:",
]
PARTS += [
    "\\d",
    "\\D",
    "\\w",
    "\\s",
    "\\S",
    "\\b",
    "\\z",
    "\\A",
    "\\x61",
    "\\Q",
    "\\E",
    "\\.",
    "\\é",
]
PARTS += [
    "[ab]",
    "[^a]",
    "[[:alpha:]]",
    "[a-",
    "[]",
    "[\\]]",
    "[\\s\\S]",
    "{2}",
    "{1,2}",
    "{,2}",
    "*?",
]
TEXTS = [
    "",
    "a",
    "ab",
    "aab b",
    "a1 2\n",
    "b\na",
    "(a)",
    "A\nB",
    "[]",
    "é a",
    "a-b",
    "12,3",
    "\x0b",
]


def found(compiled, text):
    """Return what a pattern finds in a text, and what is left where all of it is replaced."""
    match = compiled.search(text)
    where = (match.span(), match.groups()) if match else None
    return where, "".join(regular._pieces(compiled, text, "<$0>"))


def ours(pattern, text):
    """Return the same of the translation, "invalid" or "gap"."""
    try:
        return found(translated(pattern, text), text)
    except BadPatternError:
        return "invalid"
    except NotComputedError:
        return "gap"


def theirs(pattern):
    """Return RE2's pattern, None where it is none."""
    try:
        return regular._compiled(pattern)
    except BadPatternError:
        return None


@pytest.mark.parametrize("seed", range(2))
def test_python_finds_what_re2_finds(seed):
    """A pattern that is translated is valid, finds and replaces as RE2 does."""
    chance = random.Random(seed)
    compared = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(1500):
            pattern = "".join(chance.choices(PARTS, k=chance.randint(1, 6)))
            compiled = theirs(pattern)
            for text in TEXTS:
                expected = found(compiled, text) if compiled else "invalid"
                told = ours(pattern, text)
                assert told in (expected, "gap"), (pattern, text)
                compared += told != "gap" and compiled is not None
    assert compared > 1000
