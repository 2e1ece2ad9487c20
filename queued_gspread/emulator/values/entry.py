"""How a written value is stored: as it is (RAW), or as if typed (USER_ENTERED)."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from .dates import read_moment

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Cell, Scalar

_NUMBER = re.compile(
    r"(?P<open>\()?(?P<sign>[-+])?(?P<dollar>\$)?(?P<inner>[-+])?"
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<fraction>\.\d*)?(?P<exponent>[eE][-+]?\d+)?"
    r"\s*(?P<percent>%)?(?P<close>\))?",
    re.ASCII,
)
# Formats of the same group can show each other's numbers; those of different groups cannot.
_GROUPS = {"DATE": "moment", "TIME": "moment", "DATE_TIME": "moment", "PERCENT": "percent"}

_LARGEST_EXACT = 2**53


class Entry(NamedTuple):
    """How an input is understood; kind and pattern are its number format, if it brings one."""

    value: Scalar = None
    formula: str | None = None
    kind: str = ""
    pattern: str = ""


def write(cell: Cell, raw: Scalar, option: str, year: int | None = None) -> Cell | None:
    """Return a cell after a value was written into it; an empty string empties it.

    `year` is that of typed dates without one.
    """
    if raw == "" and isinstance(raw, str):
        return cell.entered()
    if option != "USER_ENTERED" or not isinstance(raw, str):
        return cell.entered(held(raw))
    if cell.number_format.get("type") == "TEXT" and not raw.startswith("'"):
        return cell.entered(raw)
    entry = understand(raw, year)
    changes: dict[str, Any] = {"value": entry.value, "formula": entry.formula}
    if entry.pattern and not _suits(cell.number_format.get("type"), entry.kind):
        number_format = {"type": entry.kind, "pattern": entry.pattern}
        changes["format"] = {**(cell.format or {}), "numberFormat": number_format}
    return cell.changed(**changes)


def held(raw: Scalar) -> Scalar:
    """Return a value as a cell holds it: all numbers are floats, so large ones lose digits."""
    exact = isinstance(raw, int) and abs(raw) <= _LARGEST_EXACT
    return float(raw) if isinstance(raw, int) and not exact else raw


def _suits(present: str | None, brought: str) -> bool:
    """Whether a cell keeps its number format although an input brings one."""
    return present is not None and _GROUPS.get(present) == _GROUPS.get(brought)


def understand(text: str, year: int | None = None) -> Entry:
    """Return what a typed text stands for, in the en_US locale."""
    if text.startswith("'"):
        return Entry(text[1:] or None)
    if text.startswith("=") and len(text) > 1:
        return Entry(formula=text)
    bare = text.strip()
    if bare.upper() in {"TRUE", "FALSE"}:
        return Entry(bare.upper() == "TRUE")
    return _number(bare) or _moment(bare, year) or _signed_formula(text) or Entry(text)


def _moment(text: str, year: int | None) -> Entry | None:
    moment = read_moment(text, year)
    return Entry(moment.serial, None, moment.kind, moment.pattern) if moment else None


def _signed_formula(text: str) -> Entry | None:
    """Return a formula for a text with a plus that is not a number: `+A1`, but also `+1 555`."""
    return Entry(formula="=" + text) if text.startswith("+") else None


def _number(text: str) -> Entry | None:
    match = _NUMBER.fullmatch(text)
    if not match or not (match["whole"] or (match["fraction"] or "") > "."):
        return None
    if bool(match["open"]) != bool(match["close"]) or (match["sign"] and match["inner"]):
        return None
    digits = (match["whole"] or "").replace(",", "") + (match["fraction"] or "")
    value = float(digits + (match["exponent"] or ""))
    if not isfinite(value):
        return None
    negative = match["open"] or "-" in {match["sign"], match["inner"]}
    value = -value if negative else value
    kind, pattern = _number_format(match)
    if match["percent"]:
        value /= 100
    return Entry(_tidy(value), None, kind, pattern)


def _number_format(match: re.Match[str]) -> tuple[str, str]:
    decimals = ".00" if (match["fraction"] or "") > "." else ""
    if match["percent"]:
        return "PERCENT", f"0{decimals}%"
    if match["dollar"]:
        return "CURRENCY", f'"$"#,##0{decimals}'
    if match["exponent"]:
        return "SCIENTIFIC", "0.00E+00"
    if "," in (match["whole"] or ""):
        return "NUMBER", f"#,##0{decimals}"
    return "", ""


def _tidy(value: float) -> float:
    return int(value) if value.is_integer() and abs(value) <= _LARGEST_EXACT else value
