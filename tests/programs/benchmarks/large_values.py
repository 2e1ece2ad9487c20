"""A million cells, read and written: time, and the peak of the memory on both sides."""

from __future__ import annotations

from flood import memory_of

from .emulated import WAYS, Emulated
from .figures import median
from .row import Comparison, Row
from .user import COLUMNS

GROUP = "large values"
_KINDS = ("get_all_values", "update")


def run(place):
    found = _measure(place)
    figures = {
        (kind, way): {name: median([one[name] for one in found[kind, way]]) for name in found_one}
        for (kind, way), (found_one, *_) in found.items()
    }
    for (kind, way), figure in figures.items():
        yield Row(GROUP, f"{kind}, {way}", figure)
    for kind in _KINDS:
        yield from compared(kind, figures[kind, "queued"], figures[kind, "direct"])


def compared(kind, queued, direct):
    """Return time and memory of the queue against plain gspread's; pure."""
    for what, unit, name, of_direct, goal in (
        ("time", "s", "time_s", "time_s", 1.3),
        ("memory of the client", "mib", "client_mib", "client_mib", 1.5),
        ("memory of the server", "mib", "server_mib", "client_mib", 1.5),
    ):
        told = f"{kind}, queued / direct, {what}"
        yield Comparison(GROUP, told, unit, queued[name], direct[of_direct], goal)


def _measure(place):
    """Return what was measured, by kind and way; every number is of fresh processes."""
    found = {(kind, way): [] for kind in _KINDS for way in WAYS}
    rows = place.size.rows
    with Emulated(place) as google:
        owner = google.user("direct")
        key = owner.ask(do="create", title="large", rows=rows, columns=COLUMNS)
        owner.ask(do="write", key=key, rows=rows)
        owner.end()
        for _ in range(place.size.values):
            for (kind, way), measured in found.items():
                measured.append(_one(google, way, kind, key, rows))
    return found


def _one(google, way, kind, key, rows):
    server = google.server() if way == "queued" else None
    user = google.user(way).until_ready()
    if server is not None:
        server.until_log("working as")
    asked = {"do": "write", "rows": rows} if kind == "update" else {"do": "read"}
    answer = user.ask(**asked, key=key)
    figures = {"time_s": answer["seconds"], "client_mib": answer["peak_mib"]}
    user.end()
    if server is not None:
        figures["server_mib"] = memory_of(server.process.pid, "VmHWM")
        server.end()
    return figures
