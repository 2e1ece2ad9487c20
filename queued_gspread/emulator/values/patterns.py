"""Numbers shown by a number format's pattern, in the en_US locale."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from .comparison import COMPARISONS
from .moments import literal, show_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATE_TYPES = frozenset({"DATE", "TIME", "DATE_TIME"})
_NUMBER = re.compile(
    r"(?=[#0?]|\.[#0?])(?P<int>[#0?,]*)(?P<frac>\.[#0?]*)?(?P<exp>[eE][+-]0+)?(?P<scale>,*)"
)
_FRACTION = re.compile(r"(?P<whole>[#0?]+ +)?(?P<over>[#0?]+)/(?P<under>[#0?]+|[1-9]\d*)")
# Digits with literals between them, as in a telephone number.
_SPREAD = re.compile(r"[#0?]+(?:[^#0?.,eE%]+[#0?]+)+")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|(\[[^\]]*\]|[_*].)')
_SECTION = re.compile(r'(?:"[^"]*"|\\.|[^;"])+|(?<=;)(?=;|$)')
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_DEFAULT_PATTERNS = {
    "NUMBER": "#,##0.00",
    "PERCENT": "0.00%",
    "CURRENCY": '"$"#,##0.00',
    "DATE": "m/d/yyyy",
    "TIME": "h:mm:ss am/pm",
    "DATE_TIME": "m/d/yyyy h:mm:ss",
    "SCIENTIFIC": "0.00E+00",
}
# The time that a pattern takes grows with the square of its length.
LONGEST_PATTERN = 1_000
_BLANK = {"#": "", "0": "0", "?": " "}
_SIGNIFICANT = 10
_MOST_MARKS = 100
_LARGEST_PLAIN = 1e15
_SMALLEST_PLAIN = 1e-10


def pattern_of(number_format: Mapping[str, str]) -> str:
    """Return a number format's pattern; its type's default pattern if it has none."""
    kind = number_format.get("type", "")
    return number_format.get("pattern") or _DEFAULT_PATTERNS.get(kind, "")


def show_number(number: float, number_format: Mapping[str, str]) -> str:
    """Return a number as a cell with this format shows it."""
    kind, pattern = number_format.get("type", ""), pattern_of(number_format)
    if not 0 < len(pattern) <= LONGEST_PATTERN or pattern.lower() == "general" or kind == "TEXT":
        return show_plain(number)
    show = show_moment if kind in DATE_TYPES else _show_by_pattern
    try:
        return show(number, pattern)
    except OverflowError:
        # No calendar goes that far, and no float is a hundred times the largest.
        return show_plain(number)


def show_text(text: str, number_format: Mapping[str, str]) -> str:
    """Return a text as a cell with this format shows it: by the pattern's fourth section."""
    sections = _SECTION.findall(number_format.get("pattern", ""))
    # With very many `@` marks, a short pattern would turn a long text into gigabytes.
    marks = sections[3].count("@") if len(sections) > 3 else 0  # noqa: PLR2004  - that of texts
    if 0 < marks <= _MOST_MARKS:
        return _with_literals(sections[3], lambda bare: bare.replace("@", text))
    return text


def show_plain(number: float) -> str:
    """Return a number as Google's "Automatic" format shows it: up to 10 significant digits."""
    if number == int(number) and abs(number) < _LARGEST_PLAIN:
        return str(int(number))
    if abs(number) >= _LARGEST_PLAIN or abs(number) < _SMALLEST_PLAIN:
        mantissa, exponent = f"{number:.5E}".split("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    digits = max(_SIGNIFICANT - len(str(int(abs(number)))), 0)
    if abs(number) < 1:
        digits = _SIGNIFICANT
    shown = f"{number:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _show_by_pattern(number: float, pattern: str) -> str:
    # A quotation mark that is never closed leaves no section.
    section, signed = _section(number, _SECTION.findall(pattern) or [pattern])
    sign = "-" if number < 0 and signed else ""
    return sign + _fill(abs(number), section)


def _section(number: float, sections: list[str]) -> tuple[str, bool]:
    """Return the section of a pattern for a number, and whether a minus is added."""
    for section in sections:
        condition = _CONDITION.search(section)
        if condition and COMPARISONS[condition[1]](number, float(condition[2])):
            return section, True
    plain = [section for section in sections if not _CONDITION.search(section)] or sections
    if len(plain) < len(sections):
        return plain[-1], True
    if number < 0 and len(sections) > 1:
        return sections[1], False
    if number == 0 and len(sections) > 2:  # noqa: PLR2004  - the section of zero
        return sections[2], False
    return sections[0], True


def _fill(number: float, pattern: str) -> str:
    return _with_literals(pattern, lambda bare: _numbered(number, bare))


def _with_literals(pattern: str, fill: Callable[[str], str]) -> str:
    """Fill in a pattern, keeping the literals in it as they are."""
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match[1] or match[2] or (literal(match[3]) if match[3] else ""))
        return "\0"

    shown = fill(_LITERAL.sub(keep, pattern))
    for kept in literals:
        shown = shown.replace("\0", kept, 1)
    return shown


def _numbered(number: float, bare: str) -> str:
    if "@" in bare:
        return bare.replace("@", show_plain(number))
    number *= 100 ** bare.count("%")
    if math.isinf(number):
        raise OverflowError
    if _FRACTION.search(bare):
        return _FRACTION.sub(lambda match: _fraction(number, match), bare, count=1)
    if _SPREAD.search(bare) and not {".", ","} & set(bare):
        return _SPREAD.sub(lambda match: _spread(number, match[0]), bare, count=1)
    return _NUMBER.sub(lambda match: _digits(number, match), bare, count=1)


def _fraction(number: float, match: re.Match[str]) -> str:
    under = match["under"]
    most = 10 ** len(under) - 1
    if under[0] in "123456789":
        nearest = Fraction(round(number * int(under)), int(under))
    else:
        nearest = Fraction(number).limit_denominator(most)
    whole, rest = divmod(nearest, 1) if match["whole"] else (0, nearest)
    shown = f"{whole} " if match["whole"] and (whole or not rest) else ""
    return (shown + f"{rest.numerator}/{rest.denominator}") if rest else shown.strip() or "0"


def _spread(number: float, marks: str) -> str:
    """Return the digits of a whole number from the right, each in its place."""
    left, shown = list(_rounded(number, 0)), ""
    for place in reversed(range(len(marks))):
        mark = marks[place]
        if mark not in "#0?":
            shown = mark + shown
        elif place == 0:
            shown = "".join(left or _BLANK[mark]) + shown
        else:
            shown = (left.pop() if left else _BLANK[mark]) + shown
    return shown


def _digits(number: float, match: re.Match[str]) -> str:
    fraction, integer = (match["frac"] or ".")[1:], match["int"].rstrip(",")
    scale = len(match["int"]) - len(integer) + len(match["scale"])
    number /= 1000**scale
    if match["exp"]:
        mantissa, exponent = f"{number:.{len(fraction)}E}".split("E")
        width = len(match["exp"]) - 2
        plus = "+" if match["exp"][1] == "+" else ""
        sign = "-" if exponent[0] == "-" else plus
        return f"{mantissa}E{sign}{abs(int(exponent)):0{width}d}"
    whole, _, decimals = _rounded(number, len(fraction)).partition(".")
    if match["frac"]:
        decimals = "." + _trimmed(decimals, fraction)
    whole = _filled(whole, integer.replace(",", ""))
    if "," in integer and whole.strip():
        whole = f"{int(whole):,}".rjust(len(whole))
    return whole + decimals


def _trimmed(decimals: str, fraction: str) -> str:
    """Return decimals without the zeros that `#` leaves out and `?` shows as spaces."""
    kept = len(decimals)
    while kept and decimals[kept - 1] == "0" and fraction[kept - 1] != "0":
        kept -= 1
    return decimals[:kept] + " " * fraction[kept:].count("?")


def _filled(whole: str, integer: str) -> str:
    """Return a whole number with the leading zeros and spaces that a pattern asks for."""
    whole = whole.zfill(integer.count("0")) if whole != "0" or "0" in integer else ""
    return whole.rjust(integer.count("0") + integer.count("?"))


def _rounded(number: float, places: int) -> str:
    if number >= _LARGEST_PLAIN:
        return f"{number:.{places}f}"
    context = Context(prec=places + len(str(_LARGEST_PLAIN)))  # usually 28 digits in all
    exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, context)
    return f"{exact:f}"
