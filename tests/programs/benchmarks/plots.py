"""Which charts a run draws."""

from __future__ import annotations

from .chart import Bar, chart
from .row import Comparison, Row

_FIGURES = {
    "round-trip": ("round trip", "p50_us", "Round trip of one call, p50 in µs"),
    "callers": ("round trip", "par16_cps", "16 callers at once, calls a second"),
    "added-latency": ("added latency", "p50_ms", "One call at an API of 50 ms, p50 in ms"),
    "large-time": ("large values", "time_s", "A million cells, seconds"),
    "large-memory": (
        "large values",
        "client_mib",
        "A million cells, peak memory of the client, MiB",
    ),
    "depth": ("depth", "dispatch_us", "Dispatch of one job, by jobs that wait, p50 in µs"),
    "width": ("width", "rate_cps", "Calls a second, by processes that wait"),
    "width-memory": ("width", "process_mib", "Memory of one waiting process, MiB"),
    "start-up": ("start-up", "import_ms", "Import, ms"),
    "openall": ("openall", "cpu_s", "openall over 400 files, seconds of CPU"),
    "pipelines": ("pipelines", "time_s", "A plain loop in a pipeline, seconds"),
    "upserts": ("upserts", "requests", "Upserts of many processes, requests"),
    "polling": ("polling", "requests", "Processes that poll one sheet for a minute, reads"),
    "accounts": ("accounts", "time_s", "1,200 appends under the quotas of accounts, seconds"),
    "fairness": ("fairness", "b_p99_ms", "A call beside a busy spreadsheet, p99 in ms"),
}


def draw(rows, folder):
    """Write the charts that a run has numbers for into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (group, figure, title) in _FIGURES.items():
        bars = bars_of(rows, group, figure)
        if bars:
            (folder / f"{name}.svg").write_text(chart(title, bars, goal_of(rows, group, bars)))


def bars_of(rows, group, figure):
    """Return a bar for every row of a group that has a figure."""
    of_group = [row for row in rows if isinstance(row, Row) and row.group == group]
    return [
        Bar(row.name, row.figures[figure], is_ours="queued" in row.name)
        for row in of_group
        if figure in row.figures
    ]


def goal_of(rows, group, bars):
    """Return what one of the bars should reach or stay below; None without one goal for all."""
    values = {bar.value for bar in bars}
    compared = [row for row in rows if isinstance(row, Comparison) and row.group == group]
    wanted = {row.wanted for row in compared if row.goal is not None and row.measured in values}
    return wanted.pop() if len(wanted) == 1 else None
