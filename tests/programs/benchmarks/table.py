"""The table of a run as text."""

from __future__ import annotations

from .row import Row

_MET = {True: "met", False: "not met", None: ""}
_HEAD = ("", "measured", "ratio", "goal", "")


def table(rows):
    """Return all rows and comparisons as one table; each benchmark has a line above its own."""
    lines, group = [_HEAD], None
    for row in rows:
        if row.group != group:
            group = row.group
            lines.append((f"{group}:",))
        lines.append(_measured(row) if isinstance(row, Row) else _compared(row))
    names = max(len(line[0]) for line in lines)
    whole = [line for line in lines if len(line) == len(_HEAD)]
    widths = [names, *(max(map(len, column)) for column in list(zip(*whole, strict=True))[1:])]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line, widths):
    # Figures may be longer than what is compared; nothing stands beside them.
    return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()


def _measured(row):
    figures = ", ".join(shown(name, value) for name, value in row.figures.items())
    told = " ".join(part for part in (figures, row.note and f"({row.note})") if part)
    return (f"  {row.name}", told)


def _compared(row):
    numbers = f"{number(row.measured)} / {number(row.against)} {_UNITS.get(row.unit, row.unit)}"
    return (f"  {row.name}", numbers, f"{row.ratio:.2f}", row.shown_goal, _MET[row.is_met])


_UNITS = {"us": "µs", "cps": "calls/s", "mib": "MiB", "jain": "(Jain)"}


def shown(name, value):
    """Return a figure with its name and unit: ``p50_us`` is ``p50 12 µs``."""
    name, _, unit = name.rpartition("_")
    return f"{name.replace('_', ' ')} {number(value)} {_UNITS.get(unit, unit)}".strip()


def number(value):
    """Return a number with three digits that count, or all that stand before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
