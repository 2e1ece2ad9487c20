"""Bar charts as SVG, written by hand; legible on a light and on a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from .table import number

_WIDTH, _LABELS, _NUMBERS, _BAR, _TOP = 720, 190, 110, 24, 46
_STYLE = (
    ".page{fill:#ffffff}text{fill:#24292f;font:13px sans-serif}.title{font-weight:bold}"
    ".other{fill:#8c959f}.ours{fill:#0969da}.line{stroke:#cf222e;stroke-dasharray:4 3}"
    "@media (prefers-color-scheme: dark){.page{fill:#0d1117}text{fill:#e6edf3}"
    ".other{fill:#6e7681}.ours{fill:#58a6ff}.line{stroke:#ff7b72}}"
)


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    value: float
    is_ours: bool = False


def chart(title, bars, line=None):
    """Return an SVG of horizontal bars.

    Args:
        title: What they show, with the unit.
        bars: The bars, from the top down.
        line: The goal, where a line stands; or None.

    """
    most = max([bar.value for bar in bars] + ([line] if line else [])) or 1.0
    height = _TOP + _BAR * len(bars) + 12
    parts = [_bar(bar, _TOP + _BAR * place, most) for place, bar in enumerate(bars)]
    if line:
        parts.append(_line(line / most, height - 8))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="6"/>\n'
        f'<text class="title" x="12" y="26">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bar(bar, top, most):
    length = max(1.0, bar.value / most * (_WIDTH - _LABELS - _NUMBERS))
    colour = "ours" if bar.is_ours else "other"
    return (
        f'<text x="{_LABELS - 8}" y="{top + 14}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect class="{colour}" x="{_LABELS}" y="{top + 2}" width="{length:.1f}" '
        f'height="{_BAR - 8}" rx="2"/>'
        f'<text x="{_LABELS + length + 6:.1f}" y="{top + 14}">{number(bar.value)}</text>'
    )


def _line(share, bottom):
    x = _LABELS + share * (_WIDTH - _LABELS - _NUMBERS)
    return f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{bottom}"/>'
