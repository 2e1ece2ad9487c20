"""What a check has found, as lines or as JSON. Pure."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from queued_gspread.protocol.codec.scrub import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Finding",
    "as_json",
    "as_text",
    "failed",
    "is_well",
    "ok",
    "skipped",
    "summary",
    "warned",
]

Status = Literal["ok", "warning", "failed", "skipped"]

_MARKS: Final[dict[str, str]] = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "-"}
_WIDTH: Final = 100
_LONGEST: Final = 1500
_INDENT: Final = " " * 19


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Attributes:
        name: The thing.
        status: ``ok``; ``warning``, which works and could be better; ``failed``; or ``skipped``.
        told: What was found.
        remedy: What to do about it; '' if nothing is to be done.

    """

    name: str
    status: Status
    told: str
    remedy: str = ""


def ok(name: str, told: str) -> Finding:
    """Return a finding that is well."""
    return Finding(name, "ok", _line(told))


def skipped(name: str, told: str) -> Finding:
    """Return what was not checked, and why not."""
    return Finding(name, "skipped", _line(told))


def warned(name: str, told: str, remedy: str) -> Finding:
    """Return a finding that works and could be better."""
    return Finding(name, "warning", _line(told), _line(remedy))


def failed(name: str, told: str, remedy: str) -> Finding:
    """Return a finding that keeps the first row from being written."""
    return Finding(name, "failed", _line(told), _line(remedy))


def is_well(findings: Sequence[Finding]) -> bool:
    """Return whether nothing is to be done."""
    return not any(finding.remedy for finding in findings)


def as_text(finding: Finding) -> str:
    """Return a finding as a line, and its remedy below it."""
    line = f"{_MARKS[finding.status]:<4}  {finding.name:<11}  {finding.told}"
    if not finding.remedy:
        return line
    remedy = textwrap.wrap(
        finding.remedy,
        _WIDTH,
        initial_indent=f"{_INDENT}-> ",
        subsequent_indent=f"{_INDENT}   ",
        # An address is to be clicked on or copied.
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([line, *remedy])


def summary(findings: Sequence[Finding]) -> str:
    """Return what all findings come to."""
    wrong = sum(bool(finding.remedy) for finding in findings)
    return f"not well: {wrong} of {len(findings)}" if wrong else "all is well"


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as plain data."""
    return {"ok": is_well(findings), "checks": [asdict(finding) for finding in findings]}


def _line(text: str) -> str:
    """Return a text on one line, without passwords, and not too long."""
    line = " ".join(clean(text).split())
    shown = "".join(sign if sign.isprintable() else "?" for sign in line)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
